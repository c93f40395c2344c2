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

const ONE_ENCODER =
  "All packets are made by one encoder from constants; nothing can choose otherwise.";

/** Each MUST and MUST NOT of RFC 3768 (version 2), in our words; its Master is our active. */
export const RFC3768: readonly Requirement[] = [
  excused(
    ["RFC3768-5.2.2/1", "MUST NOT", "A packet to 224.0.0.18 is forwarded, whatever its TTL."],
    KERNEL_FORWARDS,
  ),
  sentOnly(["RFC3768-5.2.3/1", "MUST", "Packets are sent with TTL 255."], ONE_ENCODER),
  inPackets(["RFC3768-5.2.3/2", "MUST", "A packet with another TTL is discarded."]),
  inPackets(["RFC3768-5.3.2/1", "MUST", "A packet of an unknown type is discarded."]),
  inMachine(["RFC3768-5.3.4/1", "MUST", "The owner of the addresses advertises priority 255."]),
  inMachine(["RFC3768-5.3.4/2", "MUST", "A router that backs them up uses a priority of 1–254."]),
  inPackets([
    "RFC3768-5.3.6/1",
    "MUST",
    "A packet of an unknown authentication type, or of another than the configured one, is discarded.",
  ]),
  inMachine([
    "RFC3768-6.4.1/1",
    "MUST",
    "At startup an owner advertises, announces and becomes active, any other becomes backup.",
  ]),
  inMachine(["RFC3768-6.4.2/1", "MUST NOT", "A backup answers ARP requests for the addresses."]),
  excused(
    ["RFC3768-6.4.2/2", "MUST", "A backup discards frames to the virtual router's MAC."],
    "The interface's own MAC is in use unless use_vmac is set; then the macvlan stays up on a backup, " +
      "as keepalived has it, and has no address that would accept what comes in.",
  ),
  excused(
    ["RFC3768-6.4.2/3", "MUST NOT", "A backup accepts packets to the addresses."],
    KERNEL_ANSWERS,
  ),
  inMachine([
    "RFC3768-6.4.2/4",
    "MUST",
    "A backup claims when its timer fires; priority 0 leaves it a skew, a priority that is not lower " +
      "restarts the timer, a lower one does so only without preemption.",
  ]),
  excused(
    ["RFC3768-6.4.3/1", "MUST", "An active router answers ARP requests for the addresses."],
    KERNEL_ANSWERS,
  ),
  excused(
    ["RFC3768-6.4.3/2", "MUST", "An active router forwards frames to the virtual router's MAC."],
    "Forwarding is the kernel's, by ip_forward; the agent does not switch it.",
  ),
  inLab([
    "RFC3768-6.4.3/3",
    "MUST NOT",
    "An active router that does not own the addresses accepts packets. (With no_accept or in strict " +
      "mode. By default it accepts, as with keepalived: a service address is there to be served.)",
  ]),
  inMachine([
    "RFC3768-6.4.3/4",
    "MUST",
    "An active router that owns the addresses accepts packets to them.",
  ]),
  inMachine([
    "RFC3768-6.4.3/5",
    "MUST",
    "An active router advertises every interval, answers priority 0, yields to a better claim, " +
      "discards a worse one, and resigns at shutdown. (A worse claim is also answered at once, as " +
      "RFC 9568 and keepalived have it; lower_prio_no_advert keeps silent.)",
  ]),
  inPackets(["RFC3768-7.1/1", "MUST", "The TTL is 255."]),
  inPackets(["RFC3768-7.1/2", "MUST", "The version is 2."]),
  inPackets([
    "RFC3768-7.1/3",
    "MUST",
    "The packet is complete: fixed fields, addresses and authentication data.",
  ]),
  inPackets(["RFC3768-7.1/4", "MUST", "The checksum is right."]),
  inPackets(["RFC3768-7.1/5", "MUST", "The VRID is configured where the packet came in."]),
  inMachine([
    "RFC3768-7.1/6",
    "MUST",
    "The local router does not own the addresses. (By default it listens and warns, as RFC 9568's " +
      "erratum 8298 has it; owner_ignore_adverts discards.)",
  ]),
  inPackets([
    "RFC3768-7.1/7",
    "MUST",
    "The authentication type is the configured one, and the authentication succeeds.",
  ]),
  inPackets([
    "RFC3768-7.1/8",
    "MUST",
    "Where the address list is checked strictly, a packet with another list is dropped.",
  ]),
  inPackets(["RFC3768-7.1/9", "MUST", "The interval is the one configured here."]),
  sentOnly(
    [
      "RFC3768-7.2/1",
      "MUST",
      "The fields are those of the virtual router, and the checksum is right.",
    ],
    ONE_ENCODER,
  ),
  excused(
    ["RFC3768-7.2/2", "MUST", "The source MAC of an advertisement is the virtual router's."],
    PHYSICAL_MAC,
  ),
  sentOnly(
    ["RFC3768-7.2/3", "MUST", "The source is the interface's primary address."],
    "Which address that is, the host decides; a router without one is in fault and sends nothing.",
  ),
  sentOnly(
    ["RFC3768-7.2/4", "MUST", "The protocol is 112, the destination the VRRP group."],
    ONE_ENCODER,
  ),
  excused(
    ["RFC3768-8.2/1", "MUST", "An active router answers ARP with the virtual MAC."],
    PHYSICAL_MAC,
  ),
  excused(
    ["RFC3768-8.2/2", "MUST NOT", "An active router answers ARP with the physical MAC."],
    PHYSICAL_MAC,
  ),
  excused(
    ["RFC3768-9.2/1", "MUST", "Routers on token ring implement the functional address mode."],
    "Linux dropped token ring in version 3.5.",
  ),
];
