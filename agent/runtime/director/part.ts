import type { DirectorStatus } from "../../control/protocol.ts";
import type { Claim, Reading, TrackerId } from "../../core/track/tracking.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { DirectorSettings, EventReport, GroupSnapshot, LogLevel } from "../ipc.ts";

/** One of the things that a director does: trackers, policies, notifications. */
export interface DirectorPart {
  /** The first configuration, or another one. What did not change runs on. */
  configure(settings: DirectorSettings): void;
  /** Something happened on this node; policies and the vrrp process are among those who say so. */
  event?(report: EventReport): void;
  /** The virtual routers as they are; asked for by `Outlet.requestSnapshot`. */
  snapshot?(routers: readonly RouterSnapshot[], groups: readonly GroupSnapshot[]): void;
  status(): Partial<DirectorStatus>;
  /** Ends what it does; at once the second time. */
  stop(): Promise<void>;
}

/** What a part may say to the rest of the agent. */
export interface Outlet {
  /** What a tracker of the configuration found; the last one counts. */
  reading(tracker: TrackerId, reading: Reading): void;
  /** What a policy does to a router; the last one of a source counts, until it is withdrawn. */
  claim(claim: Claim): void;
  withdraw(router: string, source: string): void;
  /** Goes to the event log, to everybody's `event`, and to the agent's log. */
  event(report: EventReport): void;
  log(level: LogLevel, message: string): void;
  requestSnapshot(): void;
  /** The verdict of a policy's check, for a vrrp_script that names it: `policy:NAME/CHECK`. */
  policyVerdict(policy: string, check: string, reading: Reading): void;
  /** Hears of the verdict now, and of each later one; `undefined`: there is no such check. */
  onPolicyVerdict(
    policy: string,
    check: string,
    listener: (reading: Reading | undefined) => void,
  ): () => void;
}
