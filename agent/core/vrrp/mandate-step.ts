import { assertNever } from "../assert.ts";
import type { Instant } from "../time.ts";
import { after, instant } from "../time.ts";
import type { MandateNews } from "../witness/mandate-news.ts";
import type {
  GrantedPhase,
  MandateEffect,
  MandateEvent,
  MandatePhase,
  MandateState,
  MandateSurroundings,
  MandateTransition,
  Wish,
  WithdrawalReason,
} from "./mandate.ts";
import { GRACE } from "./mandate.ts";

/** A gate that needs this mandate is not open at any time. */
const NEVER = instant(0);

/** Until when gates of its members may be open; `undefined`: it sets no limit. */
export function mandateLimit({ phase }: MandateState): Instant | undefined {
  if (phase.kind !== "granted") return NEVER;
  return phase.failsafe ? undefined : (phase.deadlineAt ?? undefined);
}

/** When it needs a `tick`. */
export function mandateDeadline({ phase }: MandateState): Instant | undefined {
  if (phase.kind !== "granted" || phase.failsafe) return undefined;
  return phase.deadlineAt ?? undefined;
}

export const mandateEpoch = ({ phase }: MandateState): string | null =>
  phase.kind === "granted" || phase.kind === "returning" ? phase.epoch : null;

/** Wishes, and what came of them. Whatever the witness says or does not say, a deadline ends what it granted. */
export function stepMandate(
  surroundings: MandateSurroundings,
  state: MandateState,
  event: MandateEvent,
  now: Instant,
): MandateTransition {
  const { phase } = state;
  switch (event.kind) {
    case "sought":
      return seek(state, event.fence, now);
    case "kept":
      return keep(surroundings, state, now);
    case "returned":
      return giveBack(state);
    case "news":
      // Of another wish: it is about what is over.
      return "wish" in phase && phase.wish.serial === event.serial
        ? hear(surroundings, state, event.news, now)
        : stay(state);
    case "witness-lost":
      return sayAgain(state);
    case "gates-shut":
      return phase.kind === "returning" && phase.wish.serial === event.serial
        ? finish(state, phase.wish, phase.next, now)
        : stay(state);
    case "configured":
      return phase.kind === "granted" ? readjust(surroundings, state, phase, now) : stay(state);
    case "suspended":
      // Also what no lease vouches for: somebody may have taken over. What is sought its group gives up.
      return phase.kind === "granted" ? withdraw(state, phase, "suspended") : stay(state);
    case "tick":
      return phase.kind === "granted" ? reconsider(surroundings, state, phase, now) : stay(state);
    default:
      return assertNever(event);
  }
}

const stay = (state: MandateState): MandateTransition => ({ state, effects: [] });

const enter = (
  state: MandateState,
  phase: MandatePhase,
  ...effects: readonly MandateEffect[]
): MandateTransition => ({ state: { ...state, phase }, effects });

const say = (what: "mandate-wanted" | "mandate-unwanted", wish: Wish): MandateEffect => ({
  kind: "say",
  what,
  wish,
});

/** Whoever is asked for it was active before it was needed: nobody went silent, and nobody is to be fenced. */
function keep(
  surroundings: MandateSurroundings,
  state: MandateState,
  now: Instant,
): MandateTransition {
  const { phase } = state;
  if (phase.kind === "granted") return stay(state);
  // Of a group that was another one: its gates are being shut.
  if (phase.kind === "returning") {
    return { state, effects: [{ kind: "tell-group", event: "mandate-withdrawn" }] };
  }
  const before: readonly MandateEffect[] =
    phase.kind === "sought" ? [say("mandate-unwanted", phase.wish)] : [];
  const wish: Wish = { serial: nextSerial(state, now), fence: false };
  const granted: GrantedPhase = {
    ...{ kind: "granted", wish, deadlineAt: null, epoch: null },
    ...{ delay: undefined, failsafe: false, grace: false },
  };
  const kept = readjust(surroundings, { ...state, serial: wish.serial }, granted, now);
  return { state: kept.state, effects: [...before, say("mandate-wanted", wish), ...kept.effects] };
}

