import type { SecureContext } from "node:tls";
import { Pool } from "undici";
import { CallError } from "../../sdk/plugin.ts";
import type { Lookups } from "../network/lookup.ts";

const MOST_POOLS = 256;
const CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long an unused connection is kept where the server does not say how long it keeps it. */
const KEEP_ALIVE_MS = 75_000;
/** A connection is made anew then: names move, certificates are replaced. */
const CONNECTION_LIFE_MS = 60_000;
const IDLE_POOL_MS = 120_000;
const SWEEP_MS = 30_000;
const LARGEST_HEADERS = 16_384;

/** What connections can be shared by. */
export interface PoolTarget {
  readonly origin: string;
  readonly verify: boolean;
  readonly http2: boolean;
  /** From the header `host`: the server is asked for that name's certificate. */
  readonly serverName: string | undefined;
}

/** A pool in use. */
export interface PoolLease {
  readonly key: string;
  readonly pool: Pool;
  /** Connections that were made so far. */
  connections: number;
  underWay: number;
  usedAt: number;
}

/** Connections by server and way of connecting. Those that are not used any more are closed. */
export class ConnectionPools {
  readonly #trust: SecureContext;
  readonly #lookups: Lookups;
  readonly #leases = new Map<string, PoolLease>();
  readonly #sweep: NodeJS.Timeout;

  constructor(trust: SecureContext, lookups: Lookups) {
    this.#trust = trust;
    this.#lookups = lookups;
    this.#sweep = setInterval(() => this.#closeIdle(), SWEEP_MS).unref();
  }

  /** To be given back. Throws a CallError when all places are taken. */
  take(target: PoolTarget): PoolLease {
    const { origin, verify, http2, serverName = "" } = target;
    const key = `${origin} ${verify} ${http2} ${serverName}`;
    const lease = this.#leases.get(key) ?? this.#open(key, target);
    lease.underWay += 1;
    return lease;
  }

  giveBack(lease: PoolLease): void {
    lease.underWay -= 1;
    lease.usedAt = performance.now();
    // An attempt to connect that goes on after its call would keep the next call waiting.
    if (lease.underWay === 0 && !isConnected(lease.pool)) this.#drop(lease);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    await Promise.all(leases.map(({ pool }) => pool.destroy()));
  }

  #open(key: string, { origin, verify, http2 }: PoolTarget): PoolLease {
    if (this.#leases.size >= MOST_POOLS) this.#makeRoom();
    const pool = new Pool(origin, {
      connections: CONNECTIONS,
      allowH2: http2,
      keepAliveTimeout: KEEP_ALIVE_MS,
      clientTtl: CONNECTION_LIFE_MS,
      maxHeaderSize: LARGEST_HEADERS,
      // The call's own time governs.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        rejectUnauthorized: verify,
        secureContext: this.#trust,
        lookup: this.#lookups.lookup,
      },
    });
    const lease: PoolLease = { key, pool, connections: 0, underWay: 0, usedAt: performance.now() };
    pool.on("connect", () => {
      lease.connections += 1;
    });
    this.#leases.set(key, lease);
    return lease;
  }

  #makeRoom(): void {
    const idle = [...this.#leases.values()].filter(({ underWay }) => underWay === 0);
    const [oldest] = idle.sort((a, b) => a.usedAt - b.usedAt);
    if (oldest === undefined) {
      throw new CallError("busy", `calls to ${MOST_POOLS} servers are under way`);
    }
    this.#drop(oldest);
  }

  #closeIdle(): void {
    const since = performance.now() - IDLE_POOL_MS;
    for (const lease of this.#leases.values()) {
      if (lease.underWay === 0 && lease.usedAt < since) this.#drop(lease);
    }
  }

  #drop(lease: PoolLease): void {
    if (this.#leases.get(lease.key) === lease) this.#leases.delete(lease.key);
    // It fails nobody: nothing is under way.
    lease.pool.destroy().catch(() => {});
  }
}

const isConnected = (pool: Pool): boolean => pool.stats.connected > 0;
