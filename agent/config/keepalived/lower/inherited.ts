import type { IpAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import type { AnnouncementPolicy } from "../../../core/vrrp/virtual-router.ts";
import type { ReceiveBuffer } from "../../config.ts";
import type { FencingMode } from "../../fencing.ts";
import type { ExtraInterfaces } from "./instance-draft.ts";
import type { WitnessWord } from "./mandate-words.ts";
import type { InheritedNotify } from "./notify.ts";

/** What global_defs says for every instance that does not say it itself. */
export interface Inherited {
  readonly version: 2 | 3;
  readonly strict: boolean;
  readonly skipAddressListCheck: boolean;
  readonly checkUnicastSource: boolean;
  readonly checksumMessageOnly: boolean;
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly ownerIgnoreAdverts: boolean;
  readonly downTimerAdverts: number;
  readonly groupIpv4: IpAddress;
  readonly groupIpv6: IpAddress;
  readonly announcement: AnnouncementPolicy;
  readonly extraInterfaces: ExtraInterfaces | undefined;
  readonly startupDelay: Micros;
  /** Where addresses of an instance without interface go, and static ones. */
  readonly addressInterface: string;
  readonly virtualLinkPrefix: string;
  readonly addressLinkPrefix: string;
  readonly receiveBuffer: ReceiveBuffer;
  readonly fencing: FencingMode;
  readonly witness: WitnessWord | undefined;
  readonly notify: InheritedNotify;
}
