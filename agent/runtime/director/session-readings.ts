import type { BfdVerdict } from "../../core/bfd/snapshot.ts";
import { NO_READING } from "../../core/track/readings.ts";
import type { Reading, TrackerId } from "../../core/track/tracking.ts";
import { trackerId } from "../../core/track/tracking.ts";
import type { EventReport } from "../ipc.ts";

const PREFIX = trackerId("track_bfd", "");

/** The BFD sessions of the vrrp process, as readings for those in the director who go by them. */
export class SessionReadings {
  readonly #told: (tracker: TrackerId, reading: Reading) => void;
  readonly #ask: () => void;
  readonly #readings = new Map<TrackerId, Reading>();
  #asked = false;

  /** `told` hears of every change; `ask` has all of them told. */
  constructor(told: (tracker: TrackerId, reading: Reading) => void, ask: () => void) {
    this.#told = told;
    this.#ask = ask;
  }

  /** `undefined`: it is no BFD session. */
  get(tracker: TrackerId): Reading | undefined {
    if (!tracker.startsWith(PREFIX)) return undefined;
    // Events tell of changes only: what was before them has to be asked for, once.
    if (!this.#asked) this.#ask();
    this.#asked = true;
    return this.#readings.get(tracker) ?? NO_READING;
  }

  event({ kind, detail }: EventReport): void {
    if (kind === "bfd") this.hear(detail as unknown as BfdVerdict);
  }

  hear({ name, verdict, reason }: BfdVerdict): void {
    const tracker = trackerId("track_bfd", name);
    const before = this.#readings.get(tracker);
    if (before?.verdict === verdict && before.reason === reason) return;
    const reading: Reading = { verdict, value: 0, reason };
    this.#readings.set(tracker, reading);
    this.#told(tracker, reading);
  }
}
