import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { IpAddress } from "../../agent/core/address.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { AddressWatch } from "./address-watch.ts";
import type { Agent } from "./agent.ts";
import { ArpAsker, arpAnswers, handover } from "./arp-asker.ts";
import { macText } from "./arp-frames.ts";
import type { Capture } from "./capture.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { block, configText, SERVICE } from "./instance-text.ts";
import { Keepalived } from "./keepalived.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { advertisements } from "./vrrp-frames.ts";

/*
 * The vrrp process of the node that has the address dies, at advertisements a second: the supervisor
 * does in its place what it would have done at a graceful stop. A client asks for the address every 5 ms.
 */

const INTERVAL_S = 1;
const GRACE_MS = 15_000;
/** That a client may be without an answer, beyond what the machine does to everybody. */
const OUTAGE_MS = 100;
/** One after the other they see that it died, do in its place what it would have done, and take over. */
const CHAIN = 3;
/** Silence for an interval, the heartbeat under way, and what it takes to be scheduled. */
const STALL_MS = 1_000 + 250 + 250;

const AH = block("authentication", ["auth_type AH", "auth_pass s3cret"]);
const HMAC = block("auth_hmac", [
  "key 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
  "active_key 1",
]);

/** Nobody preempts: whoever takes the address keeps it. */
const config = (priority: number, more: readonly string[] = [], version = 3): string =>
  configText(
    [{ priority, interval: INTERVAL_S, more: ["nopreempt", ...more] }],
    version === 3 ? [] : [`vrrp_version ${version}`],
  );

/** One of the two who may have the address. */
interface Party {
  readonly node: LabNode;
  readonly mac: string;
  readonly address: string;
  readonly agent: Agent | Keepalived;
}

interface Scene {
  readonly parties: readonly [Party, Party];
  readonly watch: AddressWatch;
  readonly capture: Capture;
  readonly observer: LabInterface;
  readonly metronome: Metronome;
}

/** Two nodes: two Holdfasts, or one and keepalived. */
interface Plan {
  readonly name: string;
  readonly configs: readonly string[];
  readonly keepalived?: string;
}

const party = (
  { node, mac }: Pick<LabInterface, "node" | "mac">,
  address: string,
  agent: Party["agent"],
): Party => ({ node, mac: macText(mac), address, agent });

function otherParty(cluster: Cluster, keepalived: string | undefined): Party {
  const [, b] = cluster.members;
  if (b !== undefined) return party(b.eth0, b.address, b.agent);
  const address = "192.0.2.9";
  const node = cluster.lab.node("k");
  const attachment = { name: "eth0", addresses: [`${address}/24`] };
  const eth0 = cluster.lab.attach(node, cluster.lan, attachment);
  return party(eth0, address, new Keepalived(node, keepalived ?? ""));
}

/** The first node has the address, and the other one follows it. */
async function begin(cluster: Cluster, other: Party, metronome: Metronome): Promise<Scene> {
  const { node, eth0, address, agent } = cluster.member(0);
  const watch = await AddressWatch.start([node, other.node], SERVICE);
  const capture = await cluster.capture("arp or ip proto 112 or ip proto 51");
  await agent.start();
  await other.agent.start();
  await watch.until([node], GRACE_MS);
  const parties = [party(eth0, address, agent), other] as const;
  return { parties, watch, capture, observer: cluster.observer, metronome };
}

/** As long as somebody's gate may be open whose last advertisement came before a start: 2.75 intervals. */
const SETTLED_ADVERTS = 3;

/** It waits for the address, and has heard who has it for so long that it knows of nobody else. */
async function follows({ agent }: Party): Promise<void> {
  if (agent instanceof Keepalived) {
    await eventually("keepalived is a backup", GRACE_MS, () =>
      assert.match(agent.log, /Entering BACKUP STATE/),
    );
  } else {
    await untilState(agent, "backup", GRACE_MS);
    await eventually("it has heard enough", GRACE_MS, async () => {
      const [router] = (await agent.status()).routers;
      assert.ok((router?.counters.advertisementsReceived ?? 0) >= SETTLED_ADVERTS);
    });
  }
}

type Strike = (agent: Agent, watch: AddressWatch) => Promise<void>;

