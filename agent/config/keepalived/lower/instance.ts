import type { VirtualRouter } from "../../../core/vrrp/virtual-router.ts";
import type { InstanceConfig, VirtualLink } from "../../config.ts";
import { completeInterval } from "./advertisement-interval.ts";
import { instanceAnnouncement } from "./announcement.ts";
import { completeAuthentication } from "./authentication.ts";
import type { Inherited } from "./inherited.ts";
import { completeAddresses } from "./instance-addresses.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Identity } from "./instance-identity.ts";
import { completeIdentity } from "./instance-identity.ts";
import { completePreemption } from "./instance-preemption.ts";
import { completeSwitches } from "./instance-strict.ts";
import { completeSource, completeTransport } from "./instance-transport.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { TakenNames } from "./virtual-link.ts";
import { completeVirtualLink } from "./virtual-link.ts";

/** What an instance is told by others than itself. */
export interface Surroundings {
  readonly inherited: Inherited;
  /** Name of the sync group that it is a member of. */
  readonly syncGroup: string | undefined;
  /** The group lets weights count. */
  readonly weightedTracking: boolean;
  readonly takenNames: TakenNames;
}

/** Settles one instance. `undefined`, with errors, when it could not do its work. */
export function completeInstance(
  draft: InstanceDraft,
  surroundings: Surroundings,
  lowering: Lowering,
): InstanceConfig | undefined {
  const { inherited, syncGroup } = surroundings;
  const identity = completeIdentity(draft, inherited, lowering);
  if (identity === undefined) return undefined;
  const { family, strict, version } = identity;
  const fallback = draft.interface === undefined ? inherited.addressInterface : undefined;
  const addresses = completeAddresses(draft, identity, fallback, lowering);
  const transport = completeTransport(draft, family, strict, inherited, lowering);
  if (addresses === undefined || transport === undefined) return undefined;
  const advertisementInterval = completeInterval(draft.advertisementInterval, version, lowering);
  const { accept, ...switches } = completeSwitches(
    draft,
    identity,
    inherited,
    addresses.addresses,
    lowering,
  );
  const virtualLink = linkOf(draft, identity, surroundings, lowering);
  const authentication = completeAuthentication(
    draft.authentication,
    draft.hmac,
    { version, family, strict, advertisementInterval },
    lowering,
  );
  const router: VirtualRouter = {
    name: draft.name.text,
    vrid: identity.vrid,
    family,
    version,
    priority: identity.priority,
    advertisementInterval,
    downTimerAdverts: draft.downTimerAdverts?.value ?? inherited.downTimerAdverts,
    ...completePreemption(draft, identity, lowering),
    startupDelay: inherited.startupDelay,
    ...switches,
    inSyncGroup: syncGroup !== undefined,
    primaryAddress: undefined,
    announcement: instanceAnnouncement(
      draft.announcement,
      inherited.announcement,
      strict,
      lowering,
    ),
  };
  return {
    position: draft.name.position,
    router,
    initialActive: completeInitial(draft, identity, authentication.kind === "ah", lowering),
    interface: draft.interface?.value,
    vrf: vrfOf(draft, lowering),
    transport,
    ...completeSource(draft, lowering),
    virtualLink,
    ...addresses,
    authentication,
    accept,
    strict,
    trackInterfaces: trackedBy(draft, surroundings, lowering),
    promoteSecondaries: promotes(draft, virtualLink, lowering),
    syncGroup,
    ...plainSettings(draft, inherited),
  };
}

type PlainSetting =
  | "addressListMismatch"
  | "checksum"
  | "extraInterfaceAnnouncements"
  | "ignorePrimaryInterface"
  | "receiveBuffer"
  | "routes"
  | "rules"
  | "skipAddressListCheck"
  | "virtualLinkForAddresses";

