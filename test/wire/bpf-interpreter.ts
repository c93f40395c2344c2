import type { BpfInstruction, BpfProgram } from "../../agent/wire/bpf.ts";
import { BPF, NETWORK_HEADER } from "../../agent/wire/bpf.ts";

/** What a filter sees: the data, and where the network header starts in front of it. */
export interface FilteredPacket {
  readonly data: Uint8Array;
  readonly network: Uint8Array;
}

interface Processor {
  readonly packet: FilteredPacket;
  readonly scratch: Uint32Array;
  a: number;
  x: number;
  at: number;
  /** Set by a return, and by a load outside of the packet: the kernel drops it then. */
  answer: number | undefined;
}

function load(processor: Processor, at: number, size: number): number {
  const { data, network } = processor.packet;
  const [bytes, start] = at >= NETWORK_HEADER ? [network, at - NETWORK_HEADER] : [data, at];
  if (start + size > bytes.length) processor.answer = 0;
  return bytes.subarray(start, start + size).reduce((sum, octet) => sum * 256 + octet, 0);
}

function jump(processor: Processor, { jt, jf }: BpfInstruction, condition: boolean): void {
  processor.at += condition ? jt : jf;
}

const OPERATIONS: Readonly<Record<number, (p: Processor, step: BpfInstruction) => void>> = {
  [BPF.LOAD_WORD]: (p, { k }) => {
    p.a = load(p, k, 4);
  },
  [BPF.LOAD_OCTET]: (p, { k }) => {
    p.a = load(p, k, 1);
  },
  [BPF.LOAD_OCTET_INDEXED]: (p, { k }) => {
    p.a = load(p, p.x + k, 1);
  },
  [BPF.INDEX_HEADER_LENGTH]: (p, { k }) => {
    p.x = (load(p, k, 1) & 0x0f) * 4;
  },
  [BPF.LOAD_CONSTANT]: (p, { k }) => {
    p.a = k;
  },
  [BPF.LOAD_SCRATCH]: (p, { k }) => {
    p.a = p.scratch[k] ?? 0;
  },
  [BPF.STORE_SCRATCH]: (p, { k }) => {
    p.scratch[k] = p.a;
  },
  [BPF.TRANSFER_TO_INDEX]: (p) => {
    p.x = p.a;
  },
  [BPF.AND]: (p, { k }) => {
    p.a = (p.a & k) >>> 0;
  },
  [BPF.SHIFT_RIGHT]: (p, { k }) => {
    p.a >>>= k;
  },
  [BPF.SHIFT_LEFT_BY_INDEX]: (p) => {
    p.a = (p.a << p.x) >>> 0;
  },
  [BPF.JUMP_EQUAL]: (p, step) => jump(p, step, p.a === step.k),
  [BPF.JUMP_ABOVE_OR_EQUAL]: (p, step) => jump(p, step, p.a >= step.k),
  [BPF.JUMP_SHARES_BIT_WITH_INDEX]: (p, step) => jump(p, step, (p.a & p.x) !== 0),
  [BPF.RETURN]: (p, { k }) => {
    p.answer = k;
  },
};

/** Runs a program as the kernel would; the answer is how many octets pass, 0 for none. */
export function runBpf(program: BpfProgram, packet: FilteredPacket): number {
  const scratch = new Uint32Array(16);
  const processor: Processor = { packet, scratch, a: 0, x: 0, at: 0, answer: undefined };
  while (processor.answer === undefined) {
    const step = program[processor.at];
    if (step === undefined) throw new Error("the program runs off its end");
    const operation = OPERATIONS[step.code];
    if (operation === undefined) throw new Error(`unknown code ${step.code}`);
    processor.at += 1;
    operation(processor, step);
  }
  return processor.answer;
}
