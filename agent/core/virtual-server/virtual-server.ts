import { assertNever } from "../assert.ts";
import type { DestinationKey } from "../ipvs/service.ts";
import { destinationKey } from "../ipvs/service.ts";
import type { Machine, Transition } from "../machine.ts";
import { plainEqual } from "../plain-equal.ts";
import type { Instant } from "../time.ts";
import { after, instant } from "../time.ts";
import { isInPool } from "./desired.ts";
import type {
  Finding,
  LeavingServer,
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolState,
  RealServer,
  ServerState,
} from "./pool.ts";
import { EMPTY_POOL, NOT_FOUND } from "./pool.ts";
import { passes, settle } from "./settle.ts";
import { targetWeight } from "./weight.ts";

type Step = Transition<PoolState, PoolEffect>;
type On<Kind extends PoolEvent["kind"]> = Extract<PoolEvent, { readonly kind: Kind }>;

const PLACE: ReadonlySet<string> = new Set(["position"]);

function step(config: PoolConfig, state: PoolState, event: PoolEvent, now: Instant): Step {
  switch (event.kind) {
    case "start":
      return start(config, event, now);
    case "found":
      return settle(config, found(state, event), now);
    case "configured":
      return configured(config, state, event, now);
    case "override":
    case "claim":
      return said(config, state, event, now);
    case "balance":
      return balanced(config, state, event, now);
    case "connections":
      return finish(config, state, event, now);
    case "tick":
      return settle(config, state, now);
    default:
      return assertNever(event);
  }
}

function start(config: PoolConfig, event: On<"start">, now: Instant): Step {
  const servers: Record<DestinationKey, ServerState> = {};
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const presumed = event.presumed[key] ?? presumption(real);
    const known = fresh(real, presumed, now);
    const server = {
      ...known,
      found: known.found.map((found, check) => ({
        ...found,
        weight: event.answered?.[key]?.[check],
      })),
      told: event.presumed[key] !== undefined,
      override: event.overrides[key],
    };
    servers[key] ??= { ...server, weight: targetWeight(real, server) };
  }
  const leaving = withoutKeys(event.leaving, servers);
  const state = { ...EMPTY_POOL, servers, leaving, quorum: event.quorum ?? false };
  return settle(config, state, now, event.quorum === undefined);
}

/** alpha: down until every check that says so has succeeded. A server without checks is up. */
const presumption = ({ checks }: RealServer): boolean =>
  checks.every(({ timing }) => !timing.startsDown);

/** Who is down from the start has not fallen: the guard against a mass failure lets it be. */
const LONG_AGO = instant(Number.MIN_SAFE_INTEGER);

const fresh = (real: RealServer, presumed: boolean, now: Instant): ServerState => ({
  found: real.checks.map(() => NOT_FOUND),
  presumed,
  up: presumed || real.checks.length === 0,
  told: false,
  reason: "",
  changedAt: now,
  fellAt: presumed || real.checks.length === 0 ? undefined : LONG_AGO,
  ramp: undefined,
  override: undefined,
  claims: {},
  weight: real.weight,
});

/** A check that is not there any more counts for nothing. */
function found(state: PoolState, { found: all }: On<"found">): PoolState {
  const servers: Record<DestinationKey, ServerState> = { ...state.servers };
  for (const { server, check, finding } of all) {
    const known = servers[server];
    if (known?.found[check] === undefined) continue;
    servers[server] = { ...known, found: known.found.with(check, finding) };
  }
  return { ...state, servers };
}

/** What stays the same goes on as it was found; who is gone may finish its connections. */
function configured(
  config: PoolConfig,
  state: PoolState,
  { before, drainTime = config.drainTime }: On<"configured">,
  now: Instant,
): Step {
  const older = new Map(before.realServers.map((real) => [destinationKey(real), real]));
  const servers: Record<DestinationKey, ServerState> = {};
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const known = state.servers[key];
    const old = older.get(key);
    servers[key] ??=
      known === undefined || old === undefined
        ? fresh(real, presumption(real), now)
        : { ...known, found: kept(old, known, real), presumed: passes(known) };
  }
  const leaving: Record<DestinationKey, LeavingServer> = { ...state.leaving };
  for (const [key, real] of older) {
    if (drainTime === 0 || servers[key] !== undefined || !isInPool(before, state, real)) continue;
    const { address, port, forwarding } = real;
    leaving[key] = { member: { address, port, forwarding }, until: after(now, drainTime) };
  }
  const next = { ...state, servers, leaving: withoutKeys(leaving, servers) };
  const settled = settle(config, next, now);
  return { state: settled.state, effects: [...removed(state, servers), ...settled.effects] };
}

