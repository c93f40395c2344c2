import type { AddressConfig, RouteConfig, RuleConfig } from "../config/config.ts";
import type { Lifetime } from "../core/vrrp/lifetime.ts";
import type { AddressRequest, Network, RequestOutcome } from "../ports/network.ts";

/** Something to be had on the host. A route carries the interface that is meant by default. */
export type Holding =
  | {
      readonly kind: "address";
      readonly request: AddressRequest;
      /** Packets to it are not accepted. */
      readonly refuse: boolean;
      /** It is behind the gate. */
      readonly gated: boolean;
      /** How long the kernel keeps it without us; `undefined`: for ever. */
      readonly lifetime?: Lifetime | undefined;
    }
  | {
      readonly kind: "route";
      readonly route: RouteConfig;
      readonly interfaceIndex: number | undefined;
    }
  | { readonly kind: "rule"; readonly rule: RuleConfig };

/** An address to be had. */
export type AddressHolding = Extract<Holding, { readonly kind: "address" }>;

export type HoldingKind = Holding["kind"];

/** Equal for holdings that the kernel takes for the same thing, whatever their other attributes. */
export function keyOf(holding: Holding): string {
  switch (holding.kind) {
    case "address": {
      const { interfaceIndex, address } = holding.request;
      return configuredKey(interfaceIndex, address);
    }
    case "route":
      return `route ${holding.interfaceIndex ?? 0} ${withoutPosition(holding.route)}`;
    case "rule":
      return `rule ${withoutPosition(holding.rule)}`;
  }
}

/** The kernel has an IPv6 address once per interface, whatever its prefix. */
export const addressKey = (
  interfaceIndex: number,
  address: string,
  prefixLength: number,
): string =>
  address.includes(":")
    ? `address ${interfaceIndex} ${address}`
    : `address ${interfaceIndex} ${address}/${prefixLength}`;

/** The same key: with a peer, the length of its prefix is the one that the kernel shows. */
export const configuredKey = (
  interfaceIndex: number,
  { address, peer, prefixLength }: AddressConfig,
): string => addressKey(interfaceIndex, address, peer?.length ?? prefixLength);

export const routeKey = (route: RouteConfig, interfaceIndex: number | undefined): string =>
  keyOf({ kind: "route", route, interfaceIndex });

/** Equal in every attribute that reaches the kernel. */
export const sameHolding = (a: Holding, b: Holding): boolean =>
  a === b || attributes(a) === attributes(b);

function attributes(holding: Holding): string {
  if (holding.kind !== "address") return keyOf(holding);
  const { address, interfaceIndex } = holding.request;
  const { noTrack: _, trackGroup: __, ...kernel } = address;
  // An IPv6 address can be given a lifetime only when it is added.
  const limited = address.address.includes(":") && holding.lifetime !== undefined;
  return `${interfaceIndex} ${limited} ${withoutPosition(kernel)}`;
}

const withoutPosition = (value: object): string =>
  JSON.stringify(value, (key, part: unknown) => (key === "position" ? undefined : part));

/** What guards an address, as text: equal for those that are guarded alike. */
export const guardsOf = (holding: Holding): string =>
  holding.kind === "address"
    ? `${holding.refuse} ${holding.gated} ${holding.lifetime?.seconds ?? ""}`
    : "";

/** Holdings of one kind, as the batches that the port takes; addresses by what guards them. */
export function batches<Entry>(
  entries: readonly Entry[],
  kind: HoldingKind,
  holdingOf: (entry: Entry) => Holding,
): readonly (readonly Entry[])[] {
  const groups = new Map<number | string | undefined, Entry[]>();
  for (const entry of entries) {
    const holding = holdingOf(entry);
    if (holding.kind !== kind) continue;
    const group = holding.kind === "route" ? holding.interfaceIndex : guardsOf(holding);
    const batch = groups.get(group);
    if (batch === undefined) groups.set(group, [entry]);
    else batch.push(entry);
  }
  return [...groups.values()];
}

/** Asks the port for one batch: holdings of one kind and, for routes, one default interface. */
export function request(
  network: Network,
  verb: "install" | "remove",
  batch: readonly Holding[],
): Promise<readonly RequestOutcome[]> {
  const addresses: AddressRequest[] = [];
  const routes: RouteConfig[] = [];
  const rules: RuleConfig[] = [];
  let interfaceIndex: number | undefined;
  for (const holding of batch) {
    if (holding.kind === "address") addresses.push(holding.request);
    else if (holding.kind === "rule") rules.push(holding.rule);
    else {
      routes.push(holding.route);
      interfaceIndex = holding.interfaceIndex;
    }
  }
  const install = verb === "install";
  if (addresses.length > 0) {
    return install ? network.installAddresses(addresses) : network.removeAddresses(addresses);
  }
  if (routes.length > 0) {
    return install
      ? network.installRoutes(routes, interfaceIndex)
      : network.removeRoutes(routes, interfaceIndex);
  }
  return install ? network.installRules(rules) : network.removeRules(rules);
}
