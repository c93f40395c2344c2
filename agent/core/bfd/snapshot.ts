import type { IpAddress } from "../address.ts";
import type { Hops } from "./admission.ts";
import type { ControlPacket, DiscardReason, SessionState } from "./packet.ts";
import type { BfdReason } from "./session.ts";

/** All that can be seen of one BFD session. Plain JSON; spans in microseconds. */
export interface BfdSnapshot {
  readonly name: string;
  readonly neighbour: IpAddress;
  readonly source: IpAddress | null;
  readonly interface: string | null;
  readonly hops: Hops;
  readonly passive: boolean;
  readonly state: SessionState;
  /** For whoever depends on it. `unknown`: it had no time to come up, or we shut it down ourselves. */
  readonly verdict: "unknown" | "up" | "down";
  /** Why it last went down; `none` while it is up. */
  readonly diagnostic: ControlPacket["diagnostic"];
  readonly discriminator: number;
  readonly local: BfdTiming;
  /** What the neighbour last said; `null`: not heard within a detection time. */
  readonly remote:
    | (BfdTiming & {
        readonly state: SessionState;
        readonly diagnostic: ControlPacket["diagnostic"];
        readonly discriminator: number;
      })
    | null;
  /** Between two packets of ours, as agreed, before jitter; `null`: none are sent. */
  readonly transmitInterval: number | null;
  /** How long the neighbour may be silent, as agreed; `null`: it is not heard. */
  readonly detectionTime: number | null;
  /** How often it left `up`, since it was configured. */
  readonly flaps: number;
  readonly lastChange: {
    readonly from: SessionState;
    readonly to: SessionState;
    readonly reason: BfdReason;
    /** Wall-clock milliseconds. */
    readonly at: number;
  };
  /** Why it cannot send or listen; `null`: it can. */
  readonly problem: string | null;
  readonly counters: {
    readonly sent: number;
    readonly received: number;
    readonly sendErrors: number;
  };
}

export interface BfdTiming {
  readonly minTx: number;
  readonly minRx: number;
  readonly multiplier: number;
}

export interface BfdReport {
  readonly sessions: readonly BfdSnapshot[];
  /** Received, and of no use: by reason. */
  readonly dropped: Readonly<Partial<Record<DiscardReason, number>>>;
}

/** What others depend on: `detail` of an event of kind `bfd` has it too. */
export interface BfdVerdict {
  readonly name: string;
  readonly verdict: BfdSnapshot["verdict"];
  /** For people. */
  readonly reason: string;
}

export const verdictOf = ({ name, verdict, lastChange }: BfdSnapshot): BfdVerdict => ({
  name,
  verdict,
  // Nothing has happened since its start, and that is why it is down.
  reason: lastChange.reason === "startup" ? "not up yet" : lastChange.reason,
});
