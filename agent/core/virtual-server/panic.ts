import type { DestinationKey } from "../ipvs/service.ts";
import type { Instant, Micros } from "../time.ts";
import { micros } from "../time.ts";
import type { PoolConfig, PoolState, ServerState } from "./pool.ts";

/**
 * The guard against a mass failure: when so many servers fall at once that less than `panicThreshold`
 * percent of them are left, it is rather the checker that lost its network, and those who fell are held.
 * Servers that fail one after another are believed, and so is one that falls alone. It is off unless it is configured, as keepalived has
 * none: a sorry server or a quorum would not be reached as its users know it.
 *
 * `passed`: what the checks alone say of the servers that have checks.
 */
export function guard(
  config: PoolConfig,
  before: PoolState["panic"],
  servers: Readonly<Record<DestinationKey, ServerState>>,
  passed: ReadonlyMap<DestinationKey, boolean>,
  now: Instant,
): PoolState["panic"] {
  if (config.panicThreshold === 0) return undefined;
  const window = panicWindow(config);
  const known = new Set(before?.held);
  const held: DestinationKey[] = [];
  let up = 0;
  for (const [key, good] of passed) {
    const fellAt = servers[key]?.fellAt;
    if (good) up += 1;
    else if (known.has(key) || (fellAt !== undefined && now - fellAt <= window)) held.push(key);
  }
  const least = before === undefined ? 2 : 1;
  const few = up * 100 < config.panicThreshold * (up + held.length);
  return held.length >= least && few ? { held } : undefined;
}

/**
 * The same guard against policies that decide the weights of a whole service: when they give 0 to so many
 * of the servers that take part that less than `panicThreshold` percent of them are left. A single one is
 * always believed, and what an operator said of a server is not theirs.
 */
export function emptied(
  { panicThreshold }: PoolConfig,
  servers: Readonly<Record<DestinationKey, ServerState>>,
  passed: ReadonlyMap<DestinationKey, boolean>,
): { readonly emptied: number; readonly of: number } | undefined {
  if (panicThreshold === 0) return undefined;
  let all = 0;
  let out = 0;
  for (const [key, { claims, override }] of Object.entries(servers)) {
    if (override !== undefined || passed.get(key as DestinationKey) === false) continue;
    const said = Object.values(claims);
    if (said.some(({ kind }) => kind === "down")) continue;
    all += 1;
    if (said.some((claim) => claim.kind === "balance" && claim.weight === 0)) out += 1;
  }
  const few = (all - out) * 100 < panicThreshold * all;
  return out >= 2 && few ? { emptied: out, of: all } : undefined;
}

/** From the first failure that one cause brings to the last: every check has come to its verdict. */
export function panicWindow({ realServers }: Pick<PoolConfig, "realServers">): Micros {
  let longest = 0;
  for (const { checks } of realServers) {
    for (const { timing } of checks) {
      const { interval, retries, retryInterval, timeout } = timing;
      const time = interval + retries * (retryInterval + timeout) + timeout;
      longest = Math.max(longest, time);
    }
  }
  return micros(longest);
}
