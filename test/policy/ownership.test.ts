import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { buildPolicy } from "../../agent/policy/build-policy.ts";
import { discoverPolicies } from "../../agent/policy/discover.ts";
import { resolveTrusted } from "../../agent/policy/ownership.ts";
import { readTrusted } from "../../agent/policy/trusted-file.ts";
import { PolicyFolder, policyText } from "./folder.ts";

describe("who may decide what the agent does", () => {
  const modes: readonly (readonly [number, RegExp | undefined])[] = [
    [0o644, undefined],
    [0o600, undefined],
    [0o755, undefined],
    [0o664, /has mode 0664: its group may write to it/],
    [0o646, /has mode 0646: everybody may write to it/],
    [0o777, /everybody/],
  ];
  for (const [mode, expected] of modes) {
    test(`a file of mode ${mode.toString(8)} is ${expected ? "refused" : "read"}`, () => {
      const folder = new PolicyFolder();
      const read = readTrusted(folder.write("a.ts", "x", mode), folder.trust);
      if (expected === undefined) return assert.ok(read.ok);
      assert.ok(!read.ok);
      assert.equal(read.kind, "owner");
      assert.match(read.message, expected);
      assert.match(read.hint, /^chmod go-w \/.*a\.ts$/);
    });
  }

  test("a file of somebody else is refused with the command to type", () => {
    const folder = new PolicyFolder();
    const stranger = { ...folder.trust, uids: new Set([4_242]) };
    const read = readTrusted(folder.write("a.ts", "x"), stranger);
    assert.ok(!read.ok);
    assert.match(read.hint, /^chown root:root \//);
  });

  test("a folder on the way is looked at, sticky or not", () => {
    const folder = new PolicyFolder();
    const file = folder.write("inner/a.ts", "x");
    for (const [mode, hint] of [
      [0o775, /chmod go-w .*inner$/],
      [0o1777, /only root can write/],
    ] as const) {
      chmodSync(join(folder.path, "inner"), mode);
      const read = readTrusted(file, folder.trust);
      assert.ok(!read.ok);
      assert.match(read.hint, hint);
    }
  });

  test("so is the folder that a link stands in", () => {
    const folder = new PolicyFolder();
    folder.write("real/a.ts", "x");
    mkdirSync(join(folder.path, "open"));
    symlinkSync("../real", join(folder.path, "open/link"));
    chmodSync(join(folder.path, "open"), 0o777);
    const resolved = resolveTrusted(join(folder.path, "open/link/a.ts"), folder.trust);
    assert.equal(resolved.path, join(folder.path, "real/a.ts"));
    assert.equal(resolved.fault?.path, join(folder.path, "open"));
  });

  test("links in a circle end", () => {
    const folder = new PolicyFolder();
    symlinkSync("b", join(folder.path, "a"));
    symlinkSync("a", join(folder.path, "b"));
    assert.ok(!readTrusted(join(folder.path, "a"), folder.trust).ok);
  });

  test("an imported file counts as the policy itself", async () => {
    const folder = new PolicyFolder();
    folder.write("part.ts", "export const x = 1;", 0o666);
    const file = folder.write("a.ts", `import { x } from "./part.ts";\n${policyText("about: x")}`);
    const outcome = await buildPolicy({ directory: folder.path, file, trust: folder.trust });
    assert.ok(!outcome.ok);
    assert.equal(outcome.problems[0]?.code, "policy-owner");
    assert.match(outcome.problems[0]?.message ?? "", /part\.ts has mode 0666/);
  });

  test("a pipe is no policy, and nobody waits for it", () => {
    assert.ok(!readTrusted("/dev/null", undefined).ok);
  });
});

describe("discovery", () => {
  test("policies are the .ts files of the folder itself", () => {
    const folder = new PolicyFolder();
    for (const name of [
      ...["b.ts", "a-1.ts", "a.test.ts", "types.d.ts", "_shared.ts", ".hidden.ts", "x.js"],
      ...["inner/c.ts", "..data/d.ts", "tsconfig.json"],
    ]) {
      folder.write(name, "");
    }
    mkdirSync(join(folder.path, "folder.ts"));
    folder.write("odd name.ts", "");
    const { policies, problems } = discoverPolicies(folder.path);
    assert.deepEqual(
      policies.map(({ name }) => name),
      ["a-1", "b"],
    );
    assert.deepEqual(
      problems.map(({ code, position }) => [code, position.file]),
      [["policy-name", join(folder.path, "odd name.ts")]],
    );
  });

  test("a folder that is not there has none", () => {
    assert.deepEqual(discoverPolicies("/nowhere/policies"), { policies: [], problems: [] });
  });

  test("a folder that is none is a problem", () => {
    assert.equal(discoverPolicies("/dev/null").problems[0]?.code, "policy-unreadable");
  });
});
