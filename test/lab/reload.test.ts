import assert from "node:assert/strict";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import { requestReload } from "../../agent/control/client.ts";
import type { ReloadPlan } from "../../agent/control/target.ts";
import type { AddressWatch } from "./address-watch.ts";
import { worstGap } from "./advert-gaps.ts";
import type { Agent } from "./agent.ts";
import { announcements } from "./arp-frames.ts";
import type { Capture } from "./capture.ts";
import type { Member } from "./cluster.ts";
import { allTransitions, Cluster, routerOf, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import type { InstanceText } from "./instance-text.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { advertisements } from "./vrrp-frames.ts";

/* One running agent, its file changed under it. K is the router that stays throughout. */

const INTERVAL_MS = 100;
const LATE_MS = 10;
const GRACE_MS = 15_000;
const RELOADS = 20;
const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");

const K: InstanceText = { name: "K", vrid: 51, addresses: [`${SERVICE}/32`, "192.0.2.101/32"] };
const L: InstanceText = { name: "L", vrid: 52, addresses: ["192.0.2.110/32"] };

interface Scene {
  readonly cluster: Cluster;
  readonly member: Member;
  readonly agent: Agent;
  readonly watch: AddressWatch;
  readonly capture: Capture;
  readonly metronome: Metronome;
}

type Step = (scene: Scene, t: TestContext) => Promise<void>;

async function reload(agent: Agent, config: string): Promise<ReloadPlan> {
  agent.configure(config);
  const outcome = await requestReload(agent.control);
  assert.ok(outcome.accepted, JSON.stringify(outcome));
  return outcome.plan;
}

/** K goes on as if nothing were: on time, in its state, with its first address. */
async function untouched(scene: Scene, t: TestContext, work: () => Promise<void>): Promise<void> {
  const { capture, metronome, agent, watch, member } = scene;
  const mark = capture.frames.length;
  const start = await agent.heard();
  const changes = watch.history.length;
  await metronome.noise();
  await work();
  const noise = await metronome.noise();
  const seen = advertisements(capture.frames.slice(mark)).filter(({ vrid }) => vrid === 51);
  const worst = worstGap(seen, member.address);
  t.diagnostic(
    `${seen.length} advertisements, worst gap ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`,
  );
  assert.ok(worst <= INTERVAL_MS + LATE_MS + noise, `a gap of ${worst} ms, noise ${noise} ms`);
  assert.ok(seen.every(({ priority }) => priority > 0));
  assert.deepEqual(await allTransitions(agent, start, "K"), []);
  assert.deepEqual(watch.history.slice(changes), []);
}

const addressesOf = ({ node }: Member): string =>
  node.exec("ip", ["-o", "-4", "address", "show"]).stdout;

const has = (member: Member, address: string, link = "eth0"): boolean =>
  addressesOf(member)
    .split("\n")
    .some((line) => line.includes(` ${link} `) && line.includes(` ${address}/`));

const broken = configText([K, { ...L, vrid: 300 }]);

const steps: Readonly<Record<string, Step>> = {
  [`${RELOADS} reloads that add and remove others`]: (scene, t) =>
    untouched(scene, t, async () => {
      const others = Array.from({ length: 5 }, (_, at) => ({
        name: `X${at}`,
        vrid: 60 + at,
        priority: 255,
        addresses: [`192.0.2.${120 + at}/32`],
      }));
      const names = others.map(({ name }) => name);
      for (let turn = 0; turn < RELOADS; turn += 1) {
        const adding = turn % 2 === 0;
        const plan = await reload(scene.agent, configText(adding ? [K, L, ...others] : [K, L]));
        assert.deepEqual(adding ? plan.added : plan.removed, names);
        assert.deepEqual(plan.kept, ["K", "L"]);
        await eventually("the addresses of the others came and went", GRACE_MS, () =>
          assert.equal(has(scene.member, "192.0.2.124"), adding),
        );
      }
    }),

  "another list of addresses: the old one goes, the new one comes and is announced": (scene, t) =>
    untouched(scene, t, async () => {
      const { member, agent, capture } = scene;
      const mark = capture.frames.length;
      assert.ok(has(member, "192.0.2.101"));
      const changed = { ...K, addresses: [`${SERVICE}/32`, "192.0.2.102/32"] };
      const plan = await reload(agent, configText([changed, L]));
      assert.deepEqual(plan, { added: [], removed: [], replaced: [], kept: ["K", "L"] });
      await eventually("the addresses are the new ones", GRACE_MS, () => {
        assert.ok(!has(member, "192.0.2.101") && has(member, "192.0.2.102"));
      });
      const announced = (frames: Capture["frames"]): readonly string[] =>
        announcements(frames.slice(mark)).map(({ address }) => address);
      await capture.until(() => announced(capture.frames).includes("192.0.2.102"), GRACE_MS);
      assert.ok(!announced(capture.frames).includes("192.0.2.101"));
      const { addresses } = await routerOf(agent, "K");
      assert.deepEqual(
        addresses.map(({ address, installed }) => [address, installed]),
        [
          [SERVICE, true],
          ["192.0.2.102", true],
        ],
      );
      await reload(agent, configText([K, L]));
    }),

  "another VRID replaces the router": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent, capture, member } = scene;
      const mark = capture.frames.length;
      const plan = await reload(agent, configText([K, { ...L, vrid: 53 }]));
      assert.deepEqual(plan, { added: [], removed: [], replaced: ["L"], kept: ["K"] });
      await untilState(agent, "active", GRACE_MS, "L");
      const sent = (vrid: number) =>
        advertisements(capture.frames.slice(mark)).filter((advert) => advert.vrid === vrid);
      await capture.until(() => sent(53).length > 0, GRACE_MS);
      assert.equal(sent(52).at(-1)?.priority, 0);
      await eventually("its address is back", GRACE_MS, () =>
        assert.ok(has(member, "192.0.2.110")),
      );
    }),

  "another interface moves it": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent, member, cluster } = scene;
      const far = cluster.lab.segment("far");
      cluster.lab.attach(member.node, far, { name: "eth1", addresses: ["198.51.100.1/24"] });
      const plan = await reload(agent, configText([K, { ...L, vrid: 53, interface: "eth1" }]));
      assert.deepEqual(plan.replaced, ["L"]);
      await untilState(agent, "active", GRACE_MS, "L");
      await eventually("its address has moved", GRACE_MS, () => {
        assert.ok(has(member, "192.0.2.110", "eth1") && !has(member, "192.0.2.110", "eth0"));
      });
    }),

  "another priority is advertised, without a change of state": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent, capture } = scene;
      const mark = capture.frames.length;
      await reload(agent, configText([{ ...K, priority: 77 }, L]));
      await capture.until(
        (frames) => advertisements(frames.slice(mark)).some(({ priority }) => priority === 77),
        GRACE_MS,
      );
      assert.equal((await routerOf(agent, "K")).priority.effective, 77);
    }),

  "a file with an error changes nothing, and the command says where and why": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent, member } = scene;
      const { generation } = (await agent.status()).configuration;
      agent.configure(broken);
      const line = broken.split("\n").findIndex((text) => text.includes("300")) + 1;
      const child = member.node.spawn(
        process.execPath,
        [PROGRAM, "reload", "--control", agent.control],
        { stdio: ["ignore", "pipe", "pipe"] },
      );
      let said = "";
      child.stdout?.on("data", (text) => {
        said += text;
      });
      const [status] = await once(child, "close");
      assert.equal(status, 2);
      assert.ok(said.includes(`${agent.configFile}:${line}:`), said);
      assert.match(said, /nothing changed: generation \d+ runs on/);
      const { configuration } = await agent.status();
      assert.equal(configuration.generation, generation);
      const refused = configuration.refused.map(({ position }) => position.line);
      assert.ok(refused.includes(line));
      const logged = new RegExp(`"level":"error".*${agent.configFile}:${line}:\\d+: `);
      await eventually("it is in the log", GRACE_MS, () => assert.match(agent.log, logged));
    }),

  "neither does a file that is gone": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent } = scene;
      renameSync(agent.configFile, `${agent.configFile}.away`);
      const outcome = await requestReload(agent.control);
      assert.ok(!outcome.accepted);
      assert.match(outcome.message, /cannot be read \(ENOENT\)/);
      writeFileSync(agent.configFile, broken);
    }),

  "SIGHUP reloads": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent } = scene;
      const { generation } = (await agent.status()).configuration;
      agent.configure(configText([K, L]));
      process.kill(agent.pid, "SIGHUP");
      await untilEvent(
        agent,
        0,
        "the reload",
        GRACE_MS,
        ({ kind, detail: { generation: accepted } }) =>
          kind === "configuration" && accepted === generation + 1,
      );
      assert.deepEqual((await agent.status()).configuration.refused, []);
    }),

  "reloads that come meanwhile become one": (scene, t) =>
    untouched(scene, t, async () => {
      const { agent } = scene;
      const { generation } = (await agent.status()).configuration;
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, () => requestReload(agent.control)),
      );
      assert.deepEqual(
        outcomes.map((outcome) => outcome.accepted),
        Array(6).fill(true),
      );
      const generations = outcomes.map((outcome) => outcome.generation - generation);
      assert.deepEqual([...new Set(generations)].sort(), [1, 2]);
    }),

  "a vrrp process that dies comes back with what was accepted, not with what the file holds":
    async ({ agent, watch, member }) => {
      agent.configure(broken);
      assert.equal((await requestReload(agent.control)).accepted, false);
      const { pid } = (await agent.status()).processes.vrrp;
      assert.ok(pid !== null);
      process.kill(pid, "SIGKILL");
      await watch.until([], GRACE_MS);
      await watch.until([member.node], GRACE_MS);
      assert.equal((await untilState(agent, "active", GRACE_MS, "L")).vrid, 52);
    },
};

describe("reload", { skip }, () => {
  after(nothingLeft);

  test("one node", async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await Cluster.run([configText([K, L])], async (cluster) => {
      const member = cluster.member(0);
      const { agent } = member;
      const watch = await cluster.watch(SERVICE);
      const capture = await cluster.capture("ip proto 112 or arp");
      await cluster.start();
      await watch.until([member.node], GRACE_MS);
      await untilState(agent, "active", GRACE_MS, "L");
      const scene: Scene = { cluster, member, agent, watch, capture, metronome };
      let whole = true;
      for (const [name, step] of Object.entries(steps)) {
        await t.test(name, { skip: !whole }, async (inner) => {
          whole = false;
          await step(scene, inner);
          whole = true;
        });
      }
    });
  });
});
