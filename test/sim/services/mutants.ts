import { checker } from "../../../agent/core/check/checker.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceEntry } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import type {
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolState,
  ServerState,
} from "../../../agent/core/virtual-server/pool.ts";
import { virtualServer } from "../../../agent/core/virtual-server/virtual-server.ts";
import type { Served } from "../../../agent/runtime/balancing/served.ts";
import type { SimulatedServices } from "./machine.ts";
import { production } from "./machine.ts";

const { step } = virtualServer;
const { step: check } = checker;

type Step = typeof step;
type Answer = ReturnType<Step>;

interface Call {
  readonly config: PoolConfig;
  readonly state: PoolState;
  readonly event: PoolEvent;
  readonly now: Parameters<Step>[3];
}

/** A director whose pools step otherwise. */
const pools = (change: (call: Call) => Answer): SimulatedServices => ({
  ...production,
  step: (config, state, event, now) => change({ config, state, event, now }),
});

const honest = ({ config, state, event, now }: Call): Answer => step(config, state, event, now);

const withServers = (
  { state, effects }: Answer,
  change: (server: ServerState) => ServerState,
): Answer => {
  const servers = Object.fromEntries(
    Object.entries(state.servers).map(([key, server]) => [key, change(server)]),
  );
  return { state: { ...state, servers }, effects };
};

/** A director whose looks are judged otherwise. */
const checks = (change: typeof check): SimulatedServices => ({ ...production, check: change });

/** A director that wants something else of the kernel. */
const wants = (
  change: (served: Served, entry: ServiceEntry) => ServiceEntry,
): SimulatedServices => ({
  ...production,
  entries: (served, entries) => entries.map((entry) => change(served, entry)),
});

/** A director that tells the kernel something else. */
const tells = (change: SimulatedServices["commands"]): SimulatedServices => ({
  ...production,
  commands: change,
});

/** A director that knows something else of the one before. */
const remembers = (change: SimulatedServices["load"]): SimulatedServices => ({
  ...production,
  load: change,
});

const rank = ({ kind }: PoolEffect): number => (kind === "quorum" ? 0 : 1);

const removesFirst = (commands: readonly IpvsCommand[]): readonly IpvsCommand[] =>
  [...commands].sort((a, b) => +b.kind.startsWith("delete") - +a.kind.startsWith("delete"));

/** Directors with one mistake each, of the kind that load balancers have had. */
export const MUTANTS: Readonly<Record<string, SimulatedServices>> = {
  "a server that fails keeps its weight": pools((call) =>
    call.event.kind === "found"
      ? honest({
          ...call,
          event: {
            ...call.event,
            found: call.event.found.filter(({ finding }) => finding.verdict !== "down"),
          },
        })
      : honest(call),
  ),
  "a server that answers again stays out": pools((call) =>
    call.event.kind === "found" && call.event.found.some(({ finding }) => finding.verdict === "up")
      ? { state: call.state, effects: [] }
      : honest(call),
  ),
  "one failure is enough, whatever is configured": checks((config, ...call) =>
    check({ ...config, fall: 1 }, ...call),
  ),
  "silence is no failure": checks((config, state, event, now) => {
    const late = event.kind === "tick" && state.running && now >= state.running.timeoutAt;
    return check(config, late ? { ...state, running: undefined } : state, event, now);
  }),
  "the quorum has no hysteresis": pools((call) =>
    honest({ ...call, config: { ...call.config, hysteresis: 0 } }),
  ),
  "the quorum is told before the servers that decide it": pools((call) => {
    const { state, effects } = honest(call);
    return { state, effects: [...effects].sort((a, b) => rank(a) - rank(b)) };
  }),
  "a change is told once more after a reload": pools((call) => {
    const { state, effects } = honest(call);
    const [name, server] = Object.entries(state.servers)[0] ?? [];
    if (call.event.kind !== "configured" || server?.told !== true) return { state, effects };
    const { up } = server;
    const again = { kind: "server", server: name, up, reason: "", start: false } as PoolEffect;
    return { state, effects: [...effects, again] };
  }),
  "a reload forgets what the operator said": pools((call) => {
    const answer = honest(call);
    if (call.event.kind !== "configured") return answer;
    return withServers(answer, (server) => ({ ...server, override: undefined }));
  }),
  "a restart forgets what the operator said": remembers((kept) => ({
    ...kept,
    servers: Object.fromEntries(
      Object.entries(kept.servers).map(([name, one]) => [name, { ...one, overrides: {} }]),
    ),
  })),
  "a restart forgets who may finish connections": remembers((kept) => ({
    ...kept,
    retiring: [],
    servers: Object.fromEntries(
      Object.entries(kept.servers).map(([name, one]) => [name, { ...one, leaving: {} }]),
    ),
  })),
  "a restart forgets which services are its own": remembers((kept) => ({ ...kept, targets: [] })),
  "a restart takes all servers for up": pools((call) =>
    honest(
      call.event.kind === "start" ? { ...call, event: { ...call.event, presumed: {} } } : call,
    ),
  ),
  "who leaves is never gone: weight 0 for ever": pools((call) => {
    const answer = honest(call);
    if (call.event.kind !== "connections" && call.event.kind !== "tick") return answer;
    return { ...answer, state: { ...answer.state, leaving: call.state.leaving } };
  }),
  "who leaves is gone at once": pools((call) => {
    const { state, effects } = honest(call);
    return { state: { ...state, leaving: {} }, effects };
  }),
  "a mass failure is believed": pools((call) =>
    honest({ ...call, config: { ...call.config, panicThreshold: 0 } }),
  ),
  "the guard holds whoever falls": pools((call) =>
    honest({
      ...call,
      config: { ...call.config, panicThreshold: call.config.panicThreshold === 0 ? 0 : 1_000 },
    }),
  ),
  "slow start begins with all of the weight": pools((call) =>
    withServers(honest(call), (server) => ({ ...server, ramp: undefined })),
  ),
  "a drained server is removed": wants(({ state }, entry) => ({
    ...entry,
    destinations: entry.destinations.filter(
      (one) => state.servers[destinationKey(one)]?.override?.kind !== "drain",
    ),
  })),
  "inhibit_on_failure is not heeded": wants(({ state }, entry) => ({
    ...entry,
    destinations: entry.destinations.filter(
      (one) => one.weight > 0 || state.servers[destinationKey(one)]?.up !== false,
    ),
  })),
  "the sorry server stands beside the others": wants(({ config, state }, entry) => {
    if (config.sorryServer === undefined || state.quorum) return entry;
    const there = new Set(entry.destinations.map(destinationKey));
    const others = config.realServers.filter(
      (real) => !there.has(destinationKey(real)) && state.servers[destinationKey(real)]?.up,
    );
    return { ...entry, destinations: [...entry.destinations, ...others] };
  }),
  "capacity goes before it comes": tells(removesFirst),
  "a changed destination is removed and added again": tells((commands) =>
    commands.flatMap((command) =>
      command.kind === "edit-destination"
        ? [
            { ...command, kind: "delete-destination" as const },
            { ...command, kind: "add-destination" as const },
          ]
        : [command],
    ),
  ),
  "services of others are cleared away": tells((commands, table) => {
    const named = new Set(
      commands.map((one) => serviceKey("service" in one ? one.service.target : one.target)),
    );
    const others = [...table].filter(([key]) => key.includes("203.0.113.") && !named.has(key));
    return [
      ...commands,
      ...others.map(([, { service }]) => ({
        kind: "delete-service" as const,
        target: service.target,
      })),
    ];
  }),
  "what others change stays changed": { ...production, audits: false },
};
