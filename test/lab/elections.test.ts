import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { requestReload } from "../../agent/control/client.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { AddressWatch } from "./address-watch.ts";
import type { Member } from "./cluster.ts";
import { allTransitions, Cluster, routerOf, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import type { InstanceText } from "./instance-text.ts";
import { block, configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

/*
 * Who of two nodes is active, by the settings that decide it. Each setting has a virtual router of its
 * own; `b`, of priority 100, runs first and holds all addresses when `a`, of priority 200, starts.
 */

const INTERVAL_MS = 100;
const GRACE_MS = 15_000;

/** On `a` or `b`. */
type Settings = (own: string, other: string, isHigh: boolean) => Partial<InstanceText>;

const settings: Readonly<Record<string, Settings>> = {
  preempt: () => ({}),
  nopreempt: () => ({ more: ["nopreempt"] }),
  preempt_delay: () => ({ more: ["preempt_delay 1"] }),
  unicast: (own, other) => ({
    more: [`unicast_src_ip ${own}`, ...block("unicast_peer", [other])],
  }),
  no_peer: () => ({ more: ["unicast_fault_no_peer", ...block("unicast_peer", [])] }),
  weight: (_own, _other, isHigh) => ({
    more: isHigh ? block("track_interface", ["eth1 weight -150"]) : [],
  }),
  no_weight: (_own, _other, isHigh) => ({
    more: isHigh ? block("track_interface", ["eth1"]) : [],
  }),
  source: (own, _other, isHigh) => ({
    more: isHigh ? ["mcast_src_ip 192.0.2.11", "track_src_ip"] : [`mcast_src_ip ${own}`],
  }),
  /** On an interface of its own, with an interval that allows for its delays. */
  delays: () => ({ interface: "eth2", interval: 0.4 }),
};

const NAMES = Object.keys(settings);
const addressOf = (name: string): string => `192.0.2.${150 + NAMES.indexOf(name)}`;

function config(isHigh: boolean, priority = isHigh ? 200 : 100): string {
  const [own, other] = isHigh ? ["192.0.2.1", "192.0.2.2"] : ["192.0.2.2", "192.0.2.1"];
  const instances = Object.entries(settings).map(([name, more], at) => ({
    name,
    vrid: 50 + at,
    priority,
    addresses: [`${addressOf(name)}/32`],
    ...more(own, other, isHigh),
  }));
  return configText(instances, [], block("interface_up_down_delays", ["eth2 0.6 0.6"]));
}

interface Scene {
  readonly a: Member;
  readonly b: Member;
  /** Of `a`. */
  readonly eth1: LabInterface;
  readonly eth2: LabInterface;
  readonly watches: ReadonlyMap<string, AddressWatch>;
}

function watchOf({ watches }: Scene, name: string): AddressWatch {
  const watch = watches.get(name);
  assert.ok(watch !== undefined);
  return watch;
}

const steps: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "the higher priority preempts": async (scene) => {
    await watchOf(scene, "preempt").until([scene.a.node], GRACE_MS);
    const { lastTransition } = await untilState(scene.a.agent, "active", GRACE_MS, "preempt");
    assert.equal(lastTransition?.reason, "preemption");
  },

  "unicast_peer: the same without multicast": async (scene) => {
    await watchOf(scene, "unicast").until([scene.a.node], GRACE_MS);
    const [peer] = (await routerOf(scene.a.agent, "unicast")).peers;
    assert.equal(peer?.address, scene.b.address);
  },

  "preempt_delay: it waits": async (scene) => {
    const name = "preempt_delay";
    await watchOf(scene, name).until([scene.a.node], GRACE_MS);
    const becomes = (state: string) =>
      untilEvent(
        scene.a.agent,
        0,
        `${name} ${state}`,
        GRACE_MS,
        ({ subject, detail: { to } }) => subject === name && to === state,
      );
    // By its own word: this process may hear of it late.
    const waited = (await becomes("active")).at - (await becomes("backup")).at;
    assert.ok(waited > 950 && waited < 2_500, `${waited} ms`);
  },

  "nopreempt: it stays a backup": async (scene) => {
    await delay(3 * INTERVAL_MS);
    assert.deepEqual(watchOf(scene, "nopreempt").holders, ["b"]);
    assert.deepEqual(await allTransitions(scene.a.agent, 0, "nopreempt"), ["initialize to backup"]);
    assert.equal((await routerOf(scene.a.agent, "nopreempt")).active?.address, scene.b.address);
  },

  "unicast_fault_no_peer: it waits in fault": async (scene) => {
    const { state, faults } = await routerOf(scene.a.agent, "no_peer");
    assert.equal(state, "fault");
    assert.deepEqual(faults, [{ cause: "no-unicast-peer", subject: "no_peer" }]);
    assert.deepEqual(watchOf(scene, "no_peer").history, []);
  },

  "track_interface: a weight moves the priority, none is a fault": async (scene) => {
    const { a, b, eth1 } = scene;
    const [weight, fault] = [watchOf(scene, "weight"), watchOf(scene, "no_weight")];
    await weight.until([a.node], GRACE_MS);
    await fault.until([a.node], GRACE_MS);
    eth1.setPlugged(false);
    await weight.until([b.node], GRACE_MS);
    await fault.until([b.node], GRACE_MS);
    const lighter = await untilState(a.agent, "backup", GRACE_MS, "weight");
    assert.equal(lighter.priority.base, 200);
    assert.equal(lighter.priority.effective, 50);
    const [contribution] = lighter.priority.contributions;
    assert.equal(contribution?.source, "track_interface eth1");
    assert.equal(contribution.weight, -150);
    const { faults } = await untilState(a.agent, "fault", GRACE_MS, "no_weight");
    assert.deepEqual(faults, [{ cause: "tracked-interface-down", subject: "eth1" }]);
    eth1.setPlugged(true);
    await weight.until([a.node], GRACE_MS);
    await fault.until([a.node], GRACE_MS);
    assert.equal((await routerOf(a.agent, "weight")).priority.effective, 200);
  },

  "track_src_ip: without its source address it is a fault": async (scene) => {
    const { a, b } = scene;
    const watch = watchOf(scene, "source");
    await watch.until([a.node], GRACE_MS);
    a.node.exec("ip", ["address", "del", "192.0.2.11/24", "dev", "eth0"]);
    await watch.until([b.node], GRACE_MS);
    const { faults } = await untilState(a.agent, "fault", GRACE_MS, "source");
    assert.deepEqual(faults, [{ cause: "source-address-missing", subject: "192.0.2.11" }]);
    a.node.exec("ip", ["address", "add", "192.0.2.11/24", "dev", "eth0"]);
    await watch.until([a.node], GRACE_MS);
  },

  "interface_up_down_delays: a short flap is nothing, a long one is": async (scene) => {
    const { a, b, eth2 } = scene;
    const watch = watchOf(scene, "delays");
    await watch.until([a.node], GRACE_MS);
    const { length } = watch.history;
    // Far below the delay: a busy machine makes more of it.
    eth2.setPlugged(false);
    await delay(100);
    eth2.setPlugged(true);
    await delay(800);
    assert.equal((await routerOf(a.agent, "delays")).state, "active");
    assert.deepEqual(watch.history.slice(length), []);
    const cutAt = performance.now();
    eth2.setPlugged(false);
    await untilState(a.agent, "fault", GRACE_MS, "delays");
    assert.ok(performance.now() - cutAt > 590);
    await watch.until([b.node], GRACE_MS);
    const pluggedAt = performance.now();
    eth2.setPlugged(true);
    await untilState(a.agent, "backup", GRACE_MS, "delays");
    assert.ok(performance.now() - pluggedAt > 590);
    await watch.until([a.node], GRACE_MS);
  },

  "a reload with a lower priority fails over": async (scene) => {
    const { a, b } = scene;
    const names = NAMES.filter((name) => name !== "no_peer" && name !== "nopreempt");
    a.agent.configure(config(true, 90));
    const { accepted } = await requestReload(a.agent.control);
    assert.ok(accepted);
    for (const name of names) await watchOf(scene, name).until([b.node], GRACE_MS);
    assert.equal((await routerOf(b.agent, "preempt")).lastTransition?.reason, "preemption");
  },
};

describe("elections", { concurrency: 2, skip }, () => {
  after(nothingLeft);

  test("of two nodes", async (t) => {
    await Cluster.run([config(true), config(false)], async (cluster) => {
      const [a, b] = [cluster.member(0), cluster.member(1)];
      const more = cluster.lab.segment("more");
      const third = cluster.lab.segment("third");
      const eth1 = cluster.lab.attach(a.node, more, { name: "eth1" });
      const [eth2] = [a, b].map(({ node }, at) =>
        cluster.lab.attach(node, third, { name: "eth2", addresses: [`198.51.100.${at + 1}/24`] }),
      );
      assert.ok(eth2 !== undefined);
      a.node.exec("ip", ["address", "add", "192.0.2.11/24", "dev", "eth0"]);
      const watches = new Map<string, AddressWatch>();
      for (const name of NAMES) watches.set(name, await cluster.watch(addressOf(name)));
      await b.agent.start();
      for (const name of NAMES) {
        if (name !== "no_peer") await watches.get(name)?.until([b.node], GRACE_MS);
      }
      await a.agent.start();
      await untilState(a.agent, "backup", GRACE_MS, "nopreempt");
      const scene: Scene = { a, b, eth1, eth2, watches };
      for (const [name, step] of Object.entries(steps)) await t.test(name, () => step(scene));
    });
  });

  test("vrrp_startup_delay: nothing is decided before it is over", async () => {
    const text = configText([{ priority: 255 }], ["vrrp_startup_delay 1"]);
    await Cluster.run([text], async (cluster) => {
      const { agent } = cluster.member(0);
      await agent.start();
      const first = await eventually("its first transition", GRACE_MS, () => {
        const event = agent.events.find(({ kind }) => kind === "transition");
        assert.ok(event !== undefined);
        return event;
      });
      const { startedAt } = (await agent.status()).processes.vrrp;
      assert.ok(startedAt !== null && first.at - startedAt >= 1_000);
      await untilState(agent, "active", GRACE_MS);
    });
  });
});
