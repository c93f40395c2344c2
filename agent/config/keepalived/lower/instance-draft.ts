import type { Family, IpAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import type { AddressConfig, RouteConfig, RuleConfig } from "../../config.ts";
import type { FencingMode } from "../../fencing.ts";
import type { Word } from "../tree.ts";
import type { AnnouncementDraft } from "./announcement.ts";
import type { AuthenticationDraft } from "./authentication.ts";
import type { HmacDraft } from "./hmac.ts";
import type { Said } from "./lowering.ts";
import type { MandateWords } from "./mandate-words.ts";
import { emptyMandate } from "./mandate-words.ts";
import type { NotifyDraft } from "./notify.ts";
import { emptyNotify } from "./notify.ts";
import type { TrackedCheckWord } from "./tracked-checks.ts";
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
export class InstanceDraft {
  readonly name: Word;
  /** Set by the first address, of whatever kind; the others must agree. */
  family: Family | undefined = undefined;
  state: Said<"MASTER" | "BACKUP"> | undefined = undefined;
  interface: Said<string> | undefined = undefined;
  vrf: Said<string> | undefined = undefined;
  vrid: Said<number> | undefined = undefined;
  version: Said<2 | 3> | undefined = undefined;
  priority: Said<number> | undefined = undefined;
  advertisementInterval: Said<Micros> | undefined = undefined;
  downTimerAdverts: Said<number> | undefined = undefined;
  source: Said<IpAddress> | undefined = undefined;
  group: Said<IpAddress> | undefined = undefined;
  trackSource: Word | undefined = undefined;
  nopreempt: Word | undefined = undefined;
  preemptDelay: Said<Micros> | undefined = undefined;
  accept: Said<boolean> | undefined = undefined;
  strict: Said<boolean> | undefined = undefined;
  skipAddressListCheck: Said<boolean> | undefined = undefined;
  checksumMessageOnly: Said<boolean> | undefined = undefined;
  lowerPrioNoAdvert: Said<boolean> | undefined = undefined;
  higherPrioSendAdvert: Said<boolean> | undefined = undefined;
  ownerIgnoreAdverts: Said<boolean> | undefined = undefined;
  timerExpiredBackup: Said<number> | undefined = undefined;
  dropForeignAddressList = false;
  fencing: Said<FencingMode> | undefined = undefined;
  noAddresses = false;
  ignorePrimaryInterface = false;
  promoteSecondaries: Word | undefined = undefined;
  receiveBuffer: Said<number> | undefined = undefined;
  extraInterfaces: ExtraInterfaces | undefined = undefined;
  /** Any word that belongs to unicast. */
  unicast: Word | undefined = undefined;
  checkUnicastSource: Said<boolean> | undefined = undefined;
  faultWithoutPeer = false;
  ttl: Said<number> | undefined = undefined;
  virtualLink: VirtualLinkDraft | undefined = undefined;
  transmitOnBase: Word | undefined = undefined;
  virtualLinkForAddresses = false;
  authentication: AuthenticationDraft | undefined = undefined;
  hmac: HmacDraft | undefined = undefined;
  readonly advertInterfaces: Said<string>[] = [];
  readonly announcement: AnnouncementDraft = {};
  readonly peers: PeerWord[] = [];
  readonly addresses: AddressWord[] = [];
  readonly excluded: AddressWord[] = [];
  readonly routes: RouteConfig[] = [];
  readonly rules: RuleConfig[] = [];
  readonly trackInterfaces: TrackedWord[] = [];
  readonly trackers: TrackedCheckWord[] = [];
  readonly notify: NotifyDraft = emptyNotify();
  readonly mandate: MandateWords = emptyMandate();

  constructor(name: Word) {
    this.name = name;
  }
}
