import type { IpAddress } from "../../agent/core/address.ts";
import { addressFromBytes } from "../../agent/core/address.ts";
import type { Frame } from "./capture.ts";

/** What a capture shows of one advertisement. */
export interface SeenAdvertisement {
  /** Seconds since 1970. */
  readonly at: number;
  readonly source: IpAddress;
  /** Who sent the frame: lower case with colons. */
  readonly mac: string;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
}

const ETHERNET = 14;
const AH = 51;
const VRRP = 112;

/** The advertisements of a capture, read apart from the codecs under test. */
export function advertisements(frames: readonly Frame[]): readonly SeenAdvertisement[] {
  return frames.flatMap(({ at, bytes }): readonly SeenAdvertisement[] => {
    const found = payload(bytes);
    if (found === undefined) return [];
    const [first = 0, vrid = 0, priority = 0] = bytes.subarray(found.start);
    const mac = [...bytes.subarray(6, 12)].map((octet) => octet.toString(16).padStart(2, "0"));
    return [{ at, source: found.source, mac: mac.join(":"), version: first >> 4, vrid, priority }];
  });
}

function payload(bytes: Uint8Array): { source: IpAddress; start: number } | undefined {
  const type = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  if (type === 0x0800) {
    const protocol = bytes[ETHERNET + 9];
    const length = ((bytes[ETHERNET] ?? 0) & 0x0f) * 4;
    if (protocol !== VRRP && protocol !== AH) return undefined;
    const source = addressFromBytes(bytes.subarray(ETHERNET + 12, ETHERNET + 16));
    return { source, start: ETHERNET + length + (protocol === AH ? 24 : 0) };
  }
  if (type !== 0x86dd || bytes[ETHERNET + 6] !== VRRP) return undefined;
  return {
    source: addressFromBytes(bytes.subarray(ETHERNET + 8, ETHERNET + 24)),
    start: ETHERNET + 40,
  };
}
