import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { BfdSnapshot } from "../../agent/core/bfd/snapshot.ts";
import { worstGap } from "./advert-gaps.ts";
import type { Agent } from "./agent.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { advertisements } from "./vrrp-frames.ts";

/*
 * Three nodes: `a` has the address and watches `c`, which only answers; `b` waits. The session is
 * 3 × 50 ms.
 */

const DETECTION_MS = 150;
const ADVERT_MS = 100;
const GRACE_MS = 15_000;
/** For two hundred packets of each, and for a director to be replaced. */
const BUSY_MS = 10_000;
/** From the detection to the word of it, in a process of its own priority. */
const MARGIN_MS = 20;

const GLOBAL = ["vrrp_rt_priority 50"];

const session = (host: number): readonly string[] => [
  ...["bfd_instance peer {", `neighbor_ip 192.0.2.${host}`, "min_rx 50", "min_tx 50"],
  ...["multiplier 3", "}"],
];

const CONFIGS = [
  configText([{ priority: 200, more: ["track_bfd {", "peer", "}"] }], GLOBAL, session(3)),
  configText([{ priority: 100 }], GLOBAL),
  configText([], GLOBAL, session(1)),
];

// The agents of this file can be told to burn a CPU.
process.env["NODE_OPTIONS"] = `--import=${join(import.meta.dirname, "burn.mjs")}`;

const sessionOf = async (agent: Agent): Promise<BfdSnapshot> => {
  const [first] = (await agent.status()).bfd.sessions;
  assert.ok(first !== undefined);
  return first;
};

const untilUp = (agent: Agent): Promise<void> =>
  eventually("the session is up, and quick", GRACE_MS, async () => {
    const { state, detectionTime } = await sessionOf(agent);
    assert.deepEqual([state, detectionTime], ["up", DETECTION_MS * 1_000]);
  });

/** The director of this agent burns a CPU, and so does each that takes its place. */
async function burn(agent: Agent, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { director } = (await agent.status()).processes;
    if (director.pid !== null) process.kill(director.pid, "SIGWINCH");
    await delay(500);
  }
}

const burner = (): ChildProcess =>
  spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore", env: { NODE_OPTIONS: "" } });

describe("BFD", { skip, timeout: 120_000 }, () => {
  after(nothingLeft);

  test("track_bfd moves an address, and moves it back", (t) =>
    Cluster.run(CONFIGS, async (cluster) => {
      const [a, b, c] = [cluster.member(0), cluster.member(1), cluster.member(2)];
      const watch = await cluster.watch(SERVICE);
      await cluster.start();
      await untilUp(a.agent);
      await watch.until([a.node], GRACE_MS);
      const metronome = await Metronome.start();
      t.after(() => metronome.close());
      await metronome.noise();
      const died = performance.now();
      const [took] = await Promise.all([
        watch.until([b.node], GRACE_MS).then((at) => at - died),
        c.agent.killAll(),
      ]);
      const noise = await metronome.noise();
      const fault = await untilState(a.agent, "fault", GRACE_MS);
      assert.deepEqual(fault.faults, [{ cause: "tracker", subject: "track_bfd peer" }]);
      t.diagnostic(
        `from the death of the neighbour to the new address: ${took.toFixed(0)} ms, noise ${noise.toFixed(0)} ms`,
      );
      // A release takes a skew of the other's interval, and polling some more.
      assert.ok(took < DETECTION_MS + ADVERT_MS + 250 + noise, `${took} ms, noise ${noise} ms`);
      await c.agent.start();
      await watch.until([a.node], GRACE_MS);
      assert.equal((await sessionOf(a.agent)).flaps, 1);
    }));

  test(`3 × 50 ms under load: no false alarm in ${BUSY_MS / 1_000} s, and a death is found`, (t) =>
    Cluster.run(CONFIGS, async (cluster) => {
      const [a, , c] = [cluster.member(0), cluster.member(1), cluster.member(2)];
      await cluster.start();
      await untilUp(a.agent);
      await untilState(a.agent, "active", GRACE_MS);
      const capture = await cluster.capture("ip proto 112");
      const metronome = await Metronome.start(["chrt", "--rr", "50"]);
      t.after(() => metronome.close());
      const busy = [burner(), burner()];
      t.after(() => {
        for (const one of busy) one.kill("SIGKILL");
      });
      const end = new AbortController();
      const burning = burn(a.agent, end.signal);
      await metronome.noise();
      await delay(BUSY_MS);
      const noise = await metronome.noise();
      const [ours, theirs] = [await sessionOf(a.agent), await sessionOf(c.agent)];
      assert.deepEqual([ours.flaps, theirs.flaps], [0, 0], "a false alarm");
      assert.ok(ours.counters.received > (BUSY_MS / 50) * 0.9);
      const worst = worstGap(
        advertisements(capture.frames).filter(({ source }) => source === a.address),
        a.address,
      );
      t.diagnostic(
        `worst gap of advertisements ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`,
      );
      assert.ok(worst <= ADVERT_MS + 10 + noise, `a gap of ${worst} ms`);
      const died = Date.now();
      await c.agent.killAll();
      const found = await eventually("the death is found", GRACE_MS, async () => {
        const now = await sessionOf(a.agent);
        assert.equal(now.state, "down");
        return now.lastChange;
      });
      end.abort();
      await burning;
      assert.equal(found.reason, "detection-time-expired");
      const took = found.at - died;
      t.diagnostic(`found after ${took} ms`);
      assert.ok(took <= DETECTION_MS + MARGIN_MS + noise, `${took} ms`);
    }));
});
