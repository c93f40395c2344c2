import type { LeasesEvent, LeasesState } from "../../core/policy/leases.ts";
import { leases } from "../../core/policy/leases.ts";
import type { Slot } from "../schedule.ts";
import type { PolicyWorld } from "./policy-world.ts";

/** What one policy said of routers in passing, as claims that lapse. */
export class RouterLeases {
  readonly #world: PolicyWorld;
  readonly #source: string;
  readonly #slot: Slot;
  #state: LeasesState = leases.initial;

  constructor(world: PolicyWorld, policy: string) {
    this.#world = world;
    this.#source = `policy ${policy}`;
    this.#slot = world.schedule.slot(() => this.step({ kind: "tick" }));
  }

  step(event: LeasesEvent): void {
    const { outlet, ports } = this.#world;
    const { state, effects } = leases.step(undefined, this.#state, event, ports.clock.now());
    this.#state = state;
    const source = this.#source;
    for (const { router, effect } of effects) {
      if (effect.kind === "none") outlet.withdraw(router, source);
      // When the agent's director is gone, nobody renews it.
      else outlet.claim({ router, source, effect, otherwise: { kind: "none" } });
    }
    this.#slot.set(leases.deadline(state));
  }
}
