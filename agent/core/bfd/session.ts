import type { Instant, Micros } from "../time.ts";
import type { ControlPacket, Diagnostic, SessionState } from "./packet.ts";

/** What one session is to do. Plain JSON. */
export interface BfdSession {
  readonly name: string;
  /** bfd.LocalDiscr: unique on this host, 1–4,294,967,295. */
  readonly discriminator: number;
  /** bfd.DesiredMinTxInterval while the session is up. */
  readonly minTx: Micros;
  /** bfd.RequiredMinRxInterval. */
  readonly minRx: Micros;
  /** bfd.DesiredMinTxInterval while it is not up: a second at least. RFC 5880 §6.8.3. */
  readonly idleTx: Micros;
  /** bfd.DetectMult, 1–255. */
  readonly multiplier: number;
  /** Says nothing before the neighbour does. RFC 5880 §6.1. */
  readonly passive: boolean;
  /** Start of the jitter, any number: sessions of equal seeds send in step. */
  readonly seed: number;
}

/** A pair of our intervals, as they stand in packets. */
export interface Intervals {
  readonly minTx: Micros;
  readonly minRx: Micros;
}

/** What the neighbour last said of itself. */
export interface Remote {
  readonly state: SessionState;
  /** bfd.RemoteDiscr; not 0. */
  readonly discriminator: number;
  readonly diagnostic: ControlPacket["diagnostic"];
  readonly desiredMinTx: Micros;
  /** bfd.RemoteMinRxInterval. */
  readonly requiredMinRx: Micros;
  readonly multiplier: number;
  /** bfd.RemoteDemandMode */
  readonly demand: boolean;
}

export interface BfdState {
  /** bfd.SessionState */
  readonly session: SessionState;
  /** bfd.LocalDiag */
  readonly diagnostic: Diagnostic;
  /** `undefined`: not heard within a detection time, as bfd.RemoteDiscr = 0. */
  readonly remote: Remote | undefined;
  /** What counts for our timers: the neighbour may not know newer ones yet. RFC 5880 §6.8.3. */
  readonly applied: Intervals;
  /** A poll sequence is under way for these. */
  readonly polled: Intervals | undefined;
  /** When the last packet left that was not an answer to a poll. */
  readonly sentAt: Instant | undefined;
  readonly transmitAt: Instant | undefined;
  /** When the neighbour counts as gone, unless it is heard. */
  readonly detectAt: Instant | undefined;
  /** State of the pseudo-random numbers for jitter. */
  readonly random: number;
}

export type BfdEvent =
  | { readonly kind: "startup" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "packet"; readonly packet: ControlPacket }
  /** The configuration argument is new. */
  | { readonly kind: "configured" }
  | { readonly kind: "tick" };

/** Why the state changed. Closed: the same token reaches logs, events and status. */
export type BfdReason =
  | "startup"
  | "shutdown"
  | "neighbour-heard"
  | "handshake-complete"
  | "detection-time-expired"
  | "neighbour-signalled-down"
  | "neighbour-shut-down";

export type BfdEffect =
  | { readonly kind: "send-control"; readonly packet: ControlPacket }
  | {
      readonly kind: "session-changed";
      readonly from: SessionState;
      readonly to: SessionState;
      readonly reason: BfdReason;
    };
