import type { BalancedServer, BalancedService } from "../../sdk/index.ts";
import type { ServerChange, ServerOrder, ServerStart, ServiceStart } from "../../sdk/testing.ts";
import { parseAddress } from "../core/address.ts";
import type { DestinationKey } from "../core/ipvs/service.ts";
import { destinationKey } from "../core/ipvs/service.ts";
import { micros, milliseconds, seconds } from "../core/time.ts";
import type {
  Override,
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolState,
  RealServer,
} from "../core/virtual-server/pool.ts";
import { NOT_FOUND } from "../core/virtual-server/pool.ts";
import { takesPart } from "../core/virtual-server/settle.ts";
import { virtualServer } from "../core/virtual-server/virtual-server.ts";
import { presentWeight } from "../core/virtual-server/weight.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const MOST_WEIGHT = 65_535;
/** Who says in a simulation what an operator says. */
const OPERATOR = "operator";

/** A service of the node: what its checks find, the test says; all else follows as in the agent. */
export class VirtualService {
  readonly name: string;
  readonly #clock: VirtualClock;
  readonly #config: PoolConfig;
  readonly #figures = new Map<DestinationKey, ServerStart>();
  #state: PoolState = virtualServer.initial;

  constructor(clock: VirtualClock, name: string, start: ServiceStart) {
    this.name = name;
    this.#clock = clock;
    const realServers = Object.entries(start.realServers).map(([key, server]) =>
      realServer(key, server),
    );
    this.#config = {
      ...POOL,
      quorum: start.quorum ?? 1,
      panicThreshold: start.panic ?? 0,
      realServers,
    };
    for (const [key, server] of Object.entries(start.realServers)) {
      this.#figures.set(key as DestinationKey, server);
    }
    const presumed = [...this.#figures].map(([key, { up }]) => [key, up !== false] as const);
    this.take({
      kind: "start",
      presumed: Object.fromEntries(presumed),
      quorum: undefined,
      overrides: {},
      leaving: {},
    });
    for (const [key, server] of this.#figures) this.change(key, { up: true, ...server });
  }

  /** Answers what came of it. */
  take(event: PoolEvent): readonly PoolEffect[] {
    const now = this.#clock.now();
    const { state, effects } = virtualServer.step(this.#config, this.#state, event, now);
    this.#state = state;
    return effects;
  }

  /** The key of `service/address:port`; throws a TypeError for what there is not. */
  keyOf(text: string): DestinationKey {
    const key = text as DestinationKey;
    if (this.#figures.has(key)) return key;
    const there = [...this.#figures.keys()].join(", ");
    throw new TypeError(`${this.name} has no real server ${text}; it has ${there || "none"}`);
  }

  has = (key: string): key is DestinationKey => this.#figures.has(key as DestinationKey);

  /** A real server is another one from now on. Answers what came of it. */
  change(server: DestinationKey, change: ServerChange): readonly PoolEffect[] {
    this.#figures.set(server, { ...this.#figures.get(server), ...change });
    const effects: PoolEffect[] = [];
    const { up, reason = "", order } = change;
    if (up !== undefined) {
      const verdict = up ? "up" : "down";
      const found = [{ server, check: 0, finding: { ...NOT_FOUND, verdict, reason } as const }];
      effects.push(...this.take({ kind: "found", found }));
    }
    if (order !== undefined) {
      const override = this.#override(order);
      effects.push(...this.take({ kind: "override", server, override }));
    }
    return effects;
  }

  view(): BalancedService {
    const held = new Set(this.#state.panic?.held);
    const realServers = this.#config.realServers.map((real): BalancedServer => {
      const key = destinationKey(real);
      const {
        latencyMs,
        activeConnections = 0,
        inactiveConnections = 0,
      } = this.#figures.get(key) ?? {};
      const state = this.#state.servers[key];
      const up = state !== undefined && takesPart(state);
      return {
        key,
        name: `${this.name}/${key}`,
        up,
        weight: up ? presentWeight(state) : 0,
        configuredWeight: real.weight,
        reason: state?.reason ?? "",
        held: held.has(key),
        order: state?.override?.kind ?? null,
        latencyMs:
          typeof latencyMs === "number"
            ? { last: latencyMs, p50: latencyMs, p99: latencyMs }
            : latencyMs,
        activeConnections,
        inactiveConnections,
        upperThreshold: real.upperThreshold,
        lowerThreshold: real.lowerThreshold,
      };
    });
    return { name: this.name, quorum: this.#state.quorum, realServers };
  }

  #override(order: ServerOrder | null): Override | undefined {
    if (order === null) return undefined;
    const said = { who: OPERATOR, at: this.#clock.wallClock() };
    if (typeof order === "string") return { kind: order, ...said };
    return { kind: "weight", weight: weightOf(order.weight), ...said };
  }
}

/** All but what a test may say. */
const POOL: PoolConfig = {
  targets: [],
  protocol: "tcp",
  scheduler: "wlc",
  schedulerFlags: [false, false, false],
  onePacket: false,
  persistence: undefined,
  quorum: 1,
  hysteresis: 0,
  sorryServer: undefined,
  sorryServerInhibit: false,
  drainTime: micros(0),
  slowStart: micros(0),
  panicThreshold: 0,
  realServers: [],
};

/** Servers that the test lets fall within a second fall at once. */
const CHECK = {
  timing: {
    interval: seconds(1),
    retries: 0,
    retryInterval: seconds(1),
    timeout: milliseconds(1),
    startsDown: false,
  },
  probe: null,
};

function realServer(
  key: string,
  { weight = 1, upperThreshold = 0, lowerThreshold = 0 }: ServerStart,
): RealServer {
  const colon = key.lastIndexOf(":");
  const address = parseAddress(key.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, "$1"));
  const port = Number(key.slice(colon + 1));
  const real = address === undefined ? undefined : { address, port };
  if (real === undefined || destinationKey(real) !== key) {
    throw new TypeError(`${key} is no real server; write it such as "10.0.0.1:80"`);
  }
  return {
    ...real,
    forwarding: { kind: "dr" },
    weight: weightOf(weight),
    upperThreshold,
    lowerThreshold,
    inhibitOnFailure: false,
    checks: [CHECK],
  };
}

function weightOf(weight: number): number {
  if (Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT) return weight;
  throw new TypeError(`${weight} is no weight; write a whole number, 0–${MOST_WEIGHT}`);
}
