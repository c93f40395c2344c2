import type { Hostile } from "./hostile.ts";

/** Odd things handed to the agent, as arguments and as answers. */
export const ARGUMENTS: readonly Hostile[] = [
  {
    name: "a cycle as an argument",
    body: "const o = {}; o.o = o; await ctx.http.get(o)",
    ends: ["exception"],
  },
  { name: "a BigInt as an argument", body: "await ctx.http.get(1n)", ends: ["exception"] },
  {
    name: "a function as an argument",
    body: "await ctx.http.get(() => 1); return true",
    ends: ["good"],
  },
  {
    name: "a symbol as an argument",
    body: "await ctx.http.get(Symbol()); return true",
    ends: ["good"],
  },
  {
    name: "a name that is a symbol",
    body: "return ctx.router(Symbol('VI_1'))",
    ends: ["exception"],
  },
  {
    name: "a proxy as an argument",
    body: "await ctx.http.get(new Proxy({}, { get() { throw new Error('trap'); }, ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }))",
    ends: ["exception"],
  },
  {
    name: "a revoked proxy as an argument",
    body: "const p = Proxy.revocable({}, {}); p.revoke(); await ctx.http.get(p.proxy)",
    ends: ["exception"],
  },
  {
    name: "an argument whose getter calls again",
    body: "await ctx.kv.set('a', { get b() { ctx.kv.set('c', 1).catch(() => {}); return 1; } }); return true",
    ends: ["good"],
  },
  {
    name: "an argument whose getter says something",
    body: "ctx.log.info('a', { get b() { ctx.log.info('c'); return 1; } }); return true",
    ends: ["good"],
  },
  {
    name: "an argument whose getter calls without end",
    body: "const o = { get b() { ctx.kv.set('a', o).catch(() => {}); return 1; } }; await ctx.kv.set('a', o)",
    ends: ["exception", "interrupted", "good"],
  },
  { name: "a large argument", body: "await ctx.http.get('x'.repeat(1e6))", ends: ["exception"] },
  { name: "a large log line", body: "ctx.log.info('x'.repeat(1e6))", ends: ["exception"] },
  {
    name: "NUL and lone surrogates",
    body: "ctx.log.info('a\\0b\\ud800c'); return { ok: true, reason: 'a\\0\\udc00' }",
    ends: ["good"],
  },
  {
    name: "arguments by the thousand",
    body: "await ctx.http.get(...new Array(20000).fill(1)); return true",
    ends: ["good", "exception"],
  },
  {
    name: "a method with slashes",
    body: "await ctx.plugin('own', '../../kv.get'); return true",
    ends: ["good", "exception"],
  },
  {
    name: "a method that is an object",
    body: "await ctx.plugin('own', { toString: () => { for (;;); } })",
    ends: ["interrupted"],
  },
  { name: "nothing at all", body: "return", ends: ["good"] },
  {
    name: "a large answer",
    body: "return { ok: true, reason: 'x'.repeat(1e6) }",
    ends: ["invalid"],
  },
  { name: "a BigInt as an answer", body: "return 1n", ends: ["invalid"] },
  { name: "a function as an answer", body: "return () => 1", ends: ["invalid"] },
  { name: "a symbol as an answer", body: "return Symbol()", ends: ["invalid"] },
  {
    name: "a cycle as an answer",
    body: "const o = { ok: true }; o.o = o; return o",
    ends: ["invalid"],
  },
  {
    name: "an answer whose toJSON throws",
    body: "return { toJSON() { throw 1; } }",
    ends: ["invalid"],
  },
  {
    name: "an answer whose toJSON is no JSON",
    body: "return { toJSON() { return undefined; } }",
    ends: ["invalid"],
  },
  {
    name: "a revoked proxy as an answer",
    body: "const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy",
    ends: ["exception", "invalid"],
  },
  {
    name: "a proxy as an answer",
    body: "return new Proxy({}, { get: () => undefined, ownKeys: () => [] })",
    ends: ["good", "invalid"],
  },
  {
    name: "a state that grows without end",
    more: "state: { version: 1, init: () => ({ t: '' }) },",
    body: "ctx.state.t += 'x'.repeat(30000); return true",
    times: 4,
    ends: ["good", "invalid"],
  },
  {
    name: "a state that is a cycle",
    more: "state: { version: 1, init: () => ({}) },",
    body: "ctx.state.s = ctx.state; return true",
    ends: ["invalid"],
  },
  {
    name: "a state with toJSON",
    more: "state: { version: 1, init: () => ({}) },",
    body: "ctx.state.toJSON = () => { for (;;); }; return true",
    ends: ["interrupted"],
  },
  {
    name: "a state with a getter that throws",
    more: "state: { version: 1, init: () => ({}) },",
    body: "Object.defineProperty(ctx.state, 'a', { enumerable: true, get() { throw {}; } }); return true",
    ends: ["invalid"],
  },
  {
    name: "a state that is a proxy",
    more: "state: { version: 1, init: () => ({}) },",
    body: "ctx.state.p = new Proxy({}, { ownKeys() { throw null; } }); return true",
    ends: ["invalid"],
  },
];

/** Odd things thrown. */
export const THROWN: readonly Hostile[] = [
  ...(
    [
      ["undefined", "undefined"],
      ["null", "null"],
      ["a number", "42"],
      ["a text", "'x'"],
      ["a symbol", "Symbol('s')"],
      ["a BigInt", "1n"],
      ["a function", "() => 1"],
      ["a large text", "'x'.repeat(1e6)"],
      ["an error with a large message", "new Error('x'.repeat(1e6))"],
      ["an object whose toString throws", "{ toString() { throw 1; } }"],
      ["an object whose toString is no text", "{ toString() { return {}; } }"],
      ["an object without a prototype", "Object.create(null)"],
      ["a proxy whose traps throw", "new Proxy({}, { get() { throw new Error('trap'); } })"],
      [
        "a revoked proxy",
        "(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()",
      ],
      [
        "an error whose message is a getter",
        "Object.defineProperty(new Error(), 'message', { get() { throw 1; } })",
      ],
      [
        "an error whose stack is an object",
        "Object.assign(new Error('x'), { stack: { length: 1e9 } })",
      ],
      [
        "an error whose stack is large",
        "Object.assign(new Error('x'), { stack: 'x'.repeat(1e6) })",
      ],
      ["an error whose name is an object", "Object.assign(new Error('x'), { name: {} })"],
      [
        "what says that memory is out",
        "Object.assign(new Error('out of memory'), { name: 'InternalError' })",
      ],
    ] as const
  ).map(
    ([name, value]): Hostile => ({
      name: `thrown: ${name}`,
      body: `throw ${value}`,
      ends: ["exception", "out-of-memory"],
    }),
  ),
  {
    name: "thrown: a message that loops",
    body: "throw { get message() { for (;;); } }",
    ends: ["interrupted"],
  },
  {
    name: "thrown: a text that loops",
    body: "throw { toString() { for (;;); } }",
    ends: ["interrupted"],
  },
];
