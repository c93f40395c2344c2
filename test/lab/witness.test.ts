import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import { ArpAsker, arpAnswers } from "./arp-asker.ts";
import { macText } from "./arp-frames.ts";
import type { Capture } from "./capture.ts";
import type { Member } from "./cluster.ts";
import { Cluster, routerOf, skip, transitions, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { StoreLine } from "./store-line.ts";
import type { Ensemble } from "./stores/ensemble.ts";
import { etcd } from "./stores/etcd.ts";
import { zookeeper } from "./stores/zookeeper.ts";

/* Two nodes that need leave of a store, or of a fence agent, before they hold the address. */

const OBSERVER = "192.0.2.250" as IpAddress;
const ETCD_TTL = 2;
const ZOOKEEPER_TTL = 4;
/** The nodes' ways to the stores lead through this process: it is to have time for them. */
const ASKED_MS = 20;
/** What busy machine and store may add. */
const SLACK_MS = 2_500;
const STARTED_MS = 20_000;
/** Slow enough that a busy machine finishes a preemption before anybody thinks that somebody is gone. */
const ADVERTISED_S = 0.3;

interface Plan {
  readonly global?: readonly string[];
  readonly instance?: readonly string[];
  readonly store?: Ensemble | undefined;
  /** holdfast.conf, for a folder of the node's own. */
  readonly settings: (folder: string) => readonly string[];
}

/** Nodes a and b, who answers for the address, and each one's way to the store. */
class Scene {
  readonly cluster: Cluster;
  readonly lines: readonly StoreLine[];
  readonly #capture: Capture;
  readonly #asker: ArpAsker;
  /** Frames of the capture that were read, and who answered when. */
  #read = 0;
  readonly #answers = new Map<string, number[]>();

  private constructor(cluster: Cluster, lines: readonly StoreLine[], capture: Capture) {
    this.cluster = cluster;
    this.lines = lines;
    this.#capture = capture;
    this.#asker = new ArpAsker(cluster.observer, SERVICE as IpAddress, OBSERVER, ASKED_MS);
  }

  static async run(plan: Plan, use: (scene: Scene) => Promise<void>): Promise<void> {
    const { global = [], instance = [], settings, store } = plan;
    const configs = [200, 100].map((priority) =>
      configText(
        [{ priority, interval: ADVERTISED_S, addresses: [`${SERVICE}/32`], more: instance }],
        global,
      ),
    );
    let scene: Scene | undefined;
    try {
      await Cluster.run(configs, async (cluster) => {
        const lines = cluster.nodes.map((node) => new StoreLine(node, store?.ports ?? []));
        for (const { agent } of cluster.members) {
          const text = settings(agent.folder).join("\n");
          writeFileSync(join(agent.folder, "holdfast.conf"), `${text}\n`, { mode: 0o600 });
        }
        scene = new Scene(cluster, lines, await cluster.capture("arp"));
        await use(scene);
      });
    } finally {
      scene?.close();
      for (const server of store?.servers ?? []) await server.dispose();
    }
  }

  get a(): Member {
    return this.cluster.member(0);
  }

  get b(): Member {
    return this.cluster.member(1);
  }

  async start(...members: readonly Member[]): Promise<void> {
    await Promise.all(
      members.map(({ agent }) => agent.start("--settings", join(agent.folder, "holdfast.conf"))),
    );
  }

  /** Both, and the first one is active. */
  async startBoth(): Promise<void> {
    await this.start(this.a);
    await untilState(this.a.agent, "active", STARTED_MS);
    await this.start(this.b);
    await this.settled();
    await this.answeredBy(this.a);
  }

  /** The first one is active, as it is at last. */
  async settled(): Promise<void> {
    await untilState(this.b.agent, "backup", STARTED_MS);
    await untilState(this.a.agent, "active", STARTED_MS);
  }

  /** Milliseconds from `since` (performance.now) to the first answer of this one. */
  async answeredBy(member: Member, since = performance.now(), withinMs = 10_000): Promise<number> {
    await eventually(`${member.node.name} answers`, withinMs, () =>
      assert.ok(this.answers(member, since).length > 0),
    );
    return (this.answers(member, since)[0] ?? 0) - since;
  }

  /** When this one answered, by performance.now. */
  answers({ eth0 }: Member, since = 0): readonly number[] {
    const mac = macText(eth0.mac);
    const { frames } = this.#capture;
    const fresh = frames.slice(this.#read);
    this.#read = frames.length;
    for (const answer of arpAnswers(fresh, this.cluster.observer.mac)) {
      const at = answer.at * 1_000 - performance.timeOrigin;
      const known = this.#answers.get(answer.mac) ?? [];
      known.push(at);
      this.#answers.set(answer.mac, known);
    }
    return (this.#answers.get(mac) ?? []).filter((at) => at >= since);
  }

  /** The last answer of the one comes before the first one of the other. */
  neverBoth(from: Member, to: Member, since: number): number {
    const last = this.answers(from, since).at(-1) ?? since;
    const first = this.answers(to, since)[0] ?? Number.POSITIVE_INFINITY;
    assert.ok(last < first, `both answered for ${(last - first).toFixed(1)} ms`);
    return first - last;
  }

  /** The longest time since then without an answer of anybody. */
  longestPause(since: number): number {
    const all = [this.a, this.b].flatMap((one) => this.answers(one, since)).sort((x, y) => x - y);
    return Math.max(0, ...all.slice(1).map((at, each) => at - (all[each] ?? at)));
  }

  /** Nobody at all answers any more from some time on within the limit; when that was. */
  async silent(since: number, withinMs: number): Promise<number> {
    const all = () => [this.a, this.b].flatMap((one) => this.answers(one, since));
    await eventually("nobody answers", withinMs, () =>
      assert.ok(performance.now() - Math.max(since, ...all()) > 500),
    );
    return Math.max(since, ...all()) - since;
  }

  close(): void {
    this.#asker.close();
    for (const line of this.lines) line.close();
  }
}

/** Neither hears the other's advertisements; everything else passes. */
function separate({ node }: Member): void {
  const rules = `table inet deaf {
  chain input { type filter hook input priority -400; ip protocol 112 drop; }
}`;
  const { status, stderr } = node.exec("nft", ["-f", "-"], rules);
  assert.equal(status, 0, stderr);
}

const rejoin = ({ node }: Member): void => {
  node.exec("nft", ["delete", "table", "inet", "deaf"]);
};

const etcdSettings = ({ ports }: Ensemble, ...more: readonly string[]): readonly string[] => [
  "witness etcd {",
  ...ports.map((port) => `  endpoint http://127.0.0.1:${port}`),
  `  ttl ${ETCD_TTL}`,
  ...more,
  "}",
];

const UNUSABLE = [
  "witness etcd {",
  "  endpoint https://127.0.0.1:1",
  "  ca_file /nowhere",
  `  ttl ${ETCD_TTL}`,
  "}",
];

/** Resolves when what has become of it is told. */
async function reload({ agent }: Member, settings: readonly string[]): Promise<string> {
  writeFileSync(join(agent.folder, "holdfast.conf"), `${settings.join("\n")}\n`);
  const heard = agent.events.length;
  process.kill(agent.pid, "SIGHUP");
  const about = ({ kind }: AgentEvent) => kind === "configuration";
  return (await untilEvent(agent, heard, "the reload", STARTED_MS, about)).message;
}

/** A fence agent that keeps what it was told; `last` is its last line. */
function fenceSettings(folder: string, last: string, timeout: number): readonly string[] {
  const program = join(folder, "fence_lab");
  writeFileSync(program, `#!/bin/sh\ncat >>${folder}/told\n${last}\n`, { mode: 0o755 });
  return [
    "fence pdu {",
    `  program ${program}`,
    "  option ip 192.0.2.9",
    `  timeout ${timeout}`,
    "}",
  ];
}

const told = ({ agent }: Member): string => {
  try {
    return readFileSync(join(agent.folder, "told"), "utf8");
  } catch {
    return "";
  }
};

const ms = (time: number): string => `${time.toFixed(0)} ms`;

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
        assert.match(a.agent.log, /its lease is one of the store that holdfast\.conf names now/),
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
      const heard = b.agent.events.length;
      process.kill(b.agent.pid, "SIGHUP");
      await untilEvent(b.agent, heard, "the reload", 5_000, ({ kind }) => kind === "configuration");
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
