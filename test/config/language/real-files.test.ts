import assert from "node:assert/strict";
import { test } from "node:test";
import { findingLines, parse, treeText } from "./memory-host.ts";

/**
 * Small mistakes of files that run with keepalived: each runs here with the same effect, and is
 * said. The text stands in an instance, unless it has one of its own.
 */
const mistakes: readonly {
  readonly name: string;
  readonly text: string;
  readonly findings: readonly string[];
  readonly tree: string;
}[] = [
  {
    name: "a semicolon after a value",
    text: "authentication {\nauth_type PASS;\nauth_pass 1111\n}",
    findings: ["3:11 trailing-semicolon PASS;"],
    tree: "authentication {\n  auth_type PASS;\n  auth_pass 1111\n}\n",
  },
  {
    name: "a state that there is not",
    text: "state SLAVE",
    findings: ["2:7 value-invalid SLAVE"],
    tree: "state SLAVE\n",
  },
  {
    name: "a misspelt keyword",
    text: "advert_itn 1",
    findings: ["2:1 keyword-unknown advert_itn"],
    tree: "",
  },
  {
    name: "instance words among the global definitions",
    text: "state BACKUP\n}\nglobal_defs {\nrouter_id a\npriority 90\nnopreempt",
    findings: ["6:1 keyword-misplaced priority", "7:1 keyword-misplaced nopreempt"],
    tree: "state BACKUP\n",
  },
  {
    name: "nopreempt with state MASTER, and no priority",
    text: "state MASTER\nnopreempt",
    findings: [],
    tree: "state MASTER\nnopreempt\n",
  },
  {
    name: "a password of more than 8 bytes",
    text: "authentication {\nauth_type PASS\nauth_pass 123456789\n}",
    findings: [],
    tree: "authentication {\n  auth_type PASS\n  auth_pass 123456789\n}\n",
  },
  {
    name: "blocks on one line",
    text: "track_interface { eth0 }\nvirtual_ipaddress{10.0.0.1}",
    findings: [],
    tree: "track_interface {\n  eth0\n}\nvirtual_ipaddress {\n  10.0.0.1\n}\n",
  },
  {
    name: "extra words",
    text: "priority 100 weight 5\nnopreempt yes",
    findings: ["2:14 extra-words weight 5", "3:11 extra-words yes"],
    tree: "priority 100 weight 5\nnopreempt yes\n",
  },
  {
    name: "a hash in a password",
    text: "authentication {\nauth_type PASS\nauth_pass ab#cd\n}",
    findings: [],
    tree: "authentication {\n  auth_type PASS\n  auth_pass ab\n}\n",
  },
];

for (const { name, text, findings, tree } of mistakes) {
  test(name, () => {
    const file = `vrrp_instance VI {\n${text}\n}`;
    assert.deepEqual(findingLines(file), findings);
    const parsed = parse(file);
    assert.equal(treeText(parsed.tree[0]?.block ?? []), tree);
    assert.deepEqual(
      parsed.diagnostics.filter((each) => each.severity === "error"),
      [],
    );
  });
}

test("a brace right after a port", () => {
  const file = "virtual_server 10.0.0.1 80{\nreal_server 10.0.0.2 80{\nweight 1\n}\n}";
  assert.deepEqual(findingLines(file), []);
  assert.equal(
    treeText(parse(file).tree),
    "virtual_server 10.0.0.1 80 {\n  real_server 10.0.0.2 80 {\n    weight 1\n  }\n}\n",
  );
});
