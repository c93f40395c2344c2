import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ended, namespaceHolder } from "../../agent/linux/namespace-holder.ts";

const PARENT = fileURLToPath(new URL("sole-holder-parent.ts", import.meta.url));

test("an agent is found with its control socket; without its supervisor it is none", {
  timeout: 20_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-holder-`));
  const name = `@holdfast/agent-${process.pid}`;
  const holder = () => namespaceHolder(undefined, name);
  assert.equal(holder(), undefined);
  const controlSocket = join(folder, "a control.sock");
  const parent = fork(PARENT, [name, controlSocket]);
  context.after(() => {
    parent.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const [pid] = (await once(parent, "message")) as [number];
  const supervisor = parent.pid;
  context.after(() => kill(pid, "SIGKILL"));
  assert.deepEqual(holder(), { kind: "agent", pid, supervisor, controlSocket });
  // One that hangs is an agent too.
  kill(pid, "SIGSTOP");
  assert.equal(holder()?.kind, "agent");
  parent.kill("SIGKILL");
  // At once, whatever there is of it still.
  assert.deepEqual(holder(), { kind: "orphan", pid });
  await once(parent, "exit");
  assert.deepEqual(holder(), { kind: "orphan", pid });
  assert.equal(await ended(pid, 40), false);
  kill(pid, "SIGCONT");
  assert.equal(await ended(pid, 15_000), true);
  assert.equal(holder(), undefined);
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
