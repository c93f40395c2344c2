import type { Config, InstanceConfig } from "../../config/config.ts";
import type { Family, IpAddress } from "../../core/address.ts";

/** What a configuration asks of the host, as far as the doctor looks at it. */
export interface Needs {
  readonly routers: readonly NeededRouter[];
  readonly interfaces: readonly string[];
  readonly virtualMac: boolean;
  readonly virtualServers: boolean;
  /** `needed`: without a gate routers are in fault; `wanted`: they do with less. */
  readonly gate: "needed" | "wanted" | "none";
  /** The node forwards packets of others: it has virtual routes or rules, or serves two networks. */
  readonly forwarding: Readonly<Record<Family, boolean>>;
}

export interface NeededRouter {
  readonly name: string;
  readonly vrid: number;
  readonly family: Family;
  readonly interface: string | undefined;
  readonly multicast: boolean;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefixLength: number }[];
  readonly owner: boolean;
}

export function needsOf(config: Config): Needs {
  const { instances } = config;
  const interfaces = new Set<string>();
  for (const instance of instances) {
    if (instance.interface !== undefined) interfaces.add(instance.interface);
    for (const address of [...instance.addresses, ...instance.excludedAddresses]) {
      if (address.interface !== undefined) interfaces.add(address.interface);
    }
    for (const tracked of instance.trackInterfaces) interfaces.add(tracked.interface);
  }
  const forwards = (family: Family): boolean => {
    const those = instances.filter((instance) => instance.router.family === family);
    const grouped = those.filter((instance) => instance.syncGroup !== undefined);
    return (
      those.some((instance) => instance.routes.length > 0 || instance.rules.length > 0) ||
      new Set(grouped.map((instance) => instance.interface)).size > 1
    );
  };
  return {
    routers: instances.map(neededRouter),
    interfaces: [...interfaces],
    virtualMac: instances.some((instance) => instance.virtualLink?.kind === "macvlan"),
    virtualServers: config.balancing.virtualServers.length > 0,
    gate: gateOf(config),
    forwarding: { ipv4: forwards("ipv4"), ipv6: forwards("ipv6") },
  };
}

function gateOf({ instances, mandates }: Config): Needs["gate"] {
  const modes = new Set(instances.map(({ fencing }) => fencing));
  const required = mandates.some(({ lease }) => lease?.mode === "required");
  if (modes.has("gate") || required) return "needed";
  return modes.has("auto") ? "wanted" : "none";
}

const neededRouter = (instance: InstanceConfig): NeededRouter => ({
  name: instance.router.name,
  vrid: instance.router.vrid,
  family: instance.router.family,
  interface: instance.interface,
  multicast: instance.transport.mode === "multicast",
  addresses: instance.addresses.map(({ address, prefixLength }) => ({ address, prefixLength })),
  owner: instance.router.priority === 255,
});

/** Without a configuration the doctor looks at the machine only. */
export const NO_NEEDS: Needs = {
  routers: [],
  interfaces: [],
  virtualMac: false,
  virtualServers: false,
  gate: "none",
  forwarding: { ipv4: false, ipv6: false },
};
