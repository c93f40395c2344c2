import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  bundleOf,
  CHECK,
  checking,
  failureOf,
  loadRealm,
  NOW,
  outcomeOf,
  realmOf,
  resultOf,
} from "./realms.ts";

describe("loading", () => {
  test("answers what is declared, without functions", async () => {
    const { loaded } = await loadRealm(
      bundleOf(`export default {
        about: "a", state: { version: 2, init: () => ({ n: 1 }) },
        checks: { c: { every: "1s", track: { routers: { VI_1: -5 } }, run() {} } },
        on: { start() {}, peer() {} },
      }`),
    );
    assert.ok(loaded.ok);
    assert.deepEqual(JSON.parse(loaded.shape), {
      about: "a",
      checks: { c: { every: "1s", track: { routers: { VI_1: -5 } } } },
      events: ["start", "peer"],
      stateVersion: 2,
    });
    assert.equal(loaded.state, '{"version":2,"value":{"n":1}}');
  });

  for (const [what, code, kind, message] of [
    ["no object", "export default 5", "exception", /must be a policy/],
    ["no default export", "export const a = 1", "exception", /must be a policy/],
    ["an error", "throw new RangeError('no')", "exception", /^RangeError: no$/],
    ["a syntax error", "export default {", "exception", /SyntaxError/],
    ["an import", "import 'node:fs'; export default {}", "exception", /could not load module/],
    ["a late import", "export default await import('os')", "exception", /could not load module/],
    ["a rejection", "await Promise.reject(new Error('no')); export default {}", "exception", /no/],
    [
      "a wait without end",
      "await new Promise(() => {}); export default {}",
      "invalid",
      /top level/,
    ],
    ["a check without run", "export default { checks: { c: {} } }", "exception", /checks.c.run/],
    ["an endless loop", "for (;;);", "interrupted", /200 ms/],
  ] as const) {
    test(`fails on ${what}`, async () => {
      const { loaded } = await loadRealm(bundleOf(code));
      assert.ok(!loaded.ok);
      assert.equal(loaded.loss.failure.kind, kind);
      assert.match(loaded.loss.failure.message, message);
      assert.equal(loaded.loss.poisoned, false);
    });
  }

  test("takes an awaited default export", async () => {
    const realm = await realmOf(
      bundleOf("await 0; export default { checks: { c: { run: () => true } } }"),
    );
    assert.equal(resultOf(realm.enter(1, CHECK)), true);
  });
});

describe("running", () => {
  test("a check without await answers in its own turn", async () => {
    const realm = await realmOf(bundleOf("export default { checks: { c: { run: () => true } } }"));
    assert.equal(resultOf(realm.enter(1, CHECK)), true);
    assert.deepEqual(realm.inFlight, []);
  });

  test("a call leaves, and its answer lets the run go on", async () => {
    const realm = await realmOf(
      checking("const r = await ctx.http.get('http://x/'); return r.status === 200", {
        http: ["*"],
      }),
    );
    const turn = realm.enter(1, CHECK);
    assert.deepEqual(turn.calls, [{ call: 1, operation: "http.get", arguments: '["http://x/"]' }]);
    assert.deepEqual(realm.inFlight, [1]);
    assert.equal(resultOf(realm.settle(1, true, '{"status":200}')), true);
    assert.equal(realm.lastCall, 1);
  });

  test("a failed call rejects with its code, at the place of the call", async () => {
    const realm = await realmOf(
      checking("try { await ctx.kv.get('a') } catch (e) { return [e.code, e.message, e.stack] }"),
    );
    realm.enter(1, CHECK);
    const answer = resultOf(realm.settle(1, false, '{"code":"refused","message":"no"}'));
    assert.ok(Array.isArray(answer));
    assert.deepEqual(answer.slice(0, 2), ["refused", "no"]);
    assert.match(String(answer[2]), /policy\.js:1:\d+/);
  });

  test("an answer to a call that waits no more counts for nothing", async () => {
    const realm = await realmOf(checking("await ctx.kv.set('a', 1); return true"));
    realm.enter(1, CHECK);
    resultOf(realm.settle(1, true, ""));
    assert.deepEqual(realm.settle(1, true, "").outcomes, []);
    assert.deepEqual(realm.settle(99, false, "{}").outcomes, []);
  });

  test("an exception is text, and the realm runs on", async () => {
    const realm = await realmOf(checking("if (ctx.now) throw new TypeError('bad')"));
    const failure = failureOf(realm.enter(1, CHECK));
    assert.deepEqual([failure.kind, failure.message], ["exception", "TypeError: bad"]);
    assert.equal(failureOf(realm.enter(2, CHECK)).message, "TypeError: bad");
  });

  test("an endless loop is interrupted, and what was logged before it is heard", async () => {
    const realm = await realmOf(checking("ctx.log.info('before'); for (;;);"));
    const turn = realm.enter(1, CHECK);
    assert.equal(failureOf(turn).kind, "interrupted");
    assert.deepEqual(turn.effects, [{ operation: "log.info", arguments: '["before"]' }]);
    assert.equal(turn.lost?.poisoned, false);
  });

  test("jobs that make more jobs are interrupted", async () => {
    const realm = await realmOf(
      checking("async function f() { await 0; f(); for (;;); } f(); await 0; for (;;) await 0"),
    );
    assert.equal(failureOf(realm.enter(1, CHECK)).kind, "interrupted");
  });

  test("an entry that was given up has no outcome, and its calls fail", async () => {
    const realm = await realmOf(
      checking("try { await ctx.sleep('1h') } finally { ctx.log.info('over') } return true"),
    );
    realm.enter(1, CHECK);
    const turn = realm.abandon(1);
    assert.deepEqual([turn.outcomes, turn.effects, turn.calls], [[], [], []]);
    assert.deepEqual(realm.inFlight, []);
  });

  test("an event is handed to its hook", async () => {
    const realm = await realmOf(
      bundleOf("export default { on: { peer(c, e) { c.log.info(e.a) } } }"),
    );
    const turn = realm.enter(1, { kind: "event", name: "peer", event: '{"a":"b"}' });
    assert.equal(resultOf(turn), null);
    assert.deepEqual(turn.effects, [{ operation: "log.info", arguments: '["b"]' }]);
  });

  test("a check that is not there fails as invalid or as an exception, not silently", async () => {
    const realm = await realmOf(bundleOf("export default {}"));
    assert.match(failureOf(realm.enter(1, CHECK)).message, /no such check/);
  });
});