/** What was granted, or is kept without, by what it takes now. */
function readjust(
  surroundings: MandateSurroundings,
  state: MandateState,
  phase: GrantedPhase,
  now: Instant,
): MandateTransition {
  const { lease } = surroundings;
  if (lease === undefined) return goWithout(state, { ...phase, delay: undefined });
  if (lease === "advisory" || phase.deadlineAt !== null) {
    return reconsider(surroundings, state, phase, now);
  }
  const deadlineAt = after(now, GRACE);
  const begun: MandateEffect = { kind: "grace", begins: true };
  return enter(state, { ...phase, deadlineAt, grace: true }, { kind: "limit" }, begun);
}

/** No lease vouches for it, and none has to. */
function goWithout(state: MandateState, phase: GrantedPhase): MandateTransition {
  const free = { ...phase, deadlineAt: null, grace: false, failsafe: false };
  return enter(state, free, { kind: "limit" }, ...endOf(phase));
}

/** It goes on, and by other means than these. */
function endOf({ grace, failsafe }: GrantedPhase): readonly MandateEffect[] {
  const over: MandateEffect[] = [];
  if (grace) over.push({ kind: "grace", begins: false });
  if (failsafe) over.push({ kind: "failsafe", begins: false });
  return over;
}

const nextSerial = ({ serial }: MandateState, now: Instant): number => Math.max(now, serial + 1);

function want(state: MandateState, fence: boolean, now: Instant): MandateTransition {
  const serial = nextSerial(state, now);
  const wish: Wish = { serial, fence };
  return {
    state: { serial, phase: { kind: "sought", wish, delay: undefined, taken: undefined } },
    effects: [say("mandate-wanted", wish)],
  };
}

function seek(
  state: MandateState,
  fence: boolean,
  now: Instant,
  before: readonly MandateEffect[] = [],
): MandateTransition {
  const { phase } = state;
  if (phase.kind === "none") return want(state, fence, now);
  if (phase.kind === "returning") {
    const next = { fence: fence || phase.next?.fence === true };
    return enter(state, { ...phase, next }, ...before);
  }
  if (phase.kind === "granted") {
    // Of a group that was another one when it was granted: a reload came between.
    const over = letGo(state, phase);
    return seek(over.state, fence, now, over.effects);
  }
  if (phase.wish.fence || !fence) return stay(state);
  // Whoever was heard when it was wanted went silent since.
  const anew = want(state, true, now);
  return { state: anew.state, effects: [say("mandate-unwanted", phase.wish), ...anew.effects] };
}

function giveBack(state: MandateState): MandateTransition {
  const { phase } = state;
  switch (phase.kind) {
    case "none":
      return stay(state);
    case "sought":
      // No gate was opened for it.
      return enter(state, { kind: "none" }, say("mandate-unwanted", phase.wish));
    case "granted":
      return letGo(state, phase);
    case "returning":
      return enter(state, { ...phase, next: undefined });
    default:
      return assertNever(phase);
  }
}

function letGo(
  state: MandateState,
  { wish, epoch }: GrantedPhase,
  ...effects: readonly MandateEffect[]
): MandateTransition {
  const phase = { kind: "returning", wish, epoch, next: undefined } as const;
  return enter(state, phase, ...effects, { kind: "await-shut", serial: wish.serial });
}

const withdraw = (
  state: MandateState,
  phase: GrantedPhase,
  because: WithdrawalReason,
): MandateTransition =>
  letGo(
    state,
    phase,
    { kind: "withdrawn", because, delay: phase.delay },
    { kind: "tell-group", event: "mandate-withdrawn" },
  );

function finish(
  state: MandateState,
  wish: Wish,
  next: { readonly fence: boolean } | undefined,
  now: Instant,
): MandateTransition {
  const returned = say("mandate-unwanted", wish);
  if (next === undefined) return enter(state, { kind: "none" }, returned);
  const anew = want(state, next.fence, now);
  return { state: anew.state, effects: [returned, ...anew.effects] };
}

/** Who has it was through with fencing; who waits for it is not. */
function sayAgain(state: MandateState): MandateTransition {
  const { phase } = state;
  if (phase.kind === "sought") return { state, effects: [say("mandate-wanted", phase.wish)] };
  if (phase.kind !== "granted") return stay(state);
  return { state, effects: [say("mandate-wanted", { ...phase.wish, fence: false })] };
}

