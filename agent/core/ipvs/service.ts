import type { Family, IpAddress } from "../address.ts";
import { familyOf } from "../address.ts";

// The kernel's side of load balancing, in its own terms: services and destinations (ip_vs).

export type ServiceProtocol = "tcp" | "udp" | "sctp";

/** What traffic a service takes. Together these are a service's identity in the kernel. */
export type ServiceTarget =
  | {
      readonly kind: "address";
      readonly protocol: ServiceProtocol;
      readonly address: IpAddress;
      /** 0: every port. Without persistence the kernel takes it, and then serves nobody. */
      readonly port: number;
    }
  /** Packets that the packet filter has marked; 1–4,294,967,295. */
  | { readonly kind: "fwmark"; readonly fwmark: number; readonly family: Family };

/** `tcp 192.0.2.1:80`, `tcp [2001:db8::1]:80`, `fwmark 5 ipv6`: unique for a service. */
export type ServiceKey = string & { readonly __brand: "service-key" };

export interface Persistence {
  /** Seconds, 1–2,678,400 (31 days). */
  readonly timeout: number;
  /** Clients whose addresses agree in so many bits go to one destination: 1–32, or 1–128. */
  readonly prefixLength: number;
  /** `sip`: by Call-ID (ip_vs_pe_sip). */
  readonly engine: string | undefined;
}

export interface Service {
  readonly target: ServiceTarget;
  /** As the kernel names it: `wlc`, `rr`, `mh`. */
  readonly scheduler: string;
  /** Flags 1–3 of the scheduler: what they mean is its own business (sh, mh: fallback, port). */
  readonly schedulerFlags: readonly [boolean, boolean, boolean];
  /** Every UDP packet is scheduled by itself; means nothing for other protocols. */
  readonly onePacket: boolean;
  readonly persistence: Persistence | undefined;
}

/** How packets reach a destination. */
export type Forwarding =
  | { readonly kind: "nat" }
  /** Direct routing: the frame is sent on as it is (`gatewaying`). */
  | { readonly kind: "dr" }
  | { readonly kind: "tunnel"; readonly tunnel: Tunnel };

export interface Tunnel {
  readonly type: "ipip" | "gue" | "gre";
  /** Of GUE, which needs one; else 0. */
  readonly port: number;
  /** Of GUE and GRE; `remote` (checksum offload of the far side) of GUE only. */
  readonly checksum: "none" | "full" | "remote";
}

export const IPIP: Tunnel = { type: "ipip", port: 0, checksum: "none" };

export interface Destination {
  /** May be of the other family for tunnels. */
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: Forwarding;
  /** 0–2,147,483,647; 0: no new connections. */
  readonly weight: number;
  /** Most connections, and from where on it is open again; 0: no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** `192.0.2.10:80`, `[2001:db8::10]:80`: unique for a destination of a service. */
export type DestinationKey = string & { readonly __brand: "destination-key" };

export const endpointText = (address: IpAddress, port: number): string =>
  familyOf(address) === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`;

export const serviceKey = (target: ServiceTarget): ServiceKey =>
  (target.kind === "fwmark"
    ? `fwmark ${target.fwmark} ${target.family}`
    : `${target.protocol} ${endpointText(target.address, target.port)}`) as ServiceKey;

export const destinationKey = ({
  address,
  port,
}: Pick<Destination, "address" | "port">): DestinationKey =>
  endpointText(address, port) as DestinationKey;

export const familyOfService = (target: ServiceTarget): Family =>
  target.kind === "fwmark" ? target.family : familyOf(target.address);

/** A service with its destinations: one entry of the kernel's table, or of what it should be. */
export interface ServiceEntry {
  readonly service: Service;
  /** No two have the same key. */
  readonly destinations: readonly Destination[];
}

export type ServiceTable = ReadonlyMap<ServiceKey, ServiceEntry>;
