import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { buildAlone } from "../../agent/policy/alone.ts";
import { buildPolicy } from "../../agent/policy/build-policy.ts";
import { PolicyFolder } from "./folder.ts";

const SDK = 'import { definePolicy } from "holdfast/sdk";';
const folder = new PolicyFolder();

const alone = (text: string) => {
  const path = folder.write("p.ts", text);
  const scope = { root: folder.path, trust: undefined, sources: new Map([[path, text]]) };
  return buildAlone({ path, text }, scope, path);
};

describe("a policy that imports the SDK alone", () => {
  const ways: Readonly<Record<string, string>> = {
    "as most do": `${SDK}\nexport default definePolicy({ permissions: {}, about: "x" });`,
    "by another name": `import { definePolicy as d, type Json } from "holdfast/sdk";\nconst x: Json = "x";\nexport default d({ permissions: {}, about: x });`,
    "at its end": `export default definePolicy({ permissions: {}, about: "x" });\n${SDK}`,
    "not at all": 'export default { permissions: {}, about: "x" };',
  };
  for (const [how, text] of Object.entries(ways)) {
    test(`${how} is built without bundling, to the same`, async () => {
      const built = await alone(text);
      assert.ok(built?.bundled.ok);
      const { code } = built.bundled.bundle;
      assert.doesNotMatch(code, /\bimport\b/);
      const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
        default: unknown;
      };
      assert.deepEqual(module.default, { permissions: {}, about: "x" });
      const file = folder.write("p.ts", text);
      const whole = await buildPolicy({ directory: folder.path, file, trust: folder.trust });
      assert.equal(whole.ok && whole.policy.bundle.code, code);
    });
  }

  test("keeps its places", async () => {
    const built = await alone(
      `${SDK}\n\nexport function boom() { throw 1; }\nexport default definePolicy({ permissions: {} });\n`,
    );
    assert.ok(built?.bundled.ok);
    const { code, sourceMap } = built.bundled.bundle;
    const line = code.split("\n").findIndex((each) => each.includes("throw 1"));
    const column = code.split("\n")[line]?.indexOf("throw") ?? 0;
    const place = originalPositionFor(new TraceMap(sourceMap), { line: line + 1, column });
    assert.deepEqual([place.source, place.line], ["p.ts", 3]);
  });
});

describe("the bundler is asked for a policy", () => {
  const others: Readonly<Record<string, string>> = {
    "that imports a file": `${SDK}\nimport { a } from "./a.ts";\nexport default definePolicy({ about: a });`,
    "that exports from one": `${SDK}\nexport * from "./a.ts";\nexport default definePolicy({});`,
    "that imports something else of the SDK": `import { other } from "holdfast/sdk";\nexport default other({});`,
    "that imports all of the SDK": `import * as sdk from "holdfast/sdk";\nexport default sdk.definePolicy({});`,
    "that imports with a computed name":
      'const a = "a";\nexport default { about: await import(a) };',
    "that asks where it lies": "export default { about: import.meta.url };",
    "that requires": `${SDK}\nexport default definePolicy({ about: require("fs") });`,
    "that cannot be parsed": `${SDK}\nexport default definePolicy({`,
    "that there is a warning for": `${SDK}\nexport default definePolicy({ about: "a", about: "b" });`,
  };
  for (const [what, text] of Object.entries(others)) {
    test(what, async () => assert.equal(await alone(text), undefined));
  }
});
