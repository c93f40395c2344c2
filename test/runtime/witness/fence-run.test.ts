import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { FenceSettings } from "../../../agent/config/mandates.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { runProgram } from "../../../agent/linux/programs.ts";
import { runFence } from "../../../agent/runtime/witness/fence-run.ts";
import { eventually } from "../../lab/eventually.ts";
import { DEVICE } from "../fence-device.ts";

/* A fence agent is a real program here. */

const SECRET = "hunter2";

/** A shell script as a fence agent; `$0.d` is its folder's to write to. */
function agent(context: TestContext, body: string) {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-fence-`));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "fence");
  writeFileSync(program, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const password = join(folder, "password");
  writeFileSync(password, `${SECRET}\n`, { mode: 0o600 });
  const run = (change: Partial<FenceSettings> = {}, exposed?: string) =>
    runFence(
      {
        ...DEVICE,
        program,
        secretOptions: [{ name: "password", secret: "pw" }],
        timeout: seconds(5),
        ...change,
      },
      { pw: password },
      {
        run: runProgram,
        examine: () => (exposed === undefined ? undefined : { reason: exposed, remedy: null }),
      },
    );
  return { folder, run };
}

test("options come on its standard input; argv and environment hold none", async (context) => {
  const { run } = agent(
    context,
    `{ echo "$# $0" | sed 's/ .*//'; env | sort | grep -v '^PWD\\|^_=\\|^SHLVL'; cat; } >&2; exit 3`,
  );
  const failed = await run();
  assert.match(failed?.reason ?? "", /^pdu: the agent ended with status 3: password=\*\*\*$/);
});

test("all that it is told, in this order", async (context) => {
  const { run } = agent(
    context,
    `tr '\\n' ' ' >&2; echo "$#:$(env | cut -d= -f1 | sort | tr '\\n' ' ')" >&2; exit 1`,
  );
  const failed = await run({ action: "reboot" });
  assert.match(
    failed?.reason ?? "",
    /: action=reboot ip=192\.0\.2\.8 password=\*\*\* 0:LANG PATH PWD ?/,
  );
});

test("status 0 is a success, and nothing else", async (context) => {
  assert.equal(await agent(context, "cat >/dev/null").run(), undefined);
  const { run } = agent(context, "kill -SEGV $$");
  assert.match((await run())?.reason ?? "", /ended by SIGSEGV/);
});

test("one that hangs is killed with all that it started", async (context) => {
  const { folder, run } = agent(
    context,
    `trap '' TERM; sleep 60 & echo $! >"\${0%/*}/pid"; wait; sleep 60`,
  );
  // Time enough for a busy machine to have started both.
  const failed = await run({ timeout: milliseconds(1_200) });
  assert.match(failed?.reason ?? "", /did not end within 1\.2 s/);
  const { readFileSync } = await import("node:fs");
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  const runs = () => {
    try {
      return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  };
  await eventually("it is gone", 10_000, () => assert.equal(runs(), false));
});

test("what it says is cut, without control characters, and only its last line", async (context) => {
  const { run } = agent(context, `echo first >&2; printf '\\033[31m%0300d\\n' 7 >&2; exit 1`);
  const reason = (await run())?.reason ?? "";
  assert.ok(reason.length < 280 && !reason.includes("\u001b") && !reason.includes("first"), reason);
});

test("a flood of output is no way to show half a secret", async (context) => {
  // The cut lies within the secret.
  const { run } = agent(
    context,
    `{ head -c 16379 /dev/zero | tr '\\0' x; echo; printf ${SECRET}; } >&2; exit 1`,
  );
  const reason = (await run())?.reason ?? "";
  assert.ok(!reason.includes("hunt"), reason);
});

test("it does not run where others may change it, or a secret cannot be read", async (context) => {
  const { folder, run } = agent(context, `touch "$(dirname "$0")/ran"`);
  assert.match((await run({}, "everybody may write it"))?.reason ?? "", /everybody may write it/);
  const missing = await run({ secretOptions: [{ name: "password", secret: "none" }] });
  assert.match(missing?.reason ?? "", /there is no secret "none"/);
  const broken = await run({ options: [{ name: "ip", value: "1\naction=on" }] });
  assert.match(broken?.reason ?? "", /the option ip has more than one line/);
  const { existsSync } = await import("node:fs");
  assert.equal(existsSync(join(folder, "ran")), false);
  const gone = await run({ program: "/nowhere/fence" });
  assert.match(gone?.reason ?? "", /cannot be started \(ENOENT\)/);
});
