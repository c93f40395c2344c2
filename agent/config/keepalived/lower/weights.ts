import { OWNER_PRIORITY } from "../../../core/vrrp/virtual-router.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { TrackedCheckWord } from "./tracked-checks.ts";
import type { TrackedWord } from "./tracking.ts";

type WeightedWord = TrackedCheckWord | TrackedWord;

/** The sync group of an instance, and whether it lets weights count. */
interface GroupOfWeights {
  readonly syncGroup: string | undefined;
  readonly weightedTracking: boolean;
}

/** Weights that cannot change the priority of an instance. */
export function reportIdleWeights(
  { name, interface: own, trackInterfaces, trackers }: InstanceDraft,
  priority: number,
  { syncGroup, weightedTracking }: GroupOfWeights,
  lowering: Lowering,
): void {
  if (trackInterfaces.length === 0 && trackers.length === 0) return;
  const words: readonly WeightedWord[] = [
    ...trackInterfaces.filter(({ tracked }) => tracked.interface !== own?.value),
    ...trackers,
  ];
  if (syncGroup !== undefined && !weightedTracking) reportInGroup(words, syncGroup, lowering);
  else if (priority === OWNER_PRIORITY) {
    for (const { at } of weighted(words)) {
      report(
        lowering,
        "weight-ignored",
        at,
        `the weight of ${at.text} counts for nothing: ${name.text} has priority 255, which is never changed`,
        "write a priority below 255, or no weight for a fault",
      );
    }
  }
}

/** Weights in a group that lets none count. */
export function reportInGroup(
  words: readonly WeightedWord[],
  group: string,
  lowering: Lowering,
): void {
  for (const { at } of weighted(words)) {
    report(
      lowering,
      "weight-ignored",
      at,
      `the weight of ${at.text} counts for nothing in the sync group ${group}`,
      "write sync_group_tracking_weight in the group, or weight 0 for a fault",
    );
  }
}

const weighted = (words: readonly WeightedWord[]): readonly WeightedWord[] =>
  words.filter(({ tracked }) => tracked.weight !== 0);
