import type { IpAddress } from "../../agent/core/address.ts";
import { addressFromBytes } from "../../agent/core/address.ts";
import type { Frame } from "./capture.ts";

/** What a capture shows of one announcement: a gratuitous ARP, or an unsolicited NA. */
export interface SeenAnnouncement {
  /** Seconds since 1970. */
  readonly at: number;
  readonly address: IpAddress;
  /** Of the Ethernet header, lower case with colons. */
  readonly from: string;
  /** The hardware address that hosts are to learn. */
  readonly mac: string;
  /** Of a neighbour advertisement. */
  readonly flags?: {
    readonly router: boolean;
    readonly solicited: boolean;
    readonly override: boolean;
  };
}

const ETHERNET = 14;
const NEIGHBOR_ADVERTISEMENT = 136;

/** The announcements of a capture, read apart from the codecs under test. */
export function announcements(frames: readonly Frame[]): readonly SeenAnnouncement[] {
  return frames.flatMap(({ at, bytes }): readonly SeenAnnouncement[] => {
    const type = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
    const from = macText(bytes.subarray(6, 12));
    if (type === 0x0806) return gratuitous(bytes).map((seen) => ({ at, from, ...seen }));
    return type === 0x86dd ? unsolicited(bytes).map((seen) => ({ at, from, ...seen })) : [];
  });
}

/** Sender and target are the same address. */
function gratuitous(bytes: Uint8Array) {
  const sender = addressFromBytes(bytes.subarray(ETHERNET + 14, ETHERNET + 18));
  const target = addressFromBytes(bytes.subarray(ETHERNET + 24, ETHERNET + 28));
  if (sender !== target) return [];
  return [{ address: sender, mac: macText(bytes.subarray(ETHERNET + 8, ETHERNET + 14)) }];
}

function unsolicited(bytes: Uint8Array) {
  const icmp = ETHERNET + 40;
  if (bytes[ETHERNET + 6] !== 58 || bytes[icmp] !== NEIGHBOR_ADVERTISEMENT) return [];
  const bits = bytes[icmp + 4] ?? 0;
  const flags = {
    router: (bits & 0x80) !== 0,
    solicited: (bits & 0x40) !== 0,
    override: (bits & 0x20) !== 0,
  };
  const address = addressFromBytes(bytes.subarray(icmp + 8, icmp + 24));
  // Target link-layer address is the only option that it has.
  return [{ address, mac: macText(bytes.subarray(icmp + 26, icmp + 32)), flags }];
}

export const macText = (bytes: Uint8Array): string =>
  [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join(":");
