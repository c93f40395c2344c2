import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Span } from "./advert-lateness.ts";
import { Lateness } from "./advert-lateness.ts";
import { Cluster, routerOf, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { noFolderLeft, RunFolder } from "./servers/run-folder.ts";
import { advertisements } from "./vrrp-frames.ts";

/*
 * A policy is saved a thousand times, every second time broken, in the folder of an agent whose router
 * advertises every 10 ms. test/lab/policy-reload.test.ts has the same of the host of policies alone.
 */

const SAVES = 1_000;
const INTERVAL_MS = 10;
/** Of the router; what has the same and is late was not kept waiting by saves. */
const REALTIME = 50;
const QUIET_MS = 5_000;
const GRACE_MS = 20_000;

const policy = (
  weight: number,
  body: string,
): string => `import { definePolicy } from "holdfast/sdk";
export default definePolicy({
  permissions: { control: { routers: ["VI_1"] } },
  checks: { last: { every: "50ms", timeout: "8s", track: { routers: { VI_1: ${weight} } }, run: () => ${body} } },
});
`;

/** Does not parse, throws when it is loaded, throws when it runs. */
const BROKEN = [
  "export default {",
  "throw new Error('broken');",
  policy(-1, "undefined.x"),
] as const;

async function spanOf(act: () => Promise<unknown>): Promise<Span> {
  const from = Date.now() / 1_000;
  await act();
  return [from, Date.now() / 1_000];
}

describe("a storm of saves", { skip, timeout: 120_000 }, () => {
  after(async () => {
    noFolderLeft();
    await nothingLeft();
  });

  test(`${SAVES} of them, half of them broken: no advertisement is late`, async (t) => {
    const folder = new RunFolder();
    t.after(() => folder.dispose());
    const save = (text: string): void => {
      renameSync(folder.write("policies/.storm.swp", text), folder.join("policies/storm.ts"));
    };
    save(policy(-10, "false"));
    folder.write("holdfast.conf", "policy storm {\n grant {\n control VI_1\n }\n}\n", 0o600);
    const config = configText(
      [{ name: "VI_1", priority: 200, interval: INTERVAL_MS / 1_000 }],
      [`vrrp_rt_priority ${REALTIME}`],
    );
    const conductor = await Metronome.start(["chrt", "-f", `${REALTIME}`]);
    t.after(() => conductor.close());
    await Cluster.run([config], async (cluster) => {
      const { agent, address } = cluster.member(0);
      const places = ["--policies", folder.join("policies")];
      await agent.start(...places, "--settings", folder.join("holdfast.conf"));
      const decides = (weight: number): Promise<unknown> =>
        eventually(`the version with weight ${weight} decides`, GRACE_MS, async () => {
          const { priority } = await routerOf(agent, "VI_1");
          assert.equal(priority.effective, 200 + weight);
        });
      await untilState(agent, "active", GRACE_MS, "VI_1");
      await decides(-10);
      const { processes } = await agent.status();
      const { lastTransition } = await routerOf(agent, "VI_1");
      const capture = await cluster.capture("ip proto 112");
      const quiet = await spanOf(() => delay(QUIET_MS));
      await conductor.noise();
      const storm = await spanOf(async () => {
        for (let n = 0; n < SAVES; n += 1) {
          save(n % 2 === 0 ? policy(-1 - (n % 50), "false") : (BROKEN[n % 3] ?? ""));
          await delay(n % 100 === 99 ? 150 : 5);
        }
        save(policy(-77, "false"));
        await decides(-77);
      });
      const stalls = await conductor.noise();
      save("export default {");
      await eventually("the refusal is told of", GRACE_MS, async () => {
        const { director } = await agent.status();
        assert.match(director?.policies[0]?.problems[0] ?? "", /storm\.ts:1:\d+: /);
      });
      await decides(-77);
      const seen = advertisements(await capture.stop()).filter(({ source }) => source === address);
      const [before, meanwhile] = [quiet, storm].map(
        (span) => new Lateness(seen, INTERVAL_MS, [span]),
      );
      assert.ok(before !== undefined && meanwhile !== undefined);
      t.diagnostic(
        `without saves ${before}, meanwhile ${meanwhile}, stalls ${stalls.toFixed(1)} ms`,
      );
      assert.ok(meanwhile.at(0.99) <= 1 + before.at(0.99), `p99 ${meanwhile.at(0.99)} ms`);
      const most = INTERVAL_MS + Math.max(before.worst, stalls);
      assert.ok(meanwhile.worst <= most, `worst ${meanwhile.worst} ms, not ${most}`);
      const now = await agent.status();
      assert.deepEqual(now.processes, processes, "a process was started again");
      assert.deepEqual((await routerOf(agent, "VI_1")).lastTransition, lastTransition);
      await agent.stop();
    });
  });
});
