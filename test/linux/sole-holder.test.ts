import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { claimNamespace } from "../../agent/linux/sole-holder.ts";
import { KernelError } from "../../agent/ports/error.ts";

const PROGRAM = fileURLToPath(new URL("sole-holder-child.ts", import.meta.url));

test("one process holds addresses in a namespace, until it ends", { timeout: 20_000 }, async () => {
  const name = `@holdfast/test-${process.pid}`;
  const holder = fork(PROGRAM, [name]);
  try {
    await once(holder, "message");
    await assert.rejects(claimNamespace(0, name), (error) => {
      assert.ok(error instanceof KernelError);
      assert.match(error.message, new RegExp(`\\(process ${holder.pid}\\)$`));
      return true;
    });
  } finally {
    holder.kill("SIGKILL");
  }
  await once(holder, "exit");
  await claimNamespace(0, name);
  await assert.rejects(claimNamespace(0, name), /another agent holds addresses/);
});

test("one that is about to end is waited for", { timeout: 20_000 }, async () => {
  const name = `@holdfast/wait-${process.pid}`;
  const holder = fork(PROGRAM, [name]);
  await once(holder, "message");
  const claim = claimNamespace(15_000, name);
  holder.kill("SIGKILL");
  await claim;
});

test("who could not hold addresses keeps nobody from them", {
  timeout: 20_000,
}, async (context) => {
  if (process.geteuid?.() !== 0) return context.skip("needs root");
  const name = `@holdfast/squat-${process.pid}`;
  const squatter = fork(PROGRAM, [name], { uid: 65_534 });
  try {
    await once(squatter, "message");
    await claimNamespace(0, name);
  } finally {
    squatter.kill("SIGKILL");
  }
});
