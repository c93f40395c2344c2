import type { IpAddress } from "../core/address.ts";
import type { Instant, Micros } from "../core/time.ts";
import type { KernelError } from "./error.ts";
import type { FilterEvent } from "./filter-event.ts";

/** An address that this host has, or is about to have, and that hosts reach only through the gate. */
export interface GatedAddress {
  /** Where it is. Counts for link-local addresses, which may mean another host elsewhere. */
  readonly interfaceIndex: number;
  readonly address: IpAddress;
}

/** Addresses that share a lease: those of one virtual router. */
export interface Opening {
  readonly addresses: readonly GatedAddress[];
  /**
   * When the kernel shuts the gate by itself: up to some milliseconds early, as it counts in ticks, and
   * as late as its ticks are, which is no more than a few of them where processors are taken away.
   */
  readonly deadline: Instant;
  /** The kernel may learn of it this late; later than that the gate is shut instead. */
  readonly margin: Micros;
}

/**
 * How an opening ended. `late`: the kernel learned of the deadline too late to shut in time, or the
 * deadline has passed: the gate is shut.
 */
export type OpeningOutcome = "open" | "late" | KernelError;

/**
 * Rules in the kernel that let frames for an address pass, and answers about it leave, only while its
 * lease runs: also when this process is stopped, starved or dead. Nothing here rejects: what the kernel
 * refused is the answer. Requests are carried out in the order in which they were made.
 */
export interface Gate {
  /** Whether this kernel can do it. Leaves nothing behind. */
  probe(): Promise<KernelError | undefined>;
  /**
   * Puts these behind the gate: shut, if they were not behind it already. To be awaited before an
   * address is installed. They stay there until they are released; the rules outlive this process by
   * `keep`, or an eighth less, so that they do not swallow what another tool puts there. An address
   * that is still there then is reachable again: `keep` is longer than any lease, and than addresses last.
   */
  guard(addresses: readonly GatedAddress[], keep: Micros): Promise<KernelError | undefined>;
  /**
   * Opens, or extends, without a moment between; also for addresses that come behind the gate only
   * afterwards. One outcome for each, in order. Lists of addresses that are used again cost less.
   */
  open(openings: readonly Opening[]): Promise<readonly OpeningOutcome[]>;
  /** Nothing passes any more, until they are opened. */
  shut(addresses: readonly GatedAddress[]): Promise<KernelError | undefined>;
  /**
   * The addresses are gone from this host: nothing is said of them any more. One that was put behind
   * the gate on another interface as well stays there, unless it is link-local.
   */
  release(addresses: readonly GatedAddress[]): Promise<KernelError | undefined>;
  /**
   * Frames from these pass a shut gate as well: load balancers that send on to this host what came
   * for an address, which it has as a real server (LVS direct routing). Questions who has it are not
   * among them. Six octets, colons; all there are, in place of those before.
   */
  passFrom(macs: readonly string[]): Promise<KernelError | undefined>;
  subscribe(listener: (event: FilterEvent) => void): () => void;
  close(): Promise<void>;
}
