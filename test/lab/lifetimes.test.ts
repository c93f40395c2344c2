import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { AddressWatch } from "./address-watch.ts";
import type { Agent } from "./agent.ts";
import type { Member } from "./cluster.ts";
import { Cluster, routerOf, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";

/* What the kernel does about addresses while the whole agent is dead, or stands still. */

const GRACE_MS = 10_000;
/** The kernel counts in whole seconds, and begins them when it likes; and this machine is busy. */
const KERNEL_MS = 1_250;
const NOISE_MS = 250;

/** First of its prefix on the node, and not alone there. */
const SHELTERING = "198.51.100.1";
const SECOND = "198.51.100.9";
const V6 = "2001:db8::100";
/** Operators' addresses, in the subnets of ours. */
const OPERATORS = ["192.0.2.77", "2001:db8::77", SECOND];

/** No word of fencing: that is how a file of keepalived stands. */
const config = (priority: number, interval: number, addresses: readonly string[]): string =>
  configText([
    {
      priority,
      interval,
      addresses: [`${SERVICE}/24`, ...addresses],
      more: ["nopreempt", `virtual_ipaddress_excluded {\n ${V6}/64\n}`],
    },
  ]);

interface Shown {
  readonly local: string;
  readonly valid_life_time: number;
}

function shown({ node }: Member): ReadonlyMap<string, number> {
  const { stdout } = node.exec("ip", ["-j", "address", "show", "dev", "eth0"]);
  const [link]: readonly { readonly addr_info: readonly Shown[] }[] = JSON.parse(stdout);
  return new Map(link?.addr_info.map((one) => [one.local, one.valid_life_time]));
}

function add({ node }: Member, address: string): void {
  const more = address.includes(":") ? ["nodad"] : [];
  const { status, stderr } = node.exec("ip", ["addr", "add", address, "dev", "eth0", ...more]);
  assert.equal(status, 0, stderr);
}

/** To the supervisor first: it would see to the others. */
async function signalAll(agent: Agent, signal: NodeJS.Signals): Promise<number> {
  for (const pid of await agent.pids()) process.kill(pid, signal);
  return performance.now();
}

/** Everything dies at once. `interval` is reached by a reload: from a short one it is active sooner. */
async function killed(
  t: TestContext,
  interval: number,
  lifetime: number,
  busyMs = 0,
): Promise<void> {
  await Cluster.run([config(200, 0.1, [`${SHELTERING}/24`])], async (cluster) => {
    const member = cluster.member(0);
    const { agent, node } = member;
    node.sysctl("net/ipv4/conf/eth0/promote_secondaries", "0");
    await cluster.start();
    const watch = await cluster.watch(SERVICE);
    await watch.until([node], GRACE_MS);
    for (const address of OPERATORS) {
      add(member, `${address}/${address.includes(":") ? 64 : 24}`);
    }
    agent.configure(config(200, interval, [`${SHELTERING}/24`]));
    process.kill(agent.pid, "SIGHUP");
    await eventually("lifetimes are given", GRACE_MS, () => {
      const found = shown(member);
      for (const address of [SERVICE, V6]) {
        const left = found.get(address) ?? 0;
        assert.ok(left > lifetime - 2 && left <= lifetime, `${address}: ${left} s`);
      }
      assert.equal(found.get(SHELTERING), 0xffff_ffff);
      assert.match(agent.log, /198\.51\.100\.1\/24 on eth0 has no lifetime/);
    });
    if (busyMs > 0) await staysUnderLoad(member, watch, busyMs);
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await metronome.noise();
    const at = await signalAll(agent, "SIGKILL");
    const took = (await watch.until([], GRACE_MS)) - at;
    const noise = NOISE_MS + (await metronome.noise());
    t.diagnostic(`a lifetime of ${lifetime} s: gone ${took.toFixed(0)} ms after the death of all`);
    assert.ok(took <= lifetime * 1_000 + KERNEL_MS + noise, `${took} ms, noise ${noise} ms`);
    await eventually("the other one is gone as well", GRACE_MS, () =>
      assert.equal(shown(member).has(V6), false),
    );
    const left = shown(member);
    for (const address of [...OPERATORS, SHELTERING, member.address]) {
      assert.equal(left.get(address), 0xffff_ffff, address);
    }
    assert.match(
      node.exec("ip", ["-6", "route"]).stdout,
      /^2001:db8::\/64 dev eth0 (?!.*expires)/m,
    );
  });
}

/** With more to do than there are processors, it is not gone for a moment. */
async function staysUnderLoad({ node }: Member, watch: AddressWatch, forMs: number): Promise<void> {
  const burning = [1, 2].map(() => node.spawn(process.execPath, ["--eval", "for (;;);"]));
  try {
    await watch.unchanged(forMs);
  } finally {
    for (const child of burning) child.kill("SIGKILL");
  }
}

describe("lifetimes", { skip, concurrency: true, timeout: 60_000 }, () => {
  after(nothingLeft);

  test("never gone under load; all processes killed, advertisements every 100 ms", (t) =>
    killed(t, 0.1, 3, Number(process.env["HOLDFAST_LAB_WATCH_MS"] ?? 3_000)));

  test("all processes killed, advertisements every second", (t) => killed(t, 1, 5));

  test("who stood still until another one took over does not take it back", async (t) => {
    await Cluster.run([config(100, 0.1, []), config(200, 0.1, [])], async (cluster) => {
      const [a, b] = [cluster.member(0), cluster.member(1)];
      const watch = await cluster.watch(SERVICE);
      await a.agent.start();
      await watch.until([a.node], GRACE_MS);
      await b.agent.start();
      await untilState(b.agent, "backup", GRACE_MS);
      const pids = await a.agent.pids();
      const at = await signalAll(a.agent, "SIGSTOP");
      try {
        await watch.until([b.node], GRACE_MS);
        t.diagnostic(`its address was gone ${(performance.now() - at).toFixed(0)} ms after`);
      } finally {
        const unchanged = watch.unchanged(1_000);
        for (const pid of pids) process.kill(pid, "SIGCONT");
        await unchanged;
      }
      await untilState(a.agent, "backup", GRACE_MS);
      assert.equal((await routerOf(b.agent)).state, "active");
      assert.deepEqual(watch.holders, [b.node.name]);
    });
  });
});
