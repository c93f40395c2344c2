import type { IpAddress } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import type {
  Destination,
  Persistence,
  Service,
  ServiceEntry,
  ServiceKey,
  ServiceProtocol,
  ServiceTarget,
  Tunnel,
} from "../../agent/core/ipvs/service.ts";
import { IPIP, serviceKey } from "../../agent/core/ipvs/service.ts";

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new TypeError(`no address: ${text}`);
  return parsed;
}

/** "192.0.2.1:80", "[2001:db8::1]:80" */
function endpoint(text: string): { readonly address: IpAddress; readonly port: number } {
  const at = text.lastIndexOf(":");
  const host = text.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  return { address: address(host), port: Number(text.slice(at + 1)) };
}

/** As a ServiceKey is written: "tcp 192.0.2.1:80", "fwmark 5 ipv6". */
export function target(text: string): ServiceTarget {
  const [kind = "", what = "", family] = text.split(" ");
  if (kind === "fwmark") {
    return { kind, fwmark: Number(what), family: family === "ipv6" ? "ipv6" : "ipv4" };
  }
  return { kind: "address", protocol: kind as ServiceProtocol, ...endpoint(what) };
}

export const service = (text: string, words: Partial<Service> = {}): Service => ({
  target: target(text),
  scheduler: "wlc",
  schedulerFlags: [false, false, false],
  onePacket: false,
  persistence: undefined,
  ...words,
});

export const persistence = (words: Partial<Persistence> = {}): Persistence => ({
  timeout: 300,
  prefixLength: 32,
  engine: undefined,
  ...words,
});

/** "192.0.2.10:80" */
export const destination = (text: string, words: Partial<Destination> = {}): Destination => ({
  ...endpoint(text),
  forwarding: { kind: "nat" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  ...words,
});

export const tunnel = (words: Partial<Tunnel> = {}): Pick<Destination, "forwarding"> => ({
  forwarding: { kind: "tunnel", tunnel: { ...IPIP, ...words } },
});

export const entry = (one: Service, ...destinations: readonly Destination[]): ServiceEntry => ({
  service: one,
  destinations,
});

export const tableOf = (...entries: readonly ServiceEntry[]): Map<ServiceKey, ServiceEntry> =>
  new Map(entries.map((one) => [serviceKey(one.service.target), one]));
