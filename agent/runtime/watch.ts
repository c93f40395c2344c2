import type { Config } from "../config/config.ts";

/** How a child is watched. A heartbeat that is missed for `stall` means: kill it. */
export interface Watch {
  readonly heartbeatMs: number;
  readonly stallMs: number;
  /**
   * As `stallMs`, until it has answered for the first time since it has a configuration. A cold and busy
   * machine loads programs slowly, and what a child is told first is the most that it is ever told. Each one that
   * is killed for it makes such a machine busier: the next one has more time, the last value for all that follow.
   */
  readonly startMs: readonly number[];
  /** Delays before the next starts, the last for all that follow. */
  readonly backoffMs: readonly number[];
  /** A child that ran this long has its restarts forgiven. */
  readonly stableMs: number;
}

export const DEFAULT_WATCH: Watch = {
  heartbeatMs: 500,
  stallMs: 3_000,
  startMs: [30_000, 60_000, 120_000],
  // A first delay: a manager that stops the whole group may have signalled the child before us.
  backoffMs: [50, 250, 1_000, 2_000, 5_000],
  stableMs: 30_000,
};

const HEARTBEATS_IN_STALL = 4;
const SHORTEST_STALL_MS = 1_000;
const LONGEST_STALL_MS = 3_000;

/** Measured: when thousands of routers become active together, on a host that is busy otherwise. */
const STALL_PER_ROUTER_MS = 1;

/**
 * How a vrrp process is watched that runs this configuration. Peers wait for three advertisements; and
 * less than a second may pass on a host that is merely busy.
 */
export function watchOf({ instances }: Config): Watch {
  const shortest = Math.min(...instances.map(({ router }) => router.advertisementInterval));
  const patience = Math.min(Math.max(shortest / 1_000, SHORTEST_STALL_MS), LONGEST_STALL_MS);
  const stallMs = patience + instances.length * STALL_PER_ROUTER_MS;
  return { ...DEFAULT_WATCH, stallMs, heartbeatMs: stallMs / HEARTBEATS_IN_STALL };
}
