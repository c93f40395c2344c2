import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Agent } from "./agent.ts";
import type { Member } from "./cluster.ts";
import { allTransitions, Cluster, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import type { InstanceText } from "./instance-text.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";

/* Accept_Mode: whether an active router takes packets to its addresses, seen by an observer. */

/** Of what happens in a fraction of a second, where nobody else is busy. */
const GRACE_MS = 15_000;
const PORT = 8080;
const REFUSED = "192.0.2.100";
const REFUSED6 = "2001:db8::100";
const REFUSED_LINK = "fe80::100";
const OPEN = "192.0.2.101";
const OWNED = "192.0.2.102";
const STRICT = "192.0.2.103";

const refusing: InstanceText = { vrid: 51, more: ["no_accept"] };

/** What both nodes run; the owner is on the first alone. */
const instances = (first: boolean, v: InstanceText = refusing): readonly InstanceText[] => {
  const priority = first ? 200 : 100;
  const own: InstanceText = { name: "OWNER", vrid: 54, priority: 255, addresses: [`${OWNED}/32`] };
  const all: readonly InstanceText[] = [
    { ...v, priority },
    {
      ...{ name: "V6", vrid: 52, priority, more: ["no_accept"] },
      addresses: [`${REFUSED_LINK}/64`, `${REFUSED6}/64`],
    },
    { name: "OPEN", vrid: 53, priority, addresses: [`${OPEN}/32`] },
    { name: "STRICT", vrid: 55, priority, addresses: [`${STRICT}/32`], more: ["strict_mode on"] },
  ];
  return first ? [...all, { ...own, more: ["no_accept"] }] : all;
};

const succeeds = async (from: LabNode, program: string, args: readonly string[]) => {
  const child = from.spawn(program, args, { stdio: "ignore" });
  const [status] = await once(child, "close");
  return status === 0;
};

const pings = (from: LabNode, address: string, seconds: number): Promise<boolean> =>
  succeeds(from, "ping", ["-c", "1", "-W", String(seconds), "-I", "eth0", address]);

/** A connection by TCP; neither an answer nor a refusal is no connection. */
const connects = (from: LabNode, address: string, seconds: number): Promise<boolean> => {
  const words = `exec 3<>/dev/tcp/${address}/${PORT}`;
  return succeeds(from, "timeout", [String(seconds), "bash", "-c", words]);
};

const answersPing = (from: LabNode, address: string): Promise<void> =>
  eventually(`ping ${address}`, GRACE_MS, async () => assert.ok(await pings(from, address, 2)));

const answersTcp = (from: LabNode, address: string): Promise<void> =>
  eventually(`TCP to ${address}`, GRACE_MS, async () =>
    assert.ok(await connects(from, address, 2)),
  );

const answersArp = (from: LabNode, address: string): Promise<void> =>
  eventually(`ARP for ${address}`, GRACE_MS, async () =>
    assert.ok(await succeeds(from, "arping", ["-f", "-w", "2", "-I", "eth0", address])),
  );

async function refusesPing(from: LabNode, address: string): Promise<void> {
  assert.equal(await pings(from, address, 0.4), false, `ping ${address}`);
}

async function refusesTcp(from: LabNode, address: string): Promise<void> {
  assert.equal(await connects(from, address, 0.5), false, `TCP to ${address}`);
}

const ruleset = (node: LabNode): string => node.exec("nft", ["list", "ruleset"]).stdout.trim();

/** How long what is in the gate's sets still has is another thing at each look. */
const timeless = (node: LabNode): string =>
  ruleset(node)
    .replaceAll(/ timeout \w+ expires \w+/g, "")
    .replaceAll(/,\s+/g, ", ");

const nft = (node: LabNode, words: string): void => {
  const { status, stderr } = node.exec("nft", words.split(" "));
  assert.equal(status, 0, stderr);
};

const neighbour = (node: LabNode, address: string): string =>
  node.exec("ip", ["-6", "neigh", "show", address]).stdout;

/** Something on this node that could be talked to, were packets accepted. */
async function serve(node: LabNode, context: TestContext): Promise<void> {
  const server = node.run(() => createServer((socket) => socket.end()).listen(PORT));
  context.after(() => void server.close());
  if (!server.listening) await once(server, "listening");
}

async function reload(agent: Agent, config: string): Promise<void> {
  const { generation } = (await agent.status()).configuration;
  agent.configure(config);
  process.kill(agent.pid, "SIGHUP");
  await eventually("the reload", GRACE_MS, async () => {
    assert.ok((await agent.status()).configuration.generation > generation);
  });
}

interface Scene {
  readonly a: Member;
  readonly b: Member;
  readonly client: LabNode;
}

/** Two nodes of which the first is active, and who has no filter of its own. */
function run(use: (scene: Scene, cluster: Cluster) => Promise<void> | void): Promise<void> {
  const configs = [configText(instances(true)), configText(instances(false))];
  return Cluster.run(configs, async (cluster) => {
    const [a, b] = [cluster.member(0), cluster.member(1)];
    await cluster.start();
    for (const name of ["V", "V6", "OPEN", "STRICT", "OWNER"]) {
      await untilState(a.agent, "active", GRACE_MS, name);
    }
    // The priorities have settled it: whoever came up first has given way.
    await untilState(b.agent, "backup", GRACE_MS);
    await eventually("its gates are open", GRACE_MS, async () => {
      for (const { fencing } of (await a.agent.status()).routers) {
        if (fencing.kind === "gate") assert.equal(fencing.gate?.state, "open");
      }
    });
    await use({ a, b, client: cluster.observer.node }, cluster);
  });
}

async function discovery(client: LabNode): Promise<void> {
  const mac = await eventually("it answers a solicitation by multicast", GRACE_MS, async () => {
    await refusesPing(client, REFUSED6);
    return /lladdr (\S+)/.exec(neighbour(client, REFUSED6))?.[1] ?? assert.fail();
  });
  // Asks by unicast, to the address itself.
  const probe = ["-6", "neigh", "replace", REFUSED6, "lladdr", mac, "dev", "eth0"];
  assert.equal(client.exec("ip", [...probe, "nud", "probe"]).status, 0);
  await eventually("the neighbour is reachable", GRACE_MS, () => {
    assert.match(neighbour(client, REFUSED6), /REACHABLE/);
  });
  await answersArp(client, REFUSED);
  await answersArp(client, STRICT);
}

async function otherLink({ a, client }: Scene, { lab }: Cluster): Promise<void> {
  const other = lab.segment("other");
  lab.attach(a.node, other, { name: "eth1", addresses: [`${REFUSED_LINK}/64`] });
  lab.attach(client, other, { name: "eth1", addresses: ["fe80::250/64"] });
  await eventually("eth1 answers", GRACE_MS, () => {
    const args = ["-c", "1", "-W", "1", `${REFUSED_LINK}%eth1`];
    assert.equal(client.exec("ping", args).status, 0);
  });
  await refusesPing(client, `${REFUSED_LINK}%eth0`);
}

async function forwarding({ a, client }: Scene, { lab }: Cluster): Promise<void> {
  const far = lab.node("far");
  lab.connect(a.node, { name: "eth2", addresses: ["198.51.100.1/24"] }, far, {
    name: "eth0",
    addresses: ["198.51.100.2/24"],
  });
  a.node.sysctl("ipv4/ip_forward", "1");
  far.exec("ip", ["route", "add", "default", "via", "198.51.100.1"]);
  client.exec("ip", ["route", "add", "198.51.100.0/24", "via", REFUSED]);
  await answersPing(client, "198.51.100.2");
  await refusesPing(client, REFUSED);
}

describe("Accept_Mode", { skip, concurrency: 3, timeout: 180_000 }, () => {
  after(nothingLeft);

  test("what an observer sees", async (context) => {
    await run(async (scene, cluster) => {
      const { a, b, client } = scene;
      await serve(a.node, context);

      await context.test(
        "rejected: an active router takes no packet to them [RFC9568-6.4.3/7]",
        async () => {
          const talked = [REFUSED, STRICT, REFUSED6];
          await Promise.all([
            ...[...talked, `${REFUSED_LINK}%eth0`].map((address) => refusesPing(client, address)),
            ...talked.map((address) => refusesTcp(client, address)),
          ]);
        },
      );

      await context.test(
        "accepted: it takes those to its other addresses [RFC9568-6.4.3/7]",
        async () => {
          for (const address of [OPEN, OWNED, a.address, "2001:db8::1"]) {
            await answersPing(client, address);
            await answersTcp(client, address);
          }
          await eventually("a backup has nothing to refuse", GRACE_MS, () =>
            assert.equal(ruleset(b.node), ""),
          );
        },
      );

      await context.test(
        "accepted: neighbour discovery is answered, by one and all [RFC9568-6.1/1]",
        () => discovery(client),
      );
      await context.test("the same link-local address on another interface is another host's", () =>
        otherLink(scene, cluster),
      );
      await context.test("forwarding goes on, also by way of a refused address", () =>
        forwarding(scene, cluster),
      );

      await context.test(
        "rejected: other ICMPv6 to the address does not pass with it [RFC9568-6.1/1]",
        async () => {
          await refusesPing(client, REFUSED6);
          // The filter stands in the way, and nothing else.
          nft(a.node, "insert rule inet holdfast input icmpv6 type echo-request accept");
          await answersPing(client, REFUSED6);
          await answersPing(client, `${REFUSED_LINK}%eth0`);
        },
      );
    });
  });

  test("rejected: in v2 likewise, no packet to them is taken [RFC3768-6.4.3/3]", async () => {
    const v2: InstanceText = { interval: 1, priority: 200, more: ["version 2", "no_accept"] };
    await Cluster.run([configText([v2])], async (cluster) => {
      await cluster.start();
      const { agent } = cluster.member(0);
      await untilState(agent, "active", GRACE_MS);
      await answersArp(cluster.observer.node, REFUSED);
      await refusesPing(cluster.observer.node, REFUSED);
    });
  });

  test("accepted: in v2 the owner takes packets, said what will [RFC3768-6.4.3/3]", async () => {
    const v2: InstanceText = { interval: 1, priority: 255, more: ["version 2", "no_accept"] };
    await Cluster.run([configText([v2])], async (cluster) => {
      await cluster.start();
      await untilState(cluster.member(0).agent, "active", GRACE_MS);
      await answersPing(cluster.observer.node, REFUSED);
    });
  });

  test("reloads switch it, and neither the address nor the state moves", async () => {
    await run(async ({ a, client }, cluster) => {
      const watch = await cluster.watch(REFUSED);
      const changes = watch.history.length;
      const start = await a.agent.heard();
      await reload(a.agent, configText(instances(true, { vrid: 51, more: ["accept"] })));
      await answersPing(client, REFUSED);
      await reload(a.agent, configText(instances(true)));
      await eventually("it refuses", GRACE_MS, () => refusesPing(client, REFUSED));
      assert.deepEqual(watch.history.slice(changes), []);
      assert.deepEqual(await allTransitions(a.agent, start), []);
    });
  });

  test("nothing is left after a stop but what the operator has; the next one refuses", async () => {
    await run(async ({ a, b, client }) => {
      nft(a.node, "add table inet theirs");
      await a.agent.stop();
      assert.equal(ruleset(a.node), "table inet theirs {\n}");
      await untilState(b.agent, "active", GRACE_MS);
      await answersArp(client, REFUSED);
      await refusesPing(client, REFUSED);
    });
  });

  test("what a killed agent left goes at the next start", async () => {
    await run(async ({ a, client }) => {
      await a.agent.killAll();
      assert.match(ruleset(a.node), /table inet holdfast/);
      a.agent.configure(configText([{ vrid: 51, priority: 200, more: ["accept"] }]));
      await a.agent.start();
      // A gate may be up already.
      assert.doesNotMatch(ruleset(a.node), /refused/);
      await eventually("it says so", GRACE_MS, () =>
        assert.match(a.agent.log, /removed the packet filter/),
      );
      await untilState(a.agent, "active", GRACE_MS);
      await answersPing(client, REFUSED);
    });
  });

  test("a kernel that refuses the filter: fault in one line, others run, and it recovers", async () => {
    const configs = [configText([refusing, { name: "OPEN", vrid: 53, addresses: [`${OPEN}/32`] }])];
    await Cluster.run(configs, async (cluster) => {
      const { agent, node } = cluster.member(0);
      // A table of this name with an owner: nobody else may touch it while that one lives.
      const owner = node.spawn("nft", ["-i"], { stdio: ["pipe", "ignore", "ignore"] });
      owner.stdin?.write("add table inet holdfast { flags owner; }\n");
      await eventually("the table", GRACE_MS, () => assert.match(ruleset(node), /owner/));
      await agent.start();
      await untilState(agent, "active", GRACE_MS, "OPEN");
      const { faults } = await untilState(agent, "fault", GRACE_MS);
      assert.deepEqual(faults, [{ cause: "packet-filter", subject: "nf_tables" }]);
      await eventually("it says so, once", GRACE_MS, () => {
        const lines = agent.log.split("\n").filter((line) => line.includes("cannot be refused"));
        assert.equal(lines.length, 1, agent.log);
      });
      owner.kill("SIGKILL");
      await untilState(agent, "active", GRACE_MS);
      await answersArp(cluster.observer.node, REFUSED);
      await refusesPing(cluster.observer.node, REFUSED);
    });
  });
});

// By itself, for its time.
describe("Accept_Mode, when somebody else is at the filter", { skip, timeout: 60_000 }, () => {
  after(nothingLeft);

  test("a flushed ruleset is repaired within a second, and said", async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await run(async ({ a, client }) => {
      const whole = timeless(a.node);
      const start = await a.agent.heard();
      await metronome.noise();
      const flushed = performance.now();
      nft(a.node, "flush ruleset");
      await eventually("it is back", GRACE_MS, () => assert.equal(timeless(a.node), whole));
      const took = performance.now() - flushed;
      const noise = await metronome.noise();
      assert.ok(took < 1_000 + noise, `after ${took} ms, noise ${noise} ms`);
      await untilEvent(a.agent, start, "the repair", GRACE_MS, ({ message }) =>
        message.includes("refuse packets to addresses (nft flush ruleset?): put back"),
      );
      await refusesPing(client, REFUSED);
    });
  });
});
