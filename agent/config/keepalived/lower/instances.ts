import type { InstanceConfig, SyncGroupConfig } from "../../config.ts";
import type { SyncGroupDraft } from "./groups.ts";
import { completeSyncGroup } from "./groups.ts";
import type { Inherited } from "./inherited.ts";
import { completeInstance } from "./instance.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import { emptyInstance } from "./instance-draft.ts";
import { INSTANCE_KEYWORDS } from "./instance-keywords.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import type { TakenNames } from "./virtual-link.ts";

export interface LoweredInstances {
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
}

/** Instances and the groups that couple them. */
export function lowerInstances(
  blocks: readonly Named[],
  groups: readonly SyncGroupDraft[],
  inherited: Inherited,
  lowering: Lowering,
): LoweredInstances {
  const drafts = blocks.map((block) => readInstance(block, lowering));
  const groupOf = checkMembers(drafts, groups, lowering);
  const takenNames = reservedNames(drafts);
  const instances = drafts.flatMap((draft) => {
    const group = groupOf.get(draft.name.text);
    const surroundings = {
      inherited,
      syncGroup: group?.name.text,
      weightedTracking: group?.weightedTracking === true,
      takenNames,
    };
    return completeInstance(draft, surroundings, lowering) ?? [];
  });
  return { instances, syncGroups: groups.map(completeSyncGroup) };
}

function readInstance({ name, statement }: Named, lowering: Lowering): InstanceDraft {
  const draft = emptyInstance(name);
  for (const line of statement.block ?? []) {
    const keyword = line.keyword.text;
    if (Object.hasOwn(INSTANCE_KEYWORDS, keyword)) {
      INSTANCE_KEYWORDS[keyword]?.(draft, line, lowering);
    }
  }
  return draft;
}

/** Written names come before made-up ones, wherever they stand. */
function reservedNames(drafts: readonly InstanceDraft[]): TakenNames {
  const taken: TakenNames = new Map();
  for (const { name, virtualLink } of drafts) {
    const written = virtualLink?.name?.value;
    if (written !== undefined && !taken.has(written)) taken.set(written, name.text);
  }
  return taken;
}

/** Each member exists and has one group. A member left out would move without the others. */
function checkMembers(
  drafts: readonly InstanceDraft[],
  groups: readonly SyncGroupDraft[],
  lowering: Lowering,
): ReadonlyMap<string, SyncGroupDraft> {
  const known = new Set(drafts.map(({ name }) => name.text));
  const groupOf = new Map<string, SyncGroupDraft>();
  for (const group of groups) {
    for (const member of group.members) {
      const problem = memberProblem(member.text, group, known, groupOf);
      if (problem === undefined) groupOf.set(member.text, group);
      else {
        report(
          lowering,
          "group-member-invalid",
          member,
          `${problem}; it would move without the others of ${group.name.text}`,
          "list each instance in one group, by the name after vrrp_instance",
        );
      }
    }
    checkSize(group, lowering);
  }
  return groupOf;
}

function memberProblem(
  member: string,
  group: SyncGroupDraft,
  known: ReadonlySet<string>,
  groupOf: ReadonlyMap<string, SyncGroupDraft>,
): string | undefined {
  if (!known.has(member)) return `there is no vrrp_instance ${member}`;
  const before = groupOf.get(member);
  if (before === undefined) return undefined;
  return before === group
    ? `${member} is listed twice`
    : `${member} is a member of ${before.name.text} already`;
}

function checkSize({ name, members }: SyncGroupDraft, lowering: Lowering): void {
  if (members.length > 1) return;
  report(
    lowering,
    "group-small",
    name,
    `the sync group ${name.text} has ${members.length === 0 ? "no member" : "one member"}; it couples nothing`,
    "list two or more instances in group { }",
  );
}
