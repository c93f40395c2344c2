/** Why a virtual router cannot take part. Closed: the token reaches logs, status and metrics. */
export type FaultCause =
  | "interface-missing"
  | "interface-down"
  | "tracked-interface-down"
  | "source-address-missing"
  | "address-lost"
  | "track-group-lost"
  | "no-unicast-peer"
  | "socket"
  | "tracker"
  | "sync-group";

/** One reason to be in fault: the cause, and what it is about (an interface, an address, a name). */
export interface Fault {
  readonly cause: FaultCause;
  readonly subject: string;
}

export const sameFault = (a: Fault, b: Fault): boolean =>
  a.cause === b.cause && a.subject === b.subject;
