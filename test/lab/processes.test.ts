import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Status } from "../../agent/control/protocol.ts";
import type { AddressWatch } from "./address-watch.ts";
import { worstGap } from "./advert-gaps.ts";
import type { Agent } from "./agent.ts";
import type { Capture } from "./capture.ts";
import type { Member } from "./cluster.ts";
import { allTransitions, Cluster, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { advertisements } from "./vrrp-frames.ts";

/*
 * What the death or the silence of each process does. The nodes do not preempt: whoever takes the
 * address keeps it, so that every return as a backup can be seen.
 */

const INTERVAL_MS = 100;
/** Of priority 100. */
const SKEW_MS = 61;
const DOWN_MS = 3 * INTERVAL_MS + SKEW_MS;
const GRACE_MS = 15_000;
const LATE_MS = 10;
/** After so long a process has answered: three heartbeats, and what a busy machine adds. */
const SETTLED_MS = 2_500;

const config = (priority: number): string => configText([{ priority, more: ["nopreempt"] }]);

interface Scene {
  readonly cluster: Cluster;
  readonly watch: AddressWatch;
  readonly capture: Capture;
  readonly metronome: Metronome;
}

/** Who has the address, and who waits for it. */
function parts({ cluster, watch }: Scene): readonly [holder: Member, waiting: Member] {
  const [name] = watch.holders;
  const holder = cluster.members.find(({ node }) => node.name === name);
  const waiting = cluster.members.find(({ node }) => node.name !== name);
  assert.ok(holder !== undefined && waiting !== undefined && watch.holders.length === 1);
  return [holder, waiting];
}

// The agents of this file can be told to burn a CPU.
process.env["NODE_OPTIONS"] = `--import=${join(import.meta.dirname, "burn.mjs")}`;

/** `R`: running; `S`: asleep (proc(5)). */
const stateOf = (pid: number): string | undefined =>
  /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];

