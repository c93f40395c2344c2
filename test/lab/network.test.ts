import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import type { AddressWatch } from "./address-watch.ts";
import { announcements, macText } from "./arp-frames.ts";
import type { Capture, Frame } from "./capture.ts";
import type { Member } from "./cluster.ts";
import {
  allTransitions,
  Cluster,
  routerOf,
  skip,
  transitions,
  untilEvent,
  untilState,
} from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { block, configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { advertisements } from "./vrrp-frames.ts";

/* What happens to the network around two agents: `a` has the higher priority, and preempts. */

const INTERVAL_MS = 100;
/** Of what happens in a fraction of a second, where nobody else is busy. */
const GRACE_MS = 15_000;
/** Within half of the time in which removals count together. */
const SOON_MS = 5_000;

interface Scene {
  readonly cluster: Cluster;
  readonly watch: AddressWatch;
  readonly capture: Capture;
  readonly a: Member;
  readonly b: Member;
}

type Step = (scene: Scene) => Promise<void>;

const sentBy = ({ capture }: Scene, { address }: Member, from = 0) =>
  advertisements(capture.frames.slice(from)).filter(({ source }) => source === address);

/** `fail` makes `a` fault for this cause; `mend` brings it back, and its address with it. */
async function faultAndBack(
  { watch, a, b }: Scene,
  cause: string,
  fail: () => unknown,
  mend: () => unknown,
): Promise<void> {
  const start = await a.agent.heard();
  fail();
  await watch.until([b.node], GRACE_MS);
  const { faults } = await untilState(a.agent, "fault", GRACE_MS);
  assert.deepEqual(
    faults.map((fault) => fault.cause),
    [cause],
  );
  mend();
  await watch.until([a.node], GRACE_MS);
  await untilState(a.agent, "active", GRACE_MS);
  assert.deepEqual(await allTransitions(a.agent, start), [
    "active to fault",
    "fault to backup",
    "backup to active",
  ]);
}

/** Resolves with what was told of rivals from event `start` on, when there is none any more. */
const rivalIsOver = ({ agent }: Member, start: number): Promise<readonly AgentEvent[]> =>
  eventually("there is no rival", GRACE_MS, async () => {
    await agent.heard();
    const told = agent.events
      .slice(start)
      .filter(({ detail }) => detail["alarm"] === "rival-heard");
    assert.ok((told.at(-1)?.detail["over"] ?? true) === true);
    return told;
  });

const ip = ({ node }: Member, ...args: readonly string[]): void => {
  const { status, stderr } = node.exec("ip", args);
  assert.equal(status, 0, stderr);
};

const steps: Readonly<Record<string, Step>> = {
  "a cable that is pulled, and plugged in": (scene) =>
    faultAndBack(
      scene,
      "interface-down",
      () => scene.a.eth0.setPlugged(false),
      () => scene.a.eth0.setPlugged(true),
    ),

  "an interface that is switched off, and on": (scene) =>
    faultAndBack(
      scene,
      "interface-down",
      () => scene.a.eth0.setUp(false),
      () => scene.a.eth0.setUp(true),
    ),

  "a source address that is removed, and added": (scene) =>
    faultAndBack(
      scene,
      "source-address-missing",
      () => ip(scene.a, "address", "del", `${scene.a.address}/24`, "dev", "eth0"),
      () => ip(scene.a, "address", "add", `${scene.a.address}/24`, "dev", "eth0"),
    ),

  "an interface that is flushed, and has its own address again": (scene) =>
    faultAndBack(
      scene,
      "source-address-missing",
      () => ip(scene.a, "-4", "address", "flush", "dev", "eth0"),
      () => ip(scene.a, "address", "add", `${scene.a.address}/24`, "dev", "eth0"),
    ),

  "an address that somebody else removes is put back and announced": async (scene) => {
    const { a, watch, capture } = scene;
    const mark = watch.history.length;
    const from = capture.frames.length;
    ip(a, "address", "del", `${SERVICE}/32`, "dev", "eth0");
    await untilEvent(a.agent, 0, "the removal", GRACE_MS, ({ message }) =>
      message.includes("was removed by somebody else: put back"),
    );
    // Gone and back: before, it may still be there for all that was heard.
    await watch.changed(mark + 1, GRACE_MS);
    await capture.until(
      (frames) => announcements(frames.slice(from)).some(({ address }) => address === SERVICE),
      GRACE_MS,
    );
    const seen = watch.history.slice(mark).map(({ node, held }) => [node, held]);
    assert.deepEqual(seen, [
      ["a", false],
      ["a", true],
    ]);
    assert.deepEqual((await routerOf(a.agent)).faults, []);
  },

  "a port that does not forward: both hold it; then one yields, the other announces": async (
    scene,
  ) => {
    const { cluster, watch, capture, a, b } = scene;
    b.eth0.setForwarding(false);
    await watch.until(cluster.nodes, GRACE_MS);
    const from = capture.frames.length;
    const start = await b.agent.heard();
    // Else it may hear the other first, and yield before anybody has heard of it.
    b.eth0.setDeaf(true);
    b.eth0.setForwarding(true);
    await eventually("it is heard", GRACE_MS, () => assert.ok(sentBy(scene, b, from).length > 0));
    b.eth0.setDeaf(false);
    await watch.until([a.node], GRACE_MS);
    await untilState(b.agent, "backup", GRACE_MS);
    // What it sent until now is captured with the next that the other one sends.
    const mark = sentBy(scene, a).length;
    await capture.until(() => sentBy(scene, a).length > mark + 1, GRACE_MS);
    const own = (frames: readonly Frame[]) =>
      announcements(frames.slice(from)).filter(({ mac }) => mac === macText(a.eth0.mac));
    const last = sentBy(scene, b, from).at(-1);
    assert.ok(last !== undefined);
    await capture.until((frames) => own(frames).some(({ at }) => at > last.at), GRACE_MS);
    assert.deepEqual(await allTransitions(b.agent, start), ["active to backup"]);
    assert.equal((await routerOf(b.agent)).lastTransition?.reason, "higher-priority");
    assert.equal(sentBy(scene, b, from).at(-1)?.at, last.at);
  },

  "a backup that is deaf claims, the active one alarms; with its hearing it yields": async (
    scene,
  ) => {
    const { cluster, watch, a, b } = scene;
    await rivalIsOver(a, 0);
    const start = await a.agent.heard();
    b.eth0.setDeaf(true);
    await watch.until(cluster.nodes, GRACE_MS);
    await untilEvent(
      a.agent,
      start,
      "its rival",
      GRACE_MS,
      ({ detail: { alarm } }) => alarm === "rival-heard",
    );
    b.eth0.setDeaf(false);
    await watch.until([a.node], GRACE_MS);
    const told = await rivalIsOver(a, start);
    assert.deepEqual(await allTransitions(a.agent, start), []);
    // A rival that had no time to advertise is told of anew.
    for (const [at, { detail }] of told.entries()) {
      assert.deepEqual([detail["from"], detail["over"] === true], [b.address, at % 2 === 1]);
    }
  },

  "an active node that is deaf changes nothing": async ({ watch, a, b }) => {
    const mark = watch.history.length;
    a.eth0.setDeaf(true);
    await delay(8 * INTERVAL_MS);
    assert.equal((await routerOf(a.agent)).state, "active");
    assert.equal((await routerOf(b.agent)).state, "backup");
    a.eth0.setDeaf(false);
    assert.deepEqual(watch.history.slice(mark), []);
  },

  "an interface that is deleted, and another one of its name": async (scene) => {
    const { cluster, a } = scene;
    let index = a.eth0.index;
    await faultAndBack(
      scene,
      "interface-missing",
      () => ip(a, "link", "del", "eth0"),
      () => {
        const again = cluster.lab.attach(a.node, cluster.lan, {
          name: "eth0",
          addresses: [`${a.address}/24`],
        });
        index = again.index;
      },
    );
    assert.notEqual(index, a.eth0.index);
    // It hears on the new one as well as it sends.
    assert.ok((await routerOf(a.agent)).peers.some(({ address }) => address === scene.b.address));
  },
};

describe("network", { concurrency: 3, skip }, () => {
  after(nothingLeft);

  test("around two nodes", async (t) => {
    const config = (priority: number): string => configText([{ priority }]);
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const watch = await cluster.watch(SERVICE);
      const capture = await cluster.capture("ip proto 112 or arp");
      await cluster.start();
      const [a, b] = [cluster.member(0), cluster.member(1)];
      await watch.until([a.node], GRACE_MS);
      await untilState(b.agent, "backup", GRACE_MS);
      // Whoever counts what it tells from here on counts nothing of its start.
      await untilEvent(a.agent, 0, "its start", GRACE_MS, ({ detail: { to } }) => to === "active");
      let whole = true;
      for (const [name, step] of Object.entries(steps)) {
        await t.test(name, { skip: !whole }, async () => {
          whole = false;
          await step({ cluster, watch, capture, a, b });
          whole = true;
        });
      }
    });
  });

  test("an address that is removed again and again is left to the other node", async () => {
    const config = (priority: number): string => configText([{ priority }]);
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const watch = await cluster.watch(SERVICE);
      await cluster.start();
      const [a, b] = [cluster.member(0), cluster.member(1)];
      await watch.until([a.node], GRACE_MS);
      const removals: number[] = [];
      while (watch.holders.join() === a.node.name && removals.length < 10) {
        const mark = watch.history.length;
        removals.push(performance.now());
        ip(a, "address", "del", `${SERVICE}/32`, "dev", "eth0");
        await watch.changed(mark, GRACE_MS);
        await eventually("one of them has it", GRACE_MS, () =>
          assert.equal(watch.holders.length, 1),
        );
      }
      assert.deepEqual(watch.holders, [b.node.name]);
      // Those that a busy machine has come later do not count together.
      const [first = 0, , third = Number.POSITIVE_INFINITY] = removals;
      assert.ok(removals.length >= 3, `after ${removals.length}`);
      if (third - first < SOON_MS) assert.equal(removals.length, 3);
      const { faults } = await untilState(a.agent, "fault", GRACE_MS);
      assert.deepEqual(faults, [{ cause: "address-lost", subject: SERVICE }]);
      // Ten quiet seconds later it is trusted again.
      await watch.until([a.node], 10_000 + GRACE_MS);
    });
  });

  test("another host that has the address is told of with its MAC, and so is its end", async () => {
    await Cluster.run([configText([{ priority: 200 }])], async (cluster) => {
      const { agent } = cluster.member(0);
      const { node, mac } = cluster.observer;
      const other = (verb: string) =>
        assert.equal(node.exec("ip", ["address", verb, `${SERVICE}/32`, "dev", "eth0"]).status, 0);
      await agent.start();
      await untilState(agent, "active", GRACE_MS);
      other("add");
      const claimed = (over: boolean) =>
        untilEvent(agent, 0, "the other host", 10_000 + GRACE_MS, ({ detail }) => {
          const { alarm, from, address } = detail;
          const same = from === macText(mac) && address === SERVICE;
          return (
            alarm === "address-claimed-elsewhere" && same && (detail["over"] === true) === over
          );
        });
      await claimed(false);
      other("del");
      await claimed(true);
    });
  });

  test("an interface that is missing at the start is waited for", async () => {
    const config = configText([
      { priority: 200, interface: "late0" },
      { name: "W", vrid: 52, addresses: ["192.0.2.101/32"] },
    ]);
    await Cluster.run([config], async (cluster) => {
      const watch = await cluster.watch(SERVICE);
      const { agent, node } = cluster.member(0);
      await agent.start();
      // The others run meanwhile.
      await untilState(agent, "active", GRACE_MS, "W");
      const waiting = await routerOf(agent);
      assert.equal(waiting.state, "fault");
      assert.deepEqual(waiting.faults, [{ cause: "interface-missing", subject: "late0" }]);
      cluster.lab.attach(node, cluster.lan, { name: "late0", addresses: ["192.0.2.77/24"] });
      await watch.until([node], GRACE_MS);
      assert.equal((await untilState(agent, "active", GRACE_MS)).interface, "late0");
      assert.deepEqual(await allTransitions(agent), [
        "initialize to fault",
        "fault to backup",
        "backup to active",
      ]);
    });
  });

  test("a sync group moves as a whole when one of two segments is lost", async () => {
    const config = (priority: number): string =>
      configText(
        [
          { name: "INNER", priority },
          {
            name: "OUTER",
            priority,
            vrid: 52,
            interface: "eth1",
            addresses: ["198.51.100.100/32"],
          },
        ],
        [],
        block("vrrp_sync_group G", block("group", ["INNER", "OUTER"])),
      );
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const [a, b] = [cluster.member(0), cluster.member(1)];
      const second = cluster.lab.segment("wan");
      const links = [a, b].map(({ node }, at) =>
        cluster.lab.attach(node, second, { name: "eth1", addresses: [`198.51.100.${at + 1}/24`] }),
      );
      const inner = await cluster.watch(SERVICE);
      const outer = await cluster.watch("198.51.100.100");
      await cluster.start();
      const both = async (member: Member): Promise<void> => {
        await Promise.all([
          inner.until([member.node], GRACE_MS),
          outer.until([member.node], GRACE_MS),
        ]);
      };
      await both(a);
      links[0]?.setPlugged(false);
      await both(b);
      const { faults } = await untilState(a.agent, "fault", GRACE_MS, "INNER");
      assert.deepEqual(faults, [{ cause: "sync-group", subject: "G" }]);
      assert.equal((await a.agent.status()).groups?.[0]?.state, "fault");
      links[0]?.setPlugged(true);
      await both(a);
      // And the other way round, as the first one names the group.
      a.eth0.setPlugged(false);
      await both(b);
      a.eth0.setPlugged(true);
      await both(a);
      await eventually("both members went the same way", GRACE_MS, () => {
        const inward = transitions(b.agent, 0, "INNER");
        assert.ok(inward.length >= 5);
        assert.deepEqual(inward, transitions(b.agent, 0, "OUTER"));
      });
    });
  });
});
