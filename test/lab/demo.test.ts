import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Scene } from "../../agent/cli/demo/scene.ts";
import { Lab } from "../../agent/linux/lab.ts";
import {
  demoSchema,
  eventSchema,
  reloadSchema,
  replaySchema,
  statusSchema,
} from "../schema/schemas.ts";

const HOLDFAST = "agent/holdfast.mjs";

/** Files of demos, by the process that made them. */
const leftovers = (pid: number | undefined): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`hf-${pid}-demo-`));

/** Agents of demos that live: their command lines name the folder. */
function survivors(pid: number | undefined): readonly string[] {
  return readdirSync("/proc").filter((entry) => {
    try {
      return readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(`hf-${pid}-demo-`);
    } catch {
      return false;
    }
  });
}

async function nothingIsLeft(pid: number | undefined): Promise<void> {
  const until = Date.now() + 20_000;
  while (survivors(pid).length > 0 && Date.now() < until) await delay(20);
  assert.deepEqual(survivors(pid), []);
  assert.deepEqual(leftovers(pid), []);
}

describe("beside each other", { concurrency: 2, timeout: 180_000 }, () => {
  describe("the demo", { concurrency: false }, () => {
    test("survives one failure of each kind, and leaves nothing behind", async () => {
      const child = spawn(process.execPath, [HOLDFAST, "demo", "--json"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk) => {
        out += chunk;
      });
      child.stderr.on("data", (chunk) => {
        err += chunk;
      });
      const status = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(status, 0, err);
      const report = demoSchema.parse(JSON.parse(out));
      assert.deepEqual(
        report.failures.map(({ kind }) => kind),
        ["stop", "kill", "pause", "cut"],
      );
      for (const { kind, expected, outage } of report.failures) {
        // Not a benchmark: the machine may be busy. Far beyond the formula something is broken.
        assert.ok((outage ?? 0) < expected.toMs + 1_000, `${kind}: ${outage} ms`);
      }
      await nothingIsLeft(child.pid);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      test(`leaves nothing behind after ${signal}`, async () => {
        const child = spawn(process.execPath, [HOLDFAST, "demo"], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        await new Promise((resolve) => child.stderr.once("data", resolve));
        while (survivors(child.pid).length < 2) await delay(20);
        child.kill(signal);
        const status = await new Promise((resolve) => child.on("close", resolve));
        assert.equal(status, signal === "SIGINT" ? 130 : 143);
        await nothingIsLeft(child.pid);
      });
    }
  });

  describe("the commands of a running agent", { concurrency: false }, () => {
    let scene: Scene;
    let control = "";
    let directory = "";
    const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-cli-`));

    const holdfast = (...words: readonly string[]) =>
      spawnSync(process.execPath, [HOLDFAST, ...words], { encoding: "utf8", timeout: 60_000 });

    before(async () => {
      scene = new Scene(new Lab(), [process.execPath, join(process.cwd(), HOLDFAST)]);
      const [first] = scene.stations;
      directory = first.plan.directory;
      control = join(directory, "control.sock");
      const until = Date.now() + 60_000;
      while (first.router?.state !== "active" && Date.now() < until) {
        await first.refresh();
        await delay(20);
      }
      assert.equal(first.router?.state, "active");
    });
    after(() => {
      scene.dispose();
      rmSync(folder, { recursive: true });
    });

    test("status, for people and as JSON", () => {
      const { stdout, status } = holdfast("status", "--json", "--control", control);
      assert.equal(status, 0);
      const answer = statusSchema.parse(JSON.parse(stdout));
      assert.equal(answer.routers[0]?.state, "active");
      const shown = holdfast("status", "--control", control);
      assert.match(shown.stdout, /DEMO +active +150 +eth0/, shown.stderr);
    });

    test("events", () => {
      const { stdout } = holdfast("events", "--json", "--control", control);
      const lines = stdout.trim().split("\n");
      const events = lines.map((line) => eventSchema.parse(JSON.parse(line)));
      assert.ok(events.some(({ kind }) => kind === "transition"));
    });

    test("journal and replay agree", () => {
      const file = join(folder, "journal");
      writeFileSync(file, holdfast("journal", "--control", control).stdout);
      const { stdout, status } = holdfast("replay", "--json", file);
      assert.equal(status, 0, stdout);
      const outcome = replaySchema.parse(JSON.parse(stdout));
      assert.ok(outcome.steps > 1);
    });

    test("replay of what is no journal says where, status 2", () => {
      const file = join(folder, "no-journal");
      writeFileSync(file, "hello\n");
      const { stderr, status } = holdfast("replay", file);
      assert.match(stderr, /line 1/);
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace");
      assert.equal(status, 2);
    });

    test("reload, accepted and refused", () => {
      const file = join(directory, "keepalived.conf");
      const good = readFileSync(file, "utf8");
      const accepted = holdfast("reload", "--json", "--control", control);
      assert.equal(accepted.status, 0, accepted.stderr);
      assert.ok(reloadSchema.parse(JSON.parse(accepted.stdout)).accepted);

      writeFileSync(file, good.replace("virtual_router_id 51", "virtual_router_id 999"));
      const refused = holdfast("reload", "--control", control);
      writeFileSync(file, good);
      assert.equal(refused.status, 2);
      assert.match(refused.stdout, /keepalived\.conf:5:\d+: error/);
      assert.match(refused.stdout, /nothing changed/);
      holdfast("reload", "--control", control);
    });

    test("an agent that is not there is said so, status 1", () => {
      mkdirSync(join(folder, "empty"));
      const { stderr, status } = holdfast("status", "--control", join(folder, "empty", "x.sock"));
      assert.match(stderr, /no agent answers: there is no socket .*\n +Start it/);
      assert.equal(status, 1);
    });
  });
});
