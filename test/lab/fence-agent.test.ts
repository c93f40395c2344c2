import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { FenceSettings } from "../../agent/config/mandates.ts";
import { seconds } from "../../agent/core/time.ts";
import { examineProgram } from "../../agent/fence-parts.ts";
import { runProgram } from "../../agent/linux/programs.ts";
import { runFence } from "../../agent/runtime/witness/fence-run.ts";
import { skip } from "./cluster.ts";

/* ClusterLabs' own agent for tests, which turns off a "device" that is a file. */

describe("fence_dummy of ClusterLabs", { skip, timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-dummy-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const status = join(folder, "status");
  const device: FenceSettings = {
    position: { file: "holdfast.conf", line: 1, column: 1 },
    name: "pdu1",
    program: "/usr/sbin/fence_dummy",
    action: "off",
    options: [
      { name: "type", value: "file" },
      { name: "status_file", value: status },
    ],
    secretOptions: [],
    timeout: seconds(20),
  };
  const fence = () => runFence(device, {}, { run: runProgram, examine: examineProgram });

  test("its device is off when it says so", async () => {
    writeFileSync(status, "on");
    assert.equal(await fence(), undefined);
    assert.equal(readFileSync(status, "utf8"), "off");
  });

  test("what it could not turn off counts as not fenced, with its own words", async () => {
    writeFileSync(status, "nobody knows");
    const problem = await fence();
    assert.match(problem?.reason ?? "", /^pdu1: the agent ended with status 1: .*Unable to obtain/);
    assert.equal(readFileSync(status, "utf8"), "nobody knows");
  });
});
