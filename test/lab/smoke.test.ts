import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { getuid } from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { AddressWatch } from "./address-watch.ts";
import { Agent } from "./agent.ts";
import { Capture } from "./capture.ts";
import type { SeenAdvertisement } from "./vrrp-frames.ts";
import { advertisements } from "./vrrp-frames.ts";

const skip = getuid?.() === 0 ? false : "needs root";

const ADDRESS = "192.0.2.100";

/** At 100 ms: down interval 300 ms and a skew. Version 3. */
const configuration = (priority: number, more = ""): string => `
global_defs { vrrp_version 3 }
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int 0.1
    virtual_ipaddress {
        ${ADDRESS}/24
        ${more}
    }
}
`;

interface Pair {
  readonly lab: Lab;
  readonly nodes: readonly [LabNode, LabNode];
  readonly agents: readonly [Agent, Agent];
  readonly watch: AddressWatch;
  readonly capture: Capture;
}

let pair: Pair | undefined;

/** Two nodes on a switch, both with the real processes. */
async function begin(): Promise<Pair> {
  const lab = new Lab();
  const segment = lab.segment("sw0");
  const nodes = [lab.node("high"), lab.node("low")] as const;
  for (const [at, node] of nodes.entries()) {
    lab.attach(node, segment, { name: "eth0", addresses: [`192.0.2.${at + 1}/24`] });
  }
  const agents = [
    new Agent(nodes[0], configuration(200)),
    new Agent(nodes[1], configuration(100)),
  ] as const;
  const [watch, capture] = await Promise.all([
    AddressWatch.start(nodes, ADDRESS),
    Capture.start(nodes[1], "eth0", "ip proto 112"),
  ]);
  return { lab, nodes, agents, watch, capture };
}

function running(): Pair {
  assert.ok(pair);
  return pair;
}

const ofSource = (seen: readonly SeenAdvertisement[], source: string) =>
  seen.filter((one) => one.source === source);

const largestGapMs = (seen: readonly SeenAdvertisement[]): number =>
  Math.max(...seen.slice(1).map(({ at }, index) => (at - (seen[index]?.at ?? at)) * 1_000));

before(async () => {
  if (skip === false) pair = await begin();
});

after(() => {
  if (pair === undefined) return;
  pair.watch.close();
  for (const agent of pair.agents) agent.dispose();
  pair.lab.dispose();
});

test("the higher priority becomes active and has the address; the other hears it", {
  skip,
}, async () => {
  const { agents, nodes, watch } = running();
  await Promise.all(agents.map((agent) => agent.start()));
  await watch.until([nodes[0]], 3_000);
  const [high, low] = await Promise.all(agents.map((agent) => agent.status()));
  assert.equal(high?.routers[0]?.state, "active");
  assert.equal(low?.routers[0]?.state, "backup");
  assert.equal(low?.routers[0]?.active?.address, "192.0.2.1");
  assert.deepEqual(low?.routers[0]?.counters.dropped, {});
});

test("reloads leave every advertisement on time", { skip }, async () => {
  const { agents, capture } = running();
  const [high] = agents;
  await delay(300);
  const from = advertisements(capture.frames).length;
  for (let each = 0; each < 5; each += 1) {
    high.configure(configuration(200, each % 2 === 0 ? "192.0.2.101/24" : ""));
    const { generation } = (await high.status()).configuration;
    process.kill(high.pid, "SIGHUP");
    while ((await high.status()).configuration.generation === generation) await delay(20);
    await delay(200);
  }
  const seen = ofSource(advertisements(capture.frames).slice(from), "192.0.2.1");
  assert.ok(seen.length >= 15);
  const gap = largestGapMs(seen);
  assert.ok(gap < 160, `the largest gap was ${gap} ms`);
  assert.ok(seen.every(({ priority }) => priority === 200));
});

test("a file with errors changes nothing", { skip }, async () => {
  const { agents } = running();
  const [high] = agents;
  const { generation } = (await high.status()).configuration;
  high.configure(configuration(200).replace("virtual_router_id 51", "virtual_router_id 999"));
  process.kill(high.pid, "SIGHUP");
  for (;;) {
    const { configuration: now, routers } = await high.status();
    assert.equal(now.generation, generation);
    assert.equal(routers[0]?.state, "active");
    if (now.refused.length > 0) break;
    await delay(20);
  }
  high.configure(configuration(200));
});

test("a director that is stopped or killed delays no advertisement", { skip }, async () => {
  const { agents, capture } = running();
  const { director } = (await agents[0].status()).processes;
  assert.ok(director.pid !== null);
  const from = advertisements(capture.frames).length;
  process.kill(director.pid, "SIGSTOP");
  await delay(500);
  process.kill(director.pid, "SIGKILL");
  await delay(500);
  const seen = ofSource(advertisements(capture.frames).slice(from), "192.0.2.1");
  const gap = largestGapMs(seen);
  assert.ok(gap < 160, `the largest gap was ${gap} ms`);
  const status = await agents[0].status();
  assert.ok(status.processes.director.restarts >= 1);
});

test("a vrrp process that is killed is replaced, and nobody is left with a stale address", {
  skip,
}, async () => {
  const { agents, nodes, watch } = running();
  const { vrrp } = (await agents[0].status()).processes;
  assert.ok(vrrp.pid !== null);
  const known = watch.history.length;
  process.kill(vrrp.pid, "SIGKILL");
  // Its successor removes what it left, before it listens; then the higher priority preempts.
  const isReleased = () =>
    watch.history.slice(known).some(({ node, held }) => node === "high" && !held);
  for (let turn = 0; !isReleased() && turn < 200; turn += 1) await delay(10);
  assert.ok(isReleased(), "the stale address was removed");
  await watch.until([nodes[0]], 5_000);
  const status = await agents[0].status();
  assert.equal(status.processes.vrrp.restarts, 1);
  assert.equal(status.routers[0]?.state, "active");
});

test("SIGTERM hands over at once: the address goes, then the resignation, then the other has it", {
  skip,
}, async () => {
  const { agents, nodes, watch, capture } = running();
  const status = await agents[0].stop();
  await watch.until([nodes[1]], 2_000);
  assert.equal(status, 0);
  const resignation = ofSource(advertisements(capture.frames), "192.0.2.1").at(-1);
  assert.equal(resignation?.priority, 0);
  const takeover = () =>
    ofSource(advertisements(capture.frames), "192.0.2.2").find(({ at }) => at > resignation.at);
  await capture.until(() => takeover() !== undefined, 1_000);
  const took = ((takeover()?.at ?? Number.NaN) - resignation.at) * 1_000;
  // Skew of priority 100 at 100 ms: 61 ms. Without the resignation it would be 361 ms.
  assert.ok(took > 55 && took < 200, `${took} ms`);
});

test("without its supervisor the vrrp process resigns and ends", { skip }, async () => {
  const { agents, nodes, watch } = running();
  const pids = await agents[1].pids();
  process.kill(agents[1].pid, "SIGKILL");
  await watch.until([], 500);
  assert.ok(nodes.length === 2);
  for (const pid of pids.slice(1)) {
    for (let turn = 0; isAlive(pid) && turn < 100; turn += 1) await delay(20);
    assert.equal(isAlive(pid), false);
  }
});

/** What has ended and was not collected by its parent yet is dead too. */
function isAlive(pid: number): boolean {
  try {
    const [state] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
    return state !== "Z";
  } catch {
    return false;
  }
}
