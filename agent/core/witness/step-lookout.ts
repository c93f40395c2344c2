import type { Instant } from "../time.ts";
import { after, seconds, since, sooner } from "../time.ts";
import type { LeaseAnswer } from "./lease-answer.ts";
import type {
  LeaseSight,
  LookoutConfig,
  LookoutEffect,
  LookoutEvent,
  LookoutState,
  LookoutTransition,
  StoreCondition,
} from "./lookout.ts";
import { paceOfLooks } from "./pace.ts";
import type { StoreFailure, StoreView } from "./store-view.ts";

/** Of a store that answers now and then, and now and then not, the log is told no more often. */
const QUIET = seconds(10);
/** Whoever has the lease after us has had the time to get it. */
const AFTER_REST = seconds(2);
/** One look may be in vain: a server was slow, or another one became the leader. */
const MISSES = 2;
const AFTER_MISS = seconds(2);

/**
 * Looks at the store now and then while nobody here wants anything of it, at one lease after the other, and
 * says when it ceases to serve, and when it does again.
 */
export function stepLookout(
  config: LookoutConfig,
  state: LookoutState,
  event: LookoutEvent,
  now: Instant,
): LookoutTransition {
  const turn = new Turn(config, state, now);
  turn.take(event);
  turn.timeOut();
  turn.look();
  return { state: turn.state, effects: turn.effects };
}

/** One step under way. */
class Turn {
  state: LookoutState;
  readonly effects: LookoutEffect[] = [];
  readonly #config: LookoutConfig;
  readonly #now: Instant;

  constructor(config: LookoutConfig, state: LookoutState, now: Instant) {
    this.#config = config;
    this.state = state;
    this.#now = now;
  }

  take(event: LookoutEvent): void {
    if (event.kind === "opened") this.#set({ lookAt: this.#now });
    if (event.kind === "looked") this.#looked(event.id, event.view);
    if (event.kind === "answered") this.#answered(event.name, event.answer);
    if (event.kind === "rested") this.#rested(event.name);
  }

  timeOut(): void {
    const { look } = this.state;
    if (look === undefined || this.#now < look.limitAt) return;
    this.#looked(look.id, { kind: "unreachable", reason: "no answer in time" });
  }

  look(): void {
    const { look, lookAt, left, nextId: id } = this.state;
    if (look !== undefined) return;
    if (left.length === 0) {
      if (lookAt === undefined || this.#now < lookAt) return;
      this.#set({ left: this.#config.idle, lookAt: undefined });
    }
    // One that is wanted by now is asked for by whoever wants it.
    const [name, ...others] = this.state.left.filter((each) => this.#config.idle.includes(each));
    if (name === undefined) {
      this.#rest();
      return;
    }
    const { requestTime: limit } = this.#config;
    this.#set({
      look: { id, name, limitAt: after(this.#now, limit) },
      left: others,
      nextId: id + 1,
    });
    this.effects.push({ kind: "look", id, name, limit });
  }

  #rest(): void {
    const { condition, seed } = this.state;
    const failed = condition.kind === "unreachable" || condition.kind === "refused";
    const pace = paceOfLooks(!failed, seed, this.#now);
    this.#set({ left: [], lookAt: pace.askAt, seed: pace.seed });
  }

  #looked(id: number, view: StoreView): void {
    const { look } = this.state;
    if (look?.id !== id) return;
    this.#set({ look: undefined });
    if (view.kind === "unreachable") {
      this.#missed(view);
      return;
    }
    if (view.kind === "refused") {
      this.#failed(view, false);
      this.#rest();
      return;
    }
    // Since it left, somebody here may have asked for it and know more.
    if (this.#config.idle.includes(look.name)) this.#see(look.name, sightOf(view));
    this.#serves();
    if (this.state.left.length === 0) this.#rest();
  }

  #missed(failure: StoreFailure): void {
    const misses = this.state.misses + 1;
    const isSure = misses >= MISSES || this.state.condition.kind === "unreachable";
    this.#set({ misses });
    if (isSure) this.#failed(failure, false);
    this.#rest();
    if (!isSure) this.#set({ lookAt: after(this.#now, AFTER_MISS) });
  }

  #answered(name: string, answer: LeaseAnswer): void {
    switch (answer.kind) {
      case "unreachable":
      case "refused":
        this.#failed(answer, true);
        // What a look finds that left before this is older.
        if (this.state.look !== undefined) {
          this.#set({ look: undefined });
          this.#rest();
        }
        return;
      case "held":
        this.#see(name, { kind: "ours" });
        break;
      case "taken":
        this.#see(name, sightOf(answer));
        break;
      case "lost":
        this.#see(name, undefined);
        break;
    }
    this.#serves();
  }

  #rested(name: string): void {
    const { lookAt } = this.state;
    const soon = after(this.#now, AFTER_REST);
    this.#see(name, undefined);
    this.#set({ lookAt: sooner(lookAt ?? soon, soon) });
  }

  #serves(): void {
    this.#set({ misses: 0 });
    this.#become({ kind: "serves" });
    if (this.state.told === undefined && !this.state.isMending) return;
    this.#set({ told: undefined, isMending: false });
    this.effects.push({ kind: "say", news: { kind: "serves-again" } });
  }

  #failed(failure: StoreFailure, urgent: boolean): void {
    this.#become(failure);
    // Nothing is known any more of whose they are.
    this.#set({ leases: {} });
    const { told, toldAt } = this.state;
    const isMore = told !== undefined && urgent && !told.urgent;
    if (told !== undefined && isSame(told.failure, failure) && !isMore) return;
    const isEarly = toldAt !== undefined && since(toldAt, this.#now) < QUIET;
    if (isEarly && !isMore) return;
    this.#set({ told: { failure, urgent }, toldAt: this.#now });
    this.effects.push({ kind: "say", news: { kind: "trouble", urgent, failure } });
  }

  #become(condition: StoreCondition): void {
    const before = this.state.condition;
    this.#set({ condition, since: isSame(before, condition) ? this.state.since : this.#now });
  }

  #see(name: string, sight: LeaseSight | undefined): void {
    const { [name]: _, ...others } = this.state.leases;
    this.#set({ leases: sight === undefined ? others : { ...others, [name]: sight } });
  }

  #set(change: Partial<LookoutState>): void {
    this.state = { ...this.state, ...change };
  }
}

/** Why nobody answers differs from try to try; a refusal means what it says. */
const isSame = (one: StoreCondition, other: StoreCondition): boolean =>
  one.kind === other.kind &&
  (one.kind !== "refused" || other.kind !== "refused" || one.reason === other.reason);

const sightOf = (view: Extract<StoreView, { readonly kind: "free" | "taken" }>): LeaseSight =>
  view.kind === "free" ? { kind: "free" } : { kind: "taken", holder: view.holder ?? null };
