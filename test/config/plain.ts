import type {
  AddressConfig,
  Encapsulation,
  RouteConfig,
  RuleConfig,
} from "../../agent/config/config.ts";

/*
 * What a line says that names no option.
 */

export const PLAIN_ADDRESS: Omit<AddressConfig, "position" | "address"> = {
  prefixLength: 32,
  interface: undefined,
  broadcast: undefined,
  scope: undefined,
  label: undefined,
  peer: undefined,
  flags: [],
  preferredLifetime: undefined,
  noTrack: false,
  trackGroup: undefined,
  useVirtualMac: false,
};

export const PLAIN_ENCAPSULATION: Omit<Encapsulation, "type"> = {
  labels: [],
  id: undefined,
  source: undefined,
  destination: undefined,
  tos: undefined,
  ttl: undefined,
  flags: undefined,
  locator: undefined,
};

export const PLAIN_ROUTE: Omit<RouteConfig, "position"> = {
  family: "ipv4",
  type: "unicast",
  destination: undefined,
  source: undefined,
  preferredSource: undefined,
  gateway: undefined,
  interface: undefined,
  table: undefined,
  metric: undefined,
  scope: undefined,
  tos: undefined,
  protocol: undefined,
  onlink: false,
  preference: undefined,
  realms: undefined,
  expires: undefined,
  ttlPropagate: undefined,
  metrics: [],
  congestionControl: undefined,
  encapsulation: undefined,
  nexthops: [],
  mode: "replace",
  noTrack: false,
  trackGroup: undefined,
};

export const PLAIN_RULE: Omit<RuleConfig, "position"> = {
  family: "ipv4",
  not: false,
  from: undefined,
  to: undefined,
  inputInterface: undefined,
  outputInterface: undefined,
  tos: undefined,
  mark: undefined,
  priority: undefined,
  table: undefined,
  action: "lookup",
  goto: undefined,
  realms: undefined,
  suppressPrefixLength: undefined,
  suppressInterfaceGroup: undefined,
  tunnelId: undefined,
  uidRange: undefined,
  l3mdev: false,
  protocol: undefined,
  ipProtocol: undefined,
  sourcePorts: undefined,
  destinationPorts: undefined,
  noTrack: false,
  trackGroup: undefined,
};
