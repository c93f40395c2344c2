import type { WitnessSettings } from "../../config/mandates.ts";
import type { Settings } from "../../config/settings.ts";
import type { Instant } from "../../core/time.ts";
import type { Arbiter } from "../../ports/arbiter.ts";
import type { Clock, OpenTimer } from "../../ports/clock.ts";
import type { WitnessProcessSettings } from "../ipc.ts";

export type Secrets = Settings["secrets"];

/** A clock that goes on while the machine is suspended, as that of the store does. */
export interface SleeplessClock extends Clock {
  /** That instant on the host's clock, by which gates and timers go. */
  onHost(at: Instant): Instant;
}

/** What the settings say of a store, with the secrets and files as they are now. */
export interface StoreAccess {
  /** Differs when a secret or a file does. */
  readonly fingerprint: string;
  open(): Arbiter;
}

/** What the witness process needs, besides a way to its supervisor. */
export interface WitnessPorts {
  readonly clock: SleeplessClock;
  /** On the host's clock. */
  readonly openTimer: OpenTimer;
  /**
   * Applies priorities; the first time it enters the network namespace, and gives up what it needs no more.
   * Answers what was refused.
   */
  readonly prepare: (settings: WitnessProcessSettings) => readonly string[];
  /** Throws an Error for people where a secret or a file cannot be read. */
  readonly readStore: (settings: WitnessSettings, secrets: Secrets) => StoreAccess;
  /** A number of this host's own. */
  readonly seed: number;
  readonly exit: (status: number) => void;
}
