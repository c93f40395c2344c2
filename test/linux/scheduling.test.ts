import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { SchedulingConfig } from "../../agent/config/config.ts";
import { milliseconds } from "../../agent/core/time.ts";
import { PriorityEscalation } from "../../agent/linux/automatic-priority.ts";
import type { SchedulingFailure } from "../../agent/linux/scheduling.ts";

const source = (file: string): string =>
  JSON.stringify(new URL(`../../agent/linux/${file}`, import.meta.url).href);

/** What a process of its own says about itself after it was scheduled; `prefix` starts it. */
function scheduled(
  config: Partial<SchedulingConfig>,
  prefix: readonly string[] = [],
): { failures: SchedulingFailure[]; threads: string[][]; limits: string; status: string } {
  const script = `
    const { applyScheduling } = await import(${source("scheduling.ts")});
    const { readFileSync, readdirSync } = await import("node:fs");
    const none = { nice: undefined, realtimePriority: undefined, realtimeLimit: undefined, cpuAffinity: undefined, noSwap: false };
    const failures = applyScheduling({ ...none, ...${JSON.stringify(config)} });
    const threads = readdirSync("/proc/self/task").map((id) =>
      readFileSync("/proc/self/task/" + id + "/stat", "utf8").split(") ")[1].split(" "));
    console.log(JSON.stringify({ failures, threads,
      limits: readFileSync("/proc/self/limits", "utf8"), status: readFileSync("/proc/self/status", "utf8") }));`;
  const [command = "", ...args] = [
    ...prefix,
    ...[process.execPath, "--input-type=module", "-e", script],
  ];
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

/** Fields of /proc/<pid>/stat behind the name, counted from the state. */
const NICE = 16;
const REALTIME_PRIORITY = 37;
const POLICY = 38;

describe("scheduling", () => {
  test("nice, CPUs, limit and locked memory are as configured, on every thread", () => {
    const { failures, threads, limits, status } = scheduled({
      nice: -7,
      cpuAffinity: [0],
      realtimeLimit: 200_000,
      noSwap: true,
    });
    // Where there is swap, only the unit can keep the heap from it.
    const expected = failures.filter(({ remedy }) => remedy.includes("MemorySwapMax"));
    assert.deepEqual(failures, expected);
    assert.ok(threads.length > 1);
    assert.deepEqual([...new Set(threads.map((fields) => fields[NICE]))], ["-7"]);
    assert.match(status, /Cpus_allowed_list:\t0\n/);
    assert.match(limits, /Max realtime timeout +200000 +unlimited +us/);
    assert.doesNotMatch(status, /VmLck:\t +0 kB/);
  });

  test("real-time priority is had by every thread and not by children, or refused with a remedy", () => {
    const { failures, threads } = scheduled({ realtimePriority: 20 });
    // Some containers have no share of real-time, whatever the capabilities.
    if (spawnSync("chrt", ["--rr", "20", "true"]).status !== 0) {
      assert.deepEqual(
        failures.map(({ setting, errno }) => `${setting}: ${errno}`),
        ["real-time priority 20: EPERM"],
      );
      assert.match(failures[0]?.remedy ?? "", /^run as root/);
      return;
    }
    assert.deepEqual(failures, []);
    // SCHED_RR is 2; the flag for forks is not shown.
    for (const fields of threads) {
      assert.deepEqual([fields[REALTIME_PRIORITY], fields[POLICY]], ["20", "2"]);
    }
  });

  test("a reload that asks for less gives back what was asked for", () => {
    const script = `
      const { scheduler } = await import(${source("scheduling.ts")});
      const { readFileSync } = await import("node:fs");
      const none = { nice: undefined, realtimePriority: undefined, realtimeLimit: undefined, cpuAffinity: undefined, noSwap: false };
      const schedule = scheduler();
      const before = readFileSync("/proc/self/status", "utf8");
      schedule({ ...none, nice: -7, realtimePriority: 20, realtimeLimit: 900000, cpuAffinity: [0] });
      const failures = schedule(none);
      const stat = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
      const cpus = (text) => /Cpus_allowed_list:(.*)/.exec(text)[1];
      console.log(JSON.stringify({ failures, nice: stat[16], policy: stat[38],
        cpus: cpus(before) === cpus(readFileSync("/proc/self/status", "utf8")),
        limits: readFileSync("/proc/self/limits", "utf8") }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    const { limits, ...after } = JSON.parse(stdout);
    assert.deepEqual(after, { failures: [], nice: "0", policy: "0", cpus: true });
    assert.match(limits, /Max realtime timeout +unlimited +unlimited/);
  });

  test("without the capability each refusal is named with its remedy", () => {
    const { failures } = scheduled({ nice: -7, realtimePriority: 20, cpuAffinity: [1_000] }, [
      ...["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"],
    ]);
    const settings = failures.map(({ setting, errno }) => `${setting}: ${errno}`);
    assert.deepEqual(settings, [
      "nice value -7: EACCES",
      "real-time priority 20: EPERM",
      "CPUs 1000: EINVAL",
    ]);
    for (const { remedy } of failures) assert.match(remedy, /^(run as root|name CPUs)/);
  });
});

describe("max_auto_priority", () => {
  const none = { realtimePriority: undefined, realtimeLimit: undefined };
  const late = (ms: number) => milliseconds(ms);

  test("each late deadline raises the priority by one, up to the ceiling", () => {
    const asked: (number | undefined)[] = [];
    const escalation = new PriorityEscalation((config) => {
      asked.push(config.realtimePriority);
      assert.ok(config.realtimeLimit !== undefined, "never without the brake");
      return [];
    });
    assert.equal(escalation.met(late(5_000)), undefined, "not configured");
    escalation.configure({ ceiling: 3, lateness: late(100) }, none);
    assert.equal(escalation.met(late(99)), undefined);
    assert.match(escalation.met(late(100)) ?? "", /100 ms late: the real-time priority is 1 now/);
    for (let times = 0; times < 4; times += 1) escalation.met(late(200));
    assert.deepEqual(asked, [1, 2, 3]);
    escalation.configure({ ceiling: 60, lateness: late(100) }, { ...none, realtimePriority: 50 });
    escalation.met(late(200));
    assert.equal(asked.at(-1), 51, "from the configured one");
  });

  test("a refusal is said once", () => {
    const failure = { setting: "real-time priority 1", errno: "EPERM", remedy: "run as root" };
    const escalation = new PriorityEscalation(() => [failure]);
    escalation.configure({ ceiling: 3, lateness: late(1) }, none);
    assert.match(escalation.met(late(1)) ?? "", /refused real-time priority 1 \(EPERM\)/);
    assert.equal(escalation.met(late(1)), undefined);
  });
});

describe("process identity", () => {
  test("a process is named, and dies with its parent", async () => {
    const child = `
      const { dieWithParent, nameProcess } = await import(${source("process-identity.ts")});
      nameProcess("hf_vrrp_of_a_long_name");
      if (!dieWithParent("SIGKILL", Number(process.argv[1]))) process.exit(9);
      console.log(process.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(
      process.execPath,
      [
        "-e",
        `const { spawn } = require("node:child_process");
         spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(child)}, String(process.pid)], { stdio: "inherit" });
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = await once(parent.stdout, "data");
    const pid = Number(line);
    assert.equal(readFileSync(`/proc/${pid}/comm`, "utf8"), "hf_vrrp_of_a_lo\n");
    assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /^hf_vrrp_of_a_long_name/);
    parent.kill("SIGKILL");
    // The pipe ends when the last process that holds it is gone.
    parent.stdout.resume();
    await once(parent.stdout, "end");
  });
});
