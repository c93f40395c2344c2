import type { IpAddress } from "../core/address.ts";
import type { EndpointSpec } from "./advertisement-sockets.ts";
import type { KernelError } from "./error.ts";

/** A packet that somebody else made ready to be sent as it is. */
export interface ReadyPacket {
  readonly spec: EndpointSpec;
  readonly destination: IpAddress;
  /** A complete IP packet, header included, in base64. */
  readonly packet: string;
}

/** The code of a problem: this kernel does not tell our addresses from others. */
export const NO_MARKS = "no-marks";

/** What carried our mark, and is gone now. */
export interface Withdrawn {
  readonly addresses: number;
  readonly routes: number;
  readonly rules: number;
  readonly links: number;
  /** Our tables of nftables. */
  readonly filter: boolean;
}

/** In words; `undefined`: nothing was there. */
export function withdrawnText(withdrawn: Withdrawn): string | undefined {
  const counts = COUNTED.flatMap(([what, one, many]) => {
    const count = withdrawn[what];
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  const parts = withdrawn.filter ? [...counts, "the packet filter's tables"] : counts;
  return parts.length === 0 ? undefined : parts.join(", ");
}

const COUNTED = [
  ["addresses", "address", "addresses"],
  ["routes", "route", "routes"],
  ["rules", "rule", "rules"],
  ["links", "virtual link", "virtual links"],
] as const;

export interface WithdrawRequest {
  /** Name of the network namespace (/run/netns/NAME); `undefined`: that of this process. */
  readonly namespace: string | undefined;
  /** Virtual links go too; the next process that wants them would find them. */
  readonly links: boolean;
}

/** Whose process holds addresses in a network namespace. */
export type NamespaceHolder =
  | {
      /** What is taken from it, it puts back. */
      readonly kind: "agent";
      readonly pid: number;
      readonly supervisor: number;
      /** `undefined`: it cannot be told. */
      readonly controlSocket: string | undefined;
    }
  /** It is in another namespace of processes. */
  | { readonly kind: "unseen" }
  /** Its supervisor is gone: it gives everything back and ends, if it does anything at all. */
  | { readonly kind: "orphan"; readonly pid: number };

export interface WithdrawOutcome {
  readonly withdrawn: Withdrawn;
  /** What was left, and why. */
  readonly problems: readonly KernelError[];
}

export interface WillRequest extends WithdrawRequest {
  /** They leave when the addresses are gone, and only then. */
  readonly packets: readonly ReadyPacket[];
  /** Nothing is begun later than this. */
  readonly limitMs: number;
}

export interface WillOutcome extends WithdrawOutcome {
  /** Packets that left. */
  readonly sent: number;
}

/** Lets go of what a process held that died. Nothing here rejects. */
export interface LastWill {
  /** Loads what it takes, so that a death finds it in memory. */
  prepare(): void;
  /** Resolves after `limitMs` at the latest, also when the kernel has not answered by then. */
  execute(request: WillRequest): Promise<WillOutcome>;
}
