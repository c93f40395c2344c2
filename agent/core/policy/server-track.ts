import type { Verdict } from "../check/checker.ts";
import type { ServerClaim } from "../virtual-server/pool.ts";

/** What a check's verdict does to one real server: the SDK's `track.realServers`. */
export type ServerTrack = number | "down";

/**
 * While it is down the server is out, or has the declared weight; while it is up it has the weight of
 * the answer, if that has one. Without a verdict it stays as it is: a restart empties no pool.
 */
export function trackClaim(
  track: ServerTrack,
  standing: Verdict,
  reason: string,
  answered: number | undefined,
): ServerClaim | undefined {
  if (standing === "unknown") return undefined;
  if (standing === "down") {
    return track === "down" ? { kind: "down", reason } : { kind: "weight", weight: track };
  }
  return answered === undefined ? undefined : { kind: "weight", weight: answered };
}
