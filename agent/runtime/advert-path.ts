import type { IpAddress } from "../core/address.ts";
import type { PacketTemplate } from "../wire/outgoing-packet.ts";
import type { EndpointLease } from "./endpoint-pool.ts";

/** A further interface over which a router's advertisements are sent and heard. */
export interface AdvertPath {
  readonly source: IpAddress;
  readonly lease: EndpointLease;
  /** Made with those of the router's own interface. */
  template: PacketTemplate | undefined;
}
