import type { Json } from "../../sdk/index.ts";
import type { CheckerConfig } from "../core/check/checker.ts";
import type { Micros } from "../core/time.ts";
import { micros, milliseconds, seconds } from "../core/time.ts";
import type { JsonRecord, ShapeReader } from "./shape-reader.ts";
import { isRecord } from "./shape-reader.ts";

/** What holds while a check gives no verdict. */
export type OnStale =
  | { readonly kind: "down" }
  | { readonly kind: "up" }
  | { readonly kind: "keep"; readonly maxStale: Micros };

/** What the agent does with a check's verdict; only names that the policy may control. */
export interface TrackShape {
  readonly routers: ReadonlyMap<string, number | "fault">;
  readonly realServers: ReadonlyMap<string, number | "down">;
}

/** One check as it was declared, defaults filled in. */
export interface CheckShape {
  readonly name: string;
  readonly every: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
  /** Share of `every`, 0–0.5. */
  readonly jitter: number;
  readonly onStale: OnStale;
  readonly track: TrackShape;
}

/** Ranges of a check's numbers, as the SDK documents them. */
export const CHECK_LIMITS = {
  shortestEvery: milliseconds(10),
  longestEvery: seconds(86_400),
  longestDefaultTimeout: seconds(30),
  longestTimeout: seconds(600),
  longestStale: seconds(86_400),
  mostInARow: 1_000,
  mostJitter: 0.5,
  mostChecks: 64,
} as const;

type Permissions = Readonly<Record<string, Json>>;

/** keepalived's range of a weight. */
const MOST_WEIGHT = 253;
/** keepalived's range of a real server's weight. */
const MOST_SERVER_WEIGHT = 65_535;
const NAME = /^[A-Za-z_][\w.-]{0,63}$/;

/** Reads the checks that a policy declares, and fills in their defaults. */
export function readChecks(
  value: Json | undefined,
  permissions: Permissions,
  reader: ShapeReader,
): readonly CheckShape[] {
  const entries = reader.entries(value, ["checks"]);
  if (entries.length > CHECK_LIMITS.mostChecks) {
    const hint = `a policy has at most ${CHECK_LIMITS.mostChecks}: split it`;
    reader.refuse(["checks"], `the policy has ${entries.length} checks`, hint);
    return [];
  }
  const checks: CheckShape[] = [];
  for (const [name, declared] of entries) {
    const path = ["checks", name];
    if (!NAME.test(name)) {
      reader.refuse(
        path,
        "a check has a name that cannot be shown",
        "use letters, digits, and - _ .",
      );
    } else if (!isRecord(declared)) {
      reader.refuse(path, `the check ${name} must be an object`, "write { every, run }");
    } else checks.push(readCheck(name, declared, permissions, reader));
  }
  return checks;
}

function readCheck(
  name: string,
  declared: JsonRecord,
  permissions: Permissions,
  reader: ShapeReader,
): CheckShape {
  const at = (member: string): readonly string[] => ["checks", name, member];
  const { shortestEvery, longestEvery, longestTimeout, mostInARow, mostJitter } = CHECK_LIMITS;
  const every = reader.duration(
    declared["every"] ?? null,
    at("every"),
    shortestEvery,
    longestEvery,
  );
  const timeout = reader.optional(declared["timeout"], (given) =>
    reader.duration(given, at("timeout"), milliseconds(1), longestTimeout),
  );
  const inARow = (member: "rise" | "fall"): number =>
    reader.optional(declared[member], (given) =>
      reader.integer(given, at(member), 1, mostInARow),
    ) ?? 1;
  const jitter = reader.optional(declared["jitter"], (given) =>
    reader.number(given, at("jitter"), 0, mostJitter),
  );
  return {
    name,
    every,
    timeout: timeout ?? micros(Math.min(every, CHECK_LIMITS.longestDefaultTimeout)),
    rise: inARow("rise"),
    fall: inARow("fall"),
    jitter: jitter ?? 0,
    onStale: readOnStale(declared["onStale"], at("onStale"), every, reader),
    track: readTrack(declared["track"], at("track"), permissions, reader),
  };
}

