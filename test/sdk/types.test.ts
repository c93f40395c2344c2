import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";
import { checkTypes } from "../../agent/policy/type-check.ts";

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-sdk-`));
after(() => rmSync(folder, { recursive: true }));

/** `LINE message` of what the compiler says of these files. */
async function compile(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
  const found = await checkTypes({ directory: folder, files: paths });
  return found.map(
    ({ position, message }) => `${basename(position.file)}:${position.line} ${message}`,
  );
}

const cases = readFileSync(join(import.meta.dirname, "type-cases.ts"), "utf8");
const expected = /^\s*\/\/ @ts-expect-error .*$/;
const lines = cases.split("\n");

describe("the SDK's types", () => {
  test("take what is right, and refuse what is marked", async () => {
    assert.deepEqual(await compile({ "cases.ts": cases }), []);
  });

  test("refuse each marked line, and no other", async () => {
    const unmarked = lines.map((line) => (expected.test(line) ? "//" : line)).join("\n");
    const marked = lines.flatMap((line, index) => (expected.test(line) ? [index + 2] : []));
    assert.ok(marked.length > 40);
    const refused = (await compile({ "unmarked.ts": unmarked })).map((each) =>
      Number(/:(\d+) /.exec(each)?.[1]),
    );
    assert.deepEqual([...new Set(refused)], marked);
  });

  test("and a mark on a line that is right is an error itself", async () => {
    const at = lines.findIndex((line) => line.includes('ctx.exec.run("reload")'));
    const wrong = [...lines.slice(0, at), "// @ts-expect-error nothing", ...lines.slice(at)];
    const [finding = "", more] = await compile({ "overmarked.ts": wrong.join("\n") });
    assert.match(finding, new RegExp(`:${at + 1} Unused '@ts-expect-error'`));
    assert.equal(more, undefined);
  });
});

/** The code of every @example of a file. */
function examplesOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  const blocks = text.split(/^ *\* @example$/m).slice(1);
  return blocks.map((block) => block.slice(0, block.search(/^ *\*\/$/m)).replace(/^ *\* ?/gm, ""));
}

describe("examples", () => {
  const files = globSync("sdk/*.ts", { cwd: join(import.meta.dirname, "../..") });
  const examples = files.flatMap((file) =>
    examplesOf(join(import.meta.dirname, "../..", file)).map((code, index) => {
      return [`${basename(file, ".ts")}-${index}.ts`, code] as const;
    }),
  );

  test("there are some, and each one that is written was found", () => {
    const written = files.reduce((sum, file) => {
      const text = readFileSync(join(import.meta.dirname, "../..", file), "utf8");
      return sum + (text.match(/(?<!\w)@example\b/g) ?? []).length;
    }, 0);
    assert.ok(written >= 10);
    assert.equal(examples.length, written);
  });

  test("compile as they stand", async () => {
    assert.deepEqual(await compile(Object.fromEntries(examples)), []);
  });

  test("a wrong one would be seen", async () => {
    const broken = examples.map(([name, code]) => [
      name,
      code.replace("definePolicy({", "definePolicy({ nam: 1,"),
    ]);
    assert.ok((await compile(Object.fromEntries(broken))).length >= 10);
  });
});
