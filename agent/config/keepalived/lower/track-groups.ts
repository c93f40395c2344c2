import type { InstanceConfig, TrackGroupConfig } from "../../config.ts";
import { namesIn } from "./groups.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";

/** track_group NAME { group { INSTANCE … } }. */
export function lowerTrackGroups(
  blocks: readonly Named[],
  instances: readonly InstanceConfig[],
  lowering: Lowering,
): readonly TrackGroupConfig[] {
  if (blocks.length === 0) return [];
  const known = new Set(instances.map(({ router }) => router.name));
  return blocks.map(({ name, statement }) => {
    const members = (statement.block ?? [])
      .filter(({ keyword }) => keyword.text === "group")
      .flatMap(namesIn);
    for (const member of members) {
      if (known.has(member.text)) continue;
      report(
        lowering,
        "track-group-unusable",
        member,
        `there is no vrrp_instance ${member.text}; it would not notice what ${name.text} watches`,
        "write the name after vrrp_instance",
      );
    }
    return { name: name.text, instances: members.map(({ text }) => text) };
  });
}
