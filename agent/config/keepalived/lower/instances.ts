import type { InstanceConfig, SyncGroupConfig } from "../../config.ts";
import type { MandateConfig } from "../../mandates.ts";
import type { SyncGroupDraft } from "./groups.ts";
import { completeSyncGroup } from "./groups.ts";
import type { Inherited } from "./inherited.ts";
import { completeInstance, transmitsOnBase } from "./instance.ts";
import { InstanceDraft } from "./instance-draft.ts";
import { INSTANCE_KEYWORDS } from "./instance-keywords.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import { checkOwnMandate, completeMandates, mandateOf } from "./mandates.ts";
import type { Named } from "./named.ts";
import type { TakenNames } from "./virtual-link.ts";
import { addressLink, completeVirtualLink } from "./virtual-link.ts";

export interface LoweredInstances {
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  readonly mandates: readonly MandateConfig[];
}

/** Instances and the groups that couple them. */
export function lowerInstances(
  blocks: readonly Named[],
  groups: readonly SyncGroupDraft[],
  inherited: Inherited,
  lowering: Lowering,
): LoweredInstances {
  const groupOf = checkMembers(new Set(blocks.map(({ name }) => name.text)), groups, lowering);
  const instances: InstanceConfig[] = [];
  const linked: InstanceDraft[] = [];
  const mandates = groups.flatMap((group) => mandateOf(group, inherited.witness) ?? []);
  for (const block of blocks) {
    const group = groupOf.get(block.name.text);
    const draft = readInstance(block, lowering);
    checkOwnMandate(draft, group, lowering);
    const mandate = mandateOf(group ?? draft, inherited.witness);
    if (mandate !== undefined && group === undefined) mandates.push(mandate);
    const surroundings = {
      inherited,
      syncGroup: group?.name.text,
      weightedTracking: group?.weightedTracking === true,
      mandate,
    };
    const instance = completeInstance(draft, surroundings, lowering);
    if (instance !== undefined) instances.push(instance);
    if (draft.virtualLink !== undefined) linked.push(draft);
  }
  return {
    instances: withVirtualLinks(instances, linked, inherited, lowering),
    syncGroups: groups.map((group) => completeSyncGroup(group, inherited.notify)),
    mandates: completeMandates(mandates, instances, lowering),
  };
}

function readInstance({ name, statement }: Named, lowering: Lowering): InstanceDraft {
  const draft = new InstanceDraft(name);
  for (const line of statement.block ?? []) {
    INSTANCE_KEYWORDS.get(line.keyword.text)?.(draft, line, lowering);
  }
  return draft;
}

/** Last, as written names come before made-up ones, wherever they stand. */
function withVirtualLinks(
  instances: readonly InstanceConfig[],
  drafts: readonly InstanceDraft[],
  { virtualLinkPrefix, addressLinkPrefix }: Inherited,
  lowering: Lowering,
): readonly InstanceConfig[] {
  if (drafts.length === 0 && !instances.some(needsAddressLinks)) return instances;
  const taken: TakenNames = new Map();
  for (const { name, virtualLink } of drafts) {
    const written = virtualLink?.name?.value;
    if (written !== undefined && !taken.has(written)) taken.set(written, name.text);
  }
  const byName = new Map(drafts.map((draft) => [draft.name.text, draft]));
  const own = instances.map((instance) => {
    const draft = byName.get(instance.router.name);
    if (draft?.virtualLink === undefined) return instance;
    const { name, vrid, family } = instance.router;
    const owner = { name, vrid, family, transmitOnBase: transmitsOnBase(draft, instance.strict) };
    const link = completeVirtualLink(draft.virtualLink, owner, virtualLinkPrefix, taken, lowering);
    return { ...instance, virtualLink: link };
  });
  return own.map((instance) =>
    needsAddressLinks(instance) ? withAddressLinks(instance, addressLinkPrefix, taken) : instance,
  );
}

const onVirtualMac = ({ addresses, excludedAddresses }: InstanceConfig) =>
  [...addresses, ...excludedAddresses].filter(({ useVirtualMac }) => useVirtualMac);

const needsAddressLinks = (instance: InstanceConfig): boolean => onVirtualMac(instance).length > 0;

/** One for each interface that has such addresses; on the instance's own, its virtual link will do. */
function withAddressLinks(
  instance: InstanceConfig,
  prefix: string,
  taken: TakenNames,
): InstanceConfig {
  const { interface: own, virtualLink, router } = instance;
  const names = new Set(onVirtualMac(instance).map((address) => address.interface ?? own));
  if (virtualLink !== undefined) names.delete(own);
  const addressLinks = [...names].flatMap((name) =>
    name === undefined ? [] : { interface: name, link: addressLink(router, prefix, taken) },
  );
  return { ...instance, addressLinks };
}

/** Each member exists and has one group. A member left out would move without the others. */
function checkMembers(
  known: ReadonlySet<string>,
  groups: readonly SyncGroupDraft[],
  lowering: Lowering,
): ReadonlyMap<string, SyncGroupDraft> {
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