/** `strike` hits the holder; a client sees the other one take over. */
async function handsOver(
  { parties, watch, capture, observer, metronome }: Scene,
  t: TestContext,
  strike: Strike,
): Promise<void> {
  const [name] = watch.holders;
  const from = parties.find(({ node }) => node.name === name);
  const to = parties.find(({ node }) => node.name !== name);
  assert.ok(from !== undefined && to !== undefined && watch.holders.length === 1);
  await follows(to);
  const asker = new ArpAsker(observer, SERVICE as IpAddress, "192.0.2.250" as IpAddress);
  try {
    await delay(100);
    const start = capture.frames.length;
    const mark = watch.history.length;
    await metronome.noise();
    await strike(from.agent as Agent, watch);
    await watch.until([to.node], GRACE_MS);
    await capture.until((frames) => {
      const later = arpAnswers(frames.slice(start), observer.mac);
      return later.filter(({ mac }) => mac === to.mac).length >= 10;
    }, GRACE_MS);
    const noise = CHAIN * (await metronome.noise());
    const frames = capture.frames.slice(start);
    const seen = handover(arpAnswers(frames, observer.mac), from.mac, to.mac);
    const zero = advertisements(frames).filter(
      ({ source, priority }) => source === from.address && priority === 0,
    );
    t.diagnostic(
      `outage ${seen.outageMs.toFixed(1)} ms, both ${seen.bothMs.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`,
    );
    assert.equal(zero.length, 1, "one resignation was seen");
    assert.equal(seen.bothMs, 0, "both answered");
    assert.ok(
      seen.outageMs <= OUTAGE_MS + noise,
      `no answer for ${seen.outageMs} ms, noise ${noise} ms`,
    );
    const changes = watch.history.slice(mark).map(({ node, held }) => [node, held]);
    assert.deepEqual(changes, [
      [from.node.name, false],
      [to.node.name, true],
    ]);
  } finally {
    asker.close();
  }
}

const signal =
  (name: "SIGKILL" | "SIGSTOP", role: "vrrp" | "supervisor") =>
  async (agent: Agent): Promise<void> => {
    const { pid } = (await agent.status()).processes[role];
    assert.ok(pid !== null);
    process.kill(pid, name);
  };

const killed = signal("SIGKILL", "vrrp");

/** Clusters at the same time; `use` gets a scene of each. All are taken down, whatever happens. */
async function stage(
  plans: readonly Plan[],
  metronome: Metronome,
  use: (scenes: readonly Scene[]) => Promise<void>,
  opened: readonly Cluster[] = [],
): Promise<void> {
  const plan = plans[opened.length];
  if (plan !== undefined) {
    const more = (cluster: Cluster) => stage(plans, metronome, use, [...opened, cluster]);
    return Cluster.run(plan.configs, more);
  }
  const others = opened.map((cluster, each) => otherParty(cluster, plans[each]?.keepalived));
  const scenes: Scene[] = [];
  try {
    const begun = opened.map(async (cluster, each) => {
      scenes[each] = await begin(cluster, others[each] ?? assert.fail(), metronome);
    });
    await Promise.all(begun);
    await use(scenes);
  } finally {
    for (const { watch } of Object.values(scenes)) watch.close();
    for (const { agent } of others) if (agent instanceof Keepalived) agent.dispose();
  }
}

const PLANS: readonly Plan[] = [
  { name: "beside Holdfast", configs: [config(254), config(250)] },
  { name: "beside Holdfast, HMAC", configs: [config(254, HMAC), config(250, HMAC)] },
  { name: "beside keepalived", configs: [config(254)], keepalived: config(250) },
  { name: "beside keepalived, AH", configs: [config(254, AH, 2)], keepalived: config(250, AH, 2) },
];
const [HOLDFASTS, HMAC_PAIR] = [0, 1];

describe("last will", { skip, timeout: 180_000 }, () => {
  after(nothingLeft);

  test("another node takes over at once", async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await stage(PLANS, metronome, async (scenes) => {
      const step = (name: string, at: number, strike: Strike) =>
        t.test(name, (inner) => handsOver(scenes[at] ?? assert.fail(), inner, strike));
      // A pair that has just been struck is given time to settle while others are.
      for (const [at, { name }] of PLANS.entries()) {
        await step(`SIGKILL of the vrrp process ${name}`, at, killed);
      }
      // The other one counts for the hand-over.
      const meanwhile = await Metronome.start();
      t.after(() => meanwhile.close());
      await step("SIGSTOP of the vrrp process", HOLDFASTS, async (agent, watch) => {
        await meanwhile.noise();
        const at = performance.now();
        await signal("SIGSTOP", "vrrp")(agent);
        while (watch.holders.includes(agent.node.name)) await delay(5);
        const took = performance.now() - at;
        const noise = await meanwhile.noise();
        assert.ok(
          took < STALL_MS + noise,
          `its address was there for ${took} ms, noise ${noise} ms`,
        );
      });
      await step(
        "back to a process that counts on from where its predecessor ended",
        HMAC_PAIR,
        killed,
      );
      await step("SIGKILL of the supervisor", HOLDFASTS, signal("SIGKILL", "supervisor"));
    });
  });
});
