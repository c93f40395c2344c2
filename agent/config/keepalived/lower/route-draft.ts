import type { RouteConfig, RouteMetric, RouteType } from "../../config.ts";
import type { Word } from "../tree.ts";
import { parseAnyBase } from "./literals.ts";
import type { LineRefusal, OptionLine } from "./option-line.ts";
import { takeValue } from "./option-line.ts";

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** A route while its line is read. */
export interface RouteDraft
  extends Mutable<Omit<RouteConfig, "position" | "family" | "metrics" | "nexthops">> {
  readonly metrics: RouteMetric[];
  readonly nexthops: RouteConfig["nexthops"][number][];
  hasDestination: boolean;
  protocolAt: Word | undefined;
}

export const emptyRoute = (): RouteDraft => ({
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
  hasDestination: false,
  protocolAt: undefined,
});

export const ROUTE_TYPES: ReadonlySet<string> = new Set<RouteType>([
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
  "nat",
]);

export const isRouteType = (text: string): text is RouteType => ROUTE_TYPES.has(text);

/** `[FROM/]TO` as the 32 bits of RTA_FLOW, names resolved. */
export function takeRealms(line: OptionLine, option: Word): number | LineRefusal {
  return takeValue(line, option, "[FROM/]TO, numbers or names of rt_realms", (text) => {
    const realms = text.split("/").map((part) => realm(line, part));
    const [first, second] = realms;
    if (first === undefined || realms.length > 2) return undefined;
    if (realms.length === 1) return first;
    return second === undefined ? undefined : first * 0x1_0000 + second;
  });
}

function realm({ lowering }: OptionLine, text: string): number | undefined {
  const value = parseAnyBase(text, 0xffff) ?? lowering.names.resolve("realm", text);
  return value !== undefined && value <= 0xffff ? value : undefined;
}
