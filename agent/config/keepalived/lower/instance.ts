import type { Micros } from "../../../core/time.ts";
import type { VirtualRouter } from "../../../core/vrrp/virtual-router.ts";
import type { InstanceConfig, ReceiveBuffer } from "../../config.ts";
import type { FencingMode } from "../../fencing.ts";
import { completeAdvertInterfaces } from "./advert-interfaces.ts";
import { completeInterval } from "./advertisement-interval.ts";
import { instanceAnnouncement } from "./announcement.ts";
import { completeAuthentication } from "./authentication.ts";
import { completeFenced, fencingMode } from "./fencing.ts";
import type { Inherited } from "./inherited.ts";
import { completeAddresses } from "./instance-addresses.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Identity } from "./instance-identity.ts";
import { completeIdentity } from "./instance-identity.ts";
import { completePreemption } from "./instance-preemption.ts";
import type { StrictSwitches } from "./instance-strict.ts";
import { completeSwitches } from "./instance-strict.ts";
import { completeSource, completeTransport } from "./instance-transport.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { MandateDraft } from "./mandates.ts";
import { checkRequired } from "./mandates.ts";
import { completeNotify } from "./notify.ts";
import { reportIdleWeights } from "./weights.ts";

/** What an instance is told by others than itself. */
export interface Surroundings {
  readonly inherited: Inherited;
  /** Name of the sync group that it is a member of. */
  readonly syncGroup: string | undefined;
  /** The group lets weights count. */
  readonly weightedTracking: boolean;
  /** Its own, or its group's. */
  readonly mandate: MandateDraft | undefined;
}

/**
 * Settles one instance, all but the name of its virtual link. `undefined`, with errors, when it could
 * not do its work.
 */
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
  const switches = completeSwitches(draft, identity, inherited, addresses.addresses, lowering);
  reportTransmission(draft, strict, lowering);
  const authentication = completeAuthentication(
    draft.authentication,
    draft.hmac,
    { version, strict, advertisementInterval },
    lowering,
  );
  const source = completeSource(draft, lowering);
  reportIdleWeights(draft, identity.priority, surroundings, lowering);
  const messageOnly = draft.checksumMessageOnly?.value ?? inherited.checksumMessageOnly;
  const fencing = fencingMode(draft, inherited, surroundings.mandate);
  // Written out field by field: spreading took most of the time of large configurations.
  const instance: InstanceConfig = {
    position: draft.name.position,
    router: routerOf(
      draft,
      {
        ...identity,
        initialActive: completeInitial(draft, identity, authentication.kind === "ah", lowering),
      },
      switches,
      advertisementInterval,
      { ...surroundings, fencing },
      lowering,
    ),
    interface: draft.interface?.value,
    vrf: vrfOf(draft, lowering),
    transport: completeAdvertInterfaces(draft, transport, authentication, lowering),
    sourceAddress: source.sourceAddress,
    trackSourceAddress: source.trackSourceAddress,
    virtualLink: undefined,
    addressLinks: [],
    addresses: addresses.addresses,
    excludedAddresses: addresses.excludedAddresses,
    routes: draft.routes,
    rules: draft.rules,
    authentication,
    checksum: messageOnly ? "message" : "pseudo-header",
    accept: switches.accept,
    strict,
    addressListMismatch: draft.dropForeignAddressList ? "drop" : "alarm",
    skipAddressListCheck: draft.skipAddressListCheck?.value ?? inherited.skipAddressListCheck,
    trackInterfaces: trackedInterfaces(draft, lowering),
    trackers: draft.trackers.map(({ tracked }) => tracked),
    notify: completeNotify(draft.notify, inherited.notify),
    ignorePrimaryInterface: draft.ignorePrimaryInterface,
    promoteSecondaries: promotes(draft, lowering),
    receiveBuffer: ownBuffer(draft) ?? inherited.receiveBuffer,
    extraInterfaceAnnouncements: extraInterfaces(draft, inherited),
    syncGroup,
    fencing,
  };
  checkRequired(draft, instance, surroundings.mandate?.witness, lowering);
  return instance;
}

/** What the machine is told. */
function routerOf(
  draft: InstanceDraft,
  identity: Identity,
  switches: StrictSwitches,
  advertisementInterval: Micros,
  { inherited, syncGroup, mandate, fencing }: Surroundings & { readonly fencing: FencingMode },
  lowering: Lowering,
): VirtualRouter {
  const preemption = completePreemption(draft, identity, lowering);
  const downTimerAdverts = draft.downTimerAdverts?.value ?? inherited.downTimerAdverts;
  return {
    name: draft.name.text,
    vrid: identity.vrid,
    family: identity.family,
    version: identity.version,
    priority: identity.priority,
    initialActive: identity.initialActive,
    advertisementInterval,
    downTimerAdverts,
    preempt: preemption.preempt,
    preemptDelay: preemption.preemptDelay,
    startupDelay: inherited.startupDelay,
    lowerPrioNoAdvert: switches.lowerPrioNoAdvert,
    higherPrioSendAdvert: switches.higherPrioSendAdvert,
    ownerIgnoreAdverts: switches.ownerIgnoreAdverts,
    timerExpiredBackup: preemption.timerExpiredBackup,
    inSyncGroup: syncGroup !== undefined || mandate !== undefined,
    primaryAddress: undefined,
    fenced: completeFenced(
      draft,
      fencing,
      { priority: identity.priority, advertisementInterval, downTimerAdverts },
      lowering,
    ),
    announcement: instanceAnnouncement(
      draft.announcement,
      inherited.announcement,
      identity.strict,
      lowering,
    ),
  };
}

/** kernel_rx_buf_size 0 leaves it to the policy of all. */
function ownBuffer({ receiveBuffer }: InstanceDraft): ReceiveBuffer | undefined {
  const bytes = receiveBuffer?.value ?? 0;
  return bytes === 0 ? undefined : { policy: "bytes", bytes };
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

function reportTransmission(draft: InstanceDraft, strict: boolean, lowering: Lowering): void {
  const { transmitOnBase, virtualLink, peers } = draft;
  const vmac = virtualLink?.kind === "macvlan";
  if (transmitOnBase === undefined) {
    if (!vmac || peers.length === 0) return;
    report(
      lowering,
      "unicast-on-base",
      virtualLink.at,
      "unicast advertisements leave by the interface itself, as with vmac_xmit_base",
      "write vmac_xmit_base",
    );
  } else if (!vmac) {
    report(lowering, "setting-ignored", transmitOnBase, "vmac_xmit_base needs use_vmac");
  } else if (strict) {
    report(
      lowering,
      "strict-override",
      transmitOnBase,
      "strict mode sends advertisements from the virtual MAC; vmac_xmit_base is ignored",
    );
  }
}

/** Whether advertisements leave by the interface below the virtual one. Unicast always does. */
export const transmitsOnBase = (draft: InstanceDraft, strict: boolean): boolean =>
  draft.virtualLink?.kind === "macvlan" &&
  (draft.transmitOnBase !== undefined || draft.peers.length > 0) &&
  !strict;

/** The instance's own interface is tracked by itself. */
function trackedInterfaces(
  draft: InstanceDraft,
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
  return kept.map(({ tracked }) => tracked);
}

function promotes({ promoteSecondaries, virtualLink }: InstanceDraft, lowering: Lowering): boolean {
  if (promoteSecondaries === undefined || virtualLink === undefined)
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
