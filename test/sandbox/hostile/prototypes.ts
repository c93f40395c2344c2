import type { Hostile } from "./hostile.ts";

const self = (
  name: string,
  before: string,
  body = "await ctx.kv.get('a'); ctx.log.info('x', { a: [1] }); return { ok: true }",
): Hostile => ({
  name,
  before,
  body,
  ends: ["good", "exception", "invalid", "interrupted", "waits"],
  usable: false,
});

/** Whoever breaks the language breaks it for himself, and for nobody else. */
export const PROTOTYPES: readonly Hostile[] = [
  self("toJSON of all objects", "Object.prototype.toJSON = () => 'pwn';"),
  self("toJSON of all lists", "Array.prototype.toJSON = () => 'pwn';"),
  self("toJSON of all texts", "String.prototype.toJSON = () => 'pwn';"),
  self("toJSON of all objects that loops", "Object.prototype.toJSON = () => { for (;;); };"),
  self("then of all objects", "Object.prototype.then = (ok) => ok('pwn');"),
  self(
    "a getter of all objects",
    "Object.defineProperty(Object.prototype, 'name', { get() { for (;;); } });",
  ),
  self(
    "setters of indices",
    "Object.defineProperty(Array.prototype, '0', { set() { throw 1; } });",
  ),
  self("JSON replaced", "JSON.stringify = () => 'pwn'; JSON.parse = () => ({ pwn: 1 });"),
  self("JSON removed", "delete globalThis.JSON;"),
  self("Reflect removed", "delete globalThis.Reflect; delete globalThis.Object;"),
  self(
    "apply and call replaced",
    "Function.prototype.call = Function.prototype.apply = () => 'pwn';",
  ),
  self(
    "iteration replaced",
    "Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1; };",
  ),
  self("WeakMap replaced", "WeakMap.prototype.get = WeakMap.prototype.set = () => 'pwn';"),
  self("freeze replaced", "Object.freeze = () => { throw new Error('no'); };"),
  self("keys replaced", "Object.keys = () => ['__proto__', 'constructor'];"),
  self("slice replaced", "String.prototype.slice = () => ({});"),
  self("Error replaced", "globalThis.Error = function () { throw 1; };"),
  self("the stack of errors prepared", "Error.prepareStackTrace = () => { for (;;); };"),
  self("hasOwn replaced", "Object.hasOwn = () => true;"),
  self(
    "globalThis emptied",
    "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k]; } catch {}",
  ),
  self(
    "intrinsics frozen",
    "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis);",
  ),
  {
    name: "members of ctx are not for changing",
    body: "const got = []; for (const f of [() => { ctx.now = 1; }, () => { ctx.log = 1; }, () => Object.setPrototypeOf(ctx, {}), () => { Object.getPrototypeOf(ctx).log = 1; }, () => { ctx.log.info = 1; }]) try { f(); got.push(f + ''); } catch {} if (got.length) throw new Error(got.join()); return true",
    ends: ["good"],
  },
  {
    name: "the view is not for changing",
    body: "const got = []; for (const f of [() => { ctx.routers.VI_1.priority = 1; }, () => { ctx.routers.VI_2 = {}; }, () => { ctx.peers.push(1); }, () => { ctx.router('VI_1').priority = 1; }, () => { ctx.routers.VI_1.contributions.push(1); }]) try { f(); got.push(f + ''); } catch {} if (got.length) throw new Error(got.join()); return true",
    ends: ["good"],
  },
  {
    name: "a ctx of somebody else's making",
    body: "return Object.create(Object.getPrototypeOf(ctx)).log.info('x')",
    ends: ["exception"],
  },
  {
    name: "members of ctx by their getters",
    body: "const get = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(ctx), 'log').get; for (const t of [null, undefined, 1, {}, new Proxy(ctx, {})]) try { get.call(t).info('x'); return false; } catch {} return true",
    ends: ["good"],
  },
  {
    name: "__proto__ in arguments",
    body: "ctx.log.info('x', JSON.parse('{\"__proto__\":{\"a\":1}}')); await ctx.kv.set('__proto__', { __proto__: null, a: 1 }); return true",
    ends: ["good"],
  },
  {
    name: "__proto__ as names of what it may use",
    body: "for (const f of [() => ctx.router('__proto__'), () => ctx.realServer('constructor'), () => ctx.processes.count('toString'), () => ctx.plugin('__proto__', 'a')]) { try { f(); return false; } catch {} } return true",
    ends: ["good"],
  },
  {
    name: "__proto__ in answers",
    body: 'return JSON.parse(\'{"ok":true,"__proto__":{"ok":false}}\')',
    ends: ["good"],
  },
];
