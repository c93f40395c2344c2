import type { Micros } from "../time.ts";

/** bfd.SessionState. RFC 5880 §6.8.1. */
export type SessionState = "admin-down" | "down" | "init" | "up";

/** Why a session last left Up, by value 0–8 on the wire. RFC 5880 §4.1. */
export const DIAGNOSTICS = [
  "none",
  "detection-time-expired",
  "echo-failed",
  "neighbour-signalled-down",
  "forwarding-plane-reset",
  "path-down",
  "concatenated-path-down",
  "administratively-down",
  "reverse-concatenated-path-down",
] as const;

export type Diagnostic = (typeof DIAGNOSTICS)[number];

/** One control packet, without what never varies here. RFC 5880 §4.1. */
export interface ControlPacket {
  /** `reserved`: 9–31, which are received only. */
  readonly diagnostic: Diagnostic | "reserved";
  readonly state: SessionState;
  /** P and F; never both in what is sent. */
  readonly poll: boolean;
  readonly final: boolean;
  /** The sender forwards independently of its control plane; never in what is sent. */
  readonly controlPlaneIndependent: boolean;
  /** The sender wants no periodic packets while both are up; never in what is sent. */
  readonly demand: boolean;
  /** Detect Mult, 1–255. */
  readonly multiplier: number;
  /** The sender's, 1–4,294,967,295. */
  readonly myDiscriminator: number;
  /** What the sender believes to be ours; 0: it does not know. */
  readonly yourDiscriminator: number;
  readonly desiredMinTx: Micros;
  /** 0: the sender wants no periodic packets. */
  readonly requiredMinRx: Micros;
  /** 0: the sender answers no echoes; always so in what is sent. */
  readonly requiredMinEchoRx: Micros;
}

/** Why received bytes are no control packet. RFC 5880 §6.8.6 in its order; also counters' names. */
export type MalformedReason =
  | "truncated"
  | "version"
  | "length"
  | "multiplier-zero"
  | "multipoint"
  | "discriminator-zero"
  | "authentication";

/** Why a control packet reaches no session. RFC 5880 §6.8.6, RFC 5881 §5; also counters' names. */
export type RefusedReason =
  | "ttl"
  /** Your Discriminator is none of ours. */
  | "unknown-discriminator"
  /** Your Discriminator is ours, and the sender is not that session's neighbour. */
  | "wrong-neighbour"
  /** Your Discriminator is 0, and nobody has configured the sender. */
  | "unknown-neighbour"
  /** Your Discriminator is 0 in a state in which the sender must know it. */
  | "discriminator-missing";

export type DiscardReason = MalformedReason | RefusedReason;
