// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is what is under test
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { formatDiagnostic } from "../../agent/config/format-diagnostic.ts";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import { parseKeepalived } from "../../agent/config/keepalived/parse-keepalived.ts";
import type { Statement } from "../../agent/config/keepalived/tree.ts";
import { memoryHost } from "../config/language/memory-host.ts";

const folder = new URL("../vectors/configs/users/", import.meta.url);
const users = readdirSync(folder)
  .filter((file) => file.endsWith(".conf"))
  .map((file) => readFileSync(new URL(file, folder), "utf8"));

const host = memoryHost({
  "/etc/keepalived/a.conf": "priority 5\n}",
  "/etc/keepalived/b.conf": "include b.conf",
});

/** Every statement is one that the table knows, and every place exists in its text. */
function check(text: string): void {
  const { tree, diagnostics } = parseKeepalived({ file: "k.conf", text }, host);
  const sources = text.split("\n");
  for (const found of diagnostics) {
    const { file, line, column } = found.position;
    assert.ok(line >= 1 && column >= 1, found.code);
    if (file === "k.conf") {
      const source = sources[line - 1];
      assert.ok(source !== undefined, `${found.code} in line ${line} of ${sources.length}`);
      assert.ok(column <= source.length + 1, `${found.code} at ${line}:${column}`);
      formatDiagnostic(found, source);
    }
    formatDiagnostic(found);
  }
  for (const statement of tree) checkStatement(statement, keywordTable.root);
}

function checkStatement(statement: Statement, context: typeof keywordTable.root): void {
  assert.ok(statement.end.line >= 0);
  if (context.children === undefined) return;
  const node = context.children.get(statement.keyword.text);
  assert.ok(node !== undefined, `${statement.keyword.text} in ${context.path}`);
  assert.equal(statement.block !== undefined, node.keyword.block !== undefined, node.path);
  for (const child of statement.block ?? []) checkStatement(child, node);
}

const token = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keywordTable.nodes.map((node) => node.keyword.name)) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ..."{ } { } \n \n \n # ! \" ' \\ \\\n ; $ ${ $A= $A ${A} ${_RANDOM 1 2} ${_PWD} ${_ENV SITE} @main @^main @x ~SEQ(A,1,3) ~LST(A,1,2) ~LST({A,B},{1,2}) ~SEQ( include include a.conf include b.conf includea x* {x,y} 10.0.0.1 eth0 100 -5 1.5 \r\n \t".split(
        / /,
      ),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
);

test("any text gives a tree and located findings", () => {
  fc.assert(
    fc.property(
      fc.array(token, { maxLength: 60 }),
      fc.constantFrom(" ", "", "\n"),
      (tokens, joint) => {
        check(tokens.join(joint));
      },
    ),
    { numRuns: 3_000 },
  );
});

type Mutation = readonly [
  kind: "delete" | "repeat" | "insert" | "swap",
  at: number,
  length: number,
];

function mutate(text: string, [kind, at, length]: Mutation, inserted: string): string {
  const from = Math.floor(at * text.length);
  const piece = text.slice(from, from + length);
  if (kind === "delete") return text.slice(0, from) + text.slice(from + length);
  if (kind === "repeat") return text.slice(0, from) + piece + text.slice(from);
  if (kind === "insert") return text.slice(0, from) + inserted + text.slice(from);
  return text.slice(0, from) + [...piece].reverse().join("") + text.slice(from + length);
}

test("users' files with pieces lost, doubled, added and turned", () => {
  const mutation = fc.tuple(
    fc.constantFrom("delete" as const, "repeat" as const, "insert" as const, "swap" as const),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 1, max: 40 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...users),
      fc.array(fc.tuple(mutation, token), { minLength: 1, maxLength: 5 }),
      (text, steps) => {
        let changed = text;
        for (const [step, inserted] of steps) changed = mutate(changed, step, inserted);
        check(changed);
      },
    ),
    { numRuns: 1_500 },
  );
});
