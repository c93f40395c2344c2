import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { micros } from "../../agent/core/time.ts";
import { checkerConfig } from "../../agent/policy/check-shape.ts";
import { parseDuration } from "../../agent/policy/duration.ts";
import { Places } from "../../agent/policy/places.ts";
import { readShape } from "../../agent/policy/shape.ts";

const places = new Places({ file: "/p/a.ts", line: 1, column: 1 });
places.set(["checks", "alive", "every"], { file: "/p/a.ts", line: 4, column: 7 });
const permissions = { control: { routers: ["VI_1"], realServers: ["web/10.0.0.1:80"] } };

const read = (value: unknown) =>
  readShape(typeof value === "string" ? value : JSON.stringify(value), { permissions, places });

const readCheck = (check: unknown) => read({ checks: { alive: check } });

function wrong(value: unknown): string {
  const outcome = read(value);
  assert.ok(!outcome.ok, "it was taken");
  return outcome.problems.map(({ message }) => message).join("; ");
}

describe("a declared policy", () => {
  test("gets its defaults", () => {
    const outcome = readCheck({ every: "2s" });
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.shape, {
      about: undefined,
      balance: undefined,
      events: [],
      stateVersion: undefined,
      checks: [
        {
          name: "alive",
          every: 2_000_000,
          timeout: 2_000_000,
          rise: 1,
          fall: 1,
          jitter: 0,
          onStale: { kind: "down" },
          track: { routers: new Map(), realServers: new Map() },
        },
      ],
    });
  });

  test("balances the services that it asks for", () => {
    const balanced = (balance: unknown, services: readonly string[] = ["web", "w*"]) =>
      readShape(JSON.stringify({ balance }), {
        permissions: { control: { services } },
        places,
      });
    const outcome = balanced({ every: "20s" });
    assert.ok(outcome.ok);
    const { balance } = outcome.shape;
    assert.deepEqual(balance, {
      ...{ every: 20_000_000, timeout: 20_000_000, ttl: 60_000_000, services: ["web", "w*"] },
    });
    const quick = balanced({ every: "1s", timeout: "100ms", ttl: "5s" });
    assert.ok(quick.ok);
    assert.equal(quick.shape.balance?.timeout, 100_000);
    assert.equal(quick.shape.balance?.ttl, 5_000_000);
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [{}, /every must be a time/],
      [{ every: "10ms" }, /every must be 100ms to 1h/],
      [{ every: "10s", ttl: "1s" }, /ttl must be 10s to 1h/],
      [{ every: "1s", services: ["web"] }, /balance has no services/],
      [5, /balance must be an object/],
    ];
    for (const [value, expected] of wrong) {
      const refused = balanced(value);
      assert.ok(!refused.ok);
      assert.match(refused.problems.map(({ message }) => message).join("; "), expected);
    }
    const alone = balanced({ every: "1s" }, []);
    assert.ok(!alone.ok);
    assert.match(alone.problems[0]?.message ?? "", /no service whose weights it could decide/);
  });

  test("keeps what it says", () => {
    const outcome = read({
      about: "x",
      events: ["transition", "stop", "transition"],
      stateVersion: 3,
      checks: {
        alive: {
          ...{ every: "1m", timeout: "1.5s", rise: 2, fall: 3, jitter: 0.25 },
          onStale: { keep: { maxStale: "5m" } },
          track: {
            routers: { VI_1: -50 },
            realServers: { "web/10.0.0.1:80": "down" },
          },
        },
      },
    });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    const [check] = outcome.shape.checks;
    assert.ok(check);
    assert.deepEqual(outcome.shape.events, ["transition", "stop"]);
    assert.equal(outcome.shape.stateVersion, 3);
    assert.deepEqual(check.onStale, { kind: "keep", maxStale: 300_000_000 });
    assert.deepEqual([...check.track.routers], [["VI_1", -50]]);
    assert.deepEqual([...check.track.realServers], [["web/10.0.0.1:80", "down"]]);
    assert.deepEqual(checkerConfig(check, micros(7), 9), {
      ...{ interval: 60_000_000, timeout: 1_500_000, rise: 2, fall: 3, initial: "unknown" },
      ...{ staleAfter: 300_000_000, startDelay: 7, jitter: { span: 15_000_000, seed: 9 } },
    });
  });

  test("waits 30 s at most where it says nothing, and is stale after three periods", () => {
    const outcome = readCheck({ every: "1h" });
    const [check] = outcome.ok ? outcome.shape.checks : [];
    assert.ok(check);
    const { timeout, staleAfter, jitter } = checkerConfig(check, micros(0), 1);
    assert.deepEqual([timeout, staleAfter, jitter], [30_000_000, 3 * 3_600_000_000, undefined]);
  });
});

