import type { Hostile } from "./hostile.ts";

const load = (name: string, module: string, ends: Hostile["ends"]): Hostile => ({
  name,
  module,
  ends,
});

/** What fails before it runs: the pool never takes it in. */
export const LOADING: readonly Hostile[] = [
  load("a loop at the top level", "for (;;); export default {}", ["interrupted"]),
  load(
    "a native loop at the top level",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); export default {}",
    ["stuck"],
  ),
  load(
    "a bomb at the top level",
    "const a = []; for (;;) a.push(new Uint8Array(65536).fill(1)); export default {}",
    ["out-of-memory", "exception", "interrupted"],
  ),
  load("recursion at the top level", "(function f() { f(); })(); export default {}", ["exception"]),
  load("a wait without end at the top level", "await new Promise(() => {}); export default {}", [
    "invalid",
  ]),
  load(
    "jobs without end at the top level",
    "const f = () => Promise.resolve().then(f); await f(); export default {}",
    ["interrupted", "invalid", "out-of-memory"],
  ),
  load("no policy", "export default null", ["exception"]),
  load("a function as a policy", "export default function () {}", ["exception"]),
  load("a proxy as a policy", "export default new Proxy({}, { get() { for (;;); } })", [
    "interrupted",
  ]),
  load(
    "a revoked proxy as a policy",
    "const p = Proxy.revocable({}, {}); p.revoke(); export default p.proxy",
    ["exception"],
  ),
  load("a shape with getters", "export default { get checks() { throw new Error('shape'); } }", [
    "exception",
  ]),
  load(
    "a shape whose getters loop",
    "export default { checks: { a: { get run() { for (;;); } } } }",
    ["interrupted"],
  ),
  load(
    "a shape that is a cycle",
    "const c = { run() {} }; c.c = c; export default { checks: { c } }",
    ["exception"],
  ),
  load("a large shape", "export default { about: 'x'.repeat(1e6) }", ["exception"]),
  load(
    "a shape with toJSON",
    "export default { checks: { a: { run() {}, track: { toJSON() { for (;;); } } } } }",
    ["interrupted"],
  ),
  load("a hook that is no function", "export default { on: { start: 1 } }", ["exception"]),
  load(
    "a state that cannot begin",
    "export default { state: { version: 1, init() { throw new Error('init'); } } }",
    ["exception"],
  ),
  load(
    "a state that begins without end",
    "export default { state: { version: 1, init() { for (;;); } } }",
    ["interrupted"],
  ),
  load(
    "a large first state",
    "export default { state: { version: 1, init: () => 'x'.repeat(1e6) } }",
    ["exception"],
  ),
  load(
    "a default export that is not there yet",
    "export { x as default }; await null; throw new Error('late'); let x = {};",
    ["exception"],
  ),
  load("a module of nothing but brackets", "(".repeat(1e5), ["exception", "interrupted"]),
  load("no module at all", "\u0000\uffff<html>", ["exception"]),
];
