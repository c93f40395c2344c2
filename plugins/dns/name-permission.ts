import type { IpAddress } from "../../agent/core/address.ts";
import { parseEndpoint, parsePort, splitPort } from "../permission/endpoint-pattern.ts";
import type { HostPattern } from "../permission/host-pattern.ts";
import {
  hostCovers,
  hostMatches,
  parseHost,
  parseHostPattern,
} from "../permission/host-pattern.ts";
import type { PatternLanguage, ReadPattern } from "../permission/pattern-list.ts";
import { bad, patternList } from "../permission/pattern-list.ts";

const DNS_PORT = 53;

/** Names that may be asked for, and whom: the system's name servers, or one that is named. */
export interface NamePattern {
  readonly name: HostPattern;
  /** `undefined`: the system's. */
  readonly server: { readonly host: HostPattern; readonly port: number | undefined } | undefined;
}

/** A name server: port 53 unless it says otherwise. */
export interface NameServer {
  readonly address: IpAddress;
  readonly port: number;
}

const language: PatternLanguage<NamePattern> = {
  permission: "dns",
  example: "*.example.org",
  read: readNamePattern,
  covers(wide, narrow) {
    if (!hostCovers(wide.name, narrow.name)) return false;
    if (wide.server === undefined || narrow.server === undefined) {
      return wide.server === narrow.server;
    }
    const { host, port } = wide.server;
    return (
      hostCovers(host, narrow.server.host) && (port === undefined || port === narrow.server.port)
    );
  },
};

/**
 * Patterns of names: `db.example.org`, `*.example.org`, `*`, and addresses or CIDRs for PTR. With
 * `@server` behind it, that server is asked, not the system's: `*.example.org@10.0.0.53`; a server is
 * an address, a CIDR or `*`, with a port other than 53 where it says so.
 */
export const namePermission = patternList(language);

function readNamePattern(text: string): ReadPattern<NamePattern> {
  const [before = "", after, ...more] = text.split("@");
  const name = parseHostPattern(before);
  if (name === undefined) return bad("has no name, *.name, address or CIDR");
  if (more.length > 0) return bad("has more than one @");
  if (after === undefined) return { ok: true, pattern: { name, server: undefined } };
  const parts = splitPort(after) ?? { host: after, port: String(DNS_PORT) };
  const host = parseHostPattern(parts.host);
  const port = parts.port === "*" ? undefined : parsePort(parts.port);
  if (host === undefined || host.kind === "name" || host.kind === "below") {
    return bad("has a server that is no address or CIDR");
  }
  if (parts.port !== "*" && port === undefined) return bad("has a server without a port");
  return { ok: true, pattern: { name, server: { host, port } } };
}

/** Reads `10.0.0.53`, `10.0.0.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`. */
export function parseNameServer(text: string): NameServer | undefined {
  const host = parseHost(text);
  if (host?.kind === "address") return { address: host.address, port: DNS_PORT };
  const endpoint = parseEndpoint(text);
  if (endpoint?.host.kind !== "address") return undefined;
  return { address: endpoint.host.address, port: endpoint.port };
}

export function showNameServer({ address, port }: NameServer): string {
  if (port === DNS_PORT) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function serverFits(pattern: NamePattern, server: NameServer | undefined): boolean {
  if (pattern.server === undefined || server === undefined) return pattern.server === server;
  const { host, port } = pattern.server;
  if (port !== undefined && port !== server.port) return false;
  return hostMatches(host, { kind: "address", address: server.address });
}
