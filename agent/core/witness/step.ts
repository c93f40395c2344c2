import type { Machine } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, earliest, later, sooner } from "../time.ts";
import type { LeaseAnswer } from "./lease-answer.ts";
import { paceOfFailure, paceOfHint, paceOfWaiting } from "./pace.ts";
import type {
  RequestKind,
  RevokeReason,
  WitnessConfig,
  WitnessEffect,
  WitnessEvent,
  WitnessRequest,
  WitnessState,
  WitnessTransition,
} from "./witness.ts";
import { initialWitness, leaseDeadline } from "./witness.ts";

/** The lease of one group of addresses: asked for, kept, given back. */
export const witness = (
  seed: number,
): Machine<WitnessConfig, WitnessState, WitnessEvent, WitnessEffect> => ({
  initial: initialWitness(seed),
  step: stepWitness,
  deadline: witnessDeadline,
});

export const witnessDeadline = (state: WitnessState): Instant | undefined =>
  earliest(
    state.request?.limitAt,
    state.request === undefined ? state.askAt : undefined,
    state.grant.kind === "leased" ? state.grant.deadlineAt : undefined,
    state.patientUntil,
    state.request === undefined && !state.wanted && state.mayHold ? state.openUntil : undefined,
  );

export function stepWitness(
  config: WitnessConfig,
  state: WitnessState,
  event: WitnessEvent,
  now: Instant,
): WitnessTransition {
  const turn = new Turn(config, state, now);
  turn.take(event);
  turn.timeOut();
  turn.lapse();
  turn.goWithout();
  turn.ask();
  return { state: turn.state, effects: turn.effects };
}

/** One step under way. */
class Turn {
  state: WitnessState;
  readonly effects: WitnessEffect[] = [];
  readonly #config: WitnessConfig;
  readonly #now: Instant;

  constructor(config: WitnessConfig, state: WitnessState, now: Instant) {
    this.#config = config;
    this.state = state;
    this.#now = now;
  }

  take(event: WitnessEvent): void {
    if (event.kind === "wanted") this.#want();
    if (event.kind === "not-wanted") this.#unwant();
    if (event.kind === "answer") this.#hear(event.id, event.sentAt, event.answer);
    if (event.kind === "released") this.#released(event.id);
    if (event.kind === "changed") this.#hint();
  }

