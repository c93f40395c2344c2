import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeepalived } from "../../../agent/config/keepalived/parse-keepalived.ts";
import { settingsTable } from "../../../agent/config/settings-file/keyword-table.ts";
import { findingLines, memoryHost, parse, treeText } from "./memory-host.ts";

/** Findings of lines inside a vrrp_instance that begins on line 0. */
const inInstance = (text: string): readonly string[] =>
  findingLines(`vrrp_instance VI {\n${text}\n}`).map((each) => {
    const [, line = "", rest = ""] = /^(\d+)(.*)$/.exec(each) ?? [];
    return `${Number(line) - 1}${rest}`;
  });

test("words are held against the table", () => {
  const table: readonly [string, readonly string[]][] = [
    ["priority 100", []],
    ["priority 100 weight 5", ["1:14 extra-words weight 5"]],
    // No part of a secret reaches a log.
    ["authentication {\nauth_pass hunter 2\n}", ["2:18 extra-words"]],
    ["nopreempt yes", ["1:11 extra-words yes"]],
    ["priority", ["1:1 missing-argument priority"]],
    ["priority 300", ["1:10 value-invalid 300"]],
    ["priority 0", ["1:10 value-invalid 0"]],
    ["priority 10x", ["1:10 value-invalid 10x"]],
    ["virtual_router_id 256", ["1:19 essential-value 256"]],
    ["virtual_router_id 51;", ["1:19 essential-value 51;"]],
    ["advert_int 0.5", []],
    ["advert_int .5", []],
    ["advert_int 0", ["1:12 value-invalid 0"]],
    ["state SLAVE", ["1:7 value-invalid SLAVE"]],
    ["state master", ["1:7 value-invalid master"]],
    ["interface abcdefghijklmnop", ["1:11 essential-value abcdefghijklmnop"]],
    ["unicast_src_ip 1.2.3", ["1:16 essential-value 1.2.3"]],
    ["mcast_src_ip fe80::1", []],
    ["lower_prio_no_advert maybe", ["1:22 value-invalid maybe"]],
    ["lower_prio_no_advert off", []],
    ["version 4", ["1:9 value-invalid 4"]],
    ["priority 1\npriority 2", ["2:1 duplicate-keyword priority"]],
    ["track_interface {\neth0\n}\ntrack_interface {\neth1\n}", []],
    ["thread_timer_expired", ["1:1 deprecated-keyword thread_timer_expired"]],
    ["authentication {\nauth_type PASS;\n}", ["2:11 trailing-semicolon PASS;"]],
    ["authentication {\nauth_type NONE\n}", ["2:11 essential-value NONE"]],
    ["holdfast_fencing gate", []],
    ['notify_master "/x a;"', []],
    ["priority 100 \\", ["1:14 extra-words \\"]],
  ];
  for (const [text, expected] of table) assert.deepEqual(inInstance(text), expected, text);
});

test("hints of values and of further words say what to write", () => {
  const table: readonly [string, string | undefined][] = [
    ["priority 300", "write 1–255"],
    ["virtual_router_id 51x", "write a number alone, without a unit: 1–255"],
    ["nopreempt off", "remove the line: nopreempt is switched on by standing here"],
    ["holdfast_fencing off off", undefined],
  ];
  for (const [text, hint] of table) {
    const { diagnostics } = parse(`vrrp_instance VI {\n${text}\n}`);
    assert.equal(diagnostics[0]?.hint, hint, text);
  }
});