describe("what is not believed", () => {
  const checks: readonly (readonly [unknown, RegExp])[] = [
    [{}, /every must be a time, not null/],
    [{ every: "1 s" }, /every must be a time, not "1 s"/],
    [{ every: "9ms" }, /every must be 10ms to 24h/],
    [{ every: "25h" }, /every must be 10ms to 24h/],
    [{ every: "1s", timeout: "11m" }, /timeout must be 1ms to 10m/],
    [{ every: "1s", timeout: "0s" }, /timeout must be 1ms/],
    [{ every: "1s", rise: 0 }, /rise must be a whole number, 1 to 1000, not 0/],
    [{ every: "1s", rise: 1.5 }, /rise/],
    [{ every: "1s", fall: 1e300 }, /fall must/],
    [{ every: "1s", fall: "3" }, /fall must/],
    [{ every: "1s", jitter: 0.6 }, /jitter must be a number, 0 to 0.5/],
    [{ every: "1s", jitter: -0.1 }, /jitter/],
    [{ every: "1s", onStale: "keep" }, /onStale must be "down", "up" or keep/],
    [{ every: "1s", onStale: { keep: {} } }, /maxStale must be a time/],
    [{ every: "1s", onStale: { keep: { maxStale: "10ms" } } }, /maxStale must be 1s to 24h/],
    [{ every: "1s", track: { routers: { VI_2: -1 } } }, /VI_2 is not in permissions\.control/],
    [{ every: "1s", track: { routers: { constructor: -1 } } }, /constructor is not in/],
    [
      { every: "1s", track: { routers: { VI_1: 254 } } },
      /VI_1 must be a whole number, -253 to 253/,
    ],
    [{ every: "1s", track: { routers: { VI_1: "down" } } }, /VI_1 must be a weight, or "fault"/],
    [{ every: "1s", track: { routers: { VI_1: null } } }, /VI_1 must be a weight/],
    [{ every: "1s", track: { realServers: { "web/10.0.0.1:80": -1 } } }, /0 to 65535/],
    [{ every: "1s", track: { router: {} } }, /track has no router/],
    [{ every: "1s", track: [] }, /track must be an object/],
    [null, /the check alive must be an object/],
    [7, /must be an object/],
  ];
  for (const [check, expected] of checks) {
    test(`check ${JSON.stringify(check)}`, () => {
      assert.match(wrong({ checks: { alive: check } }), expected);
    });
  }

  const shapes: readonly (readonly [unknown, RegExp])[] = [
    ["", /no object/],
    ["[]", /no object/],
    ["null", /no object/],
    ["{", /no object/],
    [{ about: "x".repeat(201) }, /about must be a text of at most 200/],
    [{ about: 1 }, /about/],
    [{ stateVersion: -1 }, /version must be a whole number/],
    [{ stateVersion: 1e9 }, /version/],
    ['{"stateVersion": 1e999}', /version/],
    [{ events: ["transitoin"] }, /there is no event transitoin/],
    [{ events: ["constructor"] }, /there is no event constructor/],
    [{ events: [{}] }, /there is no event/],
    [{ events: {} }, /on must be an object/],
    [{ checks: [] }, /checks must be an object/],
    [{ checks: { "a\nb": { every: "1s" } } }, /name that cannot be shown/],
    ['{"checks":{"__proto__":{"every":"x"}}}', /every must be a time/],
    [
      { checks: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, {}])) },
      /the policy has 65 checks/,
    ],
  ];
  for (const [shape, expected] of shapes) {
    test(`shape ${JSON.stringify(shape).slice(0, 60)}`, () => assert.match(wrong(shape), expected));
  }

  test("findings stand where the author wrote it", () => {
    const outcome = readCheck({ every: "x" });
    assert.ok(!outcome.ok);
    assert.deepEqual(outcome.problems[0]?.position, { file: "/p/a.ts", line: 4, column: 7 });
  });

  test("anything at all is answered, and what is taken is in its range", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("1s", "10ms", -1, 0, 1, 2 ** 53, "fault", "down", { VI_1: 3 }),
    );
    const keys = ["every", "timeout", "rise", "fall", "jitter", "onStale", "track"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value), (check) => {
        const outcome = readCheck(check);
        if (!outcome.ok) return;
        for (const { every, rise, jitter } of outcome.shape.checks) {
          assert.ok(every >= 10_000 && rise >= 1 && jitter >= 0 && jitter <= 0.5);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("durations", () => {
  const durations: readonly (readonly [unknown, number | undefined])[] = [
    ["500ms", 500_000],
    ["1.5m", 90_000_000],
    ["0.5ms", 500],
    ["24h", 86_400_000_000],
    ["1", undefined],
    ["1d", undefined],
    ["-1s", undefined],
    ["1e3s", undefined],
    [" 1s", undefined],
    ["1s ", undefined],
    ["1.s", undefined],
    [".5s", undefined],
    ["Infinitys", undefined],
    ["99999999h", undefined],
    [5, undefined],
    [undefined, undefined],
  ];
  for (const [text, expected] of durations) {
    test(String(text), () => assert.equal(parseDuration(text), expected));
  }
});
