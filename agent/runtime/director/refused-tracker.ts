import type { ScriptTracker as ScriptConfig } from "../../config/trackers.ts";
import type { Tracker, TrackerFigures, TrackerWorld } from "./tracker.ts";

/** A vrrp_script that may not run. */
export class RefusedTracker implements Tracker<ScriptConfig> {
  readonly #reason: string;

  constructor(reason: string, { found }: TrackerWorld) {
    this.#reason = reason;
    found({ verdict: "failed", value: 0, reason });
  }

  reconfigure({ run }: ScriptConfig): boolean {
    return run.kind === "refused" && run.reason === this.#reason;
  }

  figures(): TrackerFigures {
    return { runs: 0, failures: 0, lastMs: null };
  }

  close(): void {}
}
