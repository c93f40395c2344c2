import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openSandbox } from "../../agent/sandbox/pool.ts";
import type {
  Entry,
  EntryOutcome,
  LoadedRealm,
  PolicyBundle,
  RealmCall,
  RealmEffect,
  RealmId,
  Sandbox,
  SandboxFailure,
} from "../../agent/sandbox/sandbox.ts";
import { bundleOf, CHECK, checking } from "./realms.ts";

/** One that no interrupt reaches. */
const NATIVE_LOOP = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)";

class Pool {
  readonly sandbox: Sandbox;
  readonly calls: RealmCall[] = [];
  readonly effects: RealmEffect[] = [];
  readonly struck: { readonly realm: RealmId; readonly failure: SandboxFailure }[] = [];
  readonly recovered: RealmId[] = [];
  readonly #told = new EventTarget();

  constructor() {
    const told = (): void => void this.#told.dispatchEvent(new Event("told"));
    this.sandbox = openSandbox({
      listener: {
        call: (call) => [this.calls.push(call), told()],
        effect: (effect) => [this.effects.push(effect), told()],
        struck: (realm, failure) => [this.struck.push({ realm, failure }), told()],
        recovered: (realm) => [this.recovered.push(realm), told()],
      },
    });
  }

  async load(bundle: PolicyBundle, view: object = {}): Promise<LoadedRealm> {
    const outcome = await this.sandbox.load(bundle, undefined, JSON.stringify(view));
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.failure.message);
    return outcome.loaded;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#told, "told");
  }

  /** Runs again what only moved. */
  async run(realm: RealmId, entry: Entry = CHECK): Promise<EntryOutcome> {
    for (;;) {
      const outcome = await this.sandbox.enter(realm, entry);
      if (outcome.ok || outcome.failure.kind !== "moved") return outcome;
    }
  }

  async result(realm: RealmId): Promise<unknown> {
    const outcome = await this.run(realm);
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.failure.message);
    return JSON.parse(outcome.result);
  }

  async failure(realm: RealmId): Promise<SandboxFailure> {
    const outcome = await this.run(realm);
    assert.ok(!outcome.ok);
    return outcome.failure;
  }
}

const noTasks = existsSync("/proc/self/task") ? false : "needs Linux";

/** Of a thread of this process; `undefined`: it has ended. */
function niceOf(task: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
    // The 19th field; the second one, in brackets, is a name of any form.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  } catch {
    return undefined;
  }
}

const counting = bundleOf(`export default { state: { version: 1, init: () => ({ n: 0 }) },
  checks: { c: { run(ctx) { return ++ctx.state.n } } } }`);

