import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";

/* A checkout of nothing but the set-up, with an npm that only tells that it was called. */

let folder = "";
const inside = (...path: readonly string[]): string => join(folder, ...path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-setup-`));
  for (const name of ["agent", "bin", "elsewhere"]) mkdirSync(inside(name));
  cpSync("agent/setup.mjs", inside("agent/setup.mjs"));
  writeFileSync(inside("package-lock.json"), "{}");
  writeFileSync(inside("bin/npm"), `#!/bin/sh\ntouch ${inside("npm-was-called")}\n`, {
    mode: 0o755,
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What installDependencies answers. */
function install(): string {
  const script = `const { installDependencies } = await import(${JSON.stringify(inside("agent/setup.mjs"))});
    process.stdout.write(String(installDependencies()));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { PATH: `${inside("bin")}:/usr/bin:/bin` },
  });
  return stdout;
}

describe("setting up a checkout", () => {
  test("dependencies that are missing are installed", () => {
    assert.equal(install(), "undefined");
    assert.ok(existsSync(inside("npm-was-called")));
  });

  test("a linked node_modules, which is another checkout's, is left alone", () => {
    symlinkSync(inside("elsewhere"), inside("node_modules"));
    assert.equal(install(), "undefined");
    assert.equal(existsSync(inside("npm-was-called")), false);
  });
});
