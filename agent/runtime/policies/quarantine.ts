import type { StrikesConfig, StrikesEvent } from "../../core/policy/strikes.ts";
import { STRIKES, strikes } from "../../core/policy/strikes.ts";
import type { Micros } from "../../core/time.ts";
import type { Slot } from "../schedule.ts";
import type { PolicyWorld } from "./policy-world.ts";

/**
 * One that holds its thread up takes its neighbours along: at once it is left alone, for long enough
 * that there is another thread to move to when it does so again.
 */
const STUCK: StrikesConfig = { ...STRIKES, count: 1 };

export interface QuarantineListener {
  begins(time: Micros): void;
  /** The time is over. */
  ends(): void;
}

/** The strikes of one policy, and whether it is left alone because of them. */
export class Quarantine {
  readonly #world: PolicyWorld;
  readonly #listener: QuarantineListener;
  readonly #slot: Slot;
  #state = strikes.initial;
  /** Of the version that decides. */
  strikes = 0;

  constructor(world: PolicyWorld, listener: QuarantineListener) {
    this.#world = world;
    this.#listener = listener;
    this.#slot = world.schedule.slot(() => this.#step({ kind: "tick" }));
  }

  get holds(): boolean {
    return this.#state.until !== undefined;
  }

  /** `stuck`: its thread had to be ended. */
  struck(stuck: boolean): void {
    this.strikes += 1;
    this.#step({ kind: "struck" }, stuck ? STUCK : STRIKES);
  }

  /** Another version runs: it answers for itself only. */
  replaced(): void {
    this.strikes = 0;
    this.#step({ kind: "replaced" });
  }

  close(): void {
    this.#slot.set(undefined);
  }

  #step(event: StrikesEvent, config = STRIKES): void {
    const now = this.#world.ports.clock.now();
    const { state, effects } = strikes.step(config, this.#state, event, now);
    this.#state = state;
    this.#slot.set(strikes.deadline(state));
    for (const effect of effects) {
      if (effect.kind === "quarantine") this.#listener.begins(effect.time);
      else if (event.kind === "tick") this.#listener.ends();
    }
  }
}