/** Who was up and is not configured any more is told down first of all. */
const removed = (state: PoolState, kept: PoolState["servers"]): readonly PoolEffect[] =>
  Object.entries(state.servers).flatMap(([name, { up }]): readonly PoolEffect[] => {
    const server = name as DestinationKey;
    if (!up || kept[server] !== undefined) return [];
    return [{ kind: "server", server, up: false, reason: "removed", start: false }];
  });

function kept(old: RealServer, known: ServerState, real: RealServer): readonly Finding[] {
  return real.checks.map(({ probe }, at) => {
    const same = old.checks[at];
    if (same !== undefined && plainEqual(same.probe, probe, PLACE)) {
      return known.found[at] ?? NOT_FOUND;
    }
    const moved = old.checks.findIndex((each) => plainEqual(each.probe, probe, PLACE));
    return known.found[moved] ?? NOT_FOUND;
  });
}

function said(
  config: PoolConfig,
  state: PoolState,
  event: On<"override"> | On<"claim">,
  now: Instant,
): Step {
  const known = state.servers[event.server];
  if (known === undefined) return settle(config, state, now);
  const server =
    event.kind === "override"
      ? { ...known, override: event.override }
      : { ...known, claims: withClaim(known.claims, event) };
  return settle(config, { ...state, servers: { ...state.servers, [event.server]: server } }, now);
}

/** Each server's part of it as a claim. Weights come and go all the time: they are no news one by one. */
function balanced(
  config: PoolConfig,
  state: PoolState,
  { source, weights }: On<"balance">,
  now: Instant,
): Step {
  const servers: Record<DestinationKey, ServerState> = {};
  for (const [name, server] of Object.entries(state.servers)) {
    const key = name as DestinationKey;
    const weight = weights[key];
    const before = server.claims[source];
    const same = before?.kind === "balance" ? before.weight === weight : weight === undefined;
    const claim = weight === undefined ? undefined : ({ kind: "balance", weight } as const);
    const claims = same ? server.claims : withClaim(server.claims, { source, claim });
    servers[key] = same ? server : { ...server, claims };
  }
  const settled = settle(config, { ...state, servers }, now);
  return { ...settled, effects: settled.effects.filter(({ kind }) => kind !== "weight") };
}

function withClaim(
  claims: ServerState["claims"],
  { source, claim }: Pick<On<"claim">, "source" | "claim">,
): ServerState["claims"] {
  const others = Object.entries(claims).filter(([name]) => name !== source);
  return Object.fromEntries(claim === undefined ? others : [...others, [source, claim]]);
}

/** Who leaves is gone when its last connection has ended. */
function finish(
  config: PoolConfig,
  state: PoolState,
  { active }: On<"connections">,
  now: Instant,
): Step {
  const busy = Object.entries(state.leaving).filter(
    ([key]) => (active[key as DestinationKey] ?? 0) > 0,
  );
  const leaving: PoolState["leaving"] = Object.fromEntries(busy);
  const { state: next, effects } = settle(config, { ...state, leaving }, now);
  const left = Object.keys(state.leaving).flatMap((name): readonly PoolEffect[] => {
    const server = name as DestinationKey;
    return leaving[server] === undefined ? [{ kind: "left", server }] : [];
  });
  return { state: next, effects: [...effects, ...left] };
}

const withoutKeys = <Value>(
  record: Readonly<Record<DestinationKey, Value>>,
  keys: Readonly<Record<DestinationKey, unknown>>,
): Readonly<Record<DestinationKey, Value>> =>
  Object.fromEntries(
    Object.entries(record).filter(([key]) => keys[key as DestinationKey] === undefined),
  );

/**
 * One virtual server: which of its real servers take part, with what weight, and whether that is
 * enough. `desired` says what the kernel is to have of it.
 */
export const virtualServer: Machine<PoolConfig, PoolState, PoolEvent, PoolEffect> = {
  initial: EMPTY_POOL,
  step,
  deadline: ({ deadlineAt }) => deadlineAt,
};
