import { describe } from "node:test";
import { micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import { loadArbiter } from "../../../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings } from "../../../plugins/arbiters/settings.ts";
import type { Store } from "./arbiter-suite.ts";
import { arbiterSuite } from "./arbiter-suite.ts";
import { consulStandIn } from "./consul-stand-in.ts";
import { kubernetesStandIn } from "./kubernetes-stand-in.ts";
import { MemoryStore } from "./memory-store.ts";
import type { StandIn } from "./stand-in.ts";

const NOTHING = (): void => {};

function storeOf(standIn: StandIn, settings: ArbiterSettings, times: Pick<Store, "ttl" | "slack">) {
  return {
    ...times,
    longTtl: micros(20 * times.ttl),
    rpc: milliseconds(1_500),
    open: () => loadArbiter(settings),
    // These hold nothing open: who stops asking is dead.
    openMortal: async () => ({ arbiter: await loadArbiter(settings), die: NOTHING }),
    stop: () => {
      standIn.isStill = true;
    },
    goOn: () => {
      standIn.isStill = false;
    },
    dispose: () => standIn.close(),
  };
}

describe("arbiters", { concurrency: true }, () => {
  arbiterSuite("in memory", () => {
    const store = new MemoryStore();
    return Promise.resolve({
      ttl: milliseconds(200),
      slack: milliseconds(600),
      longTtl: seconds(20),
      rpc: milliseconds(1_000),
      open: () => Promise.resolve(store.open()),
      openMortal: () => Promise.resolve({ arbiter: store.open(), die: NOTHING }),
      stop: () => {
        store.isStill = true;
      },
      goOn: () => {
        store.isStill = false;
      },
      dispose: () => Promise.resolve(),
    });
  });

  arbiterSuite(
    "Consul, a stand-in",
    async () => {
      const speed = 20;
      const standIn = await consulStandIn(speed);
      const settings = { kind: "consul", endpoints: [standIn.endpoint] } as const;
      const ttl = seconds(10);
      return { ...storeOf(standIn, settings, { ttl, slack: seconds(20) }), pace: speed };
    },
    { contenders: 12 },
  );

  arbiterSuite(
    "Kubernetes, a stand-in",
    async () => {
      const standIn = await kubernetesStandIn();
      const namespace = "default";
      const settings = { kind: "kubernetes", endpoints: [standIn.endpoint], namespace } as const;
      return storeOf(standIn, settings, { ttl: seconds(1), slack: milliseconds(1_000) });
    },
    { contenders: 12 },
  );
});
