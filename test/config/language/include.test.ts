// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is what is under test
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../agent/config/load.ts";
import { findingLines, memoryHost, parse, treeText } from "./memory-host.ts";

const host = memoryHost({
  "/etc/keepalived/conf.d/a.conf": "include sub/b.conf\n1.1.1.1 dev ${_PWD}",
  "/etc/keepalived/conf.d/sub/b.conf": "2.2.2.2",
  "/etc/keepalived/conf.d/loop.conf": "include loop.conf",
  "/etc/keepalived/one.txt": "3.3.3.3",
  "/etc/keepalived/two.txt": "4.4.4.4",
});
const inside = (text: string): string =>
  treeText(parse(`static_ipaddress {\n${text}\n}`, host).tree[0]?.block ?? []);

test("includes are read where they stand, relative to their file", () => {
  assert.equal(inside("include conf.d/a.conf"), "2.2.2.2\n1.1.1.1 dev /etc/keepalived/conf.d\n");
  assert.equal(inside("include *.txt"), "3.3.3.3\n4.4.4.4\n");
  assert.equal(inside("include {two,one}.txt"), "4.4.4.4\n3.3.3.3\n");
  assert.equal(inside("@main include /etc/keepalived/one.txt"), "3.3.3.3\n");
  assert.equal(inside("@other include /etc/keepalived/one.txt"), "");
});

test("places name the included file", () => {
  const { tree } = parse("static_ipaddress {\ninclude one.txt\n}", host);
  const position = tree[0]?.block?.[0]?.keyword.position;
  assert.deepEqual(position, { file: "/etc/keepalived/one.txt", line: 1, column: 1 });
});

test("suffixes and include_check say what must match", () => {
  const table: readonly [string, readonly string[]][] = [
    ["include none.conf", ["1:9 include-unmatched none.conf"]],
    ["includer none.conf", ["1:10 include-unmatched none.conf"]],
    ["includem none.conf", ["1:10 include-unmatched-checked none.conf"]],
    ["includem *.none", ["1:10 include-unmatched *.none"]],
    ["includew *.none", ["1:10 include-unmatched-checked *.none"]],
    [
      "includeb {conf.d/none,conf.d/nil}",
      ["1:10 include-unmatched-checked {conf.d/none,conf.d/nil}"],
    ],
    ["includea none.conf", ["1:10 include-unmatched-checked none.conf"]],
    ["include", ["1:1 missing-argument include"]],
    ["include none.conf more", ["1:9 include-unmatched none.conf", "1:19 extra-words more"]],
    [
      "global_defs {\ninclude_check match\n}\ninclude none.conf",
      ["4:9 include-unmatched-checked none.conf"],
    ],
    [
      "global_defs {\ninclude_check\ninclude_check -match\n}\ninclude none.conf",
      ["5:9 include-unmatched none.conf"],
    ],
  ];
  for (const [text, expected] of table) {
    const found = findingLines(text, host).filter((each) => !each.includes("duplicate"));
    assert.deepEqual(found, expected, text);
  }
});

test("a file that includes itself is located", () => {
  const { diagnostics } = parse("include conf.d/loop.conf", host);
  assert.equal(diagnostics[0]?.code, "include-cycle");
  assert.equal(diagnostics[0]?.position.file, "/etc/keepalived/conf.d/loop.conf");
});

test("a file that cannot be read is an error", () => {
  const broken = memoryHost(
    { "/etc/keepalived/x": "" },
    { readFile: () => ({ ok: false, errno: "EACCES" }) },
  );
  assert.deepEqual(findingLines("include x", broken), ["1:9 include-failed x"]);
});

test("-e makes every include that names no file an error", () => {
  const entry = { file: "/k.conf", text: "include missing.conf\n" };
  const empty = memoryHost({});
  const codes = (all: boolean) =>
    loadConfig(entry, empty, { includesMustExist: all, settingsFile: "/none" }).diagnostics.map(
      ({ code }) => code,
    );
  assert.deepEqual(codes(false), ["include-unmatched"]);
  assert.deepEqual(codes(true), ["include-unmatched-checked"]);
});
