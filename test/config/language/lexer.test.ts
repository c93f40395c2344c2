import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCommand, splitWords } from "../../../agent/config/keepalived/lexer.ts";
import { line } from "../../../agent/config/keepalived/source.ts";
import { parse, treeText } from "./memory-host.ts";

const words = (text: string) => splitWords(line(text, "f", 1, 1)).map((word) => word.text);
const command = (text: string) => splitCommand(line(text, "f", 1, 1)).map((word) => word.text);

test("plain lines split at white space; double quotes hold it, without escapes", () => {
  const table: readonly [string, readonly string[]][] = [
    ["a b\tc", ["a", "b", "c"]],
    ['a "b c" d', ["a", "b c", "d"]],
    ['a"b c"d', ["a", "b c", "d"]],
    ['""', [""]],
    ["'a b'", ["'a", "b'"]],
    ['a\\n "x\\n"', ["a\\n", "x\\n"]],
    ["", []],
  ];
  for (const [text, expected] of table) assert.deepEqual(words(text), expected, text);
});

test("commands know both quotes, also within words, and the escapes of C", () => {
  const table: readonly [string, readonly string[]][] = [
    ['abcd" efg h jkl "mnop', ["abcd efg h jkl mnop"]],
    ['abcd "efg h jkl" mnop', ["abcd", "efg h jkl", "mnop"]],
    [`"it's" 'say "x"'`, ["it's", 'say "x"']],
    ["a\\ b \\x41\\102\\t\\E\\cA\\q\\\\", ["a b", "AB\t\x1b\x01q\\"]],
    ['"\\"quoted\\""', ['"quoted"']],
    ["\\x4142", ["B"]],
    ["end\\", ["end\\"]],
  ];
  for (const [text, expected] of table) assert.deepEqual(command(text), expected, text);
});

test("a comment begins at # or ! outside double quotes", () => {
  const table: readonly [string, string][] = [
    ["router_id ab#cd", "router_id ab\n"],
    ["router_id ab!cd # x", "router_id ab\n"],
    ['router_id "ab#c!d" # x', 'router_id "ab#c!d"\n'],
    ["router_id ab\\#cd\\!e # x", "router_id ab#cd!e\n"],
    [`router_id ab\${_HASH}c\${_BANG}`, "router_id ab#c!\n"],
    ["# router_id x", ""],
    ["\t ! router_id x", ""],
  ];
  for (const [text, expected] of table) {
    const tree = parse(`global_defs {\n${text}\n}`).tree;
    assert.equal(treeText(tree[0]?.block ?? []), expected, text);
  }
});

test("braces may stand anywhere", () => {
  const expected = treeText(
    parse("vrrp_instance VI {\ntrack_interface {\neth0\n}\npriority 9\n}").tree,
  );
  for (const text of [
    "vrrp_instance VI { track_interface { eth0 } priority 9 }",
    "vrrp_instance VI{track_interface{eth0}priority 9}",
    "vrrp_instance VI\n{\ntrack_interface\n\n# x\n{ eth0\n}\npriority 9 }",
    "vrrp_instance VI {track_interface {\r\neth0}\r\npriority 9\r\n}\r\n",
  ]) {
    assert.equal(treeText(parse(text).tree), expected, text);
    assert.deepEqual(parse(text).diagnostics, [], text);
  }
});

test("places are those of the words as written", () => {
  const { tree } = parse('\n\tvrrp_instance "VI 1" {\n  priority 100 # x\n}');
  const [instance] = tree;
  assert.deepEqual(instance?.keyword.position, { file: "k.conf", line: 2, column: 2 });
  assert.deepEqual(instance?.words[0]?.position, { file: "k.conf", line: 2, column: 16 });
  assert.deepEqual(instance?.end, { file: "k.conf", line: 4, column: 1 });
  const [priority] = instance?.block ?? [];
  assert.deepEqual(priority?.words[0]?.position, { file: "k.conf", line: 3, column: 12 });
  assert.deepEqual(priority?.end, { file: "k.conf", line: 3, column: 12 });
});
