import type { DestinationKey } from "../ipvs/service.ts";
import { destinationKey } from "../ipvs/service.ts";
import type { Transition } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, earliest, micros } from "../time.ts";
import { emptied, guard } from "./panic.ts";
import type {
  Finding,
  PoolConfig,
  PoolEffect,
  PoolState,
  RealServer,
  ServerState,
} from "./pool.ts";
import { RAMP_STEPS } from "./pool.ts";
import { targetWeight } from "./weight.ts";

type Step = Transition<PoolState, PoolEffect>;

/** Draws all conclusions from what was found and said. `start`: of a pool that begins anew. */
export function settle(config: PoolConfig, state: PoolState, now: Instant, start = false): Step {
  const { slowStart } = config;
  const effects: PoolEffect[] = [];
  const fallen = note(config, state, now);
  const panic = guard(config, state.panic, fallen.servers, fallen.passed, now);
  const held = new Set(panic?.held);
  const empty = emptied(config, fallen.servers, fallen.passed);
  // While it holds servers, what a policy sees of them is as doubtful as what the checks see.
  const overruled = empty !== undefined || panic !== undefined;
  const servers: Record<DestinationKey, ServerState> = {};
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const known = fallen.servers[key];
    if (known === undefined || servers[key] !== undefined) continue;
    const server = judge(real, known, { slowStart, held: held.has(key), overruled, now, start });
    if (server !== known) tell(key, known, server, effects);
    servers[key] = server;
  }
  if ((panic === undefined) !== (state.panic === undefined)) {
    const up = [...fallen.passed.values()].filter((good) => good).length;
    effects.push({ kind: "panic", held: held.size, up });
  }
  if ((empty !== undefined) !== state.overruled) {
    effects.push({ kind: "overruled", ...(empty ?? { emptied: 0, of: 0 }) });
  }
  const quorum = decide(config, state.quorum, servers, effects, start);
  const leaving = stillLeaving(state.leaving, effects, now);
  const settled = { ...state, servers, panic, overruled: empty !== undefined, quorum, leaving };
  return { state: { ...settled, deadlineAt: nextDeadline(config, settled) }, effects };
}

/** Whose time is over is gone, whatever connections it has. */
function stillLeaving(
  leaving: PoolState["leaving"],
  effects: PoolEffect[],
  now: Instant,
): PoolState["leaving"] {
  const late = Object.entries(leaving).filter(([, { until }]) => now >= until);
  if (late.length === 0) return leaving;
  for (const [server] of late) effects.push({ kind: "left", server: server as DestinationKey });
  return Object.fromEntries(Object.entries(leaving).filter(([, { until }]) => now < until));
}

interface Circumstances {
  readonly slowStart: number;
  /** By the guard. */
  readonly held: boolean;
  /** Policies' weights for the whole service do not count. */
  readonly overruled: boolean;
  readonly now: Instant;
  readonly start: boolean;
}

interface Noted {
  readonly servers: Readonly<Record<DestinationKey, ServerState>>;
  readonly passed: ReadonlyMap<DestinationKey, boolean>;
}

/** What the checks alone say, and since when. */
function note(config: PoolConfig, { servers }: PoolState, now: Instant): Noted {
  const noted: Record<DestinationKey, ServerState> = {};
  const passed = new Map<DestinationKey, boolean>();
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const known = servers[key];
    if (known === undefined) continue;
    const good = passes(known);
    if (real.checks.length > 0 && known.override?.kind !== "disable") passed.set(key, good);
    const fell = good === (known.fellAt === undefined);
    noted[key] = fell ? known : { ...known, fellAt: good ? undefined : now };
  }
  return { servers: noted, passed };
}

export const passes = ({ found, presumed }: Pick<ServerState, "found" | "presumed">): boolean =>
  found.every(({ verdict }) => (verdict === "unknown" ? presumed : verdict === "up"));

