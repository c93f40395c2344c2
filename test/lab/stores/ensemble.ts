import type { Micros } from "../../../agent/core/time.ts";
import { loadArbiter } from "../../../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings } from "../../../plugins/arbiters/settings.ts";
import type { Store } from "../../plugins/arbiters/arbiter-suite.ts";
import { relayTo } from "../../plugins/arbiters/relay.ts";
import type { StoreProcess } from "./store-process.ts";

export interface Ensemble {
  readonly ports: readonly number[];
  readonly servers: readonly StoreProcess[];
}

interface Times {
  readonly ttl: Micros;
  readonly slack: Micros;
  readonly rpc: Micros;
}

/** For the suite: stopped by stopping all but one, started anew by killing all. */
export function storeOf(
  { ports, servers }: Ensemble,
  settings: (ports: readonly [number, ...number[]]) => ArbiterSettings,
  times: Times,
): Store {
  const [first = 0, ...rest] = ports;
  const stopped = servers.length === 1 ? servers : servers.slice(1);
  return {
    ...times,
    open: () => loadArbiter(settings([first, ...rest])),
    async openMortal() {
      const relays = await Promise.all(ports.map(relayTo));
      const [one = 0, ...others] = relays.map(({ port }) => port);
      const arbiter = await loadArbiter(settings([one, ...others]));
      return {
        arbiter: {
          acquire: (key, signal) => arbiter.acquire(key, signal),
          renew: (key, signal) => arbiter.renew(key, signal),
          release: (key, signal) => arbiter.release(key, signal),
          look: (key, signal) => arbiter.look(key, signal),
          watch: (name, changed) => arbiter.watch(name, changed),
          async close() {
            await arbiter.close();
            await Promise.all(relays.map((relay) => relay.close()));
          },
        },
        die: () => {
          for (const relay of relays) relay.fallSilent();
        },
      };
    },
    stop: () => {
      for (const server of stopped) server.stop();
    },
    ...(servers.length > 1 && { stopOne: () => servers[0]?.stop() }),
    goOn: () => {
      for (const server of servers) server.signal("SIGCONT");
    },
    async kill() {
      await Promise.all(servers.map((server) => server.kill()));
    },
    startAnew: () => {
      for (const server of servers) server.start();
    },
    async dispose() {
      await Promise.all(servers.map((server) => server.dispose()));
    },
  };
}
