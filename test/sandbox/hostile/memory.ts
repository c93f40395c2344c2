import type { Hostile } from "./hostile.ts";

const full = (name: string, body: string): Hostile => ({
  name,
  body,
  ends: ["out-of-memory", "interrupted", "stuck", "exception"],
});

export const MEMORY: readonly Hostile[] = [
  full("an array that grows", "const a = []; for (;;) a.push({});"),
  full("buffers that are kept", "const a = []; for (;;) a.push(new Uint8Array(65536).fill(1));"),
  full("texts that are kept", "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1e4) + i);"),
  full("a text that doubles", "let t = 'x'; for (;;) t += t;"),
  full("a giant text", "return 'x'.repeat(2 ** 29).length;"),
  full("a giant buffer", "return new ArrayBuffer(2 ** 30).byteLength;"),
  full("a giant array", "return new Array(2 ** 31).fill(0).length;"),
  full("a map that grows", "const m = new Map(); for (let i = 0; ; i++) m.set(i, i);"),
  full("symbols", "const a = []; for (let i = 0; ; i++) a.push(Symbol('s' + i));"),
  full("names of members", "const o = {}; for (let i = 0; ; i++) o['name' + i] = i;"),
  full("closures", "let f = () => 0; for (;;) { const g = f; f = () => g; }"),
  full("cycles of garbage", "for (;;) { const o = { t: 'x'.repeat(5e4) }; o.self = o; }"),
  full("a regular expression that is large", "return new RegExp('(a|b)'.repeat(1e5)).test('a');"),
  full("padding", "return 'x'.padEnd(2 ** 28).length;"),
  full("a giant number", "return (2n ** 100000000n).toString().length;"),
  {
    name: "memory that is swallowed: it catches what it is told",
    body: "const a = []; for (;;) try { for (;;) a.push('x'.repeat(1e5) + a.length); } catch {}",
    ends: ["out-of-memory", "interrupted", "stuck"],
  },
  {
    name: "memory that is kept from run to run",
    before: "const kept = [];",
    body: "for (let i = 0; i < 20; i++) kept.push('x'.repeat(5e4) + kept.length); return true",
    times: 40,
    ends: ["good", "out-of-memory", "moved"],
  },
  {
    name: "cycles of garbage from run to run",
    body: "for (let i = 0; i < 10; i++) { const o = { t: 'x'.repeat(5e4) + i }; o.self = o; } return true",
    times: 80,
    ends: ["good", "out-of-memory", "moved"],
  },
];

export const STACK: readonly Hostile[] = [
  ...(
    [
      ["a function", "(function f() { f(); })()"],
      ["an arrow with arguments", "const f = (a) => f(a + 1) + 1; f(0)"],
      ["a getter", "const o = { get a() { return this.a; } }; o.a"],
      ["a setter", "const o = { set a(v) { this.a = v; } }; o.a = 1"],
      ["a proxy", "const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.a"],
      ["a chain of proxies", "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.a"],
      ["toString", "const o = { toString() { return '' + o; } }; '' + o"],
      ["sort", "const f = () => [2, 1].sort(f); f()"],
      ["replace", "const f = () => 'a'.replace(/a/, f); f()"],
      ["toJSON", "const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o)"],
      ["nested lists in JSON", "JSON.parse('['.repeat(1e5))"],
      [
        "nested objects to JSON",
        "let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; JSON.stringify(o)",
      ],
      ["nested brackets in code", "eval('('.repeat(1e5))"],
      ["nested lists in code", "eval('['.repeat(1e5))"],
      ["nested blocks in code", "eval('{'.repeat(1e5))"],
      ["many terms in code", "eval('1' + '+1'.repeat(2e5))"],
      ["nested groups in an expression", "new RegExp('('.repeat(1e5))"],
      ["bound functions", "let f = () => 0; for (let i = 0; i < 1e5; i++) f = f.bind(null); f()"],
      ["a constructor", "class A { constructor() { new A(); } } new A()"],
      ["a generator", "function* g() { yield* g(); } g().next()"],
      ["flat of a list in itself", "const a = []; a.push(a); a.flat(Infinity)"],
      [
        "an error whose cause is deep",
        "let e; for (let i = 0; i < 1e5; i++) e = new Error('', { cause: e }); String(e.stack)",
      ],
      ["catching and going on", "(function f() { try { f(); } catch { f(); } })()"],
      ["stacks of errors at every depth", "(function f() { new Error().stack; f(); })()"],
      ["a rope of texts", "let t = ''; for (let i = 0; i < 1e5; i++) t = 'a' + t + 'b'; t.length"],
    ] as const
  ).map(
    ([name, body]): Hostile => ({
      name: `recursion: ${name}`,
      body: `${body}; return true`,
      ends: ["exception", "interrupted", "good", "out-of-memory", "stuck"],
    }),
  ),
];
