import type { Lane } from "./lane.ts";
import type { Running } from "./running.ts";

const POLL_MS = 10;
/** However little it ran by the kernel's count, nothing may keep a thread for so many times its due. */
const PATIENCE = 10;

interface Sighting {
  readonly since: number;
  readonly ranMs: number | undefined;
}

/**
 * Finds threads that guest code holds up. It looks only while a thread has something to do, and counts
 * the time that the thread ran: on a busy machine nobody is punished for having to wait.
 */
export class Watchdog {
  readonly #lanes: () => Iterable<Lane>;
  readonly #stuck: (lane: Lane, culprit: Running) => void;
  readonly #sightings = new WeakMap<Lane, Sighting>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lanes: () => Iterable<Lane>, stuck: (lane: Lane, culprit: Running) => void) {
    this.#lanes = lanes;
    this.#stuck = stuck;
  }

  /** A thread was given something to do. */
  wake(): void {
    this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const busy = [...this.#lanes()].filter((lane) => lane.busy);
    if (busy.length === 0) this.stop();
    for (const lane of busy) {
      const culprit = this.#culpritOf(lane);
      if (culprit !== undefined) this.#stuck(lane, culprit);
    }
  }

  #culpritOf(lane: Lane): Running | undefined {
    const running = lane.running();
    if (running === undefined) return undefined;
    const { since, lastedMs, allowedMs, dueMs } = running;
    const ranMs = lane.ranMs();
    const seen = this.#sightings.get(lane);
    const first = seen === undefined || seen.since !== since;
    if (first) this.#sightings.set(lane, { since, ranMs });
    if (lastedMs < allowedMs) return undefined;
    if (lastedMs >= PATIENCE * allowedMs || ranMs === undefined) return running;
    const before = first ? ranMs : (seen.ranMs ?? ranMs);
    return ranMs - before >= dueMs ? running : undefined;
  }
}
