import type { IpAddress } from "../../agent/core/address.ts";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { arpRequest } from "../../agent/wire/arp.ts";
import { macText } from "./arp-frames.ts";
import type { Frame } from "./capture.ts";

const EVERY_MS = 5;

/** Asks a segment for an address again and again, as a client without a cache would. */
export class ArpAsker {
  readonly #timer: NodeJS.Timeout;
  readonly #close: () => void;

  constructor(from: LabInterface, asked: IpAddress, own: IpAddress, everyMs = EVERY_MS) {
    const sender = from.node.run(openFrameSender);
    const request = arpRequest(asked, own, from.mac);
    this.#timer = setInterval(() => sender.send(from.index, request), everyMs);
    this.#close = () => sender.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#close();
  }
}

/** Somebody answered for the address. */
export interface ArpAnswer {
  /** Seconds since 1970. */
  readonly at: number;
  /** Lower case with colons. */
  readonly mac: string;
}

/** Answers to one host, `own`, of a capture. */
export const arpAnswers = (frames: readonly Frame[], own: Uint8Array): readonly ArpAnswer[] =>
  frames
    .filter(
      ({ bytes }) =>
        bytes[12] === 0x08 &&
        bytes[13] === 0x06 &&
        bytes[21] === 2 &&
        macText(bytes.subarray(0, 6)) === macText(own),
    )
    .map(({ at, bytes }) => ({ at, mac: macText(bytes.subarray(22, 28)) }));

/** What a client saw of a change from one host to another. Milliseconds. */
export interface Handover {
  /** The longest time without an answer. */
  readonly outageMs: number;
  /** From the first answer of the new one to the last of the old one; 0: none of that. */
  readonly bothMs: number;
}

export function handover(answers: readonly ArpAnswer[], from: string, to: string): Handover {
  const gaps = answers.slice(1).map(({ at }, each) => at - (answers[each]?.at ?? at));
  const last = answers.findLast(({ mac }) => mac === from)?.at ?? 0;
  const first = answers.find(({ mac }) => mac === to)?.at ?? Number.POSITIVE_INFINITY;
  return { outageMs: Math.max(0, ...gaps) * 1_000, bothMs: Math.max(0, last - first) * 1_000 };
}
