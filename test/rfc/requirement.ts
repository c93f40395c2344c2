/** Where a requirement is shown to hold: a test file below test/, and the tag in a test's title. */
export interface Proof {
  readonly file: string;
}

/** Why there is nothing to test, or nothing that this project does about it. */
export interface Excuse {
  readonly reason: string;
}

/** One MUST or MUST NOT, in our words. */
export interface Requirement {
  /** The tag that its tests carry: document, section, and number within the section. */
  readonly id: `RFC${9568 | 3768}-${string}/${number}`;
  readonly level: "MUST" | "MUST NOT";
  readonly says: string;
  /** What obeys is taken, or done. */
  readonly accepted: Proof | Excuse;
  /** What does not obey is refused, or never done. */
  readonly rejected: Proof | Excuse;
}

const MACHINE: Proof = { file: "rfc/machine.test.ts" };
const PACKETS: Proof = { file: "rfc/packets.test.ts" };
const ACCEPT: Proof = { file: "lab/accept.test.ts" };

type Row = readonly [id: Requirement["id"], level: Requirement["level"], says: string];

/** Both cases in one file. */
const both =
  (proof: Proof) =>
  ([id, level, says]: Row): Requirement => ({ id, level, says, accepted: proof, rejected: proof });

export const inMachine = both(MACHINE);
export const inPackets = both(PACKETS);
/** Real agents on real interfaces: needs root. */
export const inLab = both(ACCEPT);

/** Nothing that is received or configured could lead to the opposite. */
export const sentOnly = ([id, level, says]: Row, reason: string): Requirement => ({
  id,
  level,
  says,
  accepted: PACKETS,
  rejected: { reason },
});

export const excused = ([id, level, says]: Row, reason: string): Requirement => ({
  id,
  level,
  says,
  accepted: { reason },
  rejected: { reason },
});

export const KERNEL_ANSWERS =
  "The kernel answers ARP and neighbour solicitations for the addresses it has, and for no others; " +
  "that they are on the host exactly while the router is active is tested as RFC9568-6.4.2/1.";

export const KERNEL_FORWARDS =
  "The agent forwards nothing, and the kernel never forwards the link-local multicast scope.";

export const PHYSICAL_MAC =
  "As with keepalived, addresses are on the interface itself and keep its MAC unless use_vmac is set; " +
  "then they are on a macvlan that has the virtual MAC (linux/netlink-virtual-links.test.ts).";
