import type { Fault } from "./fault.ts";
import type { VrrpState } from "./state.ts";

/** Why the state changed. Closed: the same token reaches logs, metrics, hooks and the status page. */
export type TransitionReason =
  | "startup"
  | "owner-startup"
  | "active-down-timer"
  | "active-resigned"
  | "preemption"
  | "higher-priority"
  | "equal-priority-higher-address"
  | "timer-expired"
  | "fault"
  | "fault-cleared"
  | "sync-group"
  | "mandate-lost"
  | "reconfigured"
  | "shutdown";

/** What deserves an operator's attention but changes no state. Closed; also the counter's name. */
export type VrrpAlarm =
  /** A lower priority goes on advertising while we are active: it does not hear us. Told of once. */
  | "rival-heard"
  /** Two routers claim to own the addresses (priority 255). RFC 9568 erratum 8298. */
  | "owner-conflict"
  /** Equal priority from our own source address: a duplicate address or a loop. */
  | "own-address-heard"
  /** The peer's advertisement interval differs from ours. RFC 9568 §7.1. */
  | "interval-mismatch";

/** What must now be done, in this order. Named for the protocol, never for a mechanism. */
export type VrrpEffect =
  | { readonly kind: "send-advertisement"; readonly priority: number }
  /** Where they are fenced, the gate in front of them is shut. */
  | { readonly kind: "install-addresses" }
  /** Opens the gate; from now on every advertisement extends it. Only where addresses are fenced. */
  | { readonly kind: "open-addresses" }
  /** Shuts the gate, and asks the segment until nobody answers for the addresses. */
  | { readonly kind: "probe-holder" }
  | { readonly kind: "remove-addresses" }
  /** Gratuitous ARP or unsolicited NA for every address, `repeat` frames each. */
  | { readonly kind: "announce-addresses"; readonly repeat: number }
  /** Ask the sync group: this member would become active now. */
  | { readonly kind: "request-active"; readonly reason: TransitionReason }
  | { readonly kind: "alarm"; readonly alarm: VrrpAlarm; readonly from: string }
  /** What an alarm told of has ended. Only for those that last. */
  | { readonly kind: "alarm-over"; readonly alarm: "rival-heard"; readonly from: string }
  | {
      readonly kind: "transition";
      readonly from: VrrpState["kind"];
      readonly to: VrrpState["kind"];
      readonly reason: TransitionReason;
      readonly faults: readonly Fault[];
    };
