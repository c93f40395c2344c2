import { milliseconds, since } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import { targetsOf } from "./adoption.ts";
import type { Kept, KeptServer } from "./balancing-store.ts";
import { NOTHING_KEPT } from "./balancing-store.ts";
import type { Served } from "./served.ts";

/** What is to outlive this director. `running`: the kernel has its services. */
export function keptOf(
  served: readonly Served[],
  retiring: readonly Served[],
  changes: Kept["changes"],
  running: boolean,
  clock: Clock,
): Kept {
  const all = [...served, ...retiring];
  const kept = (one: Served): KeptServer => keptServer(one, running, clock);
  return {
    ...NOTHING_KEPT,
    running,
    targets: running ? all.flatMap(({ config }) => targetsOf(config)) : [],
    servers: Object.fromEntries(served.map((one) => [one.name, kept(one)])),
    retiring: running ? retiring.map((one) => ({ config: one.config, kept: kept(one) })) : [],
    changes,
  };
}

function keptServer({ state }: Served, running: boolean, clock: Clock): KeptServer {
  const overrides = Object.entries(state.servers).flatMap(([key, { override }]) =>
    override === undefined ? [] : [[key, override] as const],
  );
  const now = clock.now();
  const leaving = Object.entries(state.leaving).map(([key, { member, until }]) => {
    const untilMs = clock.wallClock() + Math.round(since(now, until) / milliseconds(1));
    return [key, { member, untilMs }] as const;
  });
  return {
    quorum: state.quorum,
    overrides: Object.fromEntries(overrides),
    leaving: Object.fromEntries(running ? leaving : []),
  };
}
