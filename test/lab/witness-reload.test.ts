import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { Member } from "./cluster.ts";
import { routerOf, skip, transitions, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { nothingLeft } from "./leftovers.ts";
import { etcd } from "./stores/etcd.ts";
import {
  ETCD_TTL,
  etcdSettings,
  fenceSettings,
  ms,
  reload,
  reloaded,
  Scene,
  STARTED_MS,
  separate,
  told,
} from "./witness-scene.ts";

/* What a reload asks for, or asks of another store, is asked for while the active node is active. */

const UNUSABLE = [
  "witness etcd {",
  "  endpoint https://127.0.0.1:1",
  "  ca_file /nowhere",
  `  ttl ${ETCD_TTL}`,
  "}",
];

const REQUIRED = "holdfast_witness required";

/** Reloads a node with these lines in its instance. */
type Needs = (member: Member, ...lines: readonly string[]) => Promise<string>;

function needing({ a, b }: Scene): Needs {
  const read = ({ agent }: Member) => readFileSync(agent.configFile, "utf8");
  const plain = new Map([a, b].map((one) => [one, read(one)]));
  return (member, ...lines) => {
    const more = lines.map((line) => `    ${line}\n`).join("");
    const text = plain.get(member) ?? "";
    member.agent.configure(text.replace(/( +priority \d+\n)/, `$1${more}`));
    return reloaded(member);
  };
}

const mandated = ({ agent }: Member, state: string | undefined): Promise<void> =>
  eventually(`its mandate is ${state}`, STARTED_MS, async () =>
    assert.equal((await routerOf(agent)).mandate?.state, state),
  );

/** Node by node in both orders, and both at once. */
async function needsChange(t: TestContext, scene: Scene, needs: Needs): Promise<void> {
  const { a, b } = scene;
  const since = performance.now();
  const heard = a.agent.events.length;
  await Promise.all([a, b].map((one) => needs(one, REQUIRED)));
  await mandated(a, "granted");
  for (const [both, ...lines] of [
    [[b, a]],
    [[b, a], REQUIRED],
    [[a, b], "holdfast_witness advisory"],
    [[a, b], REQUIRED],
    [[a, b], `${REQUIRED} other`],
    [[a, b], "holdfast_fence pdu"],
    [[b, a]],
  ] as const) {
    for (const one of both) await needs(one, ...lines);
    await mandated(a, lines.length > 0 ? "granted" : undefined);
  }
  t.diagnostic(`reloads: ${ms(scene.longestPause(since))} without an answer`);
  assert.deepEqual(transitions(a.agent, heard), []);
  assert.deepEqual([scene.answers(b, since), told(a), told(b)], [[], "", ""]);
}

/** Neither hears the other: both are active, until both need the lease. */
async function oneOfTwoLeaves(t: TestContext, scene: Scene, needs: Needs): Promise<void> {
  const { a, b } = scene;
  for (const one of [a, b]) separate(one);
  await scene.answeredBy(b);
  await needs(b, REQUIRED);
  await mandated(b, "granted");
  const since = performance.now();
  await needs(a, REQUIRED);
  await untilState(a.agent, "backup", STARTED_MS);
  const left = (scene.answers(a, since).at(-1) ?? since) - since;
  t.diagnostic(`of two, who asked second is silent ${ms(left)} after its reload was asked for`);
  const after = performance.now();
  await scene.answeredBy(b, after);
  assert.deepEqual(scene.answers(a, after), []);
}

describe("reloads of what is needed", { skip, concurrency: 2, timeout: 90_000 }, () => {
  after(nothingLeft);

  test("another store, node by node: nobody else, and no pause, whoever hears whom", async (t) => {
    const store = await etcd(1);
    const before = etcdSettings(store);
    const then = etcdSettings(store, "  prefix other");
    const settings = () => before;
    await Scene.run({ store, settings, global: ["holdfast_witness required"] }, async (scene) => {
      const { a, b } = scene;
      await scene.startBoth();
      const since = performance.now();
      const heard = a.agent.events.length;
      assert.match(await reload(a, etcdSettings(store, "  ttl much")), /refused/);
      for (const member of [a, b]) separate(member);
      await reload(a, UNUSABLE);
      await eventually("a cannot use that one", STARTED_MS, () =>
        assert.match(a.agent.log, /the store of leases [^"]*nowhere/),
      );
      // Longer than the lease that it has.
      await new Promise((resolve) => setTimeout(resolve, ETCD_TTL * 1_250));
      await reload(a, then);
      await eventually("a has the other store's lease", STARTED_MS, () =>
        assert.match(a.agent.log, /it has the lease that the configuration asks for now/),
      );
      await reload(b, then);
      await eventually("b is told there that a has it", STARTED_MS, async () => {
        assert.match(b.agent.log, /the store of leases is another one/);
        assert.equal((await routerOf(b.agent)).mandate?.taken, true);
      });
      const pause = scene.longestPause(since);
      t.diagnostic(`another store: ${ms(pause)} without an answer`);
      assert.deepEqual(scene.answers(b, since), []);
      assert.deepEqual(transitions(a.agent, heard), []);
      const stopped = performance.now();
      await a.agent.stop();
      await scene.answeredBy(b, stopped, STARTED_MS);
      scene.neverBoth(a, b, stopped);
    });
  });

  test("reloads that ask for a lease, another one, or a fence: nobody leaves; where two are, one does", async (t) => {
    const store = await etcd(1);
    const settings = (folder: string) => [
      ...etcdSettings(store),
      ...fenceSettings(folder, "exit 0", 10),
    ];
    await Scene.run({ store, settings }, async (scene) => {
      await scene.startBoth();
      const needs = needing(scene);
      await needsChange(t, scene, needs);
      await oneOfTwoLeaves(t, scene, needs);
    });
  });
});