function judge(
  real: RealServer,
  known: ServerState,
  { slowStart, held, overruled, now, start }: Circumstances,
): ServerState {
  const refusal = Object.values(known.claims).find(({ kind }) => kind === "down");
  const up = refusal === undefined && (held || passes(known));
  const weight = targetWeight(real, known, overruled);
  const reason = reasonOf(known, refusal?.kind === "down" ? refusal.reason : undefined, held);
  const changed = up !== known.up;
  // That it is down from the start is told when it is found so.
  const told = known.told || changed || up || refusal !== undefined || known.found.some(isDown);
  const begins = up && slowStart > 0 && !start && (changed || !known.told);
  const ramp = begins
    ? { from: now, steps: 0 }
    : climb(up ? known.ramp : undefined, slowStart, now);
  const next = {
    ...known,
    up,
    told,
    weight,
    reason,
    ramp,
    changedAt: changed ? now : known.changedAt,
  };
  return same(next, known) ? known : next;
}

const same = (one: ServerState, other: ServerState): boolean =>
  one.up === other.up &&
  one.told === other.told &&
  one.weight === other.weight &&
  one.reason === other.reason &&
  one.ramp === other.ramp;

/** What of the change is a fact to be told. */
function tell(
  server: DestinationKey,
  before: ServerState,
  { up, told, weight, reason }: ServerState,
  effects: PoolEffect[],
): void {
  const changed = up !== before.up;
  if (changed || told !== before.told) {
    effects.push({ kind: "server", server, up, reason, start: up && !changed });
  } else if (weight !== before.weight) {
    effects.push({ kind: "weight", server, before: before.weight, after: weight });
  }
}

const isDown = ({ verdict }: Finding): boolean => verdict === "down";

function reasonOf({ found }: ServerState, refusal: string | undefined, held: boolean): string {
  if (refusal !== undefined) return refusal;
  const bad = found.find(isDown);
  if (bad === undefined) return found.find(({ reason }) => reason !== "")?.reason ?? "";
  return held ? `held, though: ${bad.reason}` : bad.reason;
}

function climb(ramp: ServerState["ramp"], slowStart: number, now: Instant): ServerState["ramp"] {
  if (ramp === undefined || slowStart === 0) return undefined;
  const steps = Math.floor(((now - ramp.from) * RAMP_STEPS) / slowStart);
  if (steps >= RAMP_STEPS) return undefined;
  return steps === ramp.steps ? ramp : { ...ramp, steps };
}

/**
 * keepalived's rule: lost without any live weight or below quorum − hysteresis, won from quorum +
 * hysteresis on. What slow start holds back counts as there.
 */
function decide(
  { quorum, hysteresis, sorryServer }: PoolConfig,
  before: boolean,
  servers: Readonly<Record<DestinationKey, ServerState>>,
  effects: PoolEffect[],
  start: boolean,
): boolean {
  let weight = 0;
  let alive = 0;
  for (const server of Object.values(servers)) {
    if (!takesPart(server)) continue;
    weight += server.weight;
    alive += 1;
  }
  const threshold = before ? quorum - hysteresis : quorum + hysteresis;
  const up = weight > 0 && weight >= threshold;
  // A start without quorum is told only where the sorry server steps in.
  if (up !== before || (start && sorryServer !== undefined)) {
    effects.push({ kind: "quorum", up, start, weight, threshold, alive });
  }
  return up;
}

export const takesPart = ({ up, override }: ServerState): boolean =>
  up && override?.kind !== "disable";

function nextDeadline({ slowStart }: PoolConfig, state: PoolState): Instant | undefined {
  let next: Instant | undefined;
  for (const { ramp } of Object.values(state.servers)) {
    if (ramp === undefined) continue;
    const span = Math.ceil(((ramp.steps + 1) * slowStart) / RAMP_STEPS);
    next = earliest(next, after(ramp.from, micros(span)));
  }
  for (const { until } of Object.values(state.leaving)) next = earliest(next, until);
  return next;
}
