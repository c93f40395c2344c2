import type { RouteConfig, RouteMetric } from "../../config.ts";
import type { Word } from "../tree.ts";
import { takeEncapsulation } from "./encapsulation.ts";
import { parseWhole } from "./literals.ts";
import { peek, report, take } from "./lowering.ts";
import type { OptionLine } from "./option-line.ts";
import {
  LineRefusal,
  mixed,
  settle,
  takeAddress,
  takeInterface,
  takePrefix,
  takeValue,
  takeWhole,
} from "./option-line.ts";
import type { RouteDraft } from "./route-draft.ts";
import { takeRealms } from "./route-draft.ts";

/** Puts what follows a word into the route. */
export type RouteOption = (
  line: OptionLine,
  word: Word,
  route: RouteDraft,
) => LineRefusal | undefined;

const HIGHEST = 0xffff_ffff;

/** An option whose value goes into one field. */
const put =
  <Key extends keyof RouteDraft>(
    key: Key,
    read: (line: OptionLine, word: Word) => RouteDraft[Key] | LineRefusal,
  ): RouteOption =>
  (line, word, route) => {
    const value = read(line, word);
    if (value instanceof LineRefusal) return value;
    route[key] = value;
    return undefined;
  };

const named =
  (kind: "table" | "protocol" | "scope" | "dsfield", wanted: string) =>
  (line: OptionLine, word: Word): number | LineRefusal =>
    takeValue(line, word, wanted, (text) => line.lowering.names.resolve(kind, text));

/** `[lock] VALUE` of RTA_METRICS. */
const metric =
  (
    name: RouteMetric["name"],
    wanted: string,
    parse: (text: string) => number | undefined,
  ): RouteOption =>
  (line, word, route) => {
    const lock = peek(line.cursor)?.text === "lock";
    if (lock) take(line.cursor);
    const value = takeValue(line, word, wanted, parse);
    if (value instanceof LineRefusal) return value;
    route.metrics.push({ name, value, lock });
    return undefined;
  };

const count = (name: RouteMetric["name"], high = HIGHEST): RouteOption =>
  metric(name, `[lock] a whole number up to ${high}`, (text) => parseWhole(text, 0, high));

const SPAN = /^([0-9]+(?:\.[0-9]*)?)(s|sec|secs|ms|msec|msecs)?$/;

/** A time, a bare number being milliseconds, in the kernel's fractions of a millisecond. */
const time = (name: RouteMetric["name"], fractions: number): RouteOption =>
  metric(name, "[lock] a time such as 200ms or 1.5s", (text) => {
    const [, digits, unit = "ms"] = SPAN.exec(text) ?? [];
    if (digits === undefined) return undefined;
    const value = Math.round(Number(digits) * (unit.startsWith("s") ? 1000 : 1) * fractions);
    return value <= HIGHEST ? value : undefined;
  });

const destinationOption =
  (family: "ipv4" | "ipv6"): RouteOption =>
  (line) =>
    settle(line, family) ? undefined : mixed(line);

const flag =
  (key: "onlink" | "noTrack"): RouteOption =>
  (_line, _word, route) => {
    route[key] = true;
    return undefined;
  };

const mode =
  (value: RouteConfig["mode"]): RouteOption =>
  (_line, _word, route) => {
    route.mode = value;
    return undefined;
  };

/** `via [inet|inet6] ADDRESS`. */
const via: RouteOption = (line, word, route) => {
  const family = peek(line.cursor)?.text;
  if (family === "inet" || family === "inet6") {
    take(line.cursor);
    if (!settle(line, family === "inet" ? "ipv4" : "ipv6")) return mixed(line);
  }
  const gateway = takeAddress(line, word);
  if (gateway instanceof LineRefusal) return gateway;
  route.gateway = gateway;
  return undefined;
};

/** keepalived's older `via A or B`: two next hops of one weight. */
const or: RouteOption = (line, word, route) => {
  const gateway = takeAddress(line, word);
  if (gateway instanceof LineRefusal) return gateway;
  const hop = {
    interface: undefined,
    weight: 1,
    onlink: false,
    realms: undefined,
    encapsulation: undefined,
  };
  if (route.gateway !== undefined) route.nexthops.push({ gateway: route.gateway, ...hop });
  route.nexthops.push({ gateway, ...hop });
  route.gateway = undefined;
  return undefined;
};

