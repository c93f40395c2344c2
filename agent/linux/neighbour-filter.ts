import type { Family } from "../core/address.ts";
import type { BpfProgram } from "../wire/bpf.ts";
import { BPF } from "../wire/bpf.ts";

const step = (code: number, k: number, jt = 0, jf = 0) => ({ code, k, jt, jf });
const WHOLE = 0xffff_ffff;

/** ARP's operation in an Ethernet frame, low octet; 2 is a reply. */
const ARP_REPLIES: BpfProgram = [
  step(BPF.LOAD_OCTET, 21),
  step(BPF.JUMP_EQUAL, 2, 0, 1),
  step(BPF.RETURN, WHOLE),
  step(BPF.RETURN, 0),
];

/** Next header ICMPv6 (58), then its type: neighbour advertisement (136). */
const ADVERTISEMENTS: BpfProgram = [
  step(BPF.LOAD_OCTET, 20),
  step(BPF.JUMP_EQUAL, 58, 0, 3),
  step(BPF.LOAD_OCTET, 54),
  step(BPF.JUMP_EQUAL, 136, 0, 1),
  step(BPF.RETURN, WHOLE),
  step(BPF.RETURN, 0),
];

/** What a packet socket that waits for a neighbour's answer lets through. */
export const neighbourFilter = (family: Family): BpfProgram =>
  family === "ipv4" ? ARP_REPLIES : ADVERTISEMENTS;