/** What stands as it was written, or as it was inherited. */
function plainSettings(
  draft: InstanceDraft,
  inherited: Inherited,
): Pick<InstanceConfig, PlainSetting> {
  const messageOnly = draft.checksumMessageOnly?.value ?? inherited.checksumMessageOnly;
  const drops = draft.dropForeignAddressList === true || inherited.dropForeignAddressList;
  return {
    virtualLinkForAddresses: draft.virtualLinkForAddresses === true,
    routes: draft.routes,
    rules: draft.rules,
    checksum: messageOnly ? "message" : "pseudo-header",
    addressListMismatch: drops ? "drop" : "alarm",
    skipAddressListCheck: draft.skipAddressListCheck?.value ?? inherited.skipAddressListCheck,
    ignorePrimaryInterface: draft.ignorePrimaryInterface === true,
    receiveBuffer: draft.receiveBuffer?.value,
    extraInterfaceAnnouncements: extraInterfaces(draft, inherited),
  };
}

/** With AH a sequence number must have been heard first. As keepalived has it. */
function completeInitial(
  { state }: InstanceDraft,
  { initialActive, priority }: Identity,
  authenticatesHeader: boolean,
  lowering: Lowering,
): boolean {
  if (!authenticatesHeader || !initialActive || priority === 255) return initialActive;
  if (state !== undefined) {
    report(lowering, "setting-ignored", state.at, "with AH, an instance starts as BACKUP");
  }
  return false;
}

function vrfOf(draft: InstanceDraft, lowering: Lowering): string | undefined {
  if (draft.vrf === undefined || draft.interface === undefined) return draft.vrf?.value;
  report(
    lowering,
    "setting-ignored",
    draft.vrf.at,
    "vrf is for instances without interface; the interface's own VRF counts",
  );
  return undefined;
}

function linkOf(
  draft: InstanceDraft,
  { vrid, family, strict }: Identity,
  { inherited, takenNames }: Surroundings,
  lowering: Lowering,
): VirtualLink | undefined {
  const { transmitOnBase, virtualLink } = draft;
  const vmac = virtualLink?.kind === "macvlan";
  if (transmitOnBase !== undefined && !vmac) {
    report(lowering, "setting-ignored", transmitOnBase, "vmac_xmit_base needs use_vmac");
  } else if (transmitOnBase !== undefined && strict) {
    report(
      lowering,
      "strict-override",
      transmitOnBase,
      "strict mode sends advertisements from the virtual MAC; vmac_xmit_base is ignored",
    );
  }
  if (virtualLink === undefined) return undefined;
  const onBase = transmitOnBase !== undefined && vmac && !strict;
  const owner = { name: draft.name.text, vrid, family, transmitOnBase: onBase };
  return completeVirtualLink(virtualLink, owner, inherited.virtualLinkPrefix, takenNames, lowering);
}

/** The instance's own interface is tracked by itself. */
function trackedBy(
  draft: InstanceDraft,
  { syncGroup, weightedTracking }: Surroundings,
  lowering: Lowering,
): InstanceConfig["trackInterfaces"] {
  const own = draft.interface?.value;
  const kept = draft.trackInterfaces.filter(({ tracked, at }) => {
    if (tracked.interface !== own) return true;
    report(
      lowering,
      "tracker-duplicate",
      at,
      `${own} is the instance's own interface, tracked anyway`,
    );
    return false;
  });
  for (const { tracked, at } of kept) {
    if (tracked.weight === 0 || syncGroup === undefined || weightedTracking) continue;
    report(
      lowering,
      "weight-ignored",
      at,
      `the weight of ${tracked.interface} counts for nothing in the sync group ${syncGroup}`,
      "write sync_group_tracking_weight in the group, or no weight for a fault",
    );
  }
  return kept.map(({ tracked }) => tracked);
}

function promotes(
  { promoteSecondaries }: InstanceDraft,
  link: VirtualLink | undefined,
  lowering: Lowering,
): boolean {
  if (promoteSecondaries === undefined || link === undefined)
    return promoteSecondaries !== undefined;
  report(
    lowering,
    "setting-ignored",
    promoteSecondaries,
    "promote_secondaries is set on a virtual interface anyway",
  );
  return false;
}

function extraInterfaces(
  { extraInterfaces: own }: InstanceDraft,
  { extraInterfaces: global }: Inherited,
): InstanceConfig["extraInterfaceAnnouncements"] {
  const said = own ?? global;
  return said === undefined || said.interval === 0 ? undefined : said;
}
