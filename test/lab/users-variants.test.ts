import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Brand } from "../interop/programs.ts";
import { build, TAKEOVER_MS } from "../interop/programs.ts";
import type { Frame } from "./capture.ts";
import type { PairPlan } from "./pair.ts";
import { Pair } from "./pair.ts";
import { PAIRINGS } from "./users.ts";

/* What users change in such files: unicast, another group, two active nodes, preempt_delay. */

const A_WHILE_MS = 4_500;

const CLOUD: PairPlan = {
  link: "ens33",
  addresses: [["192.168.8.11/24"], ["192.168.8.12/24"]],
};

const SERVICE = "192.168.8.100";

interface Variant {
  readonly name?: string;
  readonly vrid?: number;
  readonly state?: "MASTER" | "BACKUP";
  readonly priority: number;
  readonly address?: string;
  readonly lines?: string;
}

const instance = (variant: Variant): string => {
  const { name = "VI_1", vrid = 50, state = "BACKUP", address = SERVICE, lines = "" } = variant;
  return `vrrp_instance ${name} {
    state ${state}
    interface ens33
    virtual_router_id ${vrid}
    priority ${variant.priority}
    advert_int 1
${lines}    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        ${address}
    }
}
`;
};

const GROUP = `global_defs {
    router_id lb01
    vrrp_mcast_group4 226.0.0.18
}
`;

/** As in a cloud without multicast; the third node of the list is switched off. */
const unicast = (host: 11 | 12): string => `    unicast_src_ip 192.168.8.${host}
    unicast_peer {
        192.168.8.${host === 11 ? 12 : 11}
        192.168.8.13  # 对端IP（备节点）
    }
`;

const destinations = (frames: readonly Frame[]): readonly string[] =>
  [...new Set(frames.map(({ bytes }) => bytes.subarray(30, 34).join(".")))].sort();

/** Who has the address first, then who is to take it and to give it back, and where it was sent. */
async function handOver(
  pair: Pair,
  [one, other]: readonly [Brand, Brand],
  files: readonly [string, string],
): Promise<readonly string[]> {
  const [highNode, lowNode] = pair.nodes;
  const high = pair.add(build(one, highNode, files[0]));
  const low = pair.add(build(other, lowNode, files[1]));
  const watch = await pair.watch(SERVICE);
  const capture = await pair.capture();
  await low.start();
  await watch.until([lowNode], TAKEOVER_MS);
  await high.start();
  await watch.until([highNode], TAKEOVER_MS);
  await watch.unchanged(A_WHILE_MS);
  await high.stop();
  await watch.until([lowNode], TAKEOVER_MS);
  return destinations(await capture.stop());
}

/** Each is master of one instance and backup of the other's. */
async function twoActive(pair: Pair, [one, other]: readonly [Brand, Brand]): Promise<void> {
  const [a, b] = pair.nodes;
  const file = (node: 1 | 2): string =>
    ([1, 2] as const)
      .map((at) =>
        instance({
          name: `VI_${at}`,
          vrid: 50 + at,
          state: at === node ? "MASTER" : "BACKUP",
          priority: at === node ? 150 : 100,
          address: `192.168.8.10${at}`,
        }),
      )
      .join("");
  const first = pair.add(build(one, a, file(1)));
  const second = pair.add(build(other, b, file(2)));
  const watches = [await pair.watch("192.168.8.101"), await pair.watch("192.168.8.102")];
  const spread = (...holders: readonly LabNode[]) =>
    Promise.all(watches.map((watch, at) => watch.until(holders.slice(at, at + 1), TAKEOVER_MS)));
  await Promise.all([first.start(), second.start()]);
  await spread(a, b);
  await first.stop();
  await spread(b, b);
  await first.start();
  await spread(a, b);
  await second.stop();
  await spread(a, a);
}

/** It waits while the other is there, and does not when it is gone. */
async function preemptDelay(pair: Pair, [one, other]: readonly [Brand, Brand]): Promise<void> {
  const [highNode, lowNode] = pair.nodes;
  const delayed = instance({ priority: 150, lines: "    preempt_delay 300\n" });
  const high = pair.add(build(one, highNode, delayed));
  const low = pair.add(build(other, lowNode, instance({ priority: 100 })));
  const watch = await pair.watch(SERVICE);
  await low.start();
  await watch.until([lowNode], TAKEOVER_MS);
  await high.start();
  await watch.unchanged(2 * A_WHILE_MS);
  await low.stop();
  await watch.until([highNode], TAKEOVER_MS);
}

const GROUP_ONLY = ["226.0.0.18"];
/** The one that is switched off answers no ARP: nothing leaves for it. */
const PEERS_ONLY = ["192.168.8.11", "192.168.8.12"];

describe("what users change in their files", { concurrency: 4 }, () => {
  for (const brands of PAIRINGS) {
    const who = brands.join(" and ");
    const inCloud = (name: string, play: (pair: Pair) => Promise<void>): void => {
      test(`${name}: ${who}`, () => Pair.run(CLOUD, play));
    };

    inCloud("unicast, with comments after the peers", async (pair) => {
      const files = [
        instance({ priority: 150, lines: unicast(11) }),
        instance({ priority: 100, lines: unicast(12) }),
      ] as const;
      assert.deepEqual(await handOver(pair, brands, files), PEERS_ONLY);
    });

    inCloud("another multicast group", async (pair) => {
      const files = [
        GROUP + instance({ priority: 150 }),
        GROUP + instance({ priority: 100 }),
      ] as const;
      assert.deepEqual(await handOver(pair, brands, files), GROUP_ONLY);
    });

    inCloud("a multicast group and unicast: unicast wins", async (pair) => {
      const files = [
        GROUP + instance({ priority: 150, lines: unicast(11) }),
        GROUP + instance({ priority: 100, lines: unicast(12) }),
      ] as const;
      assert.deepEqual(await handOver(pair, brands, files), PEERS_ONLY);
    });

    inCloud("two active nodes", (pair) => twoActive(pair, brands));
    inCloud("preempt_delay 300", (pair) => preemptDelay(pair, brands));
  }
});
