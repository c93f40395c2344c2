import type { Family, IpAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import type { AddressConfig, RouteConfig, RuleConfig } from "../../config.ts";
import type { Word } from "../tree.ts";
import type { AnnouncementDraft } from "./announcement.ts";
import type { AuthenticationDraft } from "./authentication.ts";
import type { HmacDraft } from "./hmac.ts";
import type { Said } from "./lowering.ts";
import type { TrackedWord } from "./tracking.ts";
import type { PeerWord } from "./unicast.ts";
import type { VirtualLinkDraft } from "./virtual-link.ts";

/** An address of the instance, with the line that said it. */
export interface AddressWord {
  readonly address: AddressConfig;
  readonly at: Word;
}

/** Where extra interfaces get periodic announcements. */
export interface ExtraInterfaces {
  readonly interval: Micros;
  readonly all: boolean;
}

/** What a vrrp_instance said, before defaults, inheritance and contradictions are settled. */
export interface InstanceDraft {
  readonly name: Word;
  /** Set by the first address, of whatever kind; the others must agree. */
  family?: Family;
  state?: Said<"MASTER" | "BACKUP">;
  interface?: Said<string> | undefined;
  vrf?: Said<string> | undefined;
  vrid?: Said<number> | undefined;
  version?: Said<2 | 3> | undefined;
  priority?: Said<number> | undefined;
  advertisementInterval?: Said<Micros> | undefined;
  downTimerAdverts?: Said<number> | undefined;
  source?: Said<IpAddress> | undefined;
  group?: Said<IpAddress> | undefined;
  trackSource?: Word;
  nopreempt?: Word | undefined;
  preemptDelay?: Said<Micros> | undefined;
  accept?: Said<boolean>;
  strict?: Said<boolean> | undefined;
  skipAddressListCheck?: Said<boolean> | undefined;
  checksumMessageOnly?: Said<boolean> | undefined;
  lowerPrioNoAdvert?: Said<boolean> | undefined;
  higherPrioSendAdvert?: Said<boolean> | undefined;
  ownerIgnoreAdverts?: Said<boolean> | undefined;
  timerExpiredBackup?: Said<number> | undefined;
  dropForeignAddressList?: boolean;
  noAddresses?: boolean;
  ignorePrimaryInterface?: boolean;
  promoteSecondaries?: Word;
  receiveBuffer?: Said<number> | undefined;
  extraInterfaces?: ExtraInterfaces | undefined;
  /** Any word that belongs to unicast. */
  unicast?: Word;
  checkUnicastSource?: Said<boolean> | undefined;
  faultWithoutPeer?: boolean;
  ttl?: Said<number> | undefined;
  virtualLink?: VirtualLinkDraft;
  transmitOnBase?: Word;
  virtualLinkForAddresses?: boolean;
  authentication?: AuthenticationDraft;
  hmac?: HmacDraft;
  readonly announcement: AnnouncementDraft;
  readonly peers: PeerWord[];
  readonly addresses: AddressWord[];
  readonly excluded: AddressWord[];
  readonly routes: RouteConfig[];
  readonly rules: RuleConfig[];
  readonly trackInterfaces: TrackedWord[];
}

export const emptyInstance = (name: Word): InstanceDraft => ({
  name,
  announcement: {},
  peers: [],
  addresses: [],
  excluded: [],
  routes: [],
  rules: [],
  trackInterfaces: [],
});
