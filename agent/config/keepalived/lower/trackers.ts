import type { TrackerKind } from "../../../core/track/tracking.ts";
import { trackerId } from "../../../core/track/tracking.ts";
import type { TrackerConfig } from "../../trackers.ts";
import type { Statement } from "../tree.ts";
import { lowerFileTracker } from "./file-tracker.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import { named } from "./named.ts";
import { lowerProcessTracker } from "./process-tracker.ts";
import { lowerScriptTracker } from "./script-tracker.ts";

type RootsOf = (name: string) => readonly Statement[];

type LowerTracker = (block: Named, lowering: Lowering) => TrackerConfig | undefined;

const KINDS: readonly (readonly [TrackerKind, roots: readonly string[], lower: LowerTracker])[] = [
  ["script", ["vrrp_script"], lowerScriptTracker],
  ["file", ["track_file", "vrrp_track_file"], lowerFileTracker],
  ["process", ["vrrp_track_process"], lowerProcessTracker],
];

/** Every tracker, wherever it stands: whoever tracks it may stand before it. */
export function lowerTrackers(rootsOf: RootsOf, lowering: Lowering): readonly TrackerConfig[] {
  const trackers: TrackerConfig[] = [];
  for (const [kind, roots, lower] of KINDS) {
    for (const block of named(roots.flatMap(rootsOf), lowering)) {
      const config = lower(block, lowering);
      const id = trackerId(kind, block.name.text);
      lowering.trackers.set(id, { at: block.name, config, used: false });
      if (config !== undefined) trackers.push(config);
    }
  }
  return trackers;
}

/** Last: a tracker that nothing looks at is a line that was forgotten, or was to be removed. */
export function reportUnusedTrackers(lowering: Lowering): void {
  for (const [id, { at, used }] of lowering.trackers) {
    // A BFD session speaks for itself: in events, in status, and for the servers that look at it.
    if (used || id.startsWith("track_bfd ")) continue;
    report(
      lowering,
      "tracker-unused",
      at,
      `no instance and no group tracks ${at.text}; it runs for nothing`,
      `write track_${id.slice(0, id.indexOf(" "))} { ${at.text} } in a vrrp_instance, or remove the block`,
    );
  }
}
