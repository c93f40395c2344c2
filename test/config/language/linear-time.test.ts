import assert from "node:assert/strict";
import { test } from "node:test";
import { staysInProportion } from "../../proportion.ts";
import { parse } from "./memory-host.ts";

function instances(count: number): string {
  const blocks = ["global_defs {\n  router_id node\n}\n"];
  for (let i = 0; i < count; i += 1) {
    blocks.push(`vrrp_instance VI_${i} {
    state BACKUP
    interface eth${i % 100}
    virtual_router_id ${(i % 255) + 1}
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/24 dev eth0
    }
}
`);
  }
  return blocks.join("");
}

test("reading takes time in proportion to the length", () => {
  assert.deepEqual(parse(instances(1_000)).diagnostics, []);
  staysInProportion((count) => assert.equal(parse(instances(count)).tree.length, count + 1), 4_000);
});

test("hard lines take time in proportion too", () => {
  const table: readonly [string, (count: number) => string][] = [
    ["escapes", (n) => `router_id ${"\\#".repeat(n)}`],
    ["quotes", (n) => `router_id ${'"a" '.repeat(n)}`],
    ["opening braces", (n) => "{".repeat(n)],
    ["closing braces", (n) => "}".repeat(n)],
    ["braces behind a definition", (n) => `$A=x\n$A ${"{a}".repeat(n)}`],
    ["dollars", (n) => `a ${"${".repeat(n)}`],
    ["conditions", (n) => "@main ".repeat(n)],
    ["generators", (n) => "~SEQ(A,1,1) ".repeat(n)],
    ["unknown words", (n) => Array.from({ length: n / 10 }, (_, i) => `wrd${i} x\n`).join("")],
    ["words", (n) => `router_id ${"a ".repeat(n)}`],
    ["definitions", (n) => Array.from({ length: n / 10 }, (_, i) => `$D${i}=x\n$D${i}\n`).join("")],
    ["commas", (n) => `~LST(${"a,".repeat(n)}b) x`],
    ["include braces", (n) => `include ${"{a,b}".repeat(n / 100)}`],
    ["nested include braces", (n) => `include ${"{a,".repeat(n / 10)}`],
  ];
  for (const [name, make] of table) {
    const start = performance.now();
    parse(make(20_000));
    const took = performance.now() - start;
    assert.ok(took < 1_500, `${name}: ${took.toFixed(0)} ms`);
  }
});
