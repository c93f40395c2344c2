import type { Json } from "../../sdk/index.ts";
import { badArgument, textArgument } from "../call/arguments.ts";
import type { Host, HostPattern } from "./host-pattern.ts";
import { hostCovers, hostMatches, parseHost, parseHostPattern } from "./host-pattern.ts";
import type { PatternLanguage, PatternList, ReadPattern } from "./pattern-list.ts";
import { bad, patternList } from "./pattern-list.ts";

/** A host and a port, 1–65535. */
export interface Endpoint {
  readonly host: Host;
  readonly port: number;
}

export interface EndpointPattern {
  readonly host: HostPattern;
  /** `undefined`: every port. */
  readonly port: number | undefined;
}

const LONGEST = 300;

/** The patterns `host:port` of a permission; a host may be a CIDR, `*.name` or `*`; a port `*`. */
export const endpointLanguage = (permission: string): PatternLanguage<EndpointPattern> => ({
  permission,
  example: "10.0.0.1:5432",
  read: readEndpointPattern,
  covers: (wide, narrow) =>
    hostCovers(wide.host, narrow.host) && (wide.port === undefined || wide.port === narrow.port),
});

export type EndpointPermission = PatternList<EndpointPattern>;

export const endpointPermission = (permission: string): EndpointPermission =>
  patternList(endpointLanguage(permission));

function readEndpointPattern(text: string): ReadPattern<EndpointPattern> {
  const parts = splitPort(text);
  if (parts === undefined) return bad('is not "host:port"; an IPv6 address stands in brackets');
  const host = parseHostPattern(parts.host);
  if (host === undefined) return bad("has no host that is a name, *.name, address or CIDR");
  if (parts.port === "*") return { ok: true, pattern: { host, port: undefined } };
  const port = parsePort(parts.port);
  if (port === undefined) return bad("has no port from 1 to 65535");
  return { ok: true, pattern: { host, port } };
}

/**
 * Reads the target of a call and holds it against the permission. Throws a CallError: `argument` for
 * what is no target, `permission` for one that is not covered.
 */
export function permittedEndpoint(
  target: Json | undefined,
  permission: Json,
  list: EndpointPermission,
): Endpoint {
  const text = textArgument(target, "target", LONGEST);
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) {
    throw badArgument('target is not "host:port"; an IPv6 address stands in brackets');
  }
  const fits = ({ host, port }: EndpointPattern): boolean =>
    (port === undefined || port === endpoint.port) && hostMatches(host, endpoint.host);
  if (!list.granted(permission).some(fits)) throw list.refusal(showEndpoint(endpoint));
  return endpoint;
}

/** `undefined` for what is no `host:port`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parts = splitPort(text);
  if (parts === undefined) return undefined;
  const host = parseHost(parts.host);
  const port = parsePort(parts.port);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** As it is written in a grant. */
export function showEndpoint({ host, port }: Endpoint): string {
  const name = hostText(host);
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** The address or the name. */
export const hostText = (host: Host): string =>
  host.kind === "address" ? host.address : host.name;

/** Brackets around IPv6 are taken away, and needed. */
export function splitPort(
  text: string,
): { readonly host: string; readonly port: string } | undefined {
  const match = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+)):([^:]+)$/.exec(text);
  if (match === null) return undefined;
  return { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" };
}

export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  return Number(text) > 65_535 ? undefined : Number(text);
}
