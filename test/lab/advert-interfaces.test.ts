import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { allTransitions, Cluster, routerOf, skip, untilEvent, untilState } from "./cluster.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

const INTERVAL_MS = 100;
const GRACE_MS = 15_000;
/** A backup that hears nothing takes over in a third of this. */
const LONG_MS = 12 * INTERVAL_MS;

const config = (priority: number): string => {
  const more = ["holdfast_advert_interface eth1"];
  return configText([
    { name: "V", priority, more },
    { name: "W", vrid: 61, priority, addresses: ["fe80::100/64", "2001:db8::100/64"], more },
  ]);
};

describe("advertisements over a second segment", { skip, timeout: 40_000 }, () => {
  after(nothingLeft);

  test("a segment that fails between the nodes splits neither IPv4 nor IPv6", async () => {
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const [a, b] = [cluster.member(0), cluster.member(1)];
      const second = cluster.lab.segment("second");
      const [, eth1] = [b, a].map(
        ({ node }, at): LabInterface =>
          cluster.lab.attach(node, second, {
            name: "eth1",
            // In the other order than on the first segment, and of another network.
            addresses: [`198.51.100.${at + 1}/24`],
          }),
      );
      assert.ok(eth1);
      const bothAre = (one: typeof a, state: "active" | "backup") =>
        Promise.all(["V", "W"].map((name) => untilState(one.agent, state, GRACE_MS, name)));
      await cluster.start();
      await bothAre(a, "active");
      await bothAre(b, "backup");

      a.eth0.setForwarding(false);
      const start = await b.agent.heard();
      await delay(LONG_MS);
      for (const name of ["V", "W"])
        assert.deepEqual(await allTransitions(b.agent, start, name), []);
      // Over two segments, each node is one peer: by its address on the first.
      const { peers } = await routerOf(b.agent);
      assert.deepEqual(
        peers.map(({ address, sameAddresses }) => [address, sameAddresses]),
        [[a.address, true]],
      );

      eth1.setForwarding(false);
      await bothAre(b, "active");
      eth1.setForwarding(true);
      await bothAre(b, "backup");
      await bothAre(a, "active");

      const ended = await b.agent.heard();
      await a.agent.stop();
      await untilEvent(b.agent, ended, "the resignation", GRACE_MS, ({ detail }) => {
        return detail["reason"] === "active-resigned";
      });
    });
  });
});
