import koffi from "koffi";
import type { IpAddress } from "../core/address.ts";
import { addressFromBytes } from "../core/address.ts";
import { libc } from "./libc.ts";
import { MSG_DONTWAIT } from "./socket-option.ts";

export const IPPROTO_IPV6 = 41;
export const IPV6_PKTINFO = 50;
export const IPV6_HOPLIMIT = 52;

// Where things lie in a slab. Offsets are those of 64-bit little-endian machines.
const HEADER = 0;
const VECTOR = 64;
const NAME = 96;
const NAME_LENGTH = 28;
const CONTROL = 128;

export interface SlabSizes {
  /** Bytes of ancillary data. */
  readonly control: number;
  /** Bytes of one message; longer ones are cut. */
  readonly data: number;
}

/**
 * What recvmsg is handed by address, in one piece: struct msghdr, its iovec, the sender's sockaddr,
 * ancillary data, and the message. It holds the last message until the next one is received.
 */
export class MessageSlab {
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  readonly #header: Uint8Array;
  readonly #sizes: SlabSizes;
  readonly #data: number;
  #prepared = false;

  constructor(sizes: SlabSizes) {
    this.#sizes = sizes;
    this.#data = CONTROL + sizes.control;
    const slab = new ArrayBuffer(this.#data + sizes.data);
    this.#bytes = new Uint8Array(slab);
    this.#header = new Uint8Array(slab, HEADER, 56);
    this.view = new DataView(slab);
  }

  /** Length of the message; negative: there is none, and errno says why. Never blocks. */
  receive(fd: number): number {
    if (!this.#prepared) this.#prepare();
    this.view.setUint32(HEADER + 8, NAME_LENGTH, true);
    this.view.setUint32(HEADER + 40, this.#sizes.control, true);
    return libc().recvmsg(fd, this.#header, MSG_DONTWAIT);
  }

  /** A copy of the message. */
  copy(length: number): Uint8Array {
    return this.#bytes.slice(this.#data, this.#data + length);
  }

  /** Who sent it, as the kernel says beside it. */
  sender(family: "ipv4" | "ipv6"): IpAddress {
    return family === "ipv4" ? this.address(NAME + 4, 4) : this.address(NAME + 8, 16);
  }

  /** An address within the message. */
  addressInData(offset: number, length: number): IpAddress {
    return this.address(this.#data + offset, length);
  }

  address(offset: number, length: number): IpAddress {
    return addressFromBytes(this.#bytes.subarray(offset, offset + length));
  }

  /** Each struct cmsghdr, by level and type, with the offset of its data (RFC 3542 §20). */
  eachControl(each: (level: number, type: number, at: number) => void): void {
    const { view } = this;
    const end = CONTROL + view.getUint32(HEADER + 40, true);
    for (let at = CONTROL; at + 16 <= end; ) {
      const length = view.getUint32(at, true);
      if (length < 16) break;
      each(view.getInt32(at + 8, true), view.getInt32(at + 12, true), at + 16);
      at += (length + 7) & ~7;
    }
  }

  #prepare(): void {
    this.#prepared = true;
    const { view } = this;
    const base = koffi.address(this.#bytes);
    view.setBigUint64(HEADER, base + BigInt(NAME), true);
    view.setBigUint64(HEADER + 16, base + BigInt(VECTOR), true);
    view.setBigUint64(HEADER + 24, 1n, true);
    view.setBigUint64(HEADER + 32, base + BigInt(CONTROL), true);
    view.setBigUint64(VECTOR, base + BigInt(this.#data), true);
    view.setBigUint64(VECTOR + 8, BigInt(this.#sizes.data), true);
  }
}
