import assert from "node:assert/strict";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { policyText, RealHost } from "./real-host.ts";

// The real thing: files, chokidar, esbuild, QuickJS in a worker, and the clock on the wall.

const SOURCE = "VI_1 policy nginx/alive";

describe("policies in a real folder", () => {
  const world = new RealHost();
  const effect = (): string | undefined => world.heard.effect("VI_1", "policy nginx/alive");

  before(() => world.start());
  after(() => world.close());

  test("run when the folder appears", async () => {
    world.makeFolder();
    world.write("nginx.ts", policyText("true"));
    await world.until("up", () => world.heard.messages("check").includes("up"));
    assert.equal(world.version("nginx"), 1);
    assert.equal(effect(), "none");
  });

  test("are reloaded when an editor replaces the file", async () => {
    world.replace("nginx.ts", policyText('{ ok: false, reason: "HTTP 500" }'));
    await world.until("down", () => effect() === "weight -30");
    assert.equal(world.version("nginx"), 2);
  });

  test("that do not compile or fail leave the old version, and tell the place", async () => {
    world.write("nginx.ts", policyText("true +"));
    const compile = await world.until("problem", () => world.problems("nginx") || undefined);
    assert.match(compile, /\/nginx\.ts:14:\d+: /);
    world.write("nginx.ts", policyText("undefined.x"));
    await world.until("thrown", () => world.problems("nginx").includes("first run"));
    assert.match(world.problems("nginx"), /nginx\.ts:14:\d+: TypeError/);
    assert.equal(world.version("nginx"), 2);
    assert.equal(effect(), "weight -30");
  });

  test("follow what they import, also when that comes later", async () => {
    world.write("nginx.ts", policyText("good", 'import { good } from "./shared/good.ts";'));
    await world.until("missing", () => world.problems("nginx").includes("good.ts"));
    mkdirSync(join(world.policies, "shared"));
    world.write("shared/good.ts", "export const good = true;\n");
    await world.until("version 3", () => world.version("nginx") === 3);
    await world.until("up", () => effect() === "none");
    world.write("shared/good.ts", "export const good = false;\n");
    await world.until("version 4", () => world.version("nginx") === 4);
    await world.until("down", () => effect() === "weight -30");
  });

  test("that are touched and not changed go on", async () => {
    const now = new Date();
    utimesSync(join(world.policies, "nginx.ts"), now, now);
    // What is saved after it is seen after it.
    world.write("other.ts", policyText("true").replaceAll("VI_1: -30", "VI_1: 10"));
    await world.until("other", () => world.version("other") === 1);
    assert.equal(world.version("nginx"), 4);
  });

  test("go with their file, and with their claims", async () => {
    rmSync(join(world.policies, "other.ts"));
    await world.until("gone", () => world.version("other") === 0);
    assert.equal(world.heard.effect("VI_1", "policy other/alive"), undefined);
    assert.deepEqual([...world.heard.claims.keys()], [SOURCE]);
  });

  test("are stopped by force without harm to others, and lose nothing that they remember", async () => {
    world.write("spin.ts", policyText("(() => { while (ctx.state.runs > 2); return true; })()"));
    await world.until("quarantine", () =>
      world.heard.messages("policy").some((message) => message.includes("quarantine")),
    );
    const spin = world.host.status().policies?.find(({ name }) => name === "spin");
    assert.equal(spin?.state, "quarantined");
    const nginx = world.host.status().policies?.find(({ name }) => name === "nginx");
    assert.equal(nginx?.state, "running");
    rmSync(join(world.policies, "spin.ts"));
    await world.until("gone", () => world.version("spin") === 0);
  });

  test("keep their state on disk", async () => {
    await world.host.stop();
    const text = readFileSync(join(world.root, "state/policies/nginx.json"), "utf8");
    const { version, value } = JSON.parse(text) as { version: number; value: { runs: number } };
    assert.equal(version, 1);
    assert.ok(value.runs > 3, text);
  });
});

test("a folder that Kubernetes swaps is followed", async () => {
  const world = new RealHost();
  try {
    world.makeFolder();
    const swap = (version: string, text: string): void => {
      const folder = join(world.policies, `..${version}`);
      mkdirSync(folder);
      writeFileSync(join(folder, "nginx.ts"), text);
      symlinkSync(`..${version}`, join(world.policies, "..data_tmp"));
      renameSync(join(world.policies, "..data_tmp"), join(world.policies, "..data"));
    };
    swap("one", policyText("true"));
    symlinkSync("..data/nginx.ts", join(world.policies, "nginx.ts"));
    await world.start();
    await world.until("version 1", () => world.version("nginx") === 1);
    swap("two", policyText("false"));
    rmSync(join(world.policies, "..one"), { recursive: true });
    await world.until("version 2", () => world.version("nginx") === 2);
    await world.until(
      "down",
      () => world.heard.effect("VI_1", "policy nginx/alive") === "weight -30",
    );
  } finally {
    await world.close();
  }
});
