import type { Verdict } from "../check/checker.ts";
import type { ClaimEffect } from "../track/tracking.ts";

/** What a check's verdict does to one router: the SDK's `track.routers`. */
export type RouterTrack = number | "fault";

/** What holds when there is no verdict: the policy is broken, or in quarantine. */
export type WhenStale = "down" | "up";

/** What counts of a check now: its verdict, or, when that is stale, what was declared for that. */
export function standingOf(
  { verdict, stale }: { readonly verdict: Verdict; readonly stale: boolean },
  whenStale: WhenStale,
): Verdict {
  return stale ? whenStale : verdict;
}

/**
 * What a check does to a router. As keepalived's scripts: a negative weight counts while it is down, a
 * positive one while it is up. Without a verdict a router waits: it may not become active before the
 * first one where a bad one would be a fault, and has its lower priority otherwise.
 */
export function trackEffect(track: RouterTrack, standing: Verdict, reason: string): ClaimEffect {
  if (track === "fault") {
    if (standing === "up") return { kind: "none" };
    return { kind: "fault", reason: standing === "unknown" ? "no verdict yet" : reason };
  }
  const counts = track < 0 ? standing !== "up" : track > 0 && standing === "up";
  return counts ? { kind: "weight", weight: track } : { kind: "none" };
}
