import type { TrackerId } from "../../../core/track/tracking.ts";
import type { BfdInstanceConfig } from "../../bfd-instances.ts";
import type { TrackerConfig } from "../../trackers.ts";
import type { Word } from "../tree.ts";

/** A tracker that the file defines. */
export interface DefinedTracker {
  readonly at: Word;
  /** `undefined`: it cannot work as it is written, which is said. */
  readonly config: TrackerConfig | BfdInstanceConfig | undefined;
  /** Something tracks it. */
  used: boolean;
}

export type DefinedTrackers = Map<TrackerId, DefinedTracker>;
