import type { Requirement } from "./requirement.ts";
import {
  excused,
  inLab,
  inMachine,
  inPackets,
  KERNEL_ANSWERS,
  KERNEL_FORWARDS,
  PHYSICAL_MAC,
  sentOnly,
} from "./requirement.ts";

const NO_ROUTER_ADVERTISEMENTS =
  "The agent sends no router advertisements in any state; radvd and the like are started and stopped " +
  "by whoever runs them.";
const NO_DUAL_VERSION =
  "The mode that speaks both versions at once is optional (RFC 9568 §8.4) and not offered: a virtual " +
  "router has one version.";
const ONE_ENCODER =
  "All packets are made by one encoder from constants; nothing can choose otherwise.";

/** Each MUST and MUST NOT of RFC 9568, with the verified errata, in our words. */
export const RFC9568: readonly Requirement[] = [
  excused(
    ["RFC9568-5.1.1.2/1", "MUST NOT", "A packet to 224.0.0.18 is forwarded, whatever its TTL."],
    KERNEL_FORWARDS,
  ),
  sentOnly(["RFC9568-5.1.1.3/1", "MUST", "IPv4 packets are sent with TTL 255."], ONE_ENCODER),
  inPackets(["RFC9568-5.1.1.3/2", "MUST", "An IPv4 packet with another TTL is discarded."]),
  excused(
    ["RFC9568-5.1.2.2/1", "MUST NOT", "A packet to ff02::12 is forwarded, whatever its hop limit."],
    KERNEL_FORWARDS,
  ),
  sentOnly(["RFC9568-5.1.2.3/1", "MUST", "IPv6 packets are sent with hop limit 255."], ONE_ENCODER),
  inPackets(["RFC9568-5.1.2.3/2", "MUST", "An IPv6 packet with another hop limit is discarded."]),
  inPackets(["RFC9568-5.2.2/1", "MUST", "A packet of an unknown type is discarded."]),
  inMachine(["RFC9568-5.2.4/1", "MUST", "The owner of the addresses advertises priority 255."]),
  inMachine(["RFC9568-5.2.4/2", "MUST", "A router that backs them up uses a priority of 1–254."]),
  inPackets(["RFC9568-5.2.5/1", "MUST", "A packet with an address count of 0 is ignored."]),
  inPackets([
    "RFC9568-5.2.6/1",
    "MUST",
    "The reserved bits are zero when sent, and ignored when received.",
  ]),
  inPackets([
    "RFC9568-5.2.9/1",
    "MUST",
    "The first IPv6 address is the virtual router's link-local one. (A packet where it is not is " +
      "dropped in strict mode only: keepalived's default sends such packets.)",
  ]),
  inPackets(["RFC9568-5.2.9/2", "MUST", "The addresses are of the family of the IP header."]),
  inLab([
    "RFC9568-6.1/1",
    "MUST NOT",
    "Neighbour solicitations and advertisements are dropped as Accept_Mode is false.",
  ]),
  inMachine([
    "RFC9568-6.1/2",
    "MUST",
    "The owner preempts whatever Preempt_Mode is. (The RFC states it as an exception.)",
  ]),
  inMachine([
    "RFC9568-6.4.1/1",
    "MUST",
    "At startup an owner advertises, announces every address, and becomes active.",
  ]),
  inMachine([
    "RFC9568-6.4.1/2",
    "MUST",
    "At startup any other router waits an Active_Down_Interval of its own interval as backup.",
  ]),
  inMachine([
    "RFC9568-6.4.2/1",
    "MUST NOT",
    "A backup answers ARP requests for the addresses (it does not have them).",
  ]),
  excused(
    ["RFC9568-6.4.2/2", "MUST NOT", "A backup answers neighbour solicitations for the addresses."],
    KERNEL_ANSWERS,
  ),
  excused(
    ["RFC9568-6.4.2/3", "MUST NOT", "A backup sends router advertisements for the virtual router."],
    NO_ROUTER_ADVERTISEMENTS,
  ),
  excused(
    ["RFC9568-6.4.2/4", "MUST", "A backup discards frames to the virtual router's MAC."],
    "The interface's own MAC is in use unless use_vmac is set; then the macvlan stays up on a backup, " +
      "as keepalived has it, and has no address that would accept what comes in.",
  ),
  excused(
    ["RFC9568-6.4.2/5", "MUST NOT", "A backup accepts packets to the addresses."],
    KERNEL_ANSWERS,
  ),
  inMachine(["RFC9568-6.4.2/6", "MUST", "A backup that is shut down stops its timer."]),
  inMachine([
    "RFC9568-6.4.2/7",
    "MUST",
    "When Active_Down_Timer fires, a backup advertises, announces, and becomes active.",
  ]),
  inMachine(["RFC9568-6.4.2/8", "MUST", "Priority 0 leaves a backup one Skew_Time."]),
  inMachine([
    "RFC9568-6.4.2/9",
    "MUST",
    "Without preemption, or when it is not lower, a priority teaches its interval and restarts the timer.",
  ]),
  inMachine(["RFC9568-6.4.2/10", "MUST", "A lower priority is discarded while preempting."]),
  excused(
    ["RFC9568-6.4.3/1", "MUST", "An active router answers ARP requests for the addresses."],
    KERNEL_ANSWERS,
  ),
  excused(
    [
      "RFC9568-6.4.3/2",
      "MUST",
      "An active router is in the solicited-node groups of its addresses.",
    ],
    "The kernel joins the group of every address that it is given.",
  ),
  excused(
    ["RFC9568-6.4.3/3", "MUST", "An active router answers neighbour solicitations as a router."],
    `${KERNEL_ANSWERS} The router flag is the kernel's forwarding setting, which is the operator's.`,
  ),
  excused(
    ["RFC9568-6.4.3/4", "MUST", "An active router sends router advertisements."],
    NO_ROUTER_ADVERTISEMENTS,
  ),
  excused(
    ["RFC9568-6.4.3/5", "MUST", "An active router forwards frames to the virtual router's MAC."],
    "Forwarding is the kernel's, by ip_forward; the agent does not switch it.",
  ),
  inMachine([
    "RFC9568-6.4.3/6",
    "MUST",
    "An active router accepts packets to the addresses if it owns them or Accept_Mode is true.",
  ]),
  inLab([
    "RFC9568-6.4.3/7",
    "MUST NOT",
    "An active router that neither owns them nor accepts takes packets to the addresses. (By default " +
      "it accepts, as with keepalived; no_accept or strict mode sets Accept_Mode to false.)",
  ]),
  inMachine([
    "RFC9568-6.4.3/8",
    "MUST",
    "An active router that is shut down advertises priority 0.",
  ]),
  inMachine([
    "RFC9568-6.4.3/9",
    "MUST",
    "When Adver_Timer fires, an active router advertises, and again an interval later.",
  ]),
  inMachine([
    "RFC9568-6.4.3/10",
    "MUST",
    "An active router answers priority 0 with an advertisement and restarts its timer.",
  ]),
  inMachine([
    "RFC9568-6.4.3/11",
    "MUST",
    "A higher priority, or an equal one from a higher address, makes an active router backup, at the " +
      "interval it advertises.",
  ]),
  inMachine([
    "RFC9568-6.4.3/12",
    "MUST",
    "Any other advertisement is discarded and answered at once.",
  ]),
  inPackets(["RFC9568-7.1/1", "MUST", "The version is checked."]),
  inPackets(["RFC9568-7.1/2", "MUST", "The type is checked."]),
  inPackets(["RFC9568-7.1/3", "MUST", "The packet is complete, fixed fields and addresses."]),
  inPackets(["RFC9568-7.1/4", "MUST", "The checksum is right, over IPv6 with its pseudo-header."]),
  inPackets(["RFC9568-7.1/5", "MUST", "The VRID is configured where the packet came in."]),
  inMachine([
    "RFC9568-7.1/6",
    "MUST",
    "That the local router owns the addresses is checked: logged, not discarded (erratum 8298), as two " +
      "owners would never learn of each other.",
  ]),
  inPackets(["RFC9568-7.1/7", "MUST", "The advertised interval is not zero (erratum 8301)."]),
  sentOnly(
    [
      "RFC9568-7.2/1",
      "MUST",
      "The fields are those of the virtual router, and the checksum is right.",
    ],
    ONE_ENCODER,
  ),
  excused(
    ["RFC9568-7.2/2", "MUST", "The source MAC of an advertisement is the virtual router's."],
    PHYSICAL_MAC,
  ),
  sentOnly(
    [
      "RFC9568-7.2/3",
      "MUST",
      "The source is the interface's primary IPv4 or link-local IPv6 address.",
    ],
    "Which address that is, the host decides; a router without one is in fault and sends nothing.",
  ),
  sentOnly(
    ["RFC9568-7.2/4", "MUST", "The protocol is 112, the destination the VRRP group."],
    ONE_ENCODER,
  ),
  excused(
    ["RFC9568-7.4/1", "MUST NOT", "The virtual MAC feeds an IPv6 interface identifier."],
    "The macvlan forms no address of its own: addr_gen_mode is none (linux/netlink-virtual-links.test.ts).",
  ),
  excused(
    ["RFC9568-8.1.2/1", "MUST NOT", "An active router answers ARP with the physical MAC."],
    PHYSICAL_MAC,
  ),
  inMachine([
    "RFC9568-8.1.2/2",
    "MUST",
    "Gratuitous ARP waits until address and virtual MAC are in place.",
  ]),
  excused(
    ["RFC9568-8.1.3/1", "MUST", "Proxy ARP answers with the virtual MAC."],
    "The agent switches no proxy ARP on; the kernel's answers have the MAC of the interface asked.",
  ),
  excused(
    [
      "RFC9568-8.2.2/1",
      "MUST NOT",
      "An active router answers solicitations with the physical MAC.",
    ],
    PHYSICAL_MAC,
  ),
  excused(
    ["RFC9568-8.2.2/2", "MUST", "Solicitations it sends carry the virtual MAC, if any."],
    "Solicitations are the kernel's; on the macvlan it has no other MAC to put in.",
  ),
  excused(
    ["RFC9568-8.2.2/3", "MUST NOT", "Solicitations it sends carry the physical MAC."],
    "Solicitations are the kernel's; on the macvlan it has no other MAC to put in.",
  ),
  inMachine([
    "RFC9568-8.2.2/4",
    "MUST",
    "Neighbour advertisements wait until address and virtual MAC are in place.",
  ]),
  excused(
    ["RFC9568-8.2.3/1", "MUST", "Backups send the router advertisement options of the owner."],
    NO_ROUTER_ADVERTISEMENTS,
  ),
  excused(
    ["RFC9568-8.4.2/1", "MUST", "In the dual mode, both versions are sent at the configured rate."],
    NO_DUAL_VERSION,
  ),
  excused(
    ["RFC9568-8.4.2/2", "MUST", "In the dual mode, a backup goes by the advertised rate."],
    NO_DUAL_VERSION,
  ),
  excused(
    ["RFC9568-8.4.2/3", "MUST", "In the dual mode, seconds of v2 become centiseconds."],
    NO_DUAL_VERSION,
  ),
];
