import type { Machine } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, earliest } from "../time.ts";
import type {
  FenceProblem,
  MandateEffect,
  MandateEvent,
  MandateRules,
  MandateState,
  MandateTransition,
} from "./mandate.ts";
import { initialMandate, pauseAfter } from "./mandate.ts";
import type { MandateNews } from "./mandate-news.ts";
import { stepWitness, witnessDeadline } from "./step.ts";
import { remedyOf } from "./store-view.ts";
import type { RevokeReason, WitnessEffect, WitnessEvent, WitnessState } from "./witness.ts";

/** A mandate: first the lease, then the fence, then leave to be active. */
export const mandate = (
  seed: number,
): Machine<MandateRules, MandateState, MandateEvent, MandateEffect> => ({
  initial: initialMandate(seed),
  step: stepMandate,
  deadline: mandateDeadline,
});

export const mandateDeadline = ({ witness, fencing }: MandateState): Instant | undefined =>
  earliest(witnessDeadline(witness), fencing.kind === "pausing" ? fencing.until : undefined);

export function stepMandate(
  rules: MandateRules,
  state: MandateState,
  event: MandateEvent,
  now: Instant,
): MandateTransition {
  const turn = new Turn(rules, state, now);
  turn.take(event);
  turn.resume();
  turn.seek();
  turn.grant();
  return { state: turn.state, effects: turn.effects };
}

/** One step under way. */
class Turn {
  state: MandateState;
  readonly effects: MandateEffect[] = [];
  readonly #rules: MandateRules;
  readonly #now: Instant;

  constructor(rules: MandateRules, state: MandateState, now: Instant) {
    this.#rules = rules;
    this.state = state;
    this.#now = now;
  }

  take(event: MandateEvent): void {
    const { wish, told } = this.state;
    switch (event.kind) {
      case "wanted":
        if (wish?.serial !== event.serial) this.#want(event.serial, event.fence);
        // Who asks again has not heard.
        else if (told !== undefined) this.#say(told);
        break;
      case "unwanted":
        if (wish?.serial === event.serial) this.#unwant();
        break;
      case "nobody-wants":
        this.#unwant();
        break;
      case "configured":
        if (this.state.fencing.kind === "pausing") this.#set({ fencing: { kind: "idle" } });
        break;
      case "fenced":
        this.#fenced(event.run, event.problem);
        break;
      case "answer":
      case "released":
      case "changed":
        this.#witness(event);
        break;
      case "tick":
        break;
    }
  }

  /** The pause after a fencing in vain is over. */
  resume(): void {
    const { fencing } = this.state;
    if (fencing.kind === "pausing" && this.#now >= fencing.until) {
      this.#set({ fencing: { kind: "idle" } });
    }
  }

  seek(): void {
    const { wish, grant, fencing } = this.state;
    const pauses = fencing.kind === "pausing" && grant === "none" && wish?.fence === true;
    const seeks = wish !== undefined && grant !== "spent" && !pauses;
    if (this.#rules.lease !== undefined) {
      this.#witness({ kind: seeks ? "wanted" : "not-wanted" });
    } else {
      this.#set({ leave: seeks ? { deadlineAt: null, epoch: null } : undefined });
    }
    if (pauses) this.#wait("fence-failed", fencing.problem);
  }

  /** Whatever was asked for in this turn, the store's leave is what it is by now. */
  grant(): void {
    const { wish, leave, grant } = this.state;
    if (wish === undefined || leave === undefined) return;
    if (grant === "granted" || grant === "spent") return;
    if (grant === "none" && this.#fence(wish, leave.epoch)) return;
    this.#set({ grant: "granted" });
    this.#say({ kind: "granted", ...leave });
  }

  /** Whether it is waited for. */
  #fence(wish: NonNullable<MandateState["wish"]>, epoch: string | null): boolean {
    const { fencing, fenced, nextRun: run } = this.state;
    if (!wish.fence || !this.#rules.fences) return false;
    if (fenced?.serial === wish.serial && fenced.epoch === epoch) return false;
    if (fencing.kind === "idle") {
      const occasion = { serial: wish.serial, epoch };
      this.#set({ fencing: { kind: "running", run, occasion }, nextRun: run + 1 });
      this.effects.push({ kind: "fence", run });
    }
    this.#wait("fencing", { reason: "the fence agents run", remedy: null });
    return true;
  }

  #want(serial: number, fence: boolean): void {
    this.#set({ wish: { serial, fence }, grant: "none", told: undefined });
  }

  #unwant(): void {
    this.#set({ wish: undefined, grant: "none", told: undefined });
  }

  #fenced(run: number, problem: FenceProblem | undefined): void {
    const { fencing } = this.state;
    if (fencing.kind !== "running" || fencing.run !== run) return;
    if (problem === undefined) {
      this.#set({ fencing: { kind: "idle" }, failures: 0, fenced: fencing.occasion });
      return;
    }
    const failures = this.state.failures + 1;
    const until = after(this.#now, pauseAfter(failures));
    this.#set({ fencing: { kind: "pausing", until, problem }, failures });
  }

  #witness(event: WitnessEvent): void {
    const { lease } = this.#rules;
    if (lease === undefined) return;
    const { witness: before } = this.state;
    const { state, effects } = stepWitness(lease, before, event, this.#now);
    this.#set({ witness: state });
    for (const effect of effects) this.#execute(effect);
    if (state.answer !== before.answer) this.#answered(state.answer);
  }

  #execute(effect: WitnessEffect): void {
    switch (effect.kind) {
      case "grant":
        this.#leave({ deadlineAt: effect.deadlineAt, epoch: effect.epoch });
        break;
      case "grant-without-lease":
        this.#leave({ deadlineAt: null, epoch: null });
        break;
      case "revoke":
        this.#revoke(effect.reason);
        break;
      default:
        this.effects.push(effect);
    }
  }

  #leave(leave: NonNullable<MandateState["leave"]>): void {
    this.#set({ leave });
    if (this.state.grant === "granted") this.#say({ kind: "granted", ...leave });
  }

  #revoke(reason: RevokeReason): void {
    this.#set({ leave: undefined });
    if (this.state.grant !== "granted" || reason === "not-wanted") return;
    const goesOn = reason === "lapsed" && this.#rules.lease?.failsafe === true;
    this.#set({ grant: goesOn ? "lapsed" : "spent" });
    this.#say({ kind: "withdrawn", because: reason });
  }

  #answered(answer: WitnessState["answer"]): void {
    if (answer?.kind === "unreachable" || answer?.kind === "refused") {
      const { kind, reason } = answer;
      this.#wait(`store-${kind}`, { reason, remedy: remedyOf(answer) });
    } else if (answer?.kind === "taken" && this.state.grant !== "spent") {
      this.#say({ kind: "taken", holder: answer.holder ?? null });
      // It went on without; somebody has it now.
      if (this.state.grant === "lapsed") this.#set({ grant: "spent" });
    }
  }

  /** Once, as long as it is the same. */
  #wait(
    because: Extract<MandateNews, { readonly kind: "waiting" }>["because"],
    { reason, remedy }: FenceProblem,
  ): void {
    const { told } = this.state;
    const same = told?.kind === "waiting" && told.because === because && told.reason === reason;
    if (!same) this.#say({ kind: "waiting", because, reason, remedy });
  }

  #say(news: MandateNews): void {
    const { wish } = this.state;
    if (wish === undefined) return;
    this.#set({ told: news });
    this.effects.push({ kind: "tell", serial: wish.serial, news });
  }

  #set(change: Partial<MandateState>): void {
    this.state = { ...this.state, ...change };
  }
}
