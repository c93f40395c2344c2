import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { IpAddress } from "../../core/address.ts";
import { parseAddress } from "../../core/address.ts";
import { destinationKey, endpointText } from "../../core/ipvs/service.ts";

// How operators name services and real servers.

/** `[SERVICE/]ADDRESS[:PORT]` in its parts. */
export interface ServerReference {
  readonly service: string | undefined;
  /** `ADDRESS[:PORT]`, as it is written. */
  readonly server: string;
}

export function serverReference(text: string): ServerReference {
  const slash = text.lastIndexOf("/");
  return { service: slash < 0 ? undefined : text.slice(0, slash), server: text.slice(slash + 1) };
}

/** `[192.0.2.1]:tcp:80`, as `holdfast services` shows it, or `192.0.2.1:80`. */
export const isService = ({ name, targets }: VirtualServerConfig, text: string): boolean =>
  name === text ||
  targets.some((one) => one.kind === "address" && endpointText(one.address, one.port) === text);

/** `10.0.0.1:80`, `10.0.0.1`, and keepalived's `[10.0.0.1]:tcp:80`. */
export const isServer = (
  { address, port, name }: { address: IpAddress; port: number; name: string },
  text: string,
): boolean =>
  destinationKey({ address, port }) === text ||
  address === text ||
  `[${address}]` === text ||
  name === text;

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number | undefined;
}

const BRACKETED = /^\[(?<address>[^\]]*)\](?::(?<port>\d{1,5}))?$/;
const PLAIN = /^(?<address>[^:]*)(?::(?<port>\d{1,5}))?$/;

/** Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` and `[2001:db8::1]:80`; `undefined`: it is none of them. */
export function readEndpoint(text: string): Endpoint | undefined {
  const bare = parseAddress(text);
  if (bare !== undefined) return { address: bare, port: undefined };
  const { address: written = "", port } = (BRACKETED.exec(text) ?? PLAIN.exec(text))?.groups ?? {};
  const address = parseAddress(written);
  if (address === undefined || Number(port ?? 0) > 65_535) return undefined;
  return { address, port: port === undefined ? undefined : Number(port) };
}
