import assert from "node:assert/strict";
import { test } from "node:test";
import { findingLines, parse, treeText } from "./memory-host.ts";

test("a missing } is found where a block begins that cannot be there", () => {
  const text = `vrrp_instance A {
    virtual_router_id 1
    virtual_ipaddress {
        10.0.0.1
    track_interface {
        eth0
    }
}
vrrp_instance B {
    virtual_router_id 2
}`;
  assert.deepEqual(findingLines(text), ["3:23 missing-closing-brace {"]);
  const { tree, diagnostics } = parse(text);
  assert.match(
    diagnostics[0]?.message ?? "",
    /virtual_ipaddress .* track_interface begins \(k\.conf:5:5\)/,
  );
  assert.match(
    treeText(tree),
    /^vrrp_instance A \{[\s\S]*track_interface[\s\S]*^\}\nvrrp_instance B \{/m,
  );
});

test("a } under an outer keyword that closes an inner block is the one to blame", () => {
  const text = `vrrp_instance A {
    virtual_router_id 1
    track_interface {
        eth0
}
vrrp_instance B {
    virtual_router_id 2
}
`;
  assert.deepEqual(findingLines(text), ["5:1 brace-closes-wrong-block }"]);
  assert.match(parse(text).diagnostics[0]?.hint ?? "", /track_interface at k\.conf:3:21/);
  assert.equal(parse(text).tree.length, 2);
  const atEnd = text.slice(0, text.indexOf("vrrp_instance B"));
  assert.deepEqual(findingLines(atEnd), ["5:1 brace-closes-wrong-block }"]);
});

test("words of the outer block end an inner one that is not closed", () => {
  const table: readonly [string, readonly string[]][] = [
    // By indentation.
    [
      "vrrp_instance A {\n  authentication {\n    auth_type PASS\n  nopreempt\n  priority 5\n}",
      ["2:18 missing-closing-brace {"],
    ],
    // An address cannot be a keyword.
    [
      "vrrp_instance A {\nvirtual_ipaddress {\n1.1.1.1\npriority 5\n}",
      ["2:19 missing-closing-brace {"],
    ],
    // Without either, a misplaced word is all that is certain, until the text ends.
    [
      "vrrp_instance A {\nauthentication {\nauth_type PASS\nnopreempt\n}",
      ["1:17 missing-closing-brace {", "4:1 keyword-misplaced nopreempt"],
    ],
    [
      "vrrp_instance A {\nauthentication {\nauth_type PASS\nnopreempt\n}\n}",
      ["4:1 keyword-misplaced nopreempt"],
    ],
    // A rule may begin with a word that an instance has too.
    ["vrrp_instance A {\nvirtual_rules {\npriority 5 from 1.1.1.1\n}\n}", []],
  ];
  for (const [text, expected] of table) assert.deepEqual(findingLines(text), expected, text);
});

test("unclosed at the end", () => {
  assert.deepEqual(findingLines("vrrp_instance A {\n  virtual_ipaddress {\n"), [
    "1:17 missing-closing-brace {",
    "2:21 missing-closing-brace {",
  ]);
});

test("a } too many", () => {
  const text =
    "vrrp_instance A {\n  authentication {\n    auth_type PASS\n  }\n  }\n  interface eth0\n  priority 7\n}";
  assert.deepEqual(findingLines(text), [
    "6:3 essential-misplaced interface",
    "7:3 keyword-misplaced priority",
    "8:1 unexpected-closing-brace }",
  ]);
  assert.match(
    parse(text).diagnostics.at(-1)?.hint ?? "",
    /vrrp_instance \(k\.conf:1:17\) ended at k\.conf:5:3/,
  );
});

test("blocks that are missing, or begin without their brace", () => {
  const table: readonly [string, readonly string[]][] = [
    ["vrrp_instance A\n  priority 5\n}", ["1:1 missing-opening-brace vrrp_instance"]],
    [
      "vrrp_instance A {\nvirtual_ipaddress\n1.1.1.1\n}\n}",
      ["2:1 missing-opening-brace virtual_ipaddress"],
    ],
    [
      "vrrp_instance A {\nvirtual_ipaddress\npriority 5\n}",
      ["2:1 missing-block virtual_ipaddress"],
    ],
    ["vrrp_instance A {\nvirtual_ipaddress\n}", ["2:1 missing-block virtual_ipaddress"]],
    ["vrrp_instance A", ["1:1 missing-block vrrp_instance"]],
    ["vrrp_instance A {\npriority 5 {\n foo\n}\nstate MASTER\n}", ["2:12 block-not-taken {"]],
    ["vrrp_instance A {\nvirtual_ipaddress {\n1.1.1.1 {\n foo\n}\n}\n}", ["3:9 block-not-taken {"]],
    ["vrrp_instance A {{\npriority 5\n}\nstate MASTER\n}", ["1:18 unexpected-opening-brace {"]],
    ["{ }", ["1:1 unexpected-opening-brace {"]],
  ];
  for (const [text, expected] of table) assert.deepEqual(findingLines(text), expected, text);
});

test("odd indentation alone is no mistake", () => {
  const odd = "vrrp_instance A {\n    track_interface {\n        eth0\n}\n    priority 5\n}\n";
  assert.deepEqual(findingLines(odd), []);
  assert.deepEqual(findingLines(`${odd}vrrp_instance B {\n`), ["7:17 missing-closing-brace {"]);
});
