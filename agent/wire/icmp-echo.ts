import type { Family } from "../core/address.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import { checksumOf, sumOf } from "./checksum.ts";
import { readUint16, writeUint16 } from "./octets.ts";

const HEADER_LENGTH = 8;
const TYPES = {
  ipv4: { request: 8, reply: 0 },
  ipv6: { request: 128, reply: 129 },
} as const;

/** An echo message without its IP header. */
export interface Echo {
  /** 16 bits each. */
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** IPv4's checksum is filled in; IPv6's needs addresses that only the kernel knows, and is zero. */
export function encodeEchoRequest(family: Family, echo: Echo): Uint8Array {
  const message = new Uint8Array(HEADER_LENGTH + echo.payload.length);
  message[0] = TYPES[family].request;
  writeUint16(message, 4, echo.identifier);
  writeUint16(message, 6, echo.sequence);
  message.set(echo.payload, HEADER_LENGTH);
  if (family === "ipv4") writeUint16(message, 2, checksumOf(sumOf(message)));
  return message;
}

/** Reads a reply. The kernel has verified its checksum. Never throws. */
export function decodeEchoReply(
  family: Family,
  message: Uint8Array,
): Decoded<Echo, "truncated" | "not-an-echo-reply"> {
  if (message.length < HEADER_LENGTH) return { ok: false, reason: "truncated" };
  if (message[0] !== TYPES[family].reply || message[1] !== 0) {
    return { ok: false, reason: "not-an-echo-reply" };
  }
  return {
    ok: true,
    value: {
      identifier: readUint16(message, 4),
      sequence: readUint16(message, 6),
      payload: message.subarray(HEADER_LENGTH),
    },
  };
}
