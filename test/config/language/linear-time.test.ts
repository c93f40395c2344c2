import assert from "node:assert/strict";
import { test } from "node:test";
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

/** The quickest of several runs: what the work takes without what disturbs it. */
function quickest(text: string, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i += 1) {
    const start = performance.now();
    parse(text);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

test("reading takes time in proportion to the length", (context) => {
  const small = instances(4_000);
  const large = instances(16_000);
  assert.equal(parse(large).tree.length, 16_001);
  assert.deepEqual(parse(small).diagnostics, []);
  const [a, b] = [quickest(small, 4), quickest(large, 3)];
  context.diagnostic(`16,000 instances, ${large.length} characters: ${b.toFixed(0)} ms`);
  context.diagnostic(`4,000 instances: ${a.toFixed(0)} ms; ratio ${(b / a).toFixed(1)}`);
  // Four times the text: quadratic work would take sixteen times as long.
  assert.ok(b / a < 9, `16,000 instances take ${(b / a).toFixed(1)} times as long as 4,000`);
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
