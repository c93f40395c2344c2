import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { describe, test } from "node:test";

/** Layer → the layers that it may import. A file belongs to the longest layer that fits its path. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  sdk: ["sdk"],
  policies: ["policies", "sdk"],
  plugins: ["plugins", "sdk", "agent/ports", "agent/core"],
  "agent/core": ["agent/core", "sdk"],
  "agent/wire": ["agent/wire", "agent/core"],
  "agent/config": ["agent/config", "agent/core"],
  "agent/ports": ["agent/ports", "agent/core", "agent/config"],
  "agent/linux": ["agent/linux", "agent/ports", "agent/wire", "agent/core", "agent/config"],
  // Text in, text out: it knows nothing of what policies are for.
  "agent/sandbox": ["agent/sandbox", "sdk"],
  // From the files of a policies folder to what the sandbox runs, and what the agent knows of it.
  "agent/policy": ["agent/policy", "agent/sandbox", "agent/core", "agent/config", "sdk"],
  "agent/runtime": [
    "agent/runtime",
    "agent/sandbox",
    "agent/policy",
    "agent/core",
    "agent/wire",
    "agent/config",
    "agent/ports",
    "agent/control/protocol.ts",
    "agent/control/target.ts",
    "sdk",
  ],
  // The agent's own host of policies on a virtual clock, with a script in place of the world.
  "agent/simulator": [
    "agent/simulator",
    "agent/runtime",
    "agent/sandbox",
    "agent/policy",
    "agent/core",
    "agent/config",
    "agent/ports",
    "agent/control/protocol.ts",
    "plugins",
    "sdk",
  ],
  "agent/control": ["agent/control", "agent/ports", "agent/core", "agent/config"],
  "agent/cli": [
    "agent/cli",
    "agent/control",
    "agent/config",
    "agent/ports",
    "agent/core",
    "agent/policy",
    "sdk",
  ],
};

/** The parts of the composition root, the bundler and the tests may import everything. */
const FREE = [
  "agent/main.ts",
  "agent/command-line.ts",
  "agent/director-parts.ts",
  "agent/witness-parts.ts",
  "agent/fence-parts.ts",
  "agent/own-plugins.ts",
  "agent/build.ts",
  "test/",
];

/** Layers that may know nothing of the machine they run on. */
const PURE = ["agent/core", "agent/wire", "agent/config", "agent/ports", "sdk"];

const LONGEST = 400;

const layerOf = (path: string): string | undefined =>
  Object.keys(ALLOWED)
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];

const files = globSync("{agent,plugins,policies,sdk,test}/**/*.ts");

/** Paths that a file imports, types included: relative ones resolved, packages as they stand. */
function importsOf(file: string): readonly string[] {
  // Examples in docstrings import what their reader would.
  const text = readFileSync(file, "utf8").replace(/^ *\*.*$/gm, "");
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\()"([^"]+)"/g)].map(([, target = ""]) =>
    target.startsWith(".") ? normalize(join(file, "..", target)) : target,
  );
}

const isFree = (file: string): boolean => FREE.some((prefix) => file.startsWith(prefix));

describe("layers", () => {
  test("there are files to look at", () => assert.ok(files.length > 20));
  for (const file of files.filter((path) => !isFree(path))) {
    test(`${file} imports only what its layer may`, () => {
      const layer = layerOf(file);
      assert.ok(layer !== undefined, `${file} lies in no layer`);
      for (const target of importsOf(file)) {
        if (/^(agent|plugins|policies|sdk|test)\//.test(target)) {
          const allowed = ALLOWED[layer] ?? [];
          const fits = allowed.includes(layerOf(target) ?? "?") || allowed.includes(target);
          assert.ok(fits, `${file} → ${target}`);
        } else {
          assert.ok(!PURE.includes(layer), `${file} is pure and imports ${target}`);
        }
      }
    });
  }
});

/** Files among these that are reached from themselves; types count. */
function circular(among: readonly string[]): readonly string[] {
  const known = new Set(among);
  const imports = new Map(
    among.map((file) => [file, importsOf(file).filter((target) => known.has(target))]),
  );
  const reaches = (from: string): boolean => {
    const seen = new Set<string>();
    const open = [from];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      for (const target of imports.get(file) ?? []) {
        if (target === from) return true;
        if (!seen.has(target)) open.push(target);
        seen.add(target);
      }
    }
    return false;
  };
  return among.filter(reaches);
}

describe("habits", () => {
  test("no file of the product imports itself through others", () => {
    assert.deepEqual(circular(files.filter((file) => !file.startsWith("test/"))), []);
  });

  test("no folder for leftovers", () => {
    const bad = /(^|\/)(lib|utils?|common|helpers?|types)\//;
    assert.deepEqual(
      files.filter((file) => bad.test(file)),
      [],
    );
  });

  test("no file name says manager, helper, handler or util", () => {
    const bad = /(manager|helper|handler|util)s?[^/]*\.ts$/;
    assert.deepEqual(
      files.filter((file) => bad.test(file)),
      [],
    );
  });

  test(`no source file is longer than ${LONGEST} lines, data tables and tests excepted`, () => {
    const long = files
      .filter((file) => !/(-(table|codes)[^/]*|\.test)\.ts$/.test(file))
      .filter((file) => readFileSync(file, "utf8").trimEnd().split("\n").length > LONGEST);
    assert.deepEqual(long, []);
  });

  test("the lock file names no registry", () => {
    assert.doesNotMatch(readFileSync("package-lock.json", "utf8"), /"resolved"/);
  });
});