test("unknown words get what was meant", () => {
  const table: readonly [string, string, string | undefined][] = [
    ["priorty 100", "keyword-unknown", 'did you mean "priority"?'],
    ["Priority 100", "keyword-unknown", 'did you mean "priority"?'],
    ["prioirty 100", "keyword-unknown", 'did you mean "priority"?'],
    ["virtual_router_di 5", "essential-unknown", 'did you mean "virtual_router_id"?'],
    ["virtual_ipaddres {\n1.1.1.1\n}", "essential-unknown", 'did you mean "virtual_ipaddress"?'],
    ["autentication {\nauth_type PASS\n}", "essential-unknown", 'did you mean "authentication"?'],
    [
      "track_interfaces {\neth0 weight 2\n}",
      "essential-unknown",
      'did you mean "track_interface"?',
    ],
    ["vrrp_garp_master_delay 1", "keyword-misplaced", "here the word is garp_master_delay"],
    ["router_id x", "keyword-misplaced", "router_id belongs into global_defs"],
    [
      "auth_type PASS",
      "essential-misplaced",
      "auth_type belongs into vrrp_instance.authentication",
    ],
    ["utter_nonsense", "keyword-unknown", undefined],
    ["utter_nonsense {\npriority 1\nfoo { bar }\n}", "block-skipped", undefined],
    [
      "priority\u00a0100",
      "keyword-unknown",
      "the word contains U+00A0, which is no white space here; write a blank",
    ],
    ["$X = 5", "undefined-name", undefined],
    ["// comment", "keyword-unknown", "a comment begins with # or !"],
  ];
  for (const [text, code, hint] of table) {
    const { tree, diagnostics } = parse(`vrrp_instance VI {\n${text}\n  state BACKUP\n}`);
    assert.equal(diagnostics[0]?.code, code, text);
    assert.equal(diagnostics[0]?.hint, hint, text);
    if (code !== "undefined-name") assert.equal(diagnostics.length, 1, text);
    assert.equal(treeText(tree), "vrrp_instance VI {\n  state BACKUP\n}\n", text);
  }
});

test("instance words among the global definitions are idle, blocks are not", () => {
  assert.deepEqual(
    findingLines(
      "global_defs {\npriority 100\nvirtual_router_id 5\ngarp_master_delay 1\ntrack_interface { eth0 }\n}",
    ),
    [
      "2:1 keyword-misplaced priority",
      "3:1 keyword-misplaced virtual_router_id",
      "4:1 keyword-misplaced garp_master_delay",
      "5:1 essential-misplaced track_interface",
    ],
  );
});

test("a value that is missing ends keepalived, or the word is passed over", () => {
  const { tree } = parse("global_defs {\nrouter_id\nvrrp_version\n}");
  assert.deepEqual(findingLines("global_defs {\nrouter_id\nvrrp_version\n}"), [
    "2:1 missing-argument-ignored router_id",
    "3:1 missing-argument vrrp_version",
  ]);
  assert.equal(treeText(tree), "global_defs {\n  vrrp_version\n}\n");
});

test("a misspelt word is found however deep it lies", () => {
  const text =
    "virtual_server 1.1.1.1 80 {\nreal_server 1.1.1.2 80 {\nTCP_CHECK {\nconnect_timeout 3\nconect_port 80\n}\n}\n}";
  assert.deepEqual(findingLines(text), ["5:1 keyword-unknown conect_port"]);
});

test("long lines are read, with a warning", () => {
  const text = `vrrp_instance VI {\n  interface eth0 ${" ".repeat(1100)}# x\n}`;
  const { tree } = parse(text);
  assert.deepEqual(findingLines(text), ["2:1 line-too-long"]);
  assert.equal(treeText(tree), "vrrp_instance VI {\n  interface eth0\n}\n");
});

test("an unclosed quote is located", () => {
  assert.deepEqual(findingLines('global_defs {\n  router_id "ab # c\n}'), [
    '2:13 unclosed-quote "ab # c',
  ]);
});

test("another file of the same language has a table of its own", () => {
  const entry = { file: "holdfast.conf", text: "secret a /a\nvrrp_instance V {\n}\n" };
  const { tree, diagnostics } = parseKeepalived(entry, memoryHost(), settingsTable);
  assert.equal(treeText(tree), "secret a /a\n");
  assert.deepEqual(
    diagnostics.map((each) => each.code),
    ["block-skipped"],
  );
});
