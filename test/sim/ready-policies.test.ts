import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { TEMPLATES } from "../../agent/cli/policy/templates.ts";
import { runPolicyTests } from "../../agent/simulator/test-process.ts";
import { Recorder, RecordingHost } from "../cli/recorder.ts";
import { PolicyFolder } from "../policy/folder.ts";

const READY = join(import.meta.dirname, "../../policies");
const MOST_LINES = 60;

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdfast policy …`, whose tests run for real. */
async function policy(...words: readonly string[]): Promise<Answer> {
  const host = new RecordingHost();
  host.runPolicyTests = runPolicyTests;
  const terminal = new Recorder();
  const status = await runCli("holdfast", ["policy", ...words], host, terminal);
  return { status, out: terminal.written, err: terminal.complained };
}

describe("the ready policies", { timeout: 60_000 }, () => {
  const files = globSync("*.ts", { cwd: READY }).filter((name) => !name.endsWith(".test.ts"));

  test("are thirteen, each with a test, and short enough to copy", () => {
    assert.equal(files.length, 13);
    for (const name of files) {
      assert.ok(existsSync(join(READY, name.replace(/\.ts$/, ".test.ts"))), name);
      const lines = readFileSync(join(READY, name), "utf8").trimEnd().split("\n");
      assert.ok(lines.length <= MOST_LINES, `${name} has ${lines.length} lines`);
    }
  });

  test("pass their tests", async () => {
    const { status, out } = await policy("test", "--policies", READY);
    assert.equal(status, 0, out);
    assert.match(out, /\n13 files: \d\d passed, 0 failed\n$/);
  });

  test("compile, and ask for what there is", async () => {
    const { status, out } = await policy("check", "--policies", READY);
    assert.equal(status, 0, out);
    assert.match(out, /13 policies: no errors/);
  });
});

describe("policy test", { timeout: 60_000 }, () => {
  test("passes for all that policy new writes", async () => {
    const folder = new PolicyFolder();
    for (const name of Object.keys(TEMPLATES)) {
      const made = await policy("new", name, "--policies", folder.path);
      assert.equal(made.status, 0, made.err);
    }
    const checked = await policy("check", "--policies", folder.path);
    assert.equal(checked.status, 0, checked.out);
    const { status, out } = await policy("test", "--policies", folder.path);
    assert.equal(status, 0, out);
    assert.match(out, new RegExp(`${Object.keys(TEMPLATES).length} files: \\d+ passed, 0 failed`));
  });

  test("shows what failed, at its line, and fails", async () => {
    const folder = new PolicyFolder();
    await policy("new", "tcp", "--policies", folder.path);
    const file = join(folder.path, "tcp.test.ts");
    const wrong = readFileSync(file, "utf8").replace("priority, 50", "priority, 51");
    folder.write("tcp.test.ts", wrong);
    const line = wrong.split("\n").findIndex((text) => text.includes("51")) + 1;
    const { status, out } = await policy("test", join(folder.path, "tcp.ts"));
    assert.equal(status, 1);
    assert.match(out, /✗ a port on which nobody listens costs 50/);
    assert.match(out, /50 !== 51/);
    assert.match(out, new RegExp(`tcp\\.test\\.ts:${line}:\\d+`));
    assert.match(out, /tcp\.test\.ts: 0 passed, 1 failed\n$/);
  });

  test("says what the policy did wrong in a test that failed", async () => {
    const folder = new PolicyFolder();
    await policy("new", "http", "--policies", folder.path);
    const file = join(folder.path, "http.test.ts");
    const open = readFileSync(file, "utf8").replace(
      'world.http("http://127.0.0.1/").replies(200);',
      "",
    );
    folder.write("http.test.ts", open);
    const { status, out } = await policy("test", file);
    assert.equal(status, 1);
    assert.match(out, /50 !== 100/);
    assert.match(
      out,
      /check answers: http\.ts:\d+:\d+: .*nothing is scripted for it; write sim\.http/,
    );
  });

  test("says that there is nothing to test, or no such test", async () => {
    const folder = new PolicyFolder();
    const none = await policy("test", "--policies", folder.path);
    assert.equal(none.status, 0);
    assert.match(none.out, /no tests in .*; holdfast policy new NAME/);
    const gone = await policy("test", join(folder.path, "gone.ts"));
    assert.equal(gone.status, 2);
    assert.match(gone.err, /there is no test .*gone\.test\.ts/);
  });
});
