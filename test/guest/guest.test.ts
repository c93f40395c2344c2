import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { bundle, inSources } from "./bundles.ts";
import type { GuestResult } from "./guest-result.ts";
import { Installed } from "./installed.ts";

/** The whole of it, on a crowded machine, which takes four times as long as an idle one. */
const LIMIT_S = 900;
/** Exit status of run-guest.sh: this machine cannot boot it. */
const NO_GUEST = 125;

const here = (name: string): string => join(import.meta.dirname, name);

/**
 * Boots another kernel with what this machine's may lack, runs test/guest/inside/*.test.ts there,
 * and has a subtest for each of their tests.
 */
test("in a guest with a kernel of its own", async (context) => {
  const installed = new Installed();
  context.after(() => installed.dispose());
  await bundle(globSync(here("inside/{main,reporter,*.test}.ts")), installed.tests);
  const witness = ["-shared", "-o", join(installed.tests, "epoll-witness.so")];
  execFileSync("tcc", [...witness, here("inside/epoll-witness.c")]);
  // It takes its folder away when it is terminated, as it must be when the runner is.
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "TERM", "--", here("run-guest.sh"), "-t", String(LIMIT_S)],
      ...[process.execPath, join(installed.tests, "main.mjs"), installed.tests],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      // Without the runner's own words: in there is another runner.
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        HOLDFAST_LAB_PROGRAM: installed.program,
        // On one CPU, and one that is slow at threads, V8's helpers only cost.
        NODE_OPTIONS: "--v8-pool-size=0",
      },
    },
  );
  const ended = once(child, "close");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-16_000);
  });
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { title, skipped, failure, remark }: GuestResult = JSON.parse(line);
    count += 1;
    if (remark !== undefined) process.stderr.write(`in the guest: ${remark}\n`);
    await context.test(title, (inner) => {
      if (skipped !== undefined) return inner.skip(skipped);
      if (failure !== undefined) throw asItWas(failure);
    });
  }
  const [status] = await ended;
  if (status === NO_GUEST) return context.skip(said.trim().split("\n").at(-1));
  assert.equal(status, 0, `the guest ended with ${status}; it said:\n${said}`);
  assert.ok(count > 0, `the guest ran no test; it said:\n${said}`);
});

/** An error whose stack is the one from the guest. */
function asItWas(failure: string): Error {
  const error = new Error("in the guest");
  error.stack = `in the guest: ${inSources(failure)}`;
  return error;
}
