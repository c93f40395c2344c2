import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readManifest } from "../../agent/policy/manifest.ts";
import { policyText } from "./folder.ts";

const FILE = "/policies/nginx.ts";

async function permissionsOf(source: string): Promise<unknown> {
  const outcome = await readManifest(source, FILE);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.manifest.permissions;
}

async function wrong(source: string): Promise<readonly string[]> {
  const outcome = await readManifest(source, FILE);
  assert.ok(!outcome.ok, "it was read");
  return outcome.problems.map(
    ({ position, message, hint }) => `${position.line}:${position.column} ${message} | ${hint}`,
  );
}

const asking = (permissions: string): string => policyText(`permissions: ${permissions}`);

describe("permissions that can be read", () => {
  const readable: readonly (readonly [string, unknown])[] = [
    ["{}", {}],
    ["{ http: ['a', `b`] as const }", { http: ["a", "b"] }],
    ['{ "exec": { "x-1": ["/bin/true", "-v"] } }', { exec: { "x-1": ["/bin/true", "-v"] } }],
    ["{ plugins: { p: { n: -1.5, t: true, z: null, l: [1] } } }", null],
    ["{ control: { routers: ['VI_1'], realServers: [] } } satisfies object", null],
    ["{ webhook: { a: '${" + "secret:x}', b: { preset: 'slack', url: 'u' } } }", null],
    ["{ mail: { to: ['a@b'] } }", { mail: { to: ["a@b"] } }],
  ];
  for (const [text, expected] of readable) {
    test(text, async () => {
      const permissions = await permissionsOf(asking(text));
      if (expected !== null) assert.deepEqual(permissions, expected);
    });
  }

  test("a policy without any", async () => {
    assert.deepEqual(await permissionsOf("export default { checks: {} };"), {});
  });

  test("through one const, with types on everything", async () => {
    const source = `const policy: Policy = definePolicy({ permissions: { http: ["a"] } } as X);
export default policy;`;
    assert.deepEqual(await permissionsOf(source), { http: ["a"] });
  });

  test("places are those of the source, after types and characters of two units", async () => {
    const source = `interface Gone { a: string }\nexport default definePolicy<Gone>({
  about: "🙂", permissions: { http: ["a", "b"] }, checks: { alive: { every: "1s" } } });`;
    const outcome = await readManifest(source, FILE);
    assert.ok(outcome.ok);
    const { places } = outcome.manifest;
    const at = (...path: readonly string[]) => {
      const { line, column } = places.at(path);
      return source.split("\n")[line - 1]?.slice(column - 1, column + 4);
    };
    assert.equal(at("permissions", "http", "1"), '"b"] }'.slice(0, 5));
    assert.equal(at("permissions", "http"), "http:");
    assert.equal(at("checks", "alive", "every"), "every");
    assert.equal(at("checks", "alive", "track", "routers"), "alive");
    assert.equal(places.at(["nothing"]).line, 1);
  });
});

describe("permissions that are refused at their place", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["{ htp: [] }", /^2:46 there is no permission htp \| did you mean http\?/],
    ["{ quantum: [] }", /there is no permission quantum \| the permissions are http, tcp/],
    ["{ http: [host] }", /^2:53 permissions\.http\.0 is computed \| write it out/],
    ["{ http: [`a$" + "{x}`] }", /permissions\.http\.0 is computed/],
    ["{ http: ['a' + host] }", /is computed/],
    ["{ http: [...list] }", /is computed/],
    ["{ ...more }", /a part of permissions is computed/],
    ["{ [name]: [] }", /a part of permissions is computed/],
    ["{ get http() { return [] } }", /a part of permissions is computed/],
    ["{ __proto__: { http: [] } }", /a part of permissions is computed/],
    ["{ '__proto__': { http: [] } }", /a part of permissions is computed/],
    ["{ http: [], http: [] }", /http stands twice/],
    ["{ http: 'a' }", /permissions\.http must be a list of texts/],
    ["{ http: [1] }", /permissions\.http\.0 must be a text/],
    ["{ http: [''] }", /must be a text/],
    ["{ http: ['a\"b'] }", /must be a text without quotes/],
    ["{ http: ['a\\nb'] }", /must be a text without/],
    ["{ http: [/a/] }", /is computed/],
    ["{ http: [1n] }", /is computed/],
    ["{ exec: { a: ['nginx'] } }", /permissions\.exec\.a must be a program by its absolute path/],
    ["{ exec: { a: [] } }", /must be a program/],
    ["{ exec: { 'a b': ['/x'] } }", /a b is no name/],
    ["{ control: { router: [] } }", /permissions\.control has no router/],
    ["{ mail: { to: 'x' } }", /permissions\.mail\.to must be a list/],
    ["{ webhook: { a: { preset: 'slack' } } }", /must be a URL, or a preset and a URL/],
    ["[]", /permissions must be an object/],
    ["load()", /permissions is computed/],
    [`{ http: [${"'a',".repeat(65)}] }`, /at most 64/],
  ];
  for (const [text, expected] of refused) {
    test(text.slice(0, 60), async () => {
      const [problem = "", more] = await wrong(asking(text));
      assert.match(problem, expected);
      assert.equal(more, undefined);
    });
  }

  test("every unknown name is said", async () => {
    assert.equal((await wrong(asking("{ htp: [], tpc: [] }"))).length, 2);
  });

  const sources: readonly (readonly [string, RegExp])[] = [
    ["export const x = 1;", /^1:1 the file has no default export/],
    ["export default make();", /^1:16 the policy is not written out/],
    ["export default function policy() {}", /not written out/],
    ["export default definePolicy({ ...base });", /^1:31 a part of the policy is computed/],
    ["let p = { permissions: {} }; export default p;", /not written out/],
    ["export default definePolicy({ permissions: {}, permissions: {} });", /stands twice/],
    ["export default definePolicy({", /found end of file/],
  ];
  for (const [source, expected] of sources) {
    test(source, async () => assert.match((await wrong(source))[0] ?? "", expected));
  }
});

test("whatever stands there is answered, never thrown", async () => {
  const part = fc.oneof(
    fc.json(),
    fc.constantFrom(
      "{",
      "}",
      "[",
      "`",
      "...a",
      "__proto__",
      "async () => {}",
      "class {}",
      "//",
      "\0",
    ),
  );
  await fc.assert(
    fc.asyncProperty(part, part, async (first, second) => {
      const outcome = await readManifest(asking(`{ http: ${first}, exec: ${second} }`), FILE);
      assert.equal(typeof outcome.ok, "boolean");
    }),
    { numRuns: 60 },
  );
});