  /** A request whose time is over was in vain; its answer will be nobody's. */
  timeOut(): void {
    const { request } = this.state;
    if (request === undefined || this.#now < request.limitAt) return;
    this.#set({ request: undefined });
    if (request.kind === "release") this.#askAt(this.#now);
    else this.#failed(request, { kind: "unreachable", reason: "no answer in time" });
  }

  /** After the event: an answer that came in time puts the deadline off. */
  lapse(): void {
    const { grant } = this.state;
    if (grant.kind !== "leased" || this.#now < grant.deadlineAt) return;
    // The store may still have it as ours; who may do without is told so by goWithout.
    const openUntil = after(grant.deadlineAt, this.#config.margin);
    this.#set({ grant: { kind: "none" }, openUntil });
    if (this.#config.mode === "required") this.#tell("lapsed");
    else this.#set({ patientUntil: this.#now });
  }

  /** `advisory`: the store had its time, and says nothing that counts. */
  goWithout(): void {
    const { patientUntil, answer, wanted, grant } = this.state;
    if (this.#config.mode === "required") {
      // Of before a reload.
      if (patientUntil !== undefined) this.#set({ patientUntil: undefined });
      return;
    }
    const waits = wanted && grant.kind === "none";
    if (waits && (patientUntil === undefined || this.#now < patientUntil)) return;
    this.#set({ patientUntil: undefined });
    if (!waits || answer?.kind === "taken") return;
    this.#set({ grant: { kind: "without-lease" } });
    const because = answer?.kind === "refused" ? "refused" : "unreachable";
    this.effects.push({ kind: "grant-without-lease", because });
  }

  ask(): void {
    const { request, wanted, mayHold, askAt, grant, openUntil } = this.state;
    if (request !== undefined) return;
    if (!wanted) {
      if (mayHold && (openUntil === undefined || this.#now >= openUntil)) this.#send("release");
      return;
    }
    if (askAt === undefined || this.#now < askAt) return;
    this.#send(grant.kind === "leased" ? "renew" : "acquire");
  }

  #want(): void {
    if (this.state.wanted) return;
    const { mode, patience } = this.#config;
    this.#set({
      wanted: true,
      failures: 0,
      answer: undefined,
      patientUntil: mode === "advisory" ? after(this.#now, patience) : undefined,
    });
    this.#askAt(this.#now);
  }

  #unwant(): void {
    if (!this.state.wanted) return;
    const had = this.state.grant.kind !== "none";
    this.#set({
      wanted: false,
      grant: { kind: "none" },
      askAt: undefined,
      patientUntil: undefined,
    });
    if (had) this.#tell("not-wanted");
  }

  #hint(): void {
    const { wanted, grant, askAt } = this.state;
    if (!wanted || grant.kind === "leased") return;
    const pace = paceOfHint(this.#config, this.state.seed, this.#now);
    this.#set({ seed: pace.seed });
    this.#askAt(sooner(askAt ?? pace.askAt, pace.askAt));
  }

  #released(id: number): void {
    const { request } = this.state;
    if (request?.id !== id || request.kind !== "release") return;
    this.#set({ request: undefined });
    this.#askAt(this.#now);
  }

  #hear(id: number, sentAt: Instant, answer: LeaseAnswer): void {
    const { request } = this.state;
    if (request?.id !== id || request.kind === "release" || this.#now >= request.limitAt) return;
    this.#set({ request: undefined });
    if (!this.state.wanted) return;
    if (answer.kind === "held") {
      // Not before it was asked for, whatever the event says.
      this.#held(request, later(sentAt, request.askedAt), answer.epoch);
    } else if (answer.kind === "taken" || answer.kind === "lost") {
      this.#gone(answer);
    } else {
      this.#failed(request, answer);
    }
  }

  #held(request: WitnessRequest, sentAt: Instant, epoch: string): void {
    const deadlineAt = leaseDeadline(this.#config, sentAt);
    if (deadlineAt <= this.#now || sentAt > this.#now) {
      this.#failed(request, { kind: "unreachable", reason: "the answer came too late" });
      return;
    }
    const { grant } = this.state;
    // Somebody else held it in between: what was granted then ends first.
    if (grant.kind === "leased" && grant.epoch !== epoch) this.#tell("lost");
    const answer = { kind: "held", epoch } as const;
    this.#set({ failures: 0, answer, grant: { kind: "leased", deadlineAt, epoch } });
    this.#askAt(after(sentAt, this.#config.renewEvery));
    this.effects.push({ kind: "grant", deadlineAt, epoch });
  }

  #gone(answer: Extract<LeaseAnswer, { kind: "taken" | "lost" }>): void {
    const { grant, seed } = this.state;
    this.#set({ failures: 0, answer, grant: { kind: "none" } });
    if (grant.kind !== "none") this.#tell(grant.kind === "leased" ? "lost" : "taken");
    const pace = paceOfWaiting(this.#config, seed, this.#now);
    this.#set({ seed: pace.seed });
    // Who has lost it may be the first who can have it again; who is failsafe must learn who has it now.
    const atOnce = grant.kind === "leased" || answer.kind === "lost";
    this.#askAt(atOnce ? this.#now : pace.askAt);
  }

  #failed(
    request: WitnessRequest,
    answer: Extract<LeaseAnswer, { kind: "unreachable" | "refused" }>,
  ): void {
    if (!this.state.wanted) return;
    const pace = paceOfFailure(this.#config, this.state, request, this.#now);
    this.#set({ failures: this.state.failures + 1, answer, seed: pace.seed });
    this.#askAt(pace.askAt);
    const { patientUntil, grant } = this.state;
    const beginsToWait = patientUntil === undefined && grant.kind === "none";
    // It told of another holder, or of our loss, and is silent now: it has its time once more.
    if (this.#config.mode === "advisory" && beginsToWait) {
      this.#set({ patientUntil: after(this.#now, this.#config.patience) });
    }
  }

  #send(kind: RequestKind): void {
    const { nextId: id } = this.state;
    const { requestTime: limit } = this.#config;
    const request = { id, kind, askedAt: this.#now, limitAt: after(this.#now, limit) };
    this.#set({ request, nextId: id + 1, askAt: undefined, mayHold: kind !== "release" });
    this.effects.push({ kind, id, limit });
  }

  #tell(reason: RevokeReason): void {
    this.effects.push({ kind: "revoke", reason });
  }

  #askAt(askAt: Instant): void {
    this.#set({ askAt: this.state.wanted ? askAt : undefined });
  }

  #set(change: Partial<WitnessState>): void {
    this.state = { ...this.state, ...change };
  }
}
