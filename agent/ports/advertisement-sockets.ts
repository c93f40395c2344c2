import type { Family, IpAddress } from "../core/address.ts";
import type { Instant } from "../core/time.ts";

/** IP protocol numbers: VRRP (112), or the authentication header in front of it (51). */
export type AdvertisementProtocol = 112 | 51;

/** What one socket serves. Routers with an equal spec share the socket. Plain JSON. */
export interface EndpointSpec {
  readonly family: Family;
  readonly protocol: AdvertisementProtocol;
  /** Index of the interface to send and receive on; `undefined`: unicast on any interface. */
  readonly interfaceIndex: number | undefined;
  /** Multicast group to join and send to; `undefined`: unicast. */
  readonly group: IpAddress | undefined;
  /** TTL or hop limit on send, 1–255. */
  readonly ttl: number;
}

/** One packet as it came in. The bytes belong to the receiver: they are not reused. */
export interface ReceivedPacket {
  readonly source: IpAddress;
  /** `undefined` where the packet is too short to say. */
  readonly destination: IpAddress | undefined;
  /**
   * TTL or hop limit as it came in. For multicast the kernel drops all but 255; only samples of
   * others come through, a few a second, so that they can be counted and told of.
   */
  readonly ttl: number | undefined;
  /** IPv4: the whole packet with its header. IPv6: the payload. */
  readonly bytes: Uint8Array;
  readonly at: Instant;
}

export interface Endpoint {
  /**
   * Sends one complete IP packet, header included. Never blocks; answers whether it left. A failure is
   * told to `failed` before this returns.
   */
  send(packet: Uint8Array, destination: IpAddress): boolean;
  /** Which virtual routers the kernel lets through; others may be dropped before JavaScript. */
  setVrids(vrids: ReadonlySet<number>): void;
  /** SO_RCVBUF in bytes; `undefined`: the system's default. */
  setReceiveBuffer(bytes: number | undefined): void;
  /** Joins the group anew, after a link came back. Answers the errno name when it does not hear it now. */
  rejoin(): string | undefined;
  close(): void;
}

export interface AdvertisementSockets {
  /**
   * Opens a socket. `failed` hears of send errors with their errno name, for example ENETDOWN.
   * Throws a KernelError when the socket cannot be had.
   */
  open(
    spec: EndpointSpec,
    receive: (packet: ReceivedPacket) => void,
    failed: (errno: string) => void,
  ): Endpoint;

  /**
   * Hands every packet that waits in the kernel to its `receive` before it returns. To be called
   * before an expired deadline is acted upon: after a stall the packets that would have moved the
   * deadline are still queued.
   */
  drain(): void;
}

/** Sends link-layer frames (announcements) as they are. */
export interface FrameSender {
  /** Never blocks. Answers the errno name when the frame could not be sent. */
  send(interfaceIndex: number, frame: Uint8Array): string | undefined;
  close(): void;
}
