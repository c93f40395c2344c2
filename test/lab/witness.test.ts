import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { Member } from "./cluster.ts";
import { routerOf, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { nothingLeft } from "./leftovers.ts";
import { etcd } from "./stores/etcd.ts";
import { zookeeper } from "./stores/zookeeper.ts";
import {
  ETCD_TTL,
  etcdSettings,
  fenceSettings,
  ms,
  rejoin,
  Scene,
  SLACK_MS,
  STARTED_MS,
  separate,
  told,
} from "./witness-scene.ts";

/* Two nodes that need leave of a store, or of a fence agent, before they hold the address. */

const ZOOKEEPER_TTL = 4;

/** Resident memory of the witness process, without what it shares with the others. */
async function memory({ agent }: Member): Promise<string> {
  const { witness } = (await agent.status()).processes;
  const text = readFileSync(`/proc/${witness?.pid}/smaps_rollup`, "utf8");
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  return `${(kilobytes("Rss") / 1_024).toFixed(0)} MiB resident, ${(kilobytes("Pss") / 1_024).toFixed(0)} MiB of it its own share`;
}

/** Stop, start, and death of all processes of the active one. Answers what was fenced for the last. */
async function turns(t: TestContext, scene: Scene, ttl: number): Promise<string> {
  const { a, b } = scene;
  await scene.startBoth();
  let since = performance.now();
  const stopped = a.agent.stop();
  const resigned = await scene.answeredBy(b, since);
  t.diagnostic(`a stop: the other one answers after ${ms(resigned)}`);
  assert.ok(resigned < ttl * 1_250, "the lease was given back");
  await stopped;
  scene.neverBoth(a, b, since);
  assert.equal(told(b), "", "nobody went silent");
  since = performance.now();
  await scene.start(a);
  await scene.answeredBy(a, since, STARTED_MS);
  t.diagnostic(`preemption: ${ms(scene.neverBoth(b, a, since))} without an answer`);
  await scene.settled();
  t.diagnostic(`the witness process: ${await memory(a)}`);
  since = performance.now();
  process.kill((await a.agent.status()).processes.vrrp.pid ?? 0, "SIGKILL");
  const replaced = await scene.answeredBy(b, since);
  t.diagnostic(`the vrrp process killed: ${ms(replaced)}`);
  assert.ok(replaced < ttl * 1_250, "the lease was given back in its place");
  scene.neverBoth(a, b, since);
  await scene.settled();
  const before = told(b);
  since = performance.now();
  await a.agent.killAll();
  const took = await scene.answeredBy(b, since, ttl * 1_500 + SLACK_MS);
  const gap = scene.neverBoth(a, b, since);
  t.diagnostic(`all processes killed: ${ms(took)}, of which ${ms(gap)} without an answer`);
  return told(b).slice(before.length);
}

describe("witness and fences", { skip, concurrency: 2, timeout: 90_000 }, () => {
  after(nothingLeft);

  test("etcd: a stop, preemption, a death, and a fence before the take-over from the dead", async (t) => {
    const store = await etcd(1);
    const settings = (folder: string) => [
      ...etcdSettings(store),
      ...fenceSettings(folder, "exit 0", 10),
    ];
    const global = ["holdfast_witness required"];
    await Scene.run(
      { store, settings, global, instance: ["holdfast_fence pdu"] },
      async (scene) => {
        const fenced = await turns(t, scene, ETCD_TTL);
        assert.equal(fenced, "action=off\nip=192.0.2.9\n");
        const { mandate } = await routerOf(scene.b.agent);
        assert.equal(mandate?.state, "granted");
        assert.match(String(mandate.epoch), /./);
      },
    );
  });

  test("ZooKeeper: a stop, preemption, a death", async (t) => {
    const store = await zookeeper(1, 400);
    const settings = () => [
      "witness zookeeper {",
      ...store.ports.map((port) => `  endpoint 127.0.0.1:${port}`),
      `  ttl ${ZOOKEEPER_TTL}`,
      "}",
    ];
    await Scene.run({ store, settings, global: ["holdfast_witness required"] }, async (scene) => {
      await turns(t, scene, ZOOKEEPER_TTL);
    });
  });

  test("required: partitioned nodes, a node without the store, nobody with the store", async (t) => {
    const store = await etcd(1);
    const settings = () => etcdSettings(store);
    await Scene.run({ store, settings, global: ["holdfast_witness required"] }, async (scene) => {
      const { a, b } = scene;
      await scene.startBoth();
      let since = performance.now();
      process.kill((await a.agent.status()).processes.witness?.pid ?? 0, "SIGKILL");
      await untilEvent(a.agent, 0, "its end", 5_000, ({ detail }) => detail["from"] === "active");
      await scene.settled();
      const pause = scene.longestPause(since);
      t.diagnostic(`the witness process killed: ${ms(pause)} without an answer`);

      since = performance.now();
      separate(a);
      separate(b);
      await eventually("b is told that a has it", 5_000, async () => {
        const { mandate } = await routerOf(b.agent);
        assert.equal(mandate?.taken, true);
      });
      const sent = scene.lines.map((line) => line.sent);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const rates = scene.lines.map((line, at) => `${line.sent - (sent[at] ?? 0)} bytes/s`);
      t.diagnostic(`sent to etcd by who has the lease, and by who waits: ${rates.join(", ")}`);
      assert.deepEqual(scene.answers(b, since), []);
      assert.ok(scene.answers(a, since).length > 20);

      since = performance.now();
      scene.lines[0]?.cut();
      await scene.answeredBy(b, since, ETCD_TTL * 1_500 + SLACK_MS);
      const gap = scene.neverBoth(a, b, since);
      const last = (scene.answers(a, since).at(-1) ?? since) - since;
      t.diagnostic(`cut off from etcd: it shuts ${ms(last)} after, the other one ${ms(gap)} later`);
      assert.ok(last <= ETCD_TTL * 1_000, `${last} ms`);
      await untilState(a.agent, "backup", 5_000).catch(() => undefined);

      scene.lines[0]?.heal();
      rejoin(a);
      rejoin(b);
      await scene.answeredBy(a, performance.now(), STARTED_MS);
      since = performance.now();
      for (const server of store.servers) server.stop();
      const silence = await scene.silent(since, ETCD_TTL * 1_000 + 3_000);
      t.diagnostic(`no etcd at all: nobody answers after ${ms(silence)}`);
      assert.ok(silence <= ETCD_TTL * 1_000, `${silence} ms`);
      await eventually("both say why", 5_000, async () => {
        for (const { agent } of [a, b]) {
          const { mandate } = await routerOf(agent);
          assert.equal(mandate?.waiting?.because, "store-unreachable");
        }
      });
    });
  });

  test("advisory without the store: VRRP goes on; a fence agent that hangs: nobody takes over", async (t) => {
    const store = await etcd(1);
    for (const server of store.servers) server.stop();
    const settings = (folder: string) => [
      ...etcdSettings(store),
      ...fenceSettings(folder, "exec sleep 60", 1),
    ];
    const instance = ["holdfast_witness advisory"];
    await Scene.run({ store, settings, instance }, async (scene) => {
      const { a, b } = scene;
      await scene.startBoth();
      let since = performance.now();
      await a.agent.killAll();
      t.diagnostic(`advisory, no etcd: ${ms(await scene.answeredBy(b, since))} after the death`);
      scene.neverBoth(a, b, since);
      for (const { agent } of [a, b]) {
        agent.configure(
          readFileSync(agent.configFile, "utf8").replace(
            "holdfast_witness advisory",
            "holdfast_fence pdu",
          ),
        );
      }
      // An active node fences nobody, whatever a reload asks for: it is to take over once more.
      await b.agent.stop();
      const heard = b.agent.events.length;
      await scene.start(b);
      const failed = await untilEvent(
        b.agent,
        heard,
        "the failure",
        10_000,
        ({ detail }) => detail["alarm"] === "fence-failed",
      );
      assert.match(failed.message, /pdu: the agent did not end within 1 s, and was killed/);
      since = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.deepEqual(scene.answers(b, since), []);
      const { mandate } = await routerOf(b.agent);
      assert.equal(mandate?.waiting?.because, "fence-failed");
    });
  });
});
