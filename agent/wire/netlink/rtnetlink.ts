import type { Family } from "../../core/address.ts";

/** Numbers of linux/rtnetlink.h, if_link.h, if_addr.h and fib_rules.h that are used here. */

export const RTM = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newRule: 32,
  deleteRule: 33,
  getRule: 34,
} as const;

/** Multicast groups, RTNLGRP_…. */
export const GROUP = {
  link: 1,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
} as const;

export const AF = { unspecified: 0, inet: 2, inet6: 10 } as const;

export const familyNumber = (family: Family): number => (family === "ipv4" ? AF.inet : AF.inet6);

/** `undefined` for a family that is neither IPv4 nor IPv6. */
export function familyWithNumber(number: number | undefined): Family | undefined {
  if (number === AF.inet) return "ipv4";
  return number === AF.inet6 ? "ipv6" : undefined;
}

export const IFF = { up: 0x1, running: 0x40, noArp: 0x80 } as const;

export const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  linkInfo: 18,
  alias: 20,
  group: 27,
  extensionMask: 29,
  linkNamespace: 37,
} as const;

export const IFLA_INFO = { kind: 1, data: 2 } as const;
export const MACVLAN = { mode: 1, private: 1 } as const;
export const IPVLAN = { mode: 1, flags: 2, l2: 0 } as const;
export const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;

export const IFA = {
  address: 1,
  local: 2,
  label: 3,
  broadcast: 4,
  cacheInfo: 6,
  flags: 8,
  /** Who added it. Kept by the kernel from 5.18 on. */
  protocol: 11,
} as const;

export const IFA_FLAG = {
  /** IPv6 calls the same bit temporary. */
  secondary: 0x01,
  nodad: 0x02,
  home: 0x10,
  tentative: 0x40,
  mngtmpaddr: 0x100,
  noprefixroute: 0x200,
  autojoin: 0x400,
} as const;

export const RTA = {
  destination: 1,
  source: 2,
  outputInterface: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  multipath: 9,
  realms: 11,
  table: 15,
  via: 18,
  preference: 20,
  encapType: 21,
  encap: 22,
  expires: 23,
  ttlPropagate: 26,
} as const;

export const RTN = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
} as const;

export const RTNH_ONLINK = 4;

/** Route metrics, RTAX_…, by iproute2's names. */
export const RTAX = {
  lock: 1,
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rto_min: 13,
  initrwnd: 14,
  quickack: 15,
  congestionControl: 16,
  fastopen_no_cookie: 17,
} as const;

export const SCOPE = { universe: 0, site: 200, link: 253, host: 254 } as const;
export const TABLE = { compatible: 252, main: 254, local: 255 } as const;

export const LWTUNNEL = { mpls: 1, ip: 2, ila: 3, ip6: 4 } as const;
/** LWTUNNEL_IP_… and, with the same numbers, LWTUNNEL_IP6_…. */
export const LWTUNNEL_IP = { id: 1, destination: 2, source: 3, ttl: 4, tos: 5, flags: 6 } as const;
export const MPLS_IPTUNNEL = { destination: 1, ttl: 2 } as const;
export const ILA_LOCATOR = 1;

export const FRA = {
  destination: 1,
  source: 2,
  inputInterface: 3,
  goto: 4,
  priority: 6,
  mark: 10,
  realms: 11,
  tunnelId: 12,
  suppressInterfaceGroup: 13,
  suppressPrefixLength: 14,
  table: 15,
  markMask: 16,
  outputInterface: 17,
  l3mdev: 19,
  uidRange: 20,
  protocol: 21,
  ipProtocol: 22,
  sourcePorts: 23,
  destinationPorts: 24,
} as const;

export const FR_ACT = {
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const;

export const FIB_RULE_INVERT = 2;
