import type { IpAddress } from "../../../core/address.ts";
import { familyOf, isLinkLocal, parseAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import { micros, milliseconds, seconds } from "../../../core/time.ts";
import { trackerId } from "../../../core/track/tracking.ts";
import type { BfdInstanceConfig } from "../../bfd-instances.ts";
import type { Statement, Word } from "../tree.ts";
import { isInterfaceName } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import { named } from "./named.ts";
import { readTrackerWeight } from "./tracker-weight.ts";
import { readWhole, reportValue } from "./values.ts";

/** Where a file says nothing, as keepalived; but see {@link UNFORWARDED}. */
const DEFAULTS = {
  minRx: milliseconds(10),
  minTx: milliseconds(10),
  idleTx: seconds(1),
  multiplier: 5,
  maxHops: 0,
};

/** For IPv6 keepalived has 64, which every other implementation drops: RFC 5881 §5 asks for 255. */
const UNFORWARDED = 255;

/** In milliseconds: 32 bits of microseconds on the wire. */
const LONGEST = 4_294_967;
const LEAST_IDLE = 1_000;
const MILLISECONDS = /^\d+(?:\.\d{0,3})?$/;

type Lines = ReadonlyMap<string, Statement>;

/** Every bfd_instance, wherever it stands: whoever tracks it may stand before it. */
export function lowerBfdInstances(
  statements: readonly Statement[],
  lowering: Lowering,
): readonly BfdInstanceConfig[] {
  const sessions: BfdInstanceConfig[] = [];
  const byNeighbour = new Map<IpAddress, BfdInstanceConfig[]>();
  for (const block of named(statements, lowering)) {
    const config = lowerBfdInstance(block, lowering);
    if (config !== undefined) {
      const others = byNeighbour.get(config.neighbour) ?? [];
      byNeighbour.set(config.neighbour, others);
      if (!isTwin(config, block.name, others, lowering)) {
        others.push(config);
        sessions.push(config);
      }
    }
    if (!isForRouters(block)) continue;
    const id = trackerId("track_bfd", block.name.text);
    lowering.trackers.set(id, { at: block.name, config, used: false });
  }
  return sessions;
}

/** bfd_instance NAME { neighbor_ip ADDRESS … }. */
function lowerBfdInstance(
  { name, statement }: Named,
  lowering: Lowering,
): BfdInstanceConfig | undefined {
  const lines: Lines = new Map((statement.block ?? []).map((line) => [line.keyword.text, line]));
  const way = readWay(name, lines, lowering);
  if (way === undefined) return undefined;
  const whole = (word: string, low: number, high: number): number | undefined => {
    const line = lines.get(word);
    return line === undefined ? undefined : readWhole(line, { low, high }, lowering)?.value;
  };
  const span = (word: string, least: number): Micros | undefined => {
    const line = lines.get(word);
    return line === undefined ? undefined : readMilliseconds(line, least, lowering);
  };
  const ttl = whole("ttl", 1, 255) ?? whole("hoplimit", 1, 255) ?? UNFORWARDED;
  return {
    position: name.position,
    name: name.text,
    ...way,
    hops: lines.has("multihop") ? "multiple" : "single",
    minRx: span("min_rx", 1) ?? DEFAULTS.minRx,
    minTx: span("min_tx", 1) ?? DEFAULTS.minTx,
    idleTx: span("idle_tx", LEAST_IDLE) ?? DEFAULTS.idleTx,
    multiplier: whole("multiplier", 1, 255) ?? DEFAULTS.multiplier,
    passive: lines.has("passive"),
    hopLimit: ttl,
    leastTtl: leastTtl(ttl, whole("max_hops", -1, 255) ?? DEFAULTS.maxHops),
    ...readTrackerWeight(lines.get("weight"), { limit: 253, otherwise: 0 }, lowering),
  };
}

/** With `checker` alone it is for servers only: track_bfd does not find it, as in keepalived. */
function isForRouters({ statement: { block = [] } }: Named): boolean {
  const has = (word: string): boolean => block.some(({ keyword }) => keyword.text === word);
  return has("vrrp") || !has("checker");
}

type Way = Pick<BfdInstanceConfig, "neighbour" | "source" | "interface">;

function readWay(name: Word, lines: Lines, lowering: Lowering): Way | undefined {
  const line = lines.get("neighbor_ip") ?? lines.get("neighbour_ip");
  if (line?.words[0] === undefined) {
    const message = `bfd_instance ${name.text} has no neighbor_ip; it would watch nobody`;
    report(lowering, "tracker-invalid", name, message, "write neighbor_ip ADDRESS");
    return undefined;
  }
  const neighbour = readAddress(line, line.words[0], lowering);
  const own = lines.get("source_ip");
  const source = own?.words[0] === undefined ? NO_SOURCE : readAddress(own, own.words[0], lowering);
  if (neighbour === undefined || source === undefined) return undefined;
  const [at] = own?.words ?? [];
  if (source.address !== undefined && at !== undefined) {
    if (familyOf(source.address) !== familyOf(neighbour.address)) {
      const message = `source_ip ${source.address} and neighbor_ip ${neighbour.address} of ${name.text} are of two families`;
      report(lowering, "tracker-invalid", at, message, "write two addresses of one family");
      return undefined;
    }
  }
  const link = neighbour.interface ?? source.interface;
  if (link === undefined && isLinkLocal(neighbour.address) && neighbour.address.includes(":")) {
    const message = `${neighbour.address} is there on every link; ${name.text} needs the name of one`;
    const hint = `write neighbor_ip ${neighbour.address}%INTERFACE`;
    report(lowering, "tracker-invalid", line.words[0], message, hint);
    return undefined;
  }
  return { neighbour: neighbour.address, source: source.address, interface: link };
}

const NO_SOURCE = { address: undefined, interface: undefined };

/** `ADDRESS`, or `ADDRESS%INTERFACE`, which keepalived does not know. */
function readAddress(
  line: Statement,
  word: Word,
  lowering: Lowering,
): { readonly address: IpAddress; readonly interface: string | undefined } | undefined {
  const [text = "", ...rest] = word.text.split("%");
  const address = parseAddress(text);
  const [zone] = rest;
  if (address !== undefined && rest.length < 2 && (zone === undefined || isInterfaceName(zone))) {
    return { address, interface: zone };
  }
  const message = `"${word.text}" is no address, so this bfd_instance would watch nobody`;
  report(lowering, "tracker-invalid", word, message, `write ${line.keyword.text} ADDRESS`);
  return undefined;
}

/** Milliseconds, with a fraction down to microseconds. */
function readMilliseconds(line: Statement, least: number, lowering: Lowering): Micros | undefined {
  const word = line.words[0];
  if (word === undefined) return undefined;
  const value = MILLISECONDS.test(word.text) ? Number(word.text) : undefined;
  if (value !== undefined && value >= least && value <= LONGEST) {
    return micros(Math.round(value * 1_000));
  }
  reportValue(line, word, `milliseconds from ${least} to ${LONGEST}`, lowering);
  return undefined;
}

/** As keepalived: our own limit on send less the hops that are allowed; 255 and −1: any number. */
const leastTtl = (ttl: number, maxHops: number): number =>
  maxHops < 0 ? 0 : Math.max(0, ttl - maxHops);

/** Two sessions of one neighbour that a first packet could be for: nobody could tell which. */
function isTwin(
  config: BfdInstanceConfig,
  name: Word,
  others: readonly BfdInstanceConfig[],
  lowering: Lowering,
): boolean {
  const twin = others.find(
    (one) =>
      one.hops === config.hops &&
      (one.interface ?? config.interface) === (config.interface ?? one.interface) &&
      (one.source ?? config.source) === (config.source ?? one.source),
  );
  if (twin === undefined) return false;
  const message = `${twin.name} has the neighbour ${config.neighbour} already; a packet could be for either`;
  const hint = "keep one of them, or give each a source_ip of its own";
  report(lowering, "tracker-invalid", name, message, hint);
  return true;
}