describe("a pool of workers", () => {
  let pool: Pool;
  before(() => {
    pool = new Pool();
  });
  after(() => pool.sandbox.close());

  test("runs a check, and keeps its state", async () => {
    const { realm, shape } = await pool.load(counting);
    assert.equal(JSON.parse(shape).stateVersion, 1);
    assert.deepEqual(
      await Promise.all([pool.result(realm), pool.result(realm), pool.result(realm)]),
      [1, 2, 3],
    );
  });

  test("hands calls and effects over, and answers back", async () => {
    const { realm } = await pool.load(
      checking("ctx.log.info('a'); return (await ctx.http.get('u')).status", { http: ["*"] }),
    );
    const running = pool.result(realm);
    await pool.until(() => pool.calls.some((call) => call.realm === realm));
    assert.deepEqual(
      pool.effects.filter((effect) => effect.realm === realm),
      [{ realm, operation: "log.info", arguments: '["a"]' }],
    );
    const call = pool.calls.find((each) => each.realm === realm);
    assert.deepEqual([call?.operation, call?.arguments], ["http.get", '["u"]']);
    pool.sandbox.settle(realm, call?.call ?? 0, true, '{"status":204}');
    assert.equal(await running, 204);
  });

  test("shows a view from the next entry on", async () => {
    const { realm } = await pool.load(checking("return ctx.node"), { node: "a" });
    assert.equal(await pool.result(realm), "a");
    pool.sandbox.view(realm, '{"node":"b"}');
    assert.equal(await pool.result(realm), "b");
  });

  test("answers what does not load with its failure", async () => {
    const outcome = await pool.sandbox.load(bundleOf("throw new Error('no')"), undefined, "{}");
    assert.equal(!outcome.ok && outcome.failure.message, "Error: no");
  });

  test("tells places in the author's file", async () => {
    // One line of `nginx.ts`, 14, stands in the bundle's first.
    const sourceMap = JSON.stringify({
      version: 3,
      sources: ["nginx.ts"],
      names: [],
      mappings: "AAaA",
    });
    const code = "throw new Error('no')";
    const outcome = await pool.sandbox.load({ ...bundleOf(code), sourceMap }, undefined, "{}");
    assert.deepEqual(!outcome.ok && outcome.failure.stack, ["nginx.ts:14:1"]);
  });

  test("gives an entry up", async () => {
    const { realm } = await pool.load(checking("await ctx.sleep('1h')"));
    const entry: Entry = { ...CHECK };
    const running = pool.sandbox.enter(realm, entry);
    pool.sandbox.abandon(realm, entry);
    const outcome = await running;
    assert.equal(!outcome.ok && outcome.failure.kind, "closed");
  });

  test("answers for what is not loaded", async () => {
    const { realm } = await pool.load(checking("await ctx.sleep('1h')"));
    const running = pool.failure(realm);
    pool.sandbox.unload(realm);
    assert.equal((await running).kind, "closed");
    assert.equal((await pool.failure(realm)).kind, "closed");
    assert.equal((await pool.failure(9_999)).kind, "closed");
  });

  test("makes an interrupted realm anew, and no other", async () => {
    const { realm } = await pool.load(checking("for (;;);"));
    const { realm: other } = await pool.load(counting);
    assert.equal(await pool.result(other), 1);
    assert.equal((await pool.failure(realm)).kind, "interrupted");
    await pool.until(() => pool.recovered.includes(realm));
    assert.equal(pool.struck.at(-1)?.realm, realm);
    assert.equal(await pool.result(other), 2);
    assert.ok(!pool.recovered.includes(other));
  });

  test("drops a flood, and says so once", async () => {
    const { realm } = await pool.load(
      checking("for (let i = 0; i < 200; i++) ctx.log.info(String(i)); return true"),
    );
    await pool.result(realm);
    const lines = pool.effects.filter((effect) => effect.realm === realm);
    assert.equal(lines.length, 21);
    assert.deepEqual(JSON.parse(lines.at(-1)?.arguments ?? ""), [
      "more than 20 log lines a second: dropped 180",
    ]);
  });

  test("leaves a module that is full to the garbage, and moves the innocent", async () => {
    const { realm: innocent } = await pool.load(counting);
    const { realm } = await pool.load(
      checking("const kept = []; for (;;) kept.push(new ArrayBuffer(3e6))"),
    );
    assert.equal(await pool.result(innocent), 1);
    assert.equal((await pool.failure(realm)).kind, "out-of-memory");
    await pool.until(() => pool.recovered.includes(realm) && pool.recovered.includes(innocent));
    assert.equal(await pool.result(innocent), 2);
    assert.ok(!pool.struck.some((strike) => strike.realm === innocent));
  });

  test("runs policies at a lower priority than anything else", { skip: noTasks }, async () => {
    const { realm } = await pool.load(counting);
    await pool.result(realm);
    const tasks = readdirSync("/proc/self/task").map((task) => niceOf(task));
    assert.ok(tasks.includes(10), `${tasks}`);
    assert.equal(niceOf(`${process.pid}`), getPriority());
  });

  test("moves the innocent when a thread is held up", async () => {
    const { realm: innocent } = await pool.load(counting);
    const { realm: waiting } = await pool.load(checking("await ctx.sleep('1h')"));
    const { realm } = await pool.load(checking(NATIVE_LOOP));
    assert.equal(await pool.result(innocent), 1);
    const moved = pool.sandbox.enter(waiting, CHECK);
    await pool.until(() => pool.calls.some((call) => call.realm === waiting));
    assert.equal((await pool.failure(realm)).kind, "stuck");
    const outcome = await moved;
    assert.equal(!outcome.ok && outcome.failure.kind, "moved");
    assert.equal(await pool.result(innocent), 2);
    await pool.until(() => pool.recovered.includes(realm));
    assert.deepEqual(
      [pool.struck.at(-1)?.realm, pool.struck.at(-1)?.failure.kind],
      [realm, "stuck"],
    );
    assert.ok(!pool.struck.some((strike) => strike.realm === innocent));
  });
});

test("nothing runs after it was closed", async () => {
  const pool = new Pool();
  const { realm } = await pool.load(checking(NATIVE_LOOP));
  const running = pool.failure(realm);
  await delay(5);
  await pool.sandbox.close();
  assert.equal((await running).kind, "closed");
  assert.equal((await pool.failure(realm)).kind, "closed");
  const late = await pool.sandbox.load(counting, undefined, "{}");
  assert.ok(!late.ok);
});
