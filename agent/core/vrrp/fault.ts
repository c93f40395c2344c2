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
  /** Accept_Mode is false, and the kernel cannot refuse packets. */
  | "packet-filter"
  | "tracker"
  | "sync-group";

/** One reason to be in fault: the cause, and what it is about (an interface, an address, a name). */
export interface Fault {
  readonly cause: FaultCause;
  readonly subject: string;
}

export const sameFault = (a: Fault, b: Fault): boolean =>
  a.cause === b.cause && a.subject === b.subject;

/** The same list when the fault is in it already: a fault holds once, however often it is raised. */
export const withFault = (faults: readonly Fault[], fault: Fault): readonly Fault[] =>
  faults.some((held) => sameFault(held, fault)) ? faults : [...faults, fault];

export const withoutFault = (faults: readonly Fault[], fault: Fault): readonly Fault[] =>
  faults.filter((held) => !sameFault(held, fault));
