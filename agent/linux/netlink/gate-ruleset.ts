import { BodyWriter } from "../../wire/netlink/attribute.ts";
import type { SetSpec } from "../../wire/netlink/nftables.ts";
import type { Expression } from "../../wire/netlink/nftables-expression.ts";
import {
  ARP_HOOK,
  ETHERNET_ADDRESS_TYPE,
  HOOK,
  IPV4_ADDRESS_TYPE,
  IPV6_ADDRESS_TYPE,
  LINK_AND_IPV6_ADDRESS_TYPE,
} from "../../wire/netlink/nftables-numbers.ts";
import type { AddressKind, ChainSpec, Contents } from "./filter-part.ts";
import {
  ACCEPT,
  DESTINATION4,
  DESTINATION6,
  DROP,
  IPV4,
  IPV6,
  icmpv6,
  loadKey,
  NEIGHBOUR_TARGET,
  SOURCE6,
} from "./filter-rules.ts";
import { ARP_TABLE, IP_TABLE } from "./filter-tables.ts";

/** Before everything that looks at packets: connection tracking, NAT, IPVS. */
const PRIORITY = -300;

const ROUTER_SOLICITATION = 133;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const ARPHRD_ETHER = 1;

/** Set of the frames' sources that pass. */
export const FROM_SET = "from";

/** The sets of an address: what is behind the gate, and for which of them it is open. */
export const GUARDED: Readonly<Record<AddressKind, string>> = {
  "4": "guarded4",
  "6": "guarded6",
  "6link": "guarded6link",
};
export const OPEN: Readonly<Record<AddressKind, string>> = {
  "4": "open4",
  "6": "open6",
  "6link": "open6link",
};

/** Drops what has the key in register 1, unless its gate is open. */
const unlessOpen = (kind: AddressKind): readonly Expression[] => [
  { kind: "lookup", from: 1, set: GUARDED[kind] },
  { kind: "lookup", from: 1, set: OPEN[kind], inverted: true },
  DROP,
];

const IPV6_KINDS = ["6", "6link"] as const;

/**
 * What comes for an address: questions who has it, and packets to it. A solicitation is known by its
 * target, as most go to a group. Load balancers ask as everybody does; their other frames pass.
 */
const INPUT: ChainSpec = {
  name: "gate-in",
  hook: { number: HOOK.prerouting, priority: PRIORITY, policy: "accept" },
  rules: [
    ...IPV6_KINDS.map((kind) => [
      ...icmpv6(NEIGHBOUR_SOLICITATION, NEIGHBOUR_SOLICITATION),
      ...loadKey(kind, NEIGHBOUR_TARGET),
      ...unlessOpen(kind),
    ]),
    [
      { kind: "meta", key: "inputType", to: 1 },
      {
        kind: "compare",
        from: 1,
        operator: "equal",
        value: new BodyWriter().u16(ARPHRD_ETHER).finish(),
      },
      { kind: "payload", base: "link", offset: 6, length: 6, to: 1 },
      { kind: "lookup", from: 1, set: FROM_SET },
      ACCEPT,
    ],
    [...IPV4, ...loadKey("4", DESTINATION4), ...unlessOpen("4")],
    ...IPV6_KINDS.map((kind) => [...IPV6, ...loadKey(kind, DESTINATION6), ...unlessOpen(kind)]),
  ],
};

/**
 * What tells others that an address is here: an advertisement of it, and any neighbour discovery that
 * is sent from it, as receivers learn its sender's MAC.
 */
const OUTPUT: ChainSpec = {
  name: "gate-out",
  hook: { number: HOOK.output, priority: PRIORITY, policy: "accept" },
  rules: [
    ...IPV6_KINDS.map((kind) => [
      ...icmpv6(NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_ADVERTISEMENT),
      ...loadKey(kind, NEIGHBOUR_TARGET, "outputIndex"),
      ...unlessOpen(kind),
    ]),
    ...IPV6_KINDS.map((kind) => [
      ...icmpv6(ROUTER_SOLICITATION, NEIGHBOUR_ADVERTISEMENT),
      ...loadKey(kind, SOURCE6, "outputIndex"),
      ...unlessOpen(kind),
    ]),
  ],
};

/** Only a request makes this host answer, and then only by its target. */
const ARP_INPUT: ChainSpec = {
  name: "gate-in",
  hook: { number: ARP_HOOK.input, priority: PRIORITY, policy: "accept" },
  rules: [
    [
      { kind: "payload", base: "network", offset: 6, length: 2, to: 1 },
      { kind: "compare", from: 1, operator: "equal", value: Uint8Array.of(0, 1) },
      ...loadKey("4", { base: "network", offset: 24 }),
      ...unlessOpen("4"),
    ],
  ],
};

/** Whatever ARP says of its sender, receivers believe: questions as well as answers. */
const ARP_OUTPUT: ChainSpec = {
  name: "gate-out",
  hook: { number: ARP_HOOK.output, priority: PRIORITY, policy: "accept" },
  rules: [[...loadKey("4", { base: "network", offset: 14 }), ...unlessOpen("4")]],
};

const KEYS = {
  "4": { keyType: IPV4_ADDRESS_TYPE, keyLength: 4 },
  "6": { keyType: IPV6_ADDRESS_TYPE, keyLength: 16 },
  "6link": { keyType: LINK_AND_IPV6_ADDRESS_TYPE, keyLength: 20 },
} as const;

const timed = (id: number, kind: AddressKind): readonly SetSpec[] => [
  { name: GUARDED[kind], id, ...KEYS[kind], timeouts: true },
  { name: OPEN[kind], id: id + 1, ...KEYS[kind], timeouts: true },
];

/** What is in each of our tables while there is an address behind the gate. */
export const GATE: readonly Contents[] = [
  {
    table: IP_TABLE,
    sets: [
      ...timed(11, "4"),
      ...timed(13, "6"),
      ...timed(15, "6link"),
      { name: FROM_SET, id: 17, keyType: ETHERNET_ADDRESS_TYPE, keyLength: 6 },
    ],
    chains: [INPUT, OUTPUT],
  },
  { table: ARP_TABLE, sets: timed(21, "4"), chains: [ARP_INPUT, ARP_OUTPUT] },
];
