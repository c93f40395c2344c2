import { QUORUM_ADDRESS } from "./traffic-net.ts";
import type { ServiceText } from "./traffic-text.ts";
import { block, checked } from "./traffic-text.ts";

/** The services of single tests, by what they are about. */
export const AT = {
  mark: "198.51.100.80",
  markToo: "198.51.100.81",
  mark6: "2001:db8:5::80",
  onePacket: "198.51.100.90",
  threshold: "198.51.100.91",
  persistent: "198.51.100.92",
  network: "198.51.100.93",
  forgetful: "198.51.100.94",
  sorry: "198.51.100.100",
  sorryInhibited: "198.51.100.101",
  inhibited: "198.51.100.103",
  drained: "198.51.100.110",
  finishing: "198.51.100.111",
  cut: "198.51.100.112",
  restarted: "198.51.100.120",
  sctp: "198.51.100.130",
} as const;

export const MARKS = { ipv4: 7, group: 9, ipv6: 8 } as const;

/** Of holdfast_drain, in seconds, as something is looked at before, on a slow processor. */
export const DEADLINE_S = 6;
/** Of the service that forgets its clients, in seconds. */
export const FORGETS_S = 2;

const RS1 = { "10.0.0.11": [] };
const RS2 = { "10.0.0.12": [] };
const BOTH = { ...RS1, ...RS2 };
const TCP = checked("TCP_CHECK", "connect_timeout 5");
const HTTP = checked(
  "HTTP_GET",
  block("url", ["path /health", "status_code 200"]),
  "connect_timeout 5",
);
const SORRY = "sorry_server 10.0.0.14 80";

export const GROUP_TEXT = block("virtual_server_group some", [
  "198.51.100.70-71 80",
  "198.51.100.76/31 80",
  `fwmark ${MARKS.group}`,
]);

/** Answered by the group, and between them one that is not. */
export const GROUP = ["70", "71", "76", "77"].map((last) => `198.51.100.${last}`);
export const NOT_IN_GROUP = "198.51.100.72";
export const MARKED_FOR_GROUP = "198.51.100.82";

/** `leaving`: rs1 is not in the file any more where it is to finish its connections. */
export const poolServices = (leaving: boolean): readonly ServiceText[] => [
  { at: `fwmark ${MARKS.ipv4}`, servers: BOTH },
  { at: `fwmark ${MARKS.ipv6}`, more: ["ip_family inet6"], servers: { "fd00::12": [] } },
  { at: "group some", servers: RS2 },
  { at: AT.onePacket, protocol: "UDP", method: "DR", more: ["ops"], servers: BOTH },
  { at: AT.threshold, servers: { "10.0.0.11": ["uthreshold 2"], ...RS2 } },
  { at: AT.persistent, more: ["persistence_timeout 600"], servers: BOTH },
  {
    at: AT.network,
    more: ["persistence_timeout 600", "persistence_granularity 255.255.255.240"],
    servers: BOTH,
  },
  {
    at: AT.forgetful,
    protocol: "UDP",
    more: [`persistence_timeout ${FORGETS_S}`],
    servers: BOTH,
  },
  { at: AT.sorry, more: [SORRY], servers: BOTH, each: TCP },
  { at: AT.sorryInhibited, more: [SORRY, "sorry_server_inhibit"], servers: BOTH, each: TCP },
  {
    at: QUORUM_ADDRESS,
    more: [
      "quorum 4",
      "hysteresis 1",
      `quorum_up "/usr/sbin/ip addr add ${QUORUM_ADDRESS}/32 dev lo"`,
      `quorum_down "/usr/sbin/ip addr del ${QUORUM_ADDRESS}/32 dev lo"`,
    ],
    servers: { ...BOTH, "10.0.0.13": [] },
    each: ["weight 2", ...HTTP],
  },
  { at: AT.inhibited, more: ["inhibit_on_failure"], servers: BOTH, each: HTTP },
  { at: AT.drained, servers: BOTH },
  { at: AT.finishing, more: ["holdfast_drain 600"], servers: leaving ? RS2 : BOTH },
  { at: AT.cut, more: [`holdfast_drain ${DEADLINE_S}`], servers: leaving ? RS2 : BOTH },
  { at: AT.restarted, servers: BOTH, each: HTTP },
  { at: AT.sctp, protocol: "SCTP", servers: RS1 },
];
