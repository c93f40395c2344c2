import type { ServiceTarget } from "../../core/ipvs/service.ts";
import { milliseconds, since } from "../../core/time.ts";
import type { PoolEffect } from "../../core/virtual-server/pool.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Kept, KeptServer } from "./balancing-store.ts";
import { NOTHING_KEPT } from "./balancing-store.ts";
import type { Served } from "./served.ts";

/** What the next director is to know of. */
export const KEPT: ReadonlySet<PoolEffect["kind"]> = new Set(["server", "quorum", "left"]);

/** What of the kernel is to be known after this director. */
export interface Hold {
  /** The kernel has its services. */
  readonly running: boolean;
  /** Services of ours that it may have. */
  readonly held: readonly ServiceTarget[];
  readonly clock: Clock;
}

/** What is to outlive this director. */
export function keptOf(
  served: readonly Served[],
  retiring: readonly Served[],
  changes: Kept["changes"],
  { running, held, clock }: Hold,
): Kept {
  const kept = (one: Served): KeptServer => keptServer(one, running, clock);
  return {
    ...NOTHING_KEPT,
    running,
    targets: held,
    servers: Object.fromEntries(served.map((one) => [one.name, kept(one)])),
    retiring: running ? retiring.map((one) => ({ config: one.config, kept: kept(one) })) : [],
    changes,
  };
}

function keptServer({ state }: Served, running: boolean, clock: Clock): KeptServer {
  const overrides = Object.entries(state.servers).flatMap(([key, { override }]) =>
    override === undefined ? [] : [[key, override] as const],
  );
  const up = Object.entries(state.servers).flatMap(([key, server]) =>
    server.up ? [[key, server.weight] as const] : [],
  );
  const now = clock.now();
  const leaving = Object.entries(state.leaving).map(([key, { member, until }]) => {
    const untilMs = clock.wallClock() + Math.round(since(now, until) / milliseconds(1));
    return [key, { member, untilMs }] as const;
  });
  return {
    quorum: state.quorum,
    up: Object.fromEntries(up),
    overrides: Object.fromEntries(overrides),
    leaving: Object.fromEntries(running ? leaving : []),
  };
}