describe("state", () => {
  const counting = (more = "") =>
    bundleOf(`export default { state: { version: 2, init: () => ({ n: 0 }), ${more} },
      checks: { c: { run(ctx) { ctx.state.n++; return ctx.state.n } }, still: { run: () => true },
        bad: { run(ctx) { ctx.state.self = ctx.state } },
        large: { run(ctx) { ctx.state.text = "x".repeat(70000) } } } }`);

  test("is told when it has changed, and only then", async () => {
    const realm = await realmOf(counting());
    const outcome = outcomeOf(realm.enter(1, CHECK));
    assert.equal(outcome.ok && outcome.state, '{"version":2,"value":{"n":1}}');
    const still = outcomeOf(realm.enter(2, { kind: "check", name: "still" }));
    assert.equal(still.ok && still.state, undefined);
  });

  test("goes on from what was kept", async () => {
    const realm = await realmOf(counting(), { state: '{"version":2,"value":{"n":41}}' });
    assert.equal(resultOf(realm.enter(1, CHECK)), 42);
  });

  test("of an older version is brought up to date, or dropped", async () => {
    const state = '{"version":1,"value":7}';
    const migrating = counting("migrate: (old, from) => ({ n: old * 10 + from })");
    assert.equal(resultOf((await realmOf(migrating, { state })).enter(1, CHECK)), 72);
    assert.equal(resultOf((await realmOf(counting(), { state })).enter(1, CHECK)), 1);
  });

  for (const [name, message] of [
    ["bad", /state must be JSON/],
    ["large", /at most 65536/],
  ] as const) {
    test(`that is ${name} is refused, and the last good one holds`, async () => {
      const realm = await realmOf(counting());
      resultOf(realm.enter(1, CHECK));
      const failure = failureOf(realm.enter(2, { kind: "check", name }));
      assert.equal(failure.kind, "invalid");
      assert.match(failure.message, message);
      assert.equal(resultOf(realm.enter(3, CHECK)), 2);
    });
  }
});

describe("clock and chance", () => {
  test("are the host's", async () => {
    let now = NOW;
    const code = `export default { checks: { c: { run: () => [
      Date.now(), new Date().getTime(), +new Date(5), Date(), new Date() instanceof Date,
      new Date().constructor === Date, Date.name, Math.random() ] } } }`;
    const realm = await realmOf(bundleOf(code), { clock: () => now });
    const first = resultOf(realm.enter(1, CHECK)) as readonly unknown[];
    assert.deepEqual(first.slice(0, 3), [NOW, NOW, 5]);
    assert.match(String(first[3]), /2023/);
    assert.deepEqual(first.slice(4, 7), [true, true, "Date"]);
    now += 5;
    assert.equal((resultOf(realm.enter(2, CHECK)) as readonly unknown[])[0], NOW + 5);
    const again = resultOf((await realmOf(bundleOf(code))).enter(1, CHECK));
    assert.deepEqual(again, first);
    const other = resultOf((await realmOf(bundleOf(code), { seed: 2 })).enter(1, CHECK));
    assert.notDeepEqual(other, first);
  });
});
