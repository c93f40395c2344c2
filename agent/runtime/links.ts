import type { InterfaceDelay } from "../config/config.ts";
import type { DebounceDelays, DebounceState } from "../core/track/debounce.ts";
import { debounce, debounceFrom } from "../core/track/debounce.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link, Network } from "../ports/network.ts";
import type { Schedule, Slot } from "./schedule.ts";

interface Watched {
  delays: DebounceDelays;
  state: DebounceState;
  readonly slot: Slot;
}

/** Interfaces as routers see them: by name, and with the delays that hide short flaps. */
export class Links {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #changed: (name: string) => void;
  readonly #watched = new Map<string, Watched>();

  /** `changed` hears of every interface that counts otherwise than before, or may do so. */
  constructor(network: Network, clock: Clock, schedule: Schedule, changed: (name: string) => void) {
    this.#network = network;
    this.#clock = clock;
    this.#schedule = schedule;
    this.#changed = changed;
  }

  /** From now on, these interfaces have these delays, and the others none. */
  configure(delays: readonly InterfaceDelay[]): void {
    const named = new Set(delays.map((delay) => delay.interface));
    for (const [name, watched] of this.#watched) {
      if (named.has(name)) continue;
      watched.slot.set(undefined);
      this.#watched.delete(name);
    }
    for (const { interface: name, down, up } of delays) {
      const known = this.#watched.get(name);
      if (known === undefined) this.#watch(name, { down, up });
      else known.delays = { down, up };
    }
  }

  named(name: string): Link | undefined {
    return this.#network.linkByName(name);
  }

  /** It is there, switched on, and carries: for as long as its delay wants. */
  isUp(name: string): boolean {
    const link = this.#network.linkByName(name);
    if (link === undefined) return false;
    return this.#watched.get(name)?.state.up ?? carries(link);
  }

  /** The kernel says that something about this interface is new. */
  update(name: string): void {
    const watched = this.#watched.get(name);
    const link = this.#network.linkByName(name);
    if (watched !== undefined) {
      this.#step(name, watched, { kind: "link", up: link !== undefined && carries(link) });
    }
    this.#changed(name);
  }

  #watch(name: string, delays: DebounceDelays): void {
    const link = this.#network.linkByName(name);
    const watched: Watched = {
      delays,
      state: debounceFrom(link !== undefined && carries(link)),
      slot: this.#schedule.slot(() => this.#step(name, watched, { kind: "tick" })),
    };
    this.#watched.set(name, watched);
  }

  #step(name: string, watched: Watched, event: Parameters<typeof debounce.step>[2]): void {
    const { state, effects } = debounce.step(
      watched.delays,
      watched.state,
      event,
      this.#clock.now(),
    );
    watched.state = state;
    watched.slot.set(debounce.deadline(state));
    if (effects.length > 0) this.#changed(name);
  }
}

const carries = (link: Link): boolean => link.up && link.running;
