import type { ScriptTracker as ScriptConfig } from "../../config/trackers.ts";
import type { Reading } from "../../core/track/tracking.ts";
import type { PolicyReading } from "./part.ts";
import type { Tracker, TrackerFigures, TrackerWorld } from "./tracker.ts";

type Run = ScriptConfig["run"];

/** A vrrp_script that stands for the check of a policy. */
export class PolicyTracker implements Tracker<ScriptConfig> {
  readonly #name: string;
  readonly #initFail: boolean;
  readonly #close: () => void;

  constructor(
    { initFail }: ScriptConfig,
    { policy, check }: Extract<Run, { readonly kind: "policy" }>,
    { onPolicyVerdict, found }: TrackerWorld,
  ) {
    this.#name = `${policy}/${check}`;
    this.#initFail = initFail;
    this.#close = onPolicyVerdict(policy, check, (reading) => {
      const reason = `there is no check ${this.#name} among the policies that run`;
      if (reading === undefined) found({ verdict: "failed", value: 0, reason });
      else if (reading.verdict !== "unknown") found(ownOf(reading));
      else found({ ...ownOf(reading), verdict: initFail ? "down" : "unknown", presumed: true });
    });
  }

  reconfigure({ run, initFail }: ScriptConfig): boolean {
    const name = run.kind === "policy" ? `${run.policy}/${run.check}` : undefined;
    return name === this.#name && initFail === this.#initFail;
  }

  /** The policy's own check has them. */
  figures(): TrackerFigures {
    return { runs: 0, failures: 0, lastMs: null };
  }

  close(): void {
    this.#close();
  }
}

/** Its weight is for real servers. */
const ownOf = ({ verdict, value, reason }: PolicyReading): Reading => ({ verdict, value, reason });
