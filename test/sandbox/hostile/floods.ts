import type { Hostile } from "./hostile.ts";

export const FLOODS: readonly Hostile[] = [
  { name: "log lines without end", body: "for (;;) ctx.log.info('x')", ends: ["interrupted"] },
  {
    name: "log lines by the thousand",
    body: "for (let i = 0; i < 300; i++) ctx.log.info('x' + i); return true",
    ends: ["good", "interrupted"],
  },
  {
    name: "large log lines",
    body: "for (let i = 0; i < 100; i++) ctx.log.info('x'.repeat(60000)); return true",
    ends: ["good", "interrupted", "out-of-memory", "moved"],
  },
  {
    name: "metrics without end",
    body: "for (let i = 0; ; i++) ctx.metrics.gauge('m' + i, i)",
    ends: ["interrupted"],
  },
  {
    name: "mails by the hundred",
    body: "for (let i = 0; i < 200; i++) ctx.mail.send({ subject: 's' + i, text: '' }); return true",
    ends: ["good", "interrupted"],
  },
  {
    name: "webhooks by the hundred",
    body: "for (let i = 0; i < 200; i++) ctx.webhook.post('a', { text: '' + i }); return true",
    ends: ["good", "interrupted"],
  },
  {
    name: "adjustments without end",
    body: "for (let i = 0; ; i++) ctx.router('VI_1').adjust(i)",
    ends: ["interrupted"],
  },
  {
    name: "calls without end",
    body: "for (;;) ctx.http.get('http://192.0.2.1/').catch(() => {})",
    ends: ["interrupted", "out-of-memory"],
  },
  {
    name: "a thousand calls at once",
    body: "const all = await Promise.allSettled(Array.from({ length: 100 }, () => ctx.http.get('http://192.0.2.1/'))); return all.filter((r) => r.status === 'fulfilled').length === 8",
    ends: ["good"],
  },
  {
    name: "calls that are never answered, again and again",
    body: "for (let i = 0; i < 20; i++) ctx.http.get('http://192.0.2.1/never').catch(() => {}); return true",
    times: 5,
    ends: ["good"],
  },
  {
    name: "sleeps by the hundred",
    body: "for (let i = 0; i < 100; i++) ctx.sleep('1h').catch(() => {}); return true",
    ends: ["good"],
  },
  {
    name: "many short sleeps",
    body: "for (let i = 0; i < 30; i++) await ctx.sleep('1ms'); return true",
    ends: ["good"],
  },
  {
    name: "calls without end, one after the other",
    body: "for (;;) await ctx.kv.get('a');",
    ends: ["waits"],
  },
  {
    name: "calls without end, eight at a time",
    body: "for (;;) await Promise.all(Array.from({ length: 8 }, () => ctx.kv.get('a')));",
    ends: ["waits"],
  },
  {
    name: "calls without end that are not awaited",
    body: "(async () => { for (;;) await ctx.kv.get('a'); })().catch(() => {}); return true",
    ends: ["good"],
  },
  {
    name: "plugin calls without end",
    body: "for (;;) ctx.plugin('own', 'a').catch(() => {})",
    ends: ["interrupted", "out-of-memory"],
  },
];

/** What tries to get at more than the language. */
export const IMPORTS: readonly Hostile[] = [
  ...(
    [
      ["os", "await import('os')"],
      ["std", "await import('std')"],
      ["node:fs", "await import('node:fs')"],
      ["a path", "await import('../../../../etc/passwd')"],
      ["the guest side", "await import('prelude.js')"],
      ["data", "await import('data:text/javascript,export default 1')"],
      ["an object", "await import({ toString() { throw new Error('x'); } })"],
      ["require", "require('fs')"],
      ["process", "process.exit(1)"],
      ["the constructor of functions", "this.constructor.constructor('return process')().exit(1)"],
      ["the async constructor", "await (async () => {}).constructor('return process')()"],
      ["the generator constructor", "(function* () {}).constructor('process')().next()"],
      ["WebAssembly", "new WebAssembly.Memory({ initial: 1 })"],
      ["a worker", "new Worker('x')"],
      ["fetch", "await fetch('http://192.0.2.1/')"],
      ["a timer", "setTimeout(() => {}, 1)"],
      ["the console", "console.log('x')"],
      ["the caller", "(function f() { return f.caller.caller.caller; })().x"],
      ["arguments of the caller", "(function f() { return f.arguments.callee; })().x"],
      ["the door", "door('flush', 0, '', 0)"],
      ["shared memory that waits", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"],
    ] as const
  ).map(([name, body]): Hostile => ({ name: `reaching for ${name}`, body, ends: ["exception"] })),
  {
    name: "the module itself, imported again",
    body: "const m = await import('policy.js'); return typeof m.default === 'object'",
    ends: ["good", "exception"],
  },
];