function readOnStale(
  value: Json | undefined,
  path: readonly string[],
  every: Micros,
  reader: ShapeReader,
): OnStale {
  if (value === undefined || value === null || value === "down") return { kind: "down" };
  if (value === "up") return { kind: "up" };
  const keep = isRecord(value) ? value["keep"] : undefined;
  if (isRecord(keep)) {
    const longest = CHECK_LIMITS.longestStale;
    const least = micros(Math.min(every, longest));
    const inner = [...path, "keep", "maxStale"];
    return {
      kind: "keep",
      maxStale: reader.duration(keep["maxStale"] ?? null, inner, least, longest),
    };
  }
  reader.refuse(
    path,
    'onStale must be "down", "up" or keep',
    'write { keep: { maxStale: "1m" } } to hold the last verdict for a while',
  );
  return { kind: "down" };
}

function readTrack(
  value: Json | undefined,
  path: readonly string[],
  permissions: Permissions,
  reader: ShapeReader,
): TrackShape {
  const parts = new Map(reader.entries(value, path));
  for (const kind of parts.keys()) {
    if (kind !== "routers" && kind !== "realServers") {
      reader.refuse(
        [...path, kind],
        `track has no ${kind.slice(0, 40)}`,
        "it has routers, realServers",
      );
    }
  }
  const read = <Word extends string>(kind: "routers" | "realServers", target: Target<Word>) =>
    readTargets(parts.get(kind), [...path, kind], controlled(permissions, kind), target, reader);
  return {
    routers: read("routers", { word: "fault", least: -MOST_WEIGHT, most: MOST_WEIGHT }),
    realServers: read("realServers", { word: "down", least: 0, most: MOST_SERVER_WEIGHT }),
  };
}

/** What a target may be set to: a word, or a weight. */
interface Target<Word extends string> {
  readonly word: Word;
  readonly least: number;
  readonly most: number;
}

function readTargets<Word extends string>(
  value: Json | undefined,
  path: readonly string[],
  allowed: readonly Json[],
  { word, least, most }: Target<Word>,
  reader: ShapeReader,
): ReadonlyMap<string, number | Word> {
  const targets = new Map<string, number | Word>();
  for (const [name, effect] of reader.entries(value, path)) {
    const at = [...path, name];
    if (!allowed.includes(name)) {
      const list = `permissions.control.${path.at(-1)}`;
      reader.refuse(at, `${name.slice(0, 64)} is not in ${list}`, `add it there`);
    } else if (effect === word) targets.set(name, word);
    else if (typeof effect === "number") targets.set(name, reader.integer(effect, at, least, most));
    else reader.refuse(at, `${name} must be a weight, or "${word}"`);
  }
  return targets;
}

/** Names that a policy asks to control. */
export function controlled(permissions: Permissions, kind: string): readonly Json[] {
  const control = permissions["control"];
  const list = isRecord(control) ? control[kind] : undefined;
  return Array.isArray(list) ? list : [];
}

/** Periods without a verdict after which it is stale. */
const STALE_PERIODS = 3;

/**
 * How the machine of checks runs a declared check.
 *
 * @param startDelay spreads the first runs of many checks
 * @param seed of its jitter: different for each check
 */
export function checkerConfig(check: CheckShape, startDelay: Micros, seed: number): CheckerConfig {
  const { every, timeout, rise, fall, onStale } = check;
  // A run that is allowed to last longer than its period is not stale while it lasts.
  const patience = micros(Math.max(STALE_PERIODS * every, every + timeout));
  const config: CheckerConfig = {
    interval: every,
    timeout,
    rise,
    fall,
    initial: "unknown",
    staleAfter: onStale.kind === "keep" ? onStale.maxStale : patience,
    startDelay,
  };
  const span = micros(check.jitter * every);
  return span === 0 ? config : { ...config, jitter: { span, seed } };
}