const metricWord = put("metric", (line, word) => takeWhole(line, word, HIGHEST));
const device = put("interface", takeInterface);
const dsfield = put("tos", named("dsfield", "a number up to 255, or a name of rt_dsfield"));

/** Every word of a route line but its type, its destination and nexthop. */
export const ROUTE_OPTIONS: Readonly<Record<string, RouteOption>> = {
  inet: destinationOption("ipv4"),
  inet6: destinationOption("ipv6"),
  src: put("preferredSource", takeAddress),
  via,
  gw: via,
  or,
  from: put("source", takePrefix),
  tos: dsfield,
  dsfield,
  table: put("table", named("table", "a number, or a name of rt_tables")),
  vrf: (_line, word) =>
    new LineRefusal(word, "write table N, the table of the VRF, in place of vrf"),
  protocol: (line, word, route) => {
    route.protocolAt = word;
    return put("protocol", named("protocol", "a number up to 255, or a name of rt_protos"))(
      line,
      word,
      route,
    );
  },
  scope: put("scope", named("scope", "a number up to 255, or a name of rt_scopes")),
  metric: metricWord,
  priority: metricWord,
  preference: metricWord,
  dev: device,
  oif: device,
  onlink: flag("onlink"),
  encap: put("encapsulation", takeEncapsulation),
  expires: (line, word, route) =>
    settle(line, "ipv6")
      ? put("expires", (inner, at) => takeWhole(inner, at, HIGHEST))(line, word, route)
      : new LineRefusal(word, "expires is for IPv6"),
  mtu: count("mtu"),
  hoplimit: count("hoplimit", 255),
  advmss: count("advmss"),
  reordering: count("reordering"),
  window: count("window"),
  cwnd: count("cwnd"),
  ssthresh: count("ssthresh"),
  initcwnd: count("initcwnd"),
  initrwnd: count("initrwnd"),
  quickack: count("quickack", 1),
  fastopen_no_cookie: count("fastopen_no_cookie", 1),
  // The kernel counts in eighths, quarters and whole milliseconds.
  rtt: time("rtt", 8),
  rttvar: time("rttvar", 4),
  rto_min: time("rto_min", 1),
  // RTAX_FEATURE_ECN is bit 0.
  features: metric("features", "ecn", (text) => (text === "ecn" ? 1 : undefined)),
  congctl: (line, word, route) => {
    const lock = peek(line.cursor)?.text === "lock";
    if (lock) take(line.cursor);
    const name = takeValue(line, word, "the name of an algorithm", (text) =>
      text.length < 16 ? text : undefined,
    );
    if (name instanceof LineRefusal) return name;
    route.congestionControl = { name, lock };
    return undefined;
  },
  realms: (line, word, route) =>
    settle(line, "ipv4")
      ? put("realms", takeRealms)(line, word, route)
      : new LineRefusal(word, "realms are for IPv4"),
  pref: (line, word, route) =>
    settle(line, "ipv6")
      ? put("preference", takePreference)(line, word, route)
      : new LineRefusal(word, "pref is for IPv6"),
  "ttl-propagate": put("ttlPropagate", (line, word) =>
    takeValue(line, word, "enabled or disabled", (text) =>
      text === "enabled" ? true : text === "disabled" ? false : undefined,
    ),
  ),
  as: (line, word) => {
    if (peek(line.cursor)?.text === "to") take(line.cursor);
    take(line.cursor);
    report(line.lowering, "route-option-ignored", word, '"as to" is for MPLS only; it is left out');
    return undefined;
  },
  add: () => undefined,
  append: mode("append"),
  prepend: mode("prepend"),
  no_track: flag("noTrack"),
  track_group: put("trackGroup", (line, word) =>
    takeValue(line, word, "the name of a track_group", (text) => text),
  ),
};

function takePreference(line: OptionLine, word: Word): "low" | "medium" | "high" | LineRefusal {
  return takeValue(line, word, "low, medium or high", (text) =>
    text === "low" || text === "medium" || text === "high" ? text : undefined,
  );
}
