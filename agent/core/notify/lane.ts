import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, earliest, micros, milliseconds, seconds } from "../time.ts";
import { digest, withCount } from "./digest.ts";
import type { Notice } from "./notice.ts";

/** How one target is served. */
export interface LaneConfig {
  /** Notices a minute; `undefined`: no limit. */
  readonly perMinute: number | undefined;
  /** Whether several notices that waited may go as one. */
  readonly digests: boolean;
}

/** A notice in the outbox. Ids rise. */
export interface Queued {
  readonly id: number;
  readonly notice: Notice;
  /** Not delivered by then: given up. */
  readonly giveUpAt: Instant;
}

/** What of one key was told, until when others are held back, and the last of those. */
interface Throttled {
  readonly key: string;
  readonly until: Instant;
  readonly held: number;
  readonly last: Queued | undefined;
}

export interface LaneState {
  readonly waiting: readonly Queued[];
  /** Under way; they are the first of those that wait no more. */
  readonly sending: readonly Queued[];
  /** Tries of what is first that have failed. */
  readonly failures: number;
  readonly retryAt: Instant | undefined;
  /** The current minute of the rate limit, and how many left in it. */
  readonly minute: { readonly endsAt: Instant; readonly sent: number } | undefined;
  readonly throttled: readonly Throttled[];
}

export type LaneEvent =
  | { readonly kind: "queued"; readonly queued: Queued }
  | { readonly kind: "delivered" }
  /** It may succeed later; the other side may have said when. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfterMs: number | undefined }
  /** It never will. */
  | { readonly kind: "refused"; readonly reason: string }
  /** There is no room for it any more. */
  | { readonly kind: "dropped"; readonly id: number }
  /** Do not wait for the next try: somebody asked, or the settings are new. */
  | { readonly kind: "hasten" }
  | { readonly kind: "tick" };

export type LaneEffect =
  | { readonly kind: "send"; readonly notice: Notice }
  | { readonly kind: "done"; readonly ids: readonly number[] }
  /** Told by another one that says how many there were. */
  | { readonly kind: "folded"; readonly ids: readonly number[] }
  | { readonly kind: "dead"; readonly ids: readonly number[]; readonly reason: string };

type Step = Transition<LaneState, LaneEffect>;

const FIRST_RETRY = seconds(1);
const LONGEST_RETRY = seconds(600);
const MINUTE = seconds(60);
/** In one digest. */
const MOST_TOGETHER = 100;
const MOST_KEYS = 1_000;
/** A server that wants more is not waited for that long. */
const LONGEST_WISH = seconds(3_600);

/** What is tried for so long without success is given up. */
export const GIVE_UP_AFTER = seconds(24 * 3_600);

const INITIAL: LaneState = {
  waiting: [],
  sending: [],
  failures: 0,
  retryAt: undefined,
  minute: undefined,
  throttled: [],
};

function step(config: LaneConfig, state: LaneState, event: LaneEvent, now: Instant): Step {
  switch (event.kind) {
    case "queued":
      return go(config, admit(state, event.queued, now), now);
    case "delivered": {
      const done: LaneEffect = { kind: "done", ids: idsOf(state.sending) };
      const rested = { ...state, sending: [], failures: 0, retryAt: undefined };
      return go(config, { state: rested, effects: [done] }, now);
    }
    case "failed":
      return failed(config, state, event, now);
    case "refused": {
      const dead: LaneEffect = { kind: "dead", ids: idsOf(state.sending), reason: event.reason };
      const rested = { ...state, sending: [], failures: 0, retryAt: undefined };
      return go(config, { state: rested, effects: [dead] }, now);
    }
    case "dropped": {
      const waiting = state.waiting.filter(({ id }) => id !== event.id);
      const throttled = state.throttled.map((entry) =>
        entry.last?.id === event.id ? { ...entry, last: undefined } : entry,
      );
      return { state: { ...state, waiting, throttled }, effects: [] };
    }
    case "hasten":
      return go(config, { state: { ...state, retryAt: undefined, failures: 0 }, effects: [] }, now);
    case "tick":
      return go(config, { state, effects: [] }, now);
    default:
      return assertNever(event);
  }
}

const idsOf = (entries: readonly Queued[]): readonly number[] => entries.map(({ id }) => id);

/** Lets it wait for its turn, or holds it back for the sake of one like it that was told. */
function admit(state: LaneState, queued: Queued, now: Instant): Step {
  const { key, throttleMs } = queued.notice;
  if (throttleMs <= 0) return { state: append(state, queued), effects: [] };
  const known = state.throttled.find((entry) => entry.key === key);
  if (known === undefined || known.until <= now) {
    const until = after(now, milliseconds(throttleMs));
    const others = state.throttled.filter((entry) => entry !== known);
    // One that was due in this very moment is told by the new one, and counted with it.
    const held = known?.held ?? 0;
    const folded = known?.last === undefined ? [] : [known.last];
    const told = held === 0 ? queued : { ...queued, notice: withCount(queued.notice, held) };
    const throttled = remembered([...others, { key, until, held: 0, last: undefined }]);
    return { state: append({ ...state, throttled }, told), effects: fold(folded) };
  }
  const folded = known.last === undefined ? [] : [known.last];
  const entry = { ...known, held: known.held + 1, last: queued };
  const throttled = state.throttled.map((other) => (other === known ? entry : other));
  return { state: { ...state, throttled }, effects: fold(folded) };
}

