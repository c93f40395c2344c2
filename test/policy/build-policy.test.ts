import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { BuiltPolicy } from "../../agent/policy/build-policy.ts";
import { buildPolicy } from "../../agent/policy/build-policy.ts";
import { PolicyFolder, policyText } from "./folder.ts";

const folder = new PolicyFolder();

const build = (file: string, directory = folder.path) =>
  buildPolicy({ directory, file, trust: folder.trust });

async function built(file: string): Promise<BuiltPolicy> {
  const outcome = await build(file);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.policy;
}

/** `line:column code message | hint` of what is wrong. */
async function wrong(name: string, text: string): Promise<readonly string[]> {
  const file = folder.write(name, text);
  const outcome = await build(file);
  assert.ok(!outcome.ok, "it was built");
  return outcome.problems.map(({ position, code, message, hint }) => {
    assert.equal(position.file, file);
    return `${position.line}:${position.column} ${code} ${message} | ${hint}`;
  });
}

describe("a policy that is well", () => {
  test("becomes one module without imports", async () => {
    folder.write("shared/limit.ts", "export const LIMIT: number = 3;\n");
    const file = folder.write(
      "fine.ts",
      `import { definePolicy } from "holdfast/sdk";
import { LIMIT } from "./shared/limit.ts";
export default definePolicy({ permissions: { http: ["http://a/*"] }, about: String(LIMIT) });
`,
    );
    const outcome = await build(file);
    assert.ok(outcome.ok);
    const { bundle, manifest } = outcome.policy;
    assert.equal(bundle.name, "fine");
    assert.doesNotMatch(bundle.code, /\bimport\b/);
    const module = (await import(`data:text/javascript,${encodeURIComponent(bundle.code)}`)) as {
      default: { about: string };
    };
    assert.equal(module.default.about, "3");
    assert.deepEqual(JSON.parse(bundle.permissions), { http: ["http://a/*"] });
    assert.deepEqual(manifest.permissions, { http: ["http://a/*"] });
    assert.deepEqual(outcome.inputs, [file, join(folder.path, "shared/limit.ts")]);
  });

  test("its source map leads to places by names that people read", async () => {
    const file = folder.write(
      "mapped.ts",
      `${policyText("")}export function boom() { throw 1; }\n`,
    );
    folder.write("maps.ts", `import { boom } from "./mapped.ts";\nboom();\n${policyText("")}`);
    const { bundle } = await built(join(folder.path, "maps.ts"));
    const lines = bundle.code.split("\n");
    const line = lines.findIndex((text) => text.includes("throw 1")) + 1;
    const column = lines[line - 1]?.indexOf("throw 1") ?? 0;
    const place = originalPositionFor(new TraceMap(bundle.sourceMap), { line, column });
    assert.deepEqual([place.source, place.line], ["mapped.ts", 3]);
    assert.ok(file.endsWith("mapped.ts"));
  });

  test("import() of a text is part of the bundle", async () => {
    folder.write("later.ts", "export const x = 1;\n");
    const file = folder.write("lazy.ts", `${policyText("")}void import("./later.ts");\n`);
    assert.doesNotMatch((await built(file)).bundle.code, /import\(/);
  });

  test("a folder that is swapped as a whole works, and is seen anew", async () => {
    const map = join(folder.path, "map");
    mkdirSync(map, { mode: 0o755 });
    folder.write("map/..one/nginx.ts", policyText('about: "one"'));
    folder.write("map/..two/nginx.ts", policyText('about: "two"'));
    symlinkSync("..one", join(map, "..data"));
    symlinkSync("..data/nginx.ts", join(map, "nginx.ts"));
    const file = join(map, "nginx.ts");
    const first = await build(file, map);
    assert.ok(first.ok && first.policy.bundle.code.includes('"one"'));
    assert.deepEqual(first.inputs, [file, join(map, "..one/nginx.ts")]);
    symlinkSync("..two", join(map, "..next"));
    renameSync(join(map, "..next"), join(map, "..data"));
    const second = await build(file, map);
    assert.ok(second.ok && second.policy.bundle.code.includes('"two"'));
  });
});

describe("imports", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["node:fs", /^1:15 policy-import node:fs is not there in the sandbox/],
    ["lodash", /^1:15 policy-import lodash is a package/],
    ["/etc/passwd", /absolute path/],
    ["../outside.ts", /lies outside of the policies folder/],
    ["./shared/../../outside.ts", /lies outside of the policies folder/],
    ["./shared/limit", /does not end in \.ts \| write "\.\/shared\/limit\.ts"/],
    ["./shared/limit.js", /write "\.\/shared\/limit\.ts"/],
    ["./none.ts", /there is no \.\/none\.ts/],
    ["./data.json", /data files cannot be imported/],
    ["holdfast/sdk/testing", /for tests only/],
    ["holdfast", /not for policies/],
    ["https://example.org/x.ts", /is a package/],
  ];
  for (const [target, expected] of refused) {
    test(`${target} is refused at its place`, async () => {
      const [problem = "", more] = await wrong("imports.ts", `import x from "${target}";\nx();\n`);
      assert.match(problem, expected);
      assert.equal(more, undefined);
    });
  }

  test("a link out of the folder is refused", async () => {
    const other = new PolicyFolder();
    other.write("secret.ts", "export const x = 1;");
    symlinkSync(join(other.path, "secret.ts"), join(folder.path, "link.ts"));
    const [problem = ""] = await wrong("linked.ts", 'import { x } from "./link.ts";\nx();\n');
    assert.match(problem, /^1:19 policy-import .*leads to .*secret\.ts, which lies outside/);
    const entry = await build(join(folder.path, "link.ts"));
    assert.ok(!entry.ok && entry.problems[0]?.code === "policy-import", JSON.stringify(entry));
  });

  test("a computed import() is refused at its place in the source", async () => {
    const text = `const a: string = "x";\n/* é */ void import(a);\n${policyText("")}`;
    assert.match(
      (await wrong("computed.ts", text))[0] ?? "",
      /^2:14 policy-import import\(\) must/,
    );
  });

  test("require is refused", async () => {
    assert.match(
      (await wrong("required.ts", 'require("./x.ts")'))[0] ?? "",
      /policy-import require/,
    );
  });
});

