import type { Family } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import { AH_LENGTH } from "./ah.ts";

/** One instruction of classic BPF: `struct sock_filter` of Linux. */
export interface BpfInstruction {
  readonly code: number;
  /** Instructions to skip when the condition holds, 0–255. */
  readonly jt: number;
  /** Instructions to skip when it does not. */
  readonly jf: number;
  /** Operand, 32 bits, unsigned. */
  readonly k: number;
}

export type BpfProgram = readonly BpfInstruction[];

/** What a raw socket lets through to its reader. */
export interface AdvertisementFilter {
  readonly family: Family;
  /** The protocol that the socket is open for: VRRP, or the authentication header in front of it. */
  readonly protocol: 112 | 51;
  /**
   * The multicast group, 4 or 16 octets: only what went there, with a TTL or hop limit of 255.
   * `undefined`: only unicast, from any distance.
   */
  readonly group: Uint8Array | undefined;
  /** `undefined`: every VRID, so that unknown ones can be counted. */
  readonly vrids: ReadonlySet<number> | undefined;
}

/** Operation codes. `man 4 bpf`, linux/filter.h. */
export const BPF = {
  /** A := word, octet at k. */
  LOAD_WORD: 0x20,
  LOAD_OCTET: 0x30,
  /** A := octet at X + k. */
  LOAD_OCTET_INDEXED: 0x50,
  /** A := k; A := M[k]; M[k] := A; X := A. */
  LOAD_CONSTANT: 0x00,
  LOAD_SCRATCH: 0x60,
  STORE_SCRATCH: 0x02,
  TRANSFER_TO_INDEX: 0x07,
  /** X := 4 × (low four bits of the octet at k): the length of an IPv4 header. */
  INDEX_HEADER_LENGTH: 0xb1,
  AND: 0x54,
  SHIFT_RIGHT: 0x74,
  SHIFT_LEFT_BY_INDEX: 0x6c,
  /** Is A equal to k, above or equal to k; does it share a bit with X. */
  JUMP_EQUAL: 0x15,
  JUMP_ABOVE_OR_EQUAL: 0x35,
  JUMP_SHARES_BIT_WITH_INDEX: 0x4d,
  RETURN: 0x06,
} as const;

/** Offsets from here on count from the network header, where the socket shows the payload only. */
export const NETWORK_HEADER = 0xfff0_0000;

const WHOLE_PACKET = 0xffff_ffff;

/** Lets nothing through: for a socket that is not bound and joined yet. */
export const DROP_ALL: BpfProgram = [instruction(BPF.RETURN, 0)];

/** Lets everything through. */
export const PASS_ALL: BpfProgram = [instruction(BPF.RETURN, WHOLE_PACKET)];

/**
 * The program for a raw socket. On IPv4 it sees the packet from its IP header on, on IPv6 from the
 * VRRP message on. 50 instructions at most, whatever the number of VRIDs. What is too short for a
 * load is dropped.
 */
export function advertisementFilter(filter: AdvertisementFilter): BpfProgram {
  const destination = destinationChecks(filter);
  const { vrids } = filter;
  if (vrids === undefined) return [...destination, ...PASS_ALL];
  return [...destination, ...loadVrid(filter), ...vridChecks(vrids), ...PASS_ALL];
}

/** The instructions as the kernel reads them, 8 octets each, in the byte order of the host. */
export function encodeBpf(program: BpfProgram, littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(({ code, jt, jf, k }, at) => {
    view.setUint16(at * 8, code, littleEndian);
    view.setUint8(at * 8 + 2, jt);
    view.setUint8(at * 8 + 3, jf);
    view.setUint32(at * 8 + 4, k, littleEndian);
  });
  return new Uint8Array(view.buffer);
}

function instruction(code: number, k: number, jt = 0, jf = 0): BpfInstruction {
  return { code, jt, jf, k };
}

/** Goes on if A equals `value`, else drops. */
const requireEqual = (value: number): BpfProgram => [
  instruction(BPF.JUMP_EQUAL, value, 1, 0),
  instruction(BPF.RETURN, 0),
];

function destinationChecks({ family, group }: AdvertisementFilter): BpfProgram {
  const ipv4 = family === "ipv4";
  const at = ipv4 ? 16 : NETWORK_HEADER + 24;
  if (group === undefined) {
    // 224.0.0.0/4 is not followed by much that could be a destination: 240.0.0.0/4 is reserved.
    return [
      instruction(BPF.LOAD_OCTET, at),
      instruction(BPF.JUMP_ABOVE_OR_EQUAL, ipv4 ? 0xe0 : 0xff, 0, 1),
      instruction(BPF.RETURN, 0),
    ];
  }
  assert(group.length === (ipv4 ? 4 : 16), "the group has the family of the socket");
  const words = new DataView(group.buffer, group.byteOffset, group.byteLength);
  const checks = [instruction(BPF.LOAD_OCTET, ipv4 ? 8 : NETWORK_HEADER + 7), ...requireEqual(255)];
  for (let word = 0; word < group.length; word += 4) {
    checks.push(instruction(BPF.LOAD_WORD, at + word), ...requireEqual(words.getUint32(word)));
  }
  return checks;
}

/** A := VRID. */
function loadVrid({ family, protocol }: AdvertisementFilter): BpfProgram {
  const at = 1 + (protocol === 51 ? AH_LENGTH : 0);
  if (family === "ipv6") return [instruction(BPF.LOAD_OCTET, at)];
  return [instruction(BPF.INDEX_HEADER_LENGTH, 0), instruction(BPF.LOAD_OCTET_INDEXED, at)];
}

/** Goes on if the VRID in A is in the set, else drops: a bit map of eight words. */
function vridChecks(vrids: ReadonlySet<number>): BpfProgram {
  const words = new Array<number>(8).fill(0);
  for (const vrid of vrids) {
    assert(vrid >= 1 && vrid <= 255, "a VRID is 1–255");
    words[vrid >> 5] = ((words[vrid >> 5] ?? 0) | (1 << (vrid & 31))) >>> 0;
  }
  const tests = [...words.entries()].filter(([, bits]) => bits !== 0);
  const checks = [
    instruction(BPF.STORE_SCRATCH, 0),
    instruction(BPF.AND, 31),
    instruction(BPF.TRANSFER_TO_INDEX, 0),
    instruction(BPF.LOAD_CONSTANT, 1),
    instruction(BPF.SHIFT_LEFT_BY_INDEX, 0),
    instruction(BPF.TRANSFER_TO_INDEX, 0),
    instruction(BPF.LOAD_SCRATCH, 0),
    instruction(BPF.SHIFT_RIGHT, 5),
  ];
  for (const [nth, [word, bits]] of tests.entries()) {
    const toDrop = (tests.length - 1 - nth) * 3;
    checks.push(
      instruction(BPF.JUMP_EQUAL, word, 0, 2),
      instruction(BPF.LOAD_CONSTANT, bits),
      instruction(BPF.JUMP_SHARES_BIT_WITH_INDEX, 0, toDrop + 1, toDrop),
    );
  }
  return [...checks, instruction(BPF.RETURN, 0)];
}
