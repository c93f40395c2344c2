import type {
  DirectorCommand,
  DirectorStatus,
  LetterIds,
  ServerOrder,
} from "../../control/protocol.ts";
import type { BfdVerdict } from "../../core/bfd/snapshot.ts";
import type { Claim, Reading, TrackerId } from "../../core/track/tracking.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { DirectorSettings, EventReport, GroupSnapshot, LogLevel } from "../ipc.ts";

/** Opens a part of the director; what the part finds and says goes to the outlet. */
export type OpenPart = (outlet: Outlet) => DirectorPart;

/**
 * One of the things that a director does: trackers, policies, notifications. An exception out of one
 * of these calls is told, and the others go on; one that nobody catches ends the director.
 */
export interface DirectorPart {
  /** What messages about it call it: `trackers`, `policies`. */
  readonly name: string;
  /**
   * The first configuration, or another one. What did not change runs on. Readings are known when it
   * returns, if only as presumed ones. The promise resolves when all is claimed that can be claimed
   * for now: the vrrp process hears nothing of a new director's claims before, and then everything at
   * once, in place of what the former director had said. So policies have to judge first. After 5 s
   * without, routers start, or what was claimed for this case holds.
   */
  configure(settings: DirectorSettings): void | Promise<void>;
  /**
   * When the first configuration is carried out, where that is long work: until then the supervisor takes
   * silence for work, and no more than at the start of a process.
   */
  begun?(): Promise<void> | undefined;
  /**
   * Something happened on this node; policies and the vrrp process are among those who say so. It is
   * told when the first `configure` is done. The promise resolves when it would not be lost with this
   * process: the next one is told again what one that ends before was told.
   */
  event?(report: EventReport): void | Promise<void>;
  /** The virtual routers and BFD sessions as they are; asked for by `Outlet.requestSnapshot`. */
  snapshot?(
    routers: readonly RouterSnapshot[],
    groups: readonly GroupSnapshot[],
    sessions: readonly BfdVerdict[],
  ): void;
  status(): Partial<DirectorStatus>;
  /** Its series, in Prometheus' text format. */
  metrics?(): string | Promise<string>;
  /** Commands of the control socket that are its own. */
  readonly commands?: Partial<
    Readonly<Record<DirectorCommand, (ids: LetterIds, order: ServerOrder | undefined) => unknown>>
  >;
  /** Ends what it does; at once the second time. */
  stop(): Promise<void>;
}

/** The verdict of a policy's check. */
export interface PolicyReading extends Reading {
  /** What its last good answer said that a real server takes, 0–65535. */
  readonly weight?: number;
}

/** What a part may say to the rest of the agent. */
export interface Outlet {
  /** What a tracker of the configuration found; the last one counts, and an unknown one changes nothing. */
  reading(tracker: TrackerId, reading: Reading): void;
  /** The tracker is configured no more. */
  forget(tracker: TrackerId): void;
  /** What a policy does to a router; the last one of a source counts, until it is withdrawn. */
  claim(claim: Claim): void;
  withdraw(router: string, source: string): void;
  /** Goes to the event log, to everybody's `event`, and to the agent's log. */
  event(report: EventReport): void;
  log(level: LogLevel, message: string): void;
  requestSnapshot(): void;
  /**
   * The verdict of a policy's check, for a vrrp_script or a real server that names it: `policy:NAME/CHECK`;
   * `undefined`: there is no such check any more.
   */
  policyVerdict(policy: string, check: string, reading: PolicyReading | undefined): void;
  /** Hears of the reading of a tracker, or of a BFD session (`track_bfd NAME`), now, and of each later one, until the answer is called. */
  onReading(tracker: TrackerId, listener: (reading: Reading | undefined) => void): () => void;
  /**
   * Hears of the verdict now, and of each later one, until the answer is called; `undefined`: there
   * is no such check. It is unknown until the policies are loaded.
   */
  onPolicyVerdict(
    policy: string,
    check: string,
    listener: (reading: PolicyReading | undefined) => void,
  ): () => void;
}
