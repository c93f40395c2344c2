import type { ServerLeasesEvent, ServerLeasesState } from "../../core/policy/server-leases.ts";
import { serverLeases } from "../../core/policy/server-leases.ts";
import type { Slot } from "../schedule.ts";
import type { PolicyWorld } from "./policy-world.ts";

/** What one policy said of real servers in passing, as claims that lapse. */
export class ServerLeases {
  readonly #world: PolicyWorld;
  readonly #source: string;
  readonly #slot: Slot;
  #state: ServerLeasesState = serverLeases.initial;

  constructor(world: PolicyWorld, policy: string) {
    this.#world = world;
    this.#source = `policy ${policy}`;
    this.#slot = world.schedule.slot(() => this.step({ kind: "tick" }));
  }

  step(event: ServerLeasesEvent): void {
    const { clock, services } = this.#world.ports;
    const { state, effects } = serverLeases.step(undefined, this.#state, event, clock.now());
    this.#state = state;
    for (const { server, weight } of effects) {
      const claim = weight === undefined ? undefined : ({ kind: "weight", weight } as const);
      services?.claim(server, this.#source, claim);
    }
    this.#slot.set(serverLeases.deadline(state));
  }
}
