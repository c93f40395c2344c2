import type { TransitionReason, VrrpAlarm } from "../../core/vrrp/effect.ts";
import type { Fault, FaultCause } from "../../core/vrrp/fault.ts";
import type { RouterCounters, RouterSnapshot } from "../../core/vrrp/snapshot.ts";

const REASONS: Readonly<Record<TransitionReason, string>> = {
  startup: "started",
  "owner-startup": "owns the addresses (priority 255)",
  "active-down-timer": "the active router fell silent",
  "active-resigned": "the active router resigned",
  preemption: "preempted a lower priority",
  "higher-priority": "heard a higher priority",
  "equal-priority-higher-address": "heard an equal priority from a higher address",
  "timer-expired": "ran too late to still be the active router",
  fault: "fault",
  "fault-cleared": "the fault is over",
  "sync-group": "its sync group decided",
  "mandate-lost": "its mandate is over",
  reconfigured: "configuration changed",
  shutdown: "stopped",
};

/** Why the state is what it is, to be read after the state; empty before the first change. */
export function reasonOf({ lastTransition, peers }: RouterSnapshot): string {
  if (lastTransition === null) return "";
  const { reason, at } = lastTransition;
  // Only what was heard can fall silent.
  const heard = peers.some(({ lastHeardAt }) => lastHeardAt <= at);
  return reason === "active-down-timer" && !heard ? "no active router was heard" : REASONS[reason];
}

/** A problem in words, and what to do next. */
export interface Advice {
  readonly problem: string;
  readonly next: string;
}

const FAULTS: Readonly<Record<FaultCause, (subject: string) => Advice>> = {
  "interface-missing": (name) => ({
    problem: `there is no interface ${name}`,
    next: "it starts by itself when the interface appears; ip link shows the names there are",
  }),
  "interface-down": (name) => ({
    problem: `interface ${name} is down`,
    next: `look at the cable, the switch port or the hypervisor; ip link set ${name} up`,
  }),
  "tracked-interface-down": (name) => ({
    problem: `the tracked interface ${name} is down`,
    next: `bring ${name} up, or give it a weight in track_interface`,
  }),
  "source-address-missing": (address) => ({
    problem: `the source address ${address} is not on the interface`,
    next: "add the address, or correct mcast_src_ip or unicast_src_ip",
  }),
  "address-lost": (address) => ({
    problem: `somebody removed ${address} from this host, or the kernel refuses to have it`,
    next: "find out who (network manager, a script), or see what the log says of the refusal; it is tried again",
  }),
  "track-group-lost": (name) => ({
    problem: `a static address, route or rule of the track group ${name} is gone`,
    next: "put it back, or reload",
  }),
  "no-unicast-peer": () => ({
    problem: "there is no unicast peer",
    next: "name one in unicast_peer",
  }),
  socket: (what) => ({
    problem: `the socket failed: ${what}`,
    next: "the log has the error; holdfast doctor looks for the cause",
  }),
  "packet-filter": (subsystem) => ({
    problem: `the kernel cannot refuse packets (${subsystem}), as no_accept, strict mode, holdfast_fencing gate or a required witness asks for`,
    next: "modprobe nf_tables, or take out what asks for it; the log has the error",
  }),
  tracker: (name) => ({
    problem: `what it tracks forbids it to take part: ${name}`,
    next: "the table of checks has the reason; mend what is checked, or the check",
  }),
  "sync-group": (name) => ({
    problem: `another member of its sync group is in fault: ${name}`,
    next: "mend that one",
  }),
};

export const adviceOn = (fault: Fault): Advice => FAULTS[fault.cause](fault.subject);

type AlarmName = keyof RouterCounters["alarms"];

/** Alarms that were counted since the start. */
export const ALARMS: Readonly<Record<VrrpAlarm | AlarmName, Advice>> = {
  "rival-heard": {
    problem: "heard a lower priority advertise while active: that node did not hear this one",
    next: "look for a filter or a one-way link; holdfast doctor on both nodes",
  },
  "owner-conflict": {
    problem: "two routers claim to own the addresses (priority 255)",
    next: "give priority 255 to one of them only",
  },
  "own-address-heard": {
    problem: "heard an advertisement from this node's own address",
    next: "look for a duplicate address or a loop in the network",
  },
  "interval-mismatch": {
    problem: "a peer advertises at another interval",
    next: "make advert_int equal on all nodes",
  },
  "address-list-mismatch": {
    problem: "a peer advertises other addresses",
    next: "make virtual_ipaddress equal on all nodes",
  },
  "vrid-clash": {
    problem: "another virtual router uses its VRID on this link",
    next: "the log has its sender and addresses; give one of the two another virtual_router_id",
  },
  "version-mismatch": {
    problem: "another node claims its addresses in the other version of VRRP",
    next: "make version (or vrrp_version) equal on all nodes",
  },
  "authentication-mismatch": {
    problem: "another node claims its addresses with other authentication",
    next: "make the type and the secret equal on all nodes",
  },
  "address-claimed-elsewhere": {
    problem: "while it was active, another host answered for its address",
    next: "the log has the MAC, and says when it ended; take the address away there",
  },
  "gate-restored": {
    problem: "somebody removed the gate's rules, which were put back",
    next: "find who runs nft flush ruleset, and let it replace its own tables only",
  },
  "checksum-mix": {
    problem: "peers use different checksums",
    next: "make v3_checksum_as_v2 equal on all nodes",
  },
  "first-address-not-link-local": {
    problem: "a peer's first IPv6 address is not link-local, against RFC 9568 §5.2.9",
    next: "put a fe80:: address first in virtual_ipaddress on all nodes",
  },
};
