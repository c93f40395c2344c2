import type { Fault } from "../vrrp/fault.ts";
import type { Contribution } from "./interface.ts";
import type { ClaimInForce } from "./readings.ts";
import type { Reading, TrackedCheck, TrackerId } from "./tracking.ts";

/** What checks and policies do to a router. */
export interface CheckTracking {
  readonly faults: readonly Fault[];
  readonly contributions: readonly Contribution[];
  /** A new router is not to start before these have a result: a fault may be what they find. */
  readonly unknown: readonly TrackerId[];
}

/** One part of a priority may not be more than this; as much or more against it is a fault. */
const MOST = 253;

/**
 * What tracked scripts, files and processes do to a router, as keepalived 2.2.7 was seen to do it.
 * Without a weight one that is down is a fault, or with `reverse` one that is up. A positive weight
 * counts while it is up, a negative one while it is down, and `reverse` turns the sign. A file's
 * number is multiplied by the weight; without one any other number than 0 is a fault, and so is a
 * product of −254 or less. One without a result changes no priority; one that failed, as it could not
 * be looked at, counts against the router, whatever `reverse` says: there keepalived fails open.
 *
 * @param tracked at most one of each tracker
 */
export function trackChecks(
  tracked: readonly TrackedCheck[],
  readingOf: (tracker: TrackerId) => Reading,
): CheckTracking {
  const faults: Fault[] = [];
  const contributions: Contribution[] = [];
  const unknown: TrackerId[] = [];
  for (const check of tracked) {
    const { tracker, weight } = check;
    const reading = readingOf(tracker);
    if (weight === 0 && reading.verdict === "unknown") unknown.push(tracker);
    const part = partOf(check, reading);
    if (part === "fault") faults.push({ cause: "tracker", subject: tracker });
    if (weight === 0) continue;
    contributions.push({ source: tracker, weight: part === "fault" ? 0 : part });
  }
  return { faults, contributions, unknown };
}

const isFile = ({ tracker }: TrackedCheck): boolean => tracker.startsWith("file ");

function partOf(check: TrackedCheck, { verdict, value }: Reading): number | "fault" {
  const { weight, reverse } = check;
  if (verdict === "unknown") return 0;
  const good = isFile(check) ? value === 0 : verdict === "up";
  if (weight === 0) return verdict !== "failed" && good !== reverse ? 0 : "fault";
  const signed = (reverse ? -weight : weight) * (isFile(check) ? value : 1);
  if (isFile(check) && signed < -MOST) return "fault";
  const part = Math.min(MOST, signed);
  if (verdict === "failed") return Math.min(0, part);
  return isFile(check) || weight > 0 === good ? part : 0;
}

/**
 * The trackers of a member of a sync group, as keepalived has it: the group's count for every member,
 * and go before the member's own. Those of its own that have a weight count under
 * sync_group_tracking_weight only.
 */
export function trackedByMember(
  own: readonly TrackedCheck[],
  group: { readonly trackers: readonly TrackedCheck[]; readonly weightedTracking: boolean },
): readonly TrackedCheck[] {
  const shared = new Set(group.trackers.map(({ tracker }) => tracker));
  const further = own.filter(
    ({ tracker, weight }) => !shared.has(tracker) && (weight === 0 || group.weightedTracking),
  );
  return [...group.trackers, ...further];
}

/** What policies claim of a router: weights count in a sync group too, as they name the router. */
export function trackClaims(claims: readonly ClaimInForce[]): CheckTracking {
  const faults: Fault[] = [];
  const contributions: Contribution[] = [];
  for (const { source, effect } of claims) {
    if (effect.kind === "fault") faults.push({ cause: "tracker", subject: source });
    if (effect.kind === "weight") contributions.push({ source, weight: effect.weight });
  }
  return { faults, contributions, unknown: [] };
}
