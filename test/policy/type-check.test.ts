import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { EDITOR_FOLDER, writeEditorFiles } from "../../agent/policy/editor-files.ts";
import { checkTypes, readFindings } from "../../agent/policy/type-check.ts";
import { PolicyFolder, policyText } from "./folder.ts";

describe("types", () => {
  test("findings stand at their line, in the policy and in what it imports", async () => {
    const folder = new PolicyFolder();
    const shared = folder.write("shared/a.ts", 'export const n: number = "x";\n');
    const file = folder.write(
      "nginx.ts",
      `import { n } from "./shared/a.ts";
import { definePolicy } from "holdfast/sdk";
export default definePolicy({
  checks: { a: { every: "1 sec", run: (ctx) => ctx.http.get(String(n)) } },
});
`,
    );
    const good = folder.write("good.ts", policyText(""));
    const found = await checkTypes({ directory: folder.path, files: [file, good] });
    assert.deepEqual(
      found.map(({ position, code }) => [position.file, position.line, position.column, code]),
      [
        [file, 4, 18, "policy-type"],
        [file, 4, 52, "policy-type"],
        [shared, 1, 14, "policy-type"],
      ],
    );
    assert.match(found[1]?.message ?? "", /Property 'http' does not exist .*\(TS2339\)/);
  });

  test("neither Node nor a browser is there", async () => {
    const folder = new PolicyFolder();
    const names = ["process", "Buffer", "setInterval", "fetch", "document", "console"];
    const file = folder.write("a.ts", names.map((name) => `void ${name};\n`).join(""));
    const found = await checkTypes({ directory: folder.path, files: [file] });
    assert.deepEqual(
      found.map(({ position }) => position.line),
      names.map((_, index) => index + 1),
    );
  });

  test("a tsconfig.json of the folder is not asked", async () => {
    const folder = new PolicyFolder();
    folder.write("tsconfig.json", '{ "compilerOptions": { "strict": false } }');
    const file = folder.write("a.ts", "export const f = (x) => x;\n");
    assert.equal((await checkTypes({ directory: folder.path, files: [file] })).length, 1);
  });

  test("a finding of several lines ends in what it comes down to", () => {
    const output = `a.ts(3,5): error TS2322: Type 'A' is no 'B'.
  Types of property 'x' differ.
    Type 'string' is no 'number'.
error TS5083: Cannot read file.
`;
    const [first, second] = readFindings(output, "/p");
    assert.equal(first?.hint, "Type 'string' is no 'number'.");
    assert.deepEqual(first?.position, { file: "/p/a.ts", line: 3, column: 5 });
    assert.equal(second?.position.file, "/p");
  });
});

describe("what editors need", () => {
  test("stands for itself: the folder compiles without anything else", async () => {
    const folder = new PolicyFolder();
    const written = writeEditorFiles(folder.path);
    assert.ok(written.includes(join(folder.path, "tsconfig.json")));
    const sdk = join(folder.path, EDITOR_FOLDER, "sdk");
    for (const name of readdirSync(sdk)) {
      const text = readFileSync(join(sdk, name), "utf8");
      for (const [, target = ""] of text.matchAll(/^(?:import|export) .* from "([^"]+)"/gm)) {
        assert.ok(existsSync(join(sdk, target)), `${name} imports ${target}`);
      }
    }
    const types = join(folder.path, EDITOR_FOLDER, "node.d.ts");
    const files = [types, join(sdk, "index.ts")];
    assert.deepEqual(await checkTypes({ directory: folder.path, files }), []);
  });

  test("the copy of the SDK is renewed, the tsconfig.json is the author's", () => {
    const folder = new PolicyFolder();
    writeEditorFiles(folder.path);
    assert.deepEqual(writeEditorFiles(folder.path), []);
    const index = join(folder.path, EDITOR_FOLDER, "sdk/index.ts");
    writeFileSync(index, "old");
    writeFileSync(join(folder.path, EDITOR_FOLDER, "sdk/gone.ts"), "old");
    writeFileSync(join(folder.path, "tsconfig.json"), "mine");
    assert.deepEqual(writeEditorFiles(folder.path), [index]);
    assert.equal(readFileSync(join(folder.path, "tsconfig.json"), "utf8"), "mine");
    assert.ok(!existsSync(join(folder.path, EDITOR_FOLDER, "sdk/gone.ts")));
  });
});
