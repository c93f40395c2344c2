import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import { worstGap } from "./advert-gaps.ts";
import type { Agent } from "./agent.ts";
import { allTransitions, Cluster, routerOf, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { block, configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { ScriptFolder } from "./script-folder.ts";
import { advertisements } from "./vrrp-frames.ts";

/* What scripts, files and processes that are tracked do to a pair, and what happens without a director. */

const GRACE_MS = 30_000;
const INTERVAL_MS = 100;
const LATE_MS = 10;
/** Of keepalived's readings when nobody keeps them up. */
const LAPSE_MS = 5_000;

const GLOBAL = ["script_user root"];
/** Whoever else works here: what is late then is late by its own doing. */
const REAL_TIME = "vrrp_rt_priority 20";

const vrrpScript = (name: string, path: string, ...more: readonly string[]) =>
  block(`vrrp_script ${name}`, [
    `script "${path}"`,
    ...["interval 0.2", "timeout 1", "rise 1", "fall 1"],
    ...more,
  ]);

const track = (...lines: readonly string[]) => block("track_script", lines);

async function withScripts(use: (scripts: ScriptFolder) => Promise<void>): Promise<void> {
  const scripts = new ScriptFolder();
  try {
    await use(scripts);
  } finally {
    scripts.dispose();
  }
}

const untilPriority = (agent: Agent, priority: number): Promise<unknown> =>
  eventually(`priority ${priority} on ${agent.node.name}`, GRACE_MS, async () => {
    assert.equal((await routerOf(agent)).priority.effective, priority);
  });

const isDown = ({ kind, detail }: AgentEvent): boolean =>
  kind === "check" && detail["to"] === "down";

/** As soon as it is there: a status would wait for what a director that starts does not answer. */
function killDirector({ pid }: Agent): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  for (const child of children) {
    const path = `/proc/${child}/cmdline`;
    if (!existsSync(path) || !readFileSync(path, "utf8").includes("director")) continue;
    process.kill(Number(child), "SIGKILL");
  }
}

/** Two nodes whose first has its service checked by a script; the address is on the first. */
const pair = (
  weight: number,
  use: (cluster: Cluster, scripts: ScriptFolder) => Promise<void>,
): Promise<void> =>
  withScripts(async (scripts) => {
    const path = scripts.script("chk", 0);
    const first = configText(
      [{ priority: 150, more: track(`chk weight ${weight}`) }],
      [...GLOBAL, REAL_TIME],
      vrrpScript("chk", path),
    );
    const second = configText([{ priority: 100 }], [REAL_TIME]);
    await Cluster.run([first, second], async (cluster) => {
      await cluster.start();
      const { agent } = cluster.member(0);
      await untilState(agent, "active", GRACE_MS);
      // With a weight it does not wait for the first result.
      await eventually("the script has succeeded", GRACE_MS, async () => {
        const { director } = await agent.status();
        assert.equal(director?.checks[0]?.verdict, "up");
      });
      await use(cluster, scripts);
    });
  });

describe("tracking", { skip, concurrency: 3, timeout: 180_000 }, () => {
  after(nothingLeft);

  test("a script that fails takes the address to the other node, and back", () =>
    pair(-60, async (cluster, scripts) => {
      const [{ agent: first, node: a }, { agent: second, node: b }] = [
        cluster.member(0),
        cluster.member(1),
      ];
      const watch = await cluster.watch(SERVICE);
      scripts.order("chk", 1);
      await watch.until([b], GRACE_MS);
      await untilState(second, "active", GRACE_MS);
      const { priority, state } = await routerOf(first);
      assert.equal(state, "backup");
      assert.equal(priority.effective, 90);
      const [part] = priority.contributions;
      assert.equal(part?.source, "script chk");
      assert.ok(Date.now() - (part?.since ?? 0) < GRACE_MS);
      const [check] = (await first.status()).director?.checks ?? [];
      assert.equal(check?.verdict, "down");
      assert.equal(check?.reason, "ended with status 1");
      scripts.order("chk", 0);
      await watch.until([a], GRACE_MS);
    }));

  test("without a weight it is a fault, with the tracker's name; the other takes over at once", () =>
    pair(0, async (cluster, scripts) => {
      const [{ agent: first }, { node: b }] = [cluster.member(0), cluster.member(1)];
      const watch = await cluster.watch(SERVICE);
      const start = await first.heard();
      scripts.order("chk", 1);
      await watch.until([b], GRACE_MS);
      const told = await untilEvent(
        first,
        start,
        "the fault",
        GRACE_MS,
        ({ kind }) => kind === "transition",
      );
      assert.equal(told.message, "active to fault: tracker script chk");
      scripts.order("chk", 0);
      await untilState(first, "active", GRACE_MS);
      assert.deepEqual(await allTransitions(first, start), [
        "active to fault",
        "fault to backup",
        "backup to active",
      ]);
    }));

  test("a script that hangs, and ignores SIGTERM, counts at its timeout", () =>
    pair(-60, async (cluster, scripts) => {
      const { agent: first } = cluster.member(0);
      const start = await first.heard();
      scripts.write("chk", "#!/bin/sh\ntrap '' TERM\nsleep 100 & wait; wait; sleep 100\n");
      const began = performance.now();
      const told = await untilEvent(first, start, "it", GRACE_MS, isDown);
      const took = performance.now() - began;
      assert.match(told.message, /up to down/);
      // Its interval, its timeout, and what a busy machine adds.
      assert.ok(took < 5_000, `${took} ms`);
    }));

  test("a file's number moves the priority as soon as it is written", () =>
    withScripts(async (scripts) => {
      scripts.write("number", "5");
      const config = configText(
        [{ priority: 100, more: block("track_file", ["number weight 2"]) }],
        GLOBAL,
        block("track_file number", [`file ${scripts.file("number")}`]),
      );
      await Cluster.run([config], async (cluster) => {
        await cluster.start();
        const { agent } = cluster.member(0);
        await untilPriority(agent, 110);
        scripts.write("number", "-10");
        await untilPriority(agent, 80);
        scripts.remove("number");
        await untilPriority(agent, 100);
      });
    }));

  test("a script without a result yet keeps a node from starting, and a policy that is missing too", () =>
    withScripts(async (scripts) => {
      // It has a result when it is told to.
      const [slow, go] = [scripts.script("slow", 0), scripts.file("go")];
      scripts.write("slow", `#!/bin/sh\nuntil [ -e ${go} ]; do sleep 0.05; done\n`);
      const config = configText(
        [
          { priority: 100, more: track("slow") },
          { name: "W", vrid: 52, addresses: ["192.0.2.101/32"], more: track("none") },
        ],
        GLOBAL,
        [
          ...block("vrrp_script slow", [`script "${slow}"`, "interval 60", "timeout 50"]),
          ...block("vrrp_script none", ['script "policy:nobody/alive"']),
        ],
      );
      await Cluster.run([config], async (cluster) => {
        await cluster.start();
        const { agent } = cluster.member(0);
        const missing = await untilState(agent, "fault", GRACE_MS, "W");
        assert.deepEqual(missing.faults, [{ cause: "tracker", subject: "script none" }]);
        assert.equal((await routerOf(agent)).state, "initialize");
        scripts.write("go", "");
        await untilState(agent, "active", GRACE_MS);
      });
    }));

  test("the startup script runs before the first router, the shutdown script after the last", () =>
    withScripts(async (scripts) => {
      const [start, stop] = ["start", "stop"].map((name) => scripts.recorder(name));
      const config = configText(
        [{ priority: 100 }],
        [...GLOBAL, `startup_script "${start} one two"`, `shutdown_script "${stop} three"`],
      );
      await Cluster.run([config], async (cluster) => {
        const { agent } = cluster.member(0);
        await agent.start("-P");
        assert.deepEqual(scripts.record, ["start one two"]);
        await untilState(agent, "active", GRACE_MS);
        const watch = await cluster.watch(SERVICE);
        assert.equal(await agent.stop(), 0);
        assert.deepEqual(scripts.record, ["start one two", "stop three"]);
        await watch.until([], GRACE_MS);
      });
    }));
});

// By itself, for its times.
describe("tracking without a director", { skip, timeout: 120_000 }, () => {
  after(nothingLeft);

  test("a director that dies delays no advertisement, and what it found holds until it is back", (t) =>
    pair(-60, async (cluster, scripts) => {
      const metronome = await Metronome.start();
      t.after(() => metronome.close());
      const { agent: first, address } = cluster.member(0);
      scripts.order("chk", 1);
      await untilPriority(first, 90);
      await untilState(first, "backup", GRACE_MS);
      const { agent: second, address: other } = cluster.member(1);
      await untilState(second, "active", GRACE_MS);
      const capture = await cluster.capture("ip proto 112");
      await metronome.noise();
      const start = await first.heard();
      killDirector(first);
      killDirector(second);
      await delay(2_000);
      const noise = await metronome.noise();
      const seen = advertisements(capture.frames);
      const worst = worstGap(seen, other);
      t.diagnostic(`worst gap ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`);
      assert.ok(worst <= INTERVAL_MS + LATE_MS + noise, `a gap of ${worst} ms, noise ${noise} ms`);
      assert.deepEqual(
        seen.filter(({ source }) => source === address),
        [],
      );
      assert.deepEqual(await allTransitions(first, start), []);
      assert.equal((await routerOf(first)).priority.effective, 90);
      scripts.order("chk", 0);
      await untilPriority(first, 150);
    }));

  test("a director that dies again and again: after five seconds nothing it found counts", (t) =>
    pair(0, async (cluster) => {
      const metronome = await Metronome.start();
      t.after(() => metronome.close());
      const [{ agent: first, address }, { node: b, address: other }] = [
        cluster.member(0),
        cluster.member(1),
      ];
      const watch = await cluster.watch(SERVICE);
      const capture = await cluster.capture("ip proto 112");
      const began = performance.now();
      await metronome.noise();
      let looping = true;
      const loop = (async () => {
        while (looping) {
          killDirector(first);
          await delay(10);
        }
      })();
      try {
        await watch.until([b], LAPSE_MS + GRACE_MS);
        const took = performance.now() - began;
        assert.ok(took > LAPSE_MS - 200, `after ${took} ms only`);
        assert.deepEqual(
          (await routerOf(first)).faults.map(({ subject }) => subject),
          ["script chk"],
        );
        await eventually("it says why", GRACE_MS, () =>
          assert.match(
            first.log,
            /director: no word for 5 s: tracked scripts, files and processes/,
          ),
        );
      } finally {
        looping = false;
        await loop;
      }
      // The last one is started after the longest wait.
      await untilState(first, "active", 2 * GRACE_MS);
      const noise = await metronome.noise();
      const seen = advertisements(capture.frames);
      // Each while it is active: the pause of the first, between its fault and its return, is none.
      const own = seen.filter(({ source }) => source === address);
      const fault = own.findIndex(({ priority }) => priority === 0);
      assert.ok(fault > 0);
      for (const part of [own.slice(0, fault), seen.filter(({ source }) => source === other)]) {
        const worst = Math.max(worstGap(part, address), worstGap(part, other));
        t.diagnostic(`worst gap ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms`);
        assert.ok(
          worst <= INTERVAL_MS + LATE_MS + noise,
          `a gap of ${worst} ms, noise ${noise} ms`,
        );
      }
    }));
});
