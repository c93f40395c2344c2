import type { Hostile } from "./hostile.ts";

export const PROMISES: readonly Hostile[] = [
  { name: "a promise that is never settled", body: "await new Promise(() => {})", ends: ["waits"] },
  {
    name: "a call that is never answered",
    body: "await ctx.http.get('http://192.0.2.1/never')",
    ends: ["waits"],
  },
  { name: "microtasks without end", body: "for (;;) await 0", ends: ["interrupted"] },
  {
    name: "jobs that make two of themselves",
    body: "async function f() { await 0; f(); f(); } f(); await new Promise(() => {})",
    ends: ["interrupted", "out-of-memory"],
  },
  {
    name: "jobs that die and come back",
    body: "async function f() { await 0; f(); for (;;); } f(); await new Promise(() => {})",
    ends: ["interrupted"],
  },
  {
    name: "then that calls itself",
    body: "const f = () => Promise.resolve().then(f); f(); await new Promise(() => {})",
    ends: ["interrupted"],
  },
  {
    name: "a thenable that resolves with itself",
    body: "const t = { then(r) { r(t); } }; await t",
    ends: ["interrupted"],
  },
  {
    name: "a thenable that settles twice",
    body: "return await { then(ok, no) { ok(true); ok(false); no(new Error('x')); } }",
    ends: ["good"],
  },
  {
    name: "a promise of itself",
    body: "let r; const p = new Promise((ok) => (r = ok)); r(p); return p",
    ends: ["exception"],
  },
  {
    name: "a hundred thousand promises that wait",
    body: "const a = []; for (let i = 0; i < 1e5; i++) a.push(new Promise(() => {})); await Promise.all(a)",
    ends: ["interrupted", "out-of-memory", "waits"],
  },
  {
    name: "rejections that nobody hears",
    body: "for (let i = 0; i < 100; i++) Promise.reject(new Error('x')); return true",
    ends: ["good"],
  },
  {
    name: "Promise replaced",
    before: "globalThis.Promise = class { constructor() { throw new Error('no'); } };",
    body: "await ctx.kv.get('a'); return true",
    ends: ["good"],
  },
  {
    name: "then replaced",
    before: "Promise.prototype.then = () => { throw new Error('no'); };",
    body: "await ctx.kv.get('a'); return true",
    ends: ["good", "waits", "exception"],
  },
  {
    name: "the constructor of promises replaced",
    before: "Object.defineProperty(Promise.prototype, 'constructor', { get() { for (;;); } });",
    body: "await ctx.kv.get('a'); return true",
    ends: ["good", "interrupted", "exception", "waits"],
  },
  {
    name: "work that goes on after the answer",
    body: "(async () => { for (;;) await ctx.sleep('1ms'); })().catch(() => {}); return true",
    ends: ["good"],
  },
  {
    name: "calling on after the answer",
    before: "let kept;",
    body: "kept?.kv.set('a', 1).catch(() => {}); kept = ctx; return true",
    times: 20,
    ends: ["good"],
  },
  {
    name: "an async generator without end",
    body: "async function* g() { for (;;) yield 1; } for await (const x of g());",
    ends: ["interrupted"],
  },
  {
    name: "finalizers and weak references",
    body: "const r = new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1000; i++) r.register({}, i); return true",
    ends: ["good", "interrupted", "exception"],
  },
];