describe("what cannot be built", () => {
  test("a syntax error, with columns counted as editors do", async () => {
    const [problem = ""] = await wrong("syntax.ts", 'const é = "é", ;');
    assert.match(problem, /^1:16 policy-syntax Expected identifier/);
  });

  test("more than 256 KiB", async () => {
    const text = `export const big = "${"x".repeat(262_144)}";\n${policyText("about: big")}`;
    assert.match((await wrong("big.ts", text))[0] ?? "", /policy-size .* 257 KiB/);
  });

  test("a file that is not there", async () => {
    const outcome = await build(join(folder.path, "gone.ts"));
    assert.ok(!outcome.ok);
    assert.equal(outcome.problems[0]?.code, "policy-unreadable");
    assert.deepEqual(outcome.inputs, [join(folder.path, "gone.ts")]);
  });

  test("a folder's tsconfig.json changes nothing", async () => {
    folder.write("tsconfig.json", "{ this is broken");
    const file = folder.write("plain.ts", policyText(""));
    await built(file);
  });

  test("what was read is known also after a failure", async () => {
    folder.write("broken-part.ts", "const ;");
    const file = folder.write("whole.ts", 'import "./broken-part.ts";\n');
    const outcome = await build(file);
    assert.ok(!outcome.ok);
    assert.ok(outcome.inputs.includes(join(folder.path, "broken-part.ts")));
    assert.equal(outcome.problems[0]?.position.file, join(folder.path, "broken-part.ts"));
  });
});
