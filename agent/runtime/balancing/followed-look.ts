import type { ProbeConfig } from "../../config/virtual-servers.ts";
import type { Reading, TrackerId } from "../../core/track/tracking.ts";
import { trackerId } from "../../core/track/tracking.ts";
import type { Finding } from "../../core/virtual-server/pool.ts";
import { NOT_FOUND } from "../../core/virtual-server/pool.ts";
import type { Outlet } from "../director/part.ts";
import type { LookFigures } from "./look.ts";
import { Look } from "./look.ts";

type Of<Kind> = Extract<ProbeConfig, { readonly kind: Kind }>;
const NO_FIGURES: LookFigures = {
  ...{ runs: 0, failures: 0, failing: 0 },
  ...{ lastMs: null, p50Ms: null, p99Ms: null },
};

/** Follows what somebody else in the director finds: a track_file, the check of a policy. */
export class FollowedLook extends Look {
  readonly durations = undefined;
  readonly #close: () => void;

  constructor(follow: (found: (finding: Finding) => void) => () => void) {
    super();
    this.#close = follow((finding) => this.found(finding));
  }

  figures(): LookFigures {
    return NO_FIGURES;
  }

  close(): void {
    this.#close();
  }

  /** What it follows goes on, as it serves others too. */
  protected suspend(): void {
    // Nothing of its own is under way.
  }
}

/** It can never be up: why. */
export const refusedLook = (reason: string): Look =>
  new FollowedLook((found) => {
    found({ ...NOT_FOUND, verdict: "down", reason });
    return () => undefined;
  });

export function fileLook(probe: Of<"file">, outlet: Pick<Outlet, "onReading">): Look {
  const tracker: TrackerId = trackerId("file", probe.file);
  return new FollowedLook((found) =>
    outlet.onReading(tracker, (reading) => {
      if (reading === undefined) {
        found({ ...NOT_FOUND, verdict: "down", reason: `there is no track_file ${probe.file}` });
      } else found(fileFinding(probe, reading));
    }),
  );
}

/** What a BFD session comes to. It is unknown until the vrrp process has told of it. */
export const bfdLook = ({ session }: Of<"bfd">, outlet: Pick<Outlet, "onReading">): Look =>
  new FollowedLook((found) =>
    outlet.onReading(trackerId("track_bfd", session), (reading) => {
      if (reading === undefined || reading.verdict === "unknown") return;
      const verdict = reading.verdict === "up" ? "up" : "down";
      found({ ...NOT_FOUND, verdict, reason: reading.reason });
    }),
  );

/** Times its weight, at most this little, a number takes the server down. */
const LEAST = -2_147_483_648;

/**
 * As keepalived: without weight any number but 0 takes the server down (`reverse`: 0 does); with one,
 * number × weight is added to the server's.
 */
export function fileFinding(
  { weight, reverse }: Of<"file">,
  { verdict, value, reason }: Reading,
): Finding {
  if (verdict === "unknown") return NOT_FOUND;
  if (verdict !== "up") return { ...NOT_FOUND, verdict: "down", reason };
  if (weight === 0) {
    const good = (value === 0) !== reverse;
    return { ...NOT_FOUND, verdict: good ? "up" : "down", reason };
  }
  const extra = value * weight * (reverse ? -1 : 1);
  if (extra <= LEAST) return { ...NOT_FOUND, verdict: "down", reason };
  return { ...NOT_FOUND, verdict: "up", reason, extra };
}

export const policyLook = (
  { policy, check }: Of<"policy">,
  outlet: Pick<Outlet, "onPolicyVerdict">,
): Look =>
  new FollowedLook((found) =>
    outlet.onPolicyVerdict(policy, check, (reading) => {
      if (reading === undefined) {
        const reason = `there is no check ${policy}/${check} among the policies that run`;
        found({ ...NOT_FOUND, verdict: "down", reason });
      } else if (reading.verdict !== "unknown") {
        const verdict = reading.verdict === "up" ? "up" : "down";
        const { reason, weight } = reading;
        found({ ...NOT_FOUND, verdict, reason, weight });
      }
    }),
  );