const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}/exe`);

const sentBy = ({ capture }: Scene, { address }: Member, from = 0) =>
  advertisements(capture.frames.slice(from)).filter(({ source }) => source === address);

/** No advertisement of the holder is late while `work` runs. */
async function onTime(scene: Scene, t: TestContext, work: () => Promise<void>): Promise<void> {
  const [holder] = parts(scene);
  const from = scene.capture.frames.length;
  await scene.metronome.noise();
  await work();
  const noise = await scene.metronome.noise();
  const seen = sentBy(scene, holder, from);
  const worst = worstGap(seen, holder.address);
  t.diagnostic(
    `${seen.length} advertisements, worst gap ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`,
  );
  assert.ok(seen.length >= 5);
  assert.ok(worst <= INTERVAL_MS + LATE_MS + noise, `a gap of ${worst} ms, noise ${noise} ms`);
  assert.deepEqual(scene.watch.holders, [holder.node.name]);
}

/** Several intervals in which everything stays as it is. */
async function nothingHappens(scene: Scene, intervals: number): Promise<void> {
  const { length } = scene.watch.history;
  await delay(intervals * INTERVAL_MS);
  assert.deepEqual(scene.watch.history.slice(length), []);
}

/** On a busy machine a process may be late with its part. */
const currentStatus = (agent: Agent): Promise<Status> =>
  eventually("the status is current", GRACE_MS, async () => {
    const status = await agent.status();
    assert.ok(status.current);
    return status;
  });

/** One that the test before had replaced may still load its program: it is given time for that. */
const settledDirector = (agent: Agent) =>
  eventually("the director has settled", 2 * GRACE_MS, async () => {
    const status = await agent.status();
    assert.ok(status.director !== undefined, "it answers");
    const { director } = status.processes;
    assert.ok(Date.now() - (director.startedAt ?? Date.now()) > SETTLED_MS);
    return director;
  });

type Step = (scene: Scene, t: TestContext) => Promise<void>;

/** So that who has the address has not just had its director replaced where that is to be stopped. */
const steps: Readonly<Record<string, Step>> = {
  "a stopped director delays nothing, shows in the status and is replaced": (scene, t) =>
    onTime(scene, t, async () => {
      const [{ agent }] = parts(scene);
      const director = await settledDirector(agent);
      assert.ok(director.pid !== null);
      process.kill(director.pid, "SIGSTOP");
      await nothingHappens(scene, 10);
      const meanwhile = await currentStatus(agent);
      assert.equal(meanwhile.processes.director.pid, director.pid);
      assert.equal(meanwhile.routers[0]?.state, "active");
      await eventually("it is replaced", GRACE_MS, async () => {
        const { processes } = await agent.status();
        assert.equal(processes.director.restarts, director.restarts + 1);
      });
    }),

  "SIGTERM hands the address over at once, and the node comes back as a backup": async (scene) => {
    const { watch, capture } = scene;
    const [holder, waiting] = parts(scene);
    const from = capture.frames.length;
    await scene.metronome.noise();
    assert.equal(await holder.agent.stop(), 0);
    await watch.until([waiting.node], GRACE_MS);
    const [left, came] = watch.history.slice(-2);
    assert.deepEqual([left?.node, left?.held], [holder.node.name, false]);
    assert.deepEqual([came?.node, came?.held], [waiting.node.name, true]);
    await capture.until(() => sentBy(scene, waiting, from).length >= 2, GRACE_MS);
    const [release] = sentBy(scene, holder, from).filter(({ priority }) => priority === 0);
    const [claim] = sentBy(scene, waiting, from);
    assert.ok(release !== undefined && claim !== undefined);
    // One skew, and not a whole down interval.
    const took = (claim.at - release.at) * 1_000;
    const late = await scene.metronome.noise();
    assert.ok(took > SKEW_MS - 5 && took < 250 + late, `${took} ms, noise ${late} ms`);
    const start = holder.agent.events.length;
    await holder.agent.start();
    await untilState(holder.agent, "backup", GRACE_MS);
    await nothingHappens(scene, 6);
    assert.deepEqual(await allTransitions(holder.agent, start), ["initialize to backup"]);
  },

  "a director that burns a CPU delays nothing": (scene, t) =>
    onTime(scene, t, async () => {
      const [{ agent }] = parts(scene);
      const director = await settledDirector(agent);
      const { pid } = director;
      assert.ok(pid !== null);
      await eventually("it burns", GRACE_MS, async () => {
        process.kill(pid, "SIGWINCH");
        for (let look = 0; look < 10; look += 1) {
          assert.equal(stateOf(pid), "R");
          await delay(20);
        }
      });
      await nothingHappens(scene, 10);
      await currentStatus(agent);
      await eventually("it is replaced", GRACE_MS, async () => {
        const { processes } = await agent.status();
        assert.equal(processes.director.restarts, director.restarts + 1);
      });
    }),

  "SIGKILL of the vrrp process: the supervisor clears up, and the next one is a backup": async (
    scene,
  ) => {
    const { watch } = scene;
    const [holder, waiting] = parts(scene);
    const before = await holder.agent.status();
    assert.ok(before.processes.vrrp.pid !== null);
    const start = await holder.agent.heard();
    process.kill(before.processes.vrrp.pid, "SIGKILL");
    await watch.until([waiting.node], GRACE_MS);
    await untilState(holder.agent, "backup", GRACE_MS);
    const { processes } = await currentStatus(holder.agent);
    assert.equal(processes.supervisor.pid, before.processes.supervisor.pid);
    assert.equal(processes.vrrp.restarts, before.processes.vrrp.restarts + 1);
    assert.notEqual(processes.vrrp.pid, before.processes.vrrp.pid);
    await eventually("it says so", GRACE_MS, () =>
      assert.match(holder.agent.log, /removed 1 address, .*sent 1 of 1 resignations/),
    );
    assert.doesNotMatch(holder.agent.log, /that an earlier run left/);
    await holder.agent.heard();
    const told = holder.agent.events.slice(start).find(({ kind }) => kind === "process");
    assert.match(
      told?.message ?? "",
      /the vrrp process ended \(signal SIGKILL\); the next one starts/,
    );
    await nothingHappens(scene, 6);
    assert.deepEqual(await allTransitions(holder.agent, start), ["initialize to backup"]);
  },

  "SIGKILL of the director delays nothing": (scene, t) =>
    onTime(scene, t, async () => {
      const [{ agent }] = parts(scene);
      const { director } = (await agent.status()).processes;
      assert.ok(director.pid !== null);
      process.kill(director.pid, "SIGKILL");
      await eventually("there is another director", GRACE_MS, async () => {
        const { processes, current } = await agent.status();
        assert.ok(current);
        assert.equal(processes.director.restarts, director.restarts + 1);
        assert.ok(processes.director.pid !== null && processes.director.pid !== director.pid);
      });
      await nothingHappens(scene, 6);
    }),

  "SIGKILL of the supervisor: the others let go gracefully and end": async (scene) => {
    const { watch, capture } = scene;
    const [holder, waiting] = parts(scene);
    const pids = await holder.agent.pids();
    assert.equal(pids.length, 3);
    const from = capture.frames.length;
    process.kill(holder.agent.pid, "SIGKILL");
    await watch.until([waiting.node], GRACE_MS);
    await eventually("its processes are gone", GRACE_MS, () => {
      assert.deepEqual(
        pids.filter((pid) => !isGone(pid)),
        [],
      );
    });
    await capture.until(
      () => sentBy(scene, holder, from).some(({ priority }) => priority === 0),
      GRACE_MS,
    );
    // The socket that it left is no obstacle.
    assert.ok(existsSync(holder.agent.control));
    await holder.agent.start();
    await untilState(holder.agent, "backup", GRACE_MS);
    await nothingHappens(scene, 6);
  },

  "SIGKILL of all: the next run first removes the address that was left": async (scene) => {
    const { watch, cluster } = scene;
    const [holder, waiting] = parts(scene);
    const mark = watch.history.length;
    await holder.agent.killAll();
    await watch.until(cluster.nodes, GRACE_MS);
    const start = holder.agent.events.length;
    await holder.agent.start();
    await watch.until([waiting.node], GRACE_MS);
    await untilState(holder.agent, "backup", GRACE_MS);
    await nothingHappens(scene, 6);
    assert.deepEqual(await allTransitions(holder.agent, start), ["initialize to backup"]);
    assert.deepEqual(
      watch.history.slice(mark).map(({ node, held }) => [node, held]),
      [
        [waiting.node.name, true],
        [holder.node.name, false],
      ],
    );
  },
};

/** Stops a process for as long as `meanwhile` takes, and lets it go on. */
async function paused(pid: number | null, meanwhile: () => Promise<unknown>): Promise<void> {
  assert.ok(pid !== null);
  process.kill(pid, "SIGSTOP");
  try {
    await meanwhile();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

const pauses: Readonly<Record<string, Step>> = {
  "a backup that was stopped hears what waits before it acts": async (scene) => {
    const [, waiting] = parts(scene);
    const before = await waiting.agent.status();
    const from = scene.capture.frames.length;
    // Longer than a down interval, and not so long that it is replaced.
    await paused(before.processes.vrrp.pid, () => nothingHappens(scene, 7));
    await nothingHappens(scene, 6);
    assert.deepEqual(sentBy(scene, waiting, from), []);
    const now = await waiting.agent.status();
    assert.equal(now.processes.vrrp.pid, before.processes.vrrp.pid);
    assert.deepEqual(now.routers[0]?.lastTransition, before.routers[0]?.lastTransition);
  },

  "an active node of higher priority that was stopped goes on, and the other yields": async (
    scene,
  ) => {
    const { cluster, watch } = scene;
    const [holder, waiting] = parts(scene);
    assert.equal(holder.node.name, "a");
    const { processes } = await holder.agent.status();
    const start = await holder.agent.heard();
    const otherStart = await waiting.agent.heard();
    await paused(processes.vrrp.pid, () => watch.until(cluster.nodes, GRACE_MS));
    await watch.until([holder.node], GRACE_MS);
    await nothingHappens(scene, 6);
    assert.deepEqual(await allTransitions(holder.agent, start), []);
    assert.deepEqual(await allTransitions(waiting.agent, otherStart), [
      "backup to active",
      "active to backup",
    ]);
    assert.equal((await holder.agent.status()).processes.vrrp.pid, processes.vrrp.pid);
  },

  "an active node of lower priority that was stopped yields without a word": async (scene) => {
    const { cluster, watch, capture } = scene;
    const [first] = parts(scene);
    await first.agent.stop();
    const low = cluster.member(1);
    await watch.until([low.node], GRACE_MS);
    await first.agent.start();
    await untilState(first.agent, "backup", GRACE_MS);
    const { processes } = await low.agent.status();
    const start = await low.agent.heard();
    let from = 0;
    await paused(processes.vrrp.pid, async () => {
      await watch.until(cluster.nodes, GRACE_MS);
      await capture.until(
        (frames) => advertisements(frames).at(-1)?.source === first.address,
        GRACE_MS,
      );
      from = capture.frames.length;
    });
    await watch.until([first.node], GRACE_MS);
    await nothingHappens(scene, 6);
    assert.deepEqual(await allTransitions(low.agent, start), ["active to backup"]);
    // The parting advertisement, as its address is gone; the claim that was due was never made.
    assert.ok(sentBy(scene, low, from).length <= 1);
  },

  "a machine that was paused takes none of its processes for stalled": async (scene) => {
    const [, waiting] = parts(scene);
    const { processes } = await waiting.agent.status();
    await paused(processes.director.pid, () =>
      paused(processes.vrrp.pid, async () => {
        // Until a heartbeat is under way that nobody has answered.
        await delay(700);
        await paused(processes.supervisor.pid, () => delay(3_500));
        // The supervisor goes on first.
        await delay(50);
      }),
    );
    // Longer than two heartbeats.
    await delay(1_300);
    const now = (await waiting.agent.status()).processes;
    assert.equal(now.vrrp.pid, processes.vrrp.pid);
    assert.equal(now.director.pid, processes.director.pid);
  },
};

function inOrder(title: string, script: Readonly<Record<string, Step>>): void {
  test(title, async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const watch = await cluster.watch(SERVICE);
      const capture = await cluster.capture("ip proto 112");
      await cluster.member(0).agent.start();
      await watch.until([cluster.member(0).node], DOWN_MS + GRACE_MS);
      await cluster.member(1).agent.start();
      const { counters } = await untilState(cluster.member(1).agent, "backup", GRACE_MS);
      assert.deepEqual(counters.dropped, {});
      const scene = { cluster, watch, capture, metronome };
      // Each step begins where the one before it has ended: after a failure there is no more to learn.
      let whole = true;
      for (const [name, step] of Object.entries(script)) {
        await t.test(name, { skip: !whole }, async (inner) => {
          whole = false;
          await step(scene, inner);
          whole = true;
        });
      }
    });
  });
}

describe("processes", { skip }, () => {
  after(nothingLeft);
  inOrder("death", steps);
  inOrder("silence", pauses);
});
