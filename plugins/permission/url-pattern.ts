import { parsePort, splitPort } from "./endpoint-pattern.ts";
import { globMatches } from "./glob.ts";
import type { Host, HostPattern } from "./host-pattern.ts";
import { hostCovers, hostMatches, parseHost, parseHostPattern } from "./host-pattern.ts";
import type { PatternLanguage, ReadPattern } from "./pattern-list.ts";
import { bad } from "./pattern-list.ts";

type Scheme = "http" | "https";
const SCHEMES: readonly Scheme[] = ["http", "https"];
const PORTS: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/** Each part is matched by itself: nothing in a path can be taken for a host. */
export interface UrlPattern {
  readonly schemes: readonly Scheme[];
  readonly host: HostPattern;
  /** `*`, or `undefined` for the scheme's own. */
  readonly port: number | "*" | undefined;
  /** With the query; `*` stands for any text. */
  readonly path: string;
}

/** A URL in its normal form (WHATWG), in parts. */
export interface CheckedUrl {
  readonly scheme: Scheme;
  readonly host: Host;
  readonly port: number;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
}

/** Patterns such as `http://127.0.0.1:8080/*`; the scheme, the host and the port may be `*` too. */
export const urlLanguage: PatternLanguage<UrlPattern> = {
  permission: "http",
  example: "http://127.0.0.1:8080/*",
  read: readUrlPattern,
  covers: (wide, narrow) =>
    narrow.schemes.every(
      (scheme) =>
        wide.schemes.includes(scheme) &&
        (wide.port === "*" || portOf(wide, scheme) === portOf(narrow, scheme)),
    ) &&
    hostCovers(wide.host, narrow.host) &&
    globMatches(wide.path, narrow.path),
};

const portOf = ({ port }: UrlPattern, scheme: Scheme): number | "*" => port ?? PORTS[scheme];

function readUrlPattern(text: string): ReadPattern<UrlPattern> {
  const match = /^(https?|\*):\/\/([^/?#\\]*)(\/[^#\\\s]*)?$/.exec(text);
  if (match === null) return bad('is not "http://host:port/path", without a fragment');
  const [, scheme, authority = "", rest] = match;
  if (authority.includes("@")) return bad("holds a user name");
  if (rest === undefined) return bad("has no path; /* stands for every one");
  const place = readAuthority(authority);
  if (typeof place === "string") return bad(place);
  const { pathname, search } = new URL(`http://host${rest}`);
  const schemes = SCHEMES.filter((known) => scheme === "*" || scheme === known);
  return { ok: true, pattern: { schemes, ...place, path: pathname + search } };
}

/** The parts, or what is wrong with them. */
function readAuthority(authority: string): Pick<UrlPattern, "host" | "port"> | string {
  const parts = splitPort(authority);
  const bare = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+))$/.exec(authority);
  const host = parseHostPattern(parts?.host ?? bare?.[1] ?? bare?.[2] ?? "");
  if (host === undefined) return "has no host that is a name, *.name or address";
  if (parts === undefined) return { host, port: undefined };
  const port = parts.port === "*" ? "*" : parsePort(parts.port);
  return port === undefined ? "has no port from 1 to 65535" : { host, port };
}

/** Reads the URL of a call. Answers what is wrong with it in words. */
export function checkUrl(text: string): CheckedUrl | string {
  const url = URL.parse(text);
  if (url === null) return "url is not a URL such as http://127.0.0.1:8080/health";
  const scheme = SCHEMES.find((known) => url.protocol === `${known}:`);
  if (scheme === undefined) return "url begins neither with http:// nor with https://";
  if (url.username !== "" || url.password !== "") return "url holds a user name or a password";
  const host = parseHost(url.hostname.replace(/^\[|\]$/g, ""));
  if (host === undefined) return "url has no host that is a name or an address";
  const port = url.port === "" ? PORTS[scheme] : Number(url.port);
  if (port === 0) return "url has port 0";
  return { scheme, host, port, origin: url.origin, path: url.pathname + url.search };
}

export function urlMatches(pattern: UrlPattern, url: CheckedUrl): boolean {
  if (!pattern.schemes.includes(url.scheme)) return false;
  if (pattern.port !== "*" && portOf(pattern, url.scheme) !== url.port) return false;
  return hostMatches(pattern.host, url.host) && pathMatches(pattern.path, url.path);
}

/** What some servers take for a step upwards although a URL's normal form keeps it. */
const DISGUISED_STEP = /%2f|%5c|%25|%00|\/\.\.?;/i;

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === "/*" || pattern === path) return true;
  return globMatches(pattern, path) && !DISGUISED_STEP.test(path.split("?", 1)[0] ?? "");
}