/** Beyond this the key told longest ago is forgotten, unless something is held back for it. */
const remembered = (throttled: readonly Throttled[]): readonly Throttled[] => {
  if (throttled.length <= MOST_KEYS) return throttled;
  const oldest = throttled.findIndex(({ last }) => last === undefined);
  return throttled.filter((_, at) => at !== oldest);
};

const fold = (entries: readonly Queued[]): readonly LaneEffect[] =>
  entries.length === 0 ? [] : [{ kind: "folded", ids: idsOf(entries) }];

const append = (state: LaneState, queued: Queued): LaneState => ({
  ...state,
  waiting: [...state.waiting, queued],
});

/** Back to the head of the line; what is too old by now is given up. */
function failed(
  config: LaneConfig,
  state: LaneState,
  event: Extract<LaneEvent, { readonly kind: "failed" }>,
  now: Instant,
): Step {
  const all = [...state.sending, ...state.waiting];
  const old = all.filter(({ giveUpAt }) => giveUpAt <= now);
  const waiting = all.filter(({ giveUpAt }) => giveUpAt > now);
  const wish = Math.min(milliseconds(event.retryAfterMs ?? 0), LONGEST_WISH);
  const own = Math.min(FIRST_RETRY * 2 ** Math.min(state.failures, 20), LONGEST_RETRY);
  const retryAt = after(now, micros(Math.max(own, wish)));
  const effects: readonly LaneEffect[] =
    old.length === 0 ? [] : [{ kind: "dead", ids: idsOf(old), reason: event.reason }];
  const next = { ...state, sending: [], waiting, failures: state.failures + 1, retryAt };
  return go(config, { state: next, effects }, now);
}

/** Everything that time alone brings about. */
function go(config: LaneConfig, { state, effects }: Step, now: Instant): Step {
  const ripe = released(state, now);
  const sent = send(config, ripe, now);
  return { state: sent.state, effects: [...effects, ...sent.effects] };
}

/** The last one of those that were held back is told when their time is over. */
function released(state: LaneState, now: Instant): LaneState {
  if (!state.throttled.some(({ until }) => until <= now)) return state;
  const over = state.throttled.filter(({ until }) => until <= now);
  const rest = state.throttled.filter(({ until }) => until > now);
  const told = over.flatMap(({ held, last }) =>
    last === undefined ? [] : [{ ...last, notice: withCount(last.notice, held - 1) }],
  );
  const again = over.flatMap(({ key, last }) =>
    last === undefined
      ? []
      : [
          {
            key,
            until: after(now, milliseconds(last.notice.throttleMs)),
            held: 0,
            last: undefined,
          },
        ],
  );
  return { ...state, waiting: [...state.waiting, ...told], throttled: [...rest, ...again] };
}

function send(config: LaneConfig, state: LaneState, now: Instant): Step {
  const [first] = state.waiting;
  const resting = state.retryAt !== undefined && state.retryAt > now;
  if (first === undefined || state.sending.length > 0 || resting) return { state, effects: [] };
  const { perMinute = Number.POSITIVE_INFINITY } = config;
  const limited = state.minute !== undefined && state.minute.sent >= perMinute;
  const minute = state.minute !== undefined && state.minute.endsAt > now ? state.minute : undefined;
  if (limited && minute !== undefined) {
    return { state: { ...state, retryAt: undefined }, effects: [] };
  }
  // Only after the limit was hit, or nobody listened: else each one goes by itself.
  const together = config.digests && (limited || state.failures > 0);
  const count = together ? digestible(state.waiting) : 1;
  const sending = state.waiting.slice(0, count);
  const { endsAt, sent } = minute ?? { endsAt: after(now, MINUTE), sent: 0 };
  const notice = sending.length === 1 ? first.notice : digest(sending.map((entry) => entry.notice));
  const waiting = state.waiting.slice(count);
  const next = { ...state, sending, waiting, retryAt: undefined };
  return {
    state: { ...next, minute: { endsAt, sent: sent + 1 } },
    effects: [{ kind: "send", notice }],
  };
}

/** How many of the first may go as one; a body that is somebody's own JSON goes alone. */
function digestible(waiting: readonly Queued[]): number {
  const until = waiting.findIndex(({ notice }) => notice.json !== undefined);
  return Math.max(1, Math.min(until === -1 ? waiting.length : until, MOST_TOGETHER));
}

function deadline(state: LaneState): Instant | undefined {
  const { waiting, sending, retryAt, minute, throttled } = state;
  const held = throttled.map(({ until }) => until);
  const idle = waiting.length === 0 || sending.length > 0;
  // A limit that is not reached delays nothing; a tick too many harms nobody.
  return earliest(...held, ...(idle ? [] : [retryAt ?? minute?.endsAt]));
}

/** The way to one target: in order, with patience, and never too much at once. */
export const lane: Machine<LaneConfig, LaneState, LaneEvent, LaneEffect> = {
  initial: INITIAL,
  step,
  deadline,
};
