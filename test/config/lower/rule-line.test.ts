import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PLAIN_RULE } from "../plain.ts";
import { brief, configOf, load } from "./lowered.ts";

function ruleOf(line: string): unknown {
  const [rule] = configOf(`static_rules {\n${line}\n}`).staticRules;
  const { position: _, ...rest } = rule ?? assert.fail("no rule");
  return rest;
}

const TEN = { address: "10.0.0.0", length: 8 };

/** Words besides `priority 5`. */
const ROWS: readonly (readonly [line: string, wanted: object])[] = [
  ["from 10.0.0.0/8 table 100", { from: TEN, table: 100 }],
  ["to 10.0.0.0/8 lookup main", { to: TEN, table: 254 }],
  ["not from all table 100", { not: true, table: 100 }],
  ["inet6 table 100", { family: "ipv6", table: 100 }],
  [
    "from 2001:db8::/32 table 100",
    { family: "ipv6", from: { address: "2001:db8::", length: 32 }, table: 100 },
  ],
  ["iif eth0 oif eth1 table 1", { inputInterface: "eth0", outputInterface: "eth1", table: 1 }],
  ["dev eth0 table 1", { inputInterface: "eth0", table: 1 }],
  ["tos 0x10 table 1", { tos: 16, table: 1 }],
  ["fwmark 5 table 1", { mark: { value: 5, mask: 0xffff_ffff }, table: 1 }],
  ["fwmark 0x5/0xff table 1", { mark: { value: 5, mask: 255 }, table: 1 }],
  ["realms 3/4 table 1", { realms: 0x3_0004, table: 1 }],
  ["suppress_prefixlength 0 table 1", { suppressPrefixLength: 0, table: 1 }],
  ["sup_pl 24 table 1", { suppressPrefixLength: 24, table: 1 }],
  ["suppress_ifgroup default table 1", { suppressInterfaceGroup: 0, table: 1 }],
  ["tunnel-id 18446744073709551615 table 1", { tunnelId: "18446744073709551615", table: 1 }],
  ["uidrange 0-100 table 1", { uidRange: [0, 100], table: 1 }],
  ["l3mdev", { l3mdev: true }],
  ["ipproto tcp dport 80-90 table 1", { ipProtocol: 6, destinationPorts: [80, 90], table: 1 }],
  ["ip_proto 17 sport 53 table 1", { ipProtocol: 17, sourcePorts: [53, 53], table: 1 }],
  ["protocol 7 no_track table 1", { protocol: 7, noTrack: true, table: 1 }],
  ["protocol 7 table 1", { table: 1 }],
  ["from 10.0.0.0/8 blackhole", { from: TEN, action: "blackhole" }],
  ["type unreachable", { action: "unreachable" }],
  ["prohibit", { action: "prohibit" }],
  ["nop", { action: "nop" }],
  ["goto 9", { action: "goto", goto: 9 }],
];

describe("lines of virtual_rules and static_rules", () => {
  for (const [line, wanted] of ROWS) {
    test(line, () =>
      assert.deepEqual(ruleOf(`${line} priority 5`), { ...PLAIN_RULE, priority: 5, ...wanted }),
    );
  }

  const FAULTS: readonly (readonly [line: string, column: number])[] = [
    ["from 10.0.0.0/8", 1],
    ["from 10.0.0.0/8 to 2001:db8::/32 table 1", 20],
    ["table 1 blackhole priority 5", 9],
    ["table 0 priority 5", 7],
    ["goto 5 priority 9", 1],
    ["goto 5", 1],
    ["blackhole realms 3 priority 5", 11],
    ["fwmark -1 table 1", 8],
    ["type local", 6],
    ["dport 90-80 table 1", 7],
    ["tabel 1", 1],
    ["tunnel-id 18446744073709551616 table 1", 11],
  ];
  for (const [line, column] of FAULTS) {
    test(`${line} is left out, and reported in its place`, () => {
      const { config, diagnostics } = load(`static_rules {\n${line}\n}`);
      assert.deepEqual(brief(diagnostics), [`2:${column} rule-invalid`]);
      assert.deepEqual(config?.staticRules, []);
    });
  }

  test("rules without preference get falling ones, by family", () => {
    const { config, diagnostics } = load(
      "static_rules {\ntable 1\ninet6 table 1\nfrom 10.0.0.1 table 1\n}",
    );
    const priorities = config?.staticRules.map(({ priority }) => priority);
    assert.deepEqual(priorities, [16_384, 16_384, 16_383]);
    assert.deepEqual(brief(diagnostics), [
      "2:1 rule-preference",
      "3:1 rule-preference",
      "4:1 rule-preference",
    ]);
  });

  test("no line makes it throw", () => {
    const words =
      "from to all 10.0.0.1 not table 1 fwmark 1/2 type goto nop uidrange 1-2 sport realms __proto__ toString";
    const word = fc.constantFrom(...words.split(" "));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 10 }), (line) => {
        load(`static_rules {\n${line.join(" ")}\n}`);
      }),
    );
  });
});
