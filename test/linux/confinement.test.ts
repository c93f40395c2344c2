import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { getuid } from "node:process";
import { describe, test } from "node:test";

const skip = getuid?.() === 0 ? false : "needs root, to give something up";
const MODULE = JSON.stringify(new URL("../../agent/linux/confinement.ts", import.meta.url).href);

/** What a confined process of its own says about itself, and about what it tries. */
function confined(kept: readonly string[], prefix: readonly string[] = []) {
  const script = `
    const { confine } = await import(${MODULE});
    const { readFileSync, readdirSync, existsSync } = await import("node:fs");
    const { spawnSync } = await import("node:child_process");
    const { pbkdf2 } = await import("node:crypto");
    const problems = confine(${JSON.stringify(kept)});
    const statusOf = (id) => Object.fromEntries(
      readFileSync("/proc/self/task/" + id + "/status", "utf8").split("\\n").map((line) => line.split(":\\t")));
    const own = statusOf(process.pid);
    const threads = readdirSync("/proc/self/task").map(statusOf);
    const { error } = spawnSync("/bin/true");
    // A thread that is started only now.
    await new Promise((resolve) => pbkdf2("a", "b", 1, 8, "sha256", resolve));
    console.log(JSON.stringify({ problems, own, threads, spawned: error?.code ?? "spawned" }));`;
  const words = [...prefix, process.execPath, "--input-type=module", "-e", script];
  const [command = "", ...args] = words;
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(stderr, "");
  return JSON.parse(stdout) as {
    problems: string[];
    own: Record<string, string>;
    threads: Record<string, string>[];
    spawned: string;
  };
}

const NET_ADMIN = "0000000000001000";

describe("confinement", { skip, timeout: 20_000 }, () => {
  test("one capability is left, none can be had, and nothing is executed, by no thread", () => {
    const { problems, own, threads, spawned } = confined(["netAdmin"]);
    assert.deepEqual(problems, []);
    for (const set of ["CapEff", "CapPrm", "CapBnd"]) assert.equal(own[set], NET_ADMIN, set);
    for (const set of ["CapInh", "CapAmb"]) assert.equal(own[set], "0".repeat(16), set);
    assert.ok(threads.length > 1);
    for (const thread of threads) {
      assert.equal(thread["NoNewPrivs"], "1");
      assert.equal(thread["Seccomp"], ["x64", "arm64"].includes(process.arch) ? "2" : "0");
    }
    assert.equal(spawned, "EPERM");
  });

  test("what it does not have is not asked for, and the bounds stay where they may not change", () => {
    const bounds = "--bounding-set=-all,+net_raw,+dac_read_search";
    const { problems, own } = confined(["netAdmin", "netRaw"], ["setpriv", bounds]);
    assert.deepEqual(problems, []);
    assert.equal(own["CapEff"], "0000000000002000");
    assert.equal(own["CapPrm"], "0000000000002000");
  });
});
