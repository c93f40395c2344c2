import type { Family, IpAddress } from "../core/address.ts";
import type { BfdArrival, Hops } from "../core/bfd/admission.ts";

/** Which port to listen on. */
export interface BfdListenSpec {
  readonly family: Family;
  readonly hops: Hops;
}

/** How one session sends. */
export interface BfdSendSpec extends BfdListenSpec {
  /** `undefined`: the kernel chooses, and may choose otherwise when routes change. */
  readonly source: IpAddress | undefined;
  /** The only interface to send on; `undefined`: as routes say. */
  readonly interfaceIndex: number | undefined;
  /** TTL or hop limit, 1–255. */
  readonly ttl: number;
}

/** One datagram as it came in. The bytes belong to the receiver. */
export interface BfdDatagram extends BfdArrival {
  readonly bytes: Uint8Array;
}

export interface BfdSender {
  /** Never blocks. Answers the errno name when the datagram could not be sent. */
  send(bytes: Uint8Array, destination: IpAddress): string | undefined;
  close(): void;
}

export interface BfdSockets {
  /** Throws a KernelError when the port cannot be had. */
  listen(spec: BfdListenSpec, receive: (datagram: BfdDatagram) => void): { close(): void };
  /** With a source port of its own, for as long as it is open. Throws a KernelError. */
  openSender(spec: BfdSendSpec): BfdSender;
  /** Hands over what waits in the kernel before it returns, as `AdvertisementSockets.drain` does. */
  drain(): void;
  /** An unguessable whole number, 1–4,294,967,295. */
  random(): number;
}
