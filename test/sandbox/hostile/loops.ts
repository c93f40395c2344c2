import type { Hostile } from "./hostile.ts";

/** Loops in the language: each is interrupted where it is. */
export const LOOPS: readonly Hostile[] = [
  { name: "for ever", body: "for (;;);", ends: ["interrupted"] },
  { name: "while with a body", body: "let n = 0; while (true) n++;", ends: ["interrupted"] },
  {
    name: "a loop that catches its own interruption",
    body: "for (;;) try { for (;;); } catch {}",
    ends: ["interrupted"],
  },
  {
    name: "a loop in finally",
    body: "try { for (;;); } finally { for (;;); }",
    ends: ["interrupted"],
  },
  {
    name: "a generator without end",
    body: "function* g() { for (;;) yield 1; } for (const x of g());",
    ends: ["interrupted"],
  },
  {
    name: "an iterator without end",
    body: "for (const x of { [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) });",
    ends: ["interrupted"],
  },
  {
    name: "spread of an iterator without end",
    body: "return [...{ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }];",
    ends: ["interrupted", "out-of-memory"],
  },
  {
    name: "a regular expression that backtracks",
    body: "return /^(a+)+$/.test('a'.repeat(40) + 'b');",
    ends: ["interrupted"],
  },
  {
    name: "a regular expression of nested groups",
    body: "return /((((a*)*)*)*)*b/.test('a'.repeat(60));",
    ends: ["interrupted"],
  },
  {
    name: "a lookahead that backtracks",
    body: "return /(?=(a|aa)+$)((a|aa)+)+c/.test('a'.repeat(60));",
    ends: ["interrupted"],
  },
  {
    name: "sort with a comparison that loops",
    body: "return [3, 2, 1].sort(() => { for (;;); });",
    ends: ["interrupted"],
  },
  {
    name: "sort with a comparison that lies",
    body: "for (;;) Array.from({ length: 1000 }, (_, i) => i).sort(() => Math.random() - 0.5);",
    ends: ["interrupted"],
  },
  {
    name: "toJSON that loops",
    body: "return JSON.stringify({ toJSON() { for (;;); } });",
    ends: ["interrupted"],
  },
  {
    name: "a reviver that loops",
    body: "return JSON.parse('[1]', () => { for (;;); });",
    ends: ["interrupted"],
  },
  {
    name: "a replacer that loops",
    body: "return JSON.stringify([1], () => { for (;;); });",
    ends: ["interrupted"],
  },
  {
    name: "a getter that loops",
    body: "return { get ok() { for (;;); } };",
    ends: ["interrupted"],
  },
  {
    name: "a proxy that loops",
    body: "return new Proxy({}, { ownKeys() { for (;;); } });",
    ends: ["interrupted"],
  },
  {
    name: "replace with a function that loops",
    body: "return 'a'.replace(/a/, () => { for (;;); });",
    ends: ["interrupted"],
  },
  { name: "eval of a loop", body: "return eval('for (;;);');", ends: ["interrupted"] },
  {
    name: "Function of a loop",
    body: "return new Function('for (;;);')();",
    ends: ["interrupted"],
  },
  {
    name: "waiting for a time that stands still",
    body: "const end = Date.now() + 5; while (Date.now() < end);",
    ends: ["interrupted"],
  },
  {
    name: "a loop in a getter of the answer of a thenable",
    body: "return { get then() { for (;;); } };",
    ends: ["interrupted"],
  },
  {
    name: "a loop after an answer came",
    body: "await ctx.http.get('http://192.0.2.1/'); for (;;);",
    ends: ["interrupted"],
  },
  {
    name: "labels and switches",
    body: "a: for (;;) { switch (1) { case 1: continue a; } }",
    ends: ["interrupted"],
  },
  {
    name: "a loop over arguments",
    body: "(function f() { for (;;) arguments[0] = arguments.length; })(1, 2);",
    ends: ["interrupted"],
  },
  {
    name: "a class whose constructor loops",
    body: "new (class { constructor() { for (;;); } })();",
    ends: ["interrupted"],
  },
];