function hear(
  surroundings: MandateSurroundings,
  state: MandateState,
  news: MandateNews,
  now: Instant,
): MandateTransition {
  const { phase } = state;
  // Said by rules of before a reload: it takes a lease now.
  if (news.kind === "granted" && news.deadlineAt === null && surroundings.lease === "required") {
    return stay(state);
  }
  if (phase.kind === "sought") return hearSeeking(state, phase, news, now);
  if (phase.kind !== "granted") return stay(state);
  switch (news.kind) {
    case "granted":
      return renew(state, phase, news, now);
    case "waiting":
      return reconsider(surroundings, state, { ...phase, delay: news }, now);
    case "taken":
      return withdraw(state, phase, "taken");
    case "withdrawn":
      // Its end by time alone is no news, but where it goes on without the store.
      return news.because === "lapsed"
        ? reconsider(surroundings, state, { ...phase, deadlineAt: now }, now)
        : withdraw(state, phase, news.because);
    default:
      return assertNever(news);
  }
}

function hearSeeking(
  state: MandateState,
  phase: Extract<MandatePhase, { readonly kind: "sought" }>,
  news: MandateNews,
  now: Instant,
): MandateTransition {
  switch (news.kind) {
    case "granted": {
      if (isOver(news.deadlineAt, now)) return stay(state);
      const { wish } = phase;
      const { deadlineAt, epoch } = news;
      const granted = { kind: "granted", wish, deadlineAt, epoch } as const;
      return enter(
        state,
        { ...granted, delay: undefined, failsafe: false, grace: false },
        { kind: "limit" },
        { kind: "tell-group", event: "mandate-granted" },
      );
    }
    case "taken":
      return enter(
        state,
        { ...phase, delay: undefined, taken: { holder: news.holder } },
        { kind: "tell-group", event: "mandate-taken" },
      );
    case "waiting":
      return enter(state, { ...phase, delay: news, taken: undefined });
    case "withdrawn":
      // Its grant came too late to count, or not at all; this wish is granted no more.
      return finish(state, phase.wish, { fence: phase.wish.fence }, now);
    default:
      return assertNever(news);
  }
}

const isOver = (deadlineAt: Instant | null, now: Instant): boolean =>
  deadlineAt !== null && deadlineAt <= now;

/** A renewal that waited too long counts no more than none. */
function renew(
  state: MandateState,
  phase: GrantedPhase,
  { deadlineAt, epoch }: Extract<MandateNews, { readonly kind: "granted" }>,
  now: Instant,
): MandateTransition {
  if (isOver(deadlineAt, now)) return stay(state);
  const renewed = { ...phase, deadlineAt, epoch, delay: undefined, failsafe: false, grace: false };
  return enter(state, renewed, { kind: "limit" }, ...endOf(phase));
}

/** Whether it goes on, and until when: by the last that was heard, and by the surroundings. */
function reconsider(
  surroundings: MandateSurroundings,
  state: MandateState,
  phase: GrantedPhase,
  now: Instant,
): MandateTransition {
  const { delay, deadlineAt } = phase;
  const unreachable = delay?.because === "store-unreachable";
  const silent = unreachable || delay?.because === "store-refused" || isOver(deadlineAt, now);
  const alone = surroundings.lease === "advisory" && (silent || phase.grace);
  if (alone && deadlineAt !== null) return goWithout(state, phase);
  // Whoever stood still while its lease ended has none to go on from: another node may have it.
  const hasLease = phase.failsafe || !(phase.grace || isOver(deadlineAt, now));
  const failsafe = surroundings.failsafe && unreachable && deadlineAt !== null && hasLease;
  if (!failsafe && isOver(deadlineAt, now)) {
    return withdraw(state, phase, reasonOfEnd(phase));
  }
  if (failsafe === phase.failsafe) return enter(state, phase);
  return enter(
    state,
    { ...phase, failsafe },
    { kind: "limit" },
    { kind: "failsafe", begins: failsafe },
  );
}

function reasonOfEnd({ grace, failsafe, delay }: GrantedPhase): WithdrawalReason {
  if (grace) return "unanswered";
  return failsafe && delay?.because === "store-unreachable" ? "session-down" : "lapsed";
}
