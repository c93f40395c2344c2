import type { Nexthop, RouteConfig } from "../../config.ts";
import { nearest } from "../suggest.ts";
import type { Statement, Word } from "../tree.ts";
import { takeEncapsulation } from "./encapsulation.ts";
import type { Lowering } from "./lowering.ts";
import { peek, report, take } from "./lowering.ts";
import type { OptionLine } from "./option-line.ts";
import {
  LineRefusal,
  optionLine,
  parseDestination,
  settleDestination,
  takeAddress,
  takeInterface,
  takeWhole,
} from "./option-line.ts";
import type { RouteDraft } from "./route-draft.ts";
import { emptyRoute, isRouteType, ROUTE_TYPES, takeRealms } from "./route-draft.ts";
import { ROUTE_OPTIONS } from "./route-options.ts";

/**
 * One line of virtual_routes or static_routes, in iproute2's words. `undefined`, with a warning, when
 * a word cannot be understood: half a route may lead anywhere.
 */
export function lowerRouteLine(statement: Statement, lowering: Lowering): RouteConfig | undefined {
  const line = optionLine(statement, lowering);
  const route = emptyRoute();
  const refusal = readWords(line, route) ?? checkWhole(line, route);
  if (refusal !== undefined) {
    report(
      lowering,
      "route-invalid",
      refusal.at,
      `${refusal.reason}; the route is left out`,
      hintFor(refusal),
    );
    return undefined;
  }
  const { hasDestination: _, protocolAt, ...rest } = settleTracking(line, route);
  return { position: line.first.position, family: line.family ?? "ipv4", ...rest };
}

function readWords(line: OptionLine, route: RouteDraft): LineRefusal | undefined {
  const { cursor } = line;
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    if (word.text === "nexthop") return readNexthops(line, word, route);
    const option = Object.hasOwn(ROUTE_OPTIONS, word.text) ? ROUTE_OPTIONS[word.text] : undefined;
    const refusal =
      option === undefined ? readDestination(line, word, route) : option(line, word, route);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** `[to] [TYPE] PREFIX|default`, in any order with the options. */
function readDestination(
  line: OptionLine,
  first: Word,
  route: RouteDraft,
): LineRefusal | undefined {
  let word: Word | undefined = first.text === "to" ? take(line.cursor) : first;
  if (word !== undefined && isRouteType(word.text)) {
    route.type = word.text;
    word = take(line.cursor);
  }
  const destination = parseDestination(word?.text ?? "");
  if (word === undefined || destination === undefined) {
    return new LineRefusal(
      word ?? first,
      `"${(word ?? first).text}" is neither a destination nor a word of routes`,
    );
  }
  const settled = settleDestination(line, destination);
  if (settled instanceof LineRefusal) return settled;
  route.destination = settled;
  route.hasDestination = true;
  return undefined;
}

function readNexthops(line: OptionLine, first: Word, route: RouteDraft): LineRefusal | undefined {
  if (route.nexthops.length > 0) return new LineRefusal(first, "nexthop does not go with or");
  const { cursor } = line;
  for (let word: Word | undefined = first; word !== undefined; word = take(cursor)) {
    if (word.text !== "nexthop")
      return new LineRefusal(word, `a next hop has no option "${word.text}"`);
    const hop = readNexthop(line);
    if (hop instanceof LineRefusal) return hop;
    route.nexthops.push(hop);
  }
  return undefined;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function readNexthop(line: OptionLine): Nexthop | LineRefusal {
  const hop: Mutable<Nexthop> = {
    gateway: undefined,
    interface: undefined,
    weight: 1,
    onlink: false,
    realms: undefined,
    encapsulation: undefined,
  };
  for (let word = peek(line.cursor); word !== undefined; word = peek(line.cursor)) {
    if (!Object.hasOwn(NEXTHOP_OPTIONS, word.text)) break;
    take(line.cursor);
    const refusal = NEXTHOP_OPTIONS[word.text]?.(line, word, hop);
    if (refusal !== undefined) return refusal;
  }
  return hop;
}

type NexthopOption = (
  line: OptionLine,
  word: Word,
  hop: Mutable<Nexthop>,
) => LineRefusal | undefined;

const put =
  <Key extends keyof Nexthop>(
    key: Key,
    read: (line: OptionLine, word: Word) => Nexthop[Key] | LineRefusal,
  ): NexthopOption =>
  (line, word, hop) => {
    const value = read(line, word);
    if (value instanceof LineRefusal) return value;
    hop[key] = value;
    return undefined;
  };

const NEXTHOP_OPTIONS: Readonly<Record<string, NexthopOption>> = {
  via: put("gateway", (line, word) => {
    const family = peek(line.cursor)?.text;
    if (family === "inet" || family === "inet6") take(line.cursor);
    return takeAddress(line, word);
  }),
  dev: put("interface", takeInterface),
  weight: put("weight", (line, word) => takeWhole(line, word, 256, 1)),
  onlink: (_line, _word, hop) => {
    hop.onlink = true;
    return undefined;
  },
  realms: put("realms", takeRealms),
  encap: put("encapsulation", takeEncapsulation),
};

function checkWhole(line: OptionLine, route: RouteDraft): LineRefusal | undefined {
  if (!route.hasDestination) return new LineRefusal(line.first, "a route needs a destination");
  return undefined;
}

/** What is watched carries our own mark, and lies on an interface. As keepalived has it. */
function settleTracking(line: OptionLine, route: RouteDraft): RouteDraft {
  const { lowering } = line;
  if (route.trackGroup !== undefined && route.interface === undefined) {
    report(
      lowering,
      "track-group-unusable",
      line.first,
      "a route without dev cannot be in a track_group; nobody would notice its loss",
      "write dev NAME",
    );
  }
  if (route.noTrack || route.protocolAt === undefined) {
    return { ...route, noTrack: route.noTrack || route.interface === undefined };
  }
  report(
    lowering,
    "route-option-ignored",
    route.protocolAt,
    "a route that is watched carries the agent's own protocol number; protocol is left out",
    "write no_track to keep the protocol",
  );
  return { ...route, protocol: undefined, noTrack: route.interface === undefined };
}

function hintFor({ at }: LineRefusal): string | undefined {
  const found = nearest(at.text, [...Object.keys(ROUTE_OPTIONS), ...ROUTE_TYPES, "nexthop"]);
  return found === undefined || found.distance === 0 ? undefined : `did you mean "${found.word}"?`;
}
