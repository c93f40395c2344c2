import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { plainEqual } from "../../../agent/core/plain-equal.ts";
import type { Plannable } from "../../../agent/core/reload/plan.ts";
import { identityOf, isUnchanged, plan } from "../../../agent/core/reload/plan.ts";
import { milliseconds } from "../../../agent/core/time.ts";
import { ip, router } from "../vrrp/example.ts";

interface Instance extends Plannable {
  readonly position: { readonly line: number };
  readonly accept: boolean;
}

const address = (text: string, line = 1) => ({
  address: text,
  prefixLength: 24,
  position: { line },
});

const instance = (changes: Partial<Instance> = {}): Instance => ({
  position: { line: 1 },
  router: router(),
  interface: "eth0",
  transport: { mode: "multicast", group: ip("224.0.0.18") },
  sourceAddress: undefined,
  virtualLink: undefined,
  addresses: [address("192.0.2.1")],
  excludedAddresses: [],
  routes: [],
  rules: [],
  accept: true,
  ...changes,
});

/** What becomes of one instance that changes so. */
const change = (from: Partial<Instance>, to: Partial<Instance>) => {
  const steps = plan([instance(from)], [instance(to)]);
  assert.equal(steps.length, 1);
  const [only] = steps;
  assert.ok(only !== undefined);
  return only;
};

const changes = (from: Partial<Instance>, to: Partial<Instance>) => {
  const step = change(from, to);
  assert.ok(step.action === "keep");
  return step.changes;
};

describe("the same virtual router is kept", () => {
  test("unchanged, wherever it stands in the file", () => {
    const moved = { position: { line: 9 }, addresses: [address("192.0.2.1", 12)] };
    assert.ok(isUnchanged(changes({}, moved)));
  });

  test("with its new parameters", () => {
    const found = changes({}, { router: router({ priority: 50, preempt: false }) });
    assert.deepEqual([...found.router].sort(), ["preempt", "priority"]);
    assert.ok(!isUnchanged(found));
  });

  test("with another announcement policy", () => {
    const { announcement } = router();
    const changed = { ...announcement, refreshInterval: milliseconds(5) };
    assert.deepEqual(changes({}, { router: router({ announcement: changed }) }).router, [
      "announcement",
    ]);
  });

  test("under another name", () => {
    assert.deepEqual(changes({}, { router: router({ name: "mail" }) }).router, ["name"]);
  });

  test("with the addresses that come and go", () => {
    const to = { addresses: [address("192.0.2.2", 7), address("192.0.2.3")] };
    const found = changes({ addresses: [address("192.0.2.1"), address("192.0.2.3")] }, to);
    assert.deepEqual(found.addresses, {
      added: [address("192.0.2.2", 7)],
      removed: [address("192.0.2.1")],
    });
    assert.deepEqual(found.settings, ["addresses"]);
  });

  test("an address that is no more advertised stays installed", () => {
    const one = address("192.0.2.1");
    const two = address("192.0.2.2");
    const found = changes(
      { addresses: [one, two] },
      { addresses: [one], excludedAddresses: [two] },
    );
    assert.deepEqual(found.addresses, { added: [], removed: [] });
    assert.deepEqual(found.settings, ["addresses"]);
  });

  test("an address with another prefix goes and comes", () => {
    const wider = { ...address("192.0.2.1"), prefixLength: 16 };
    const found = changes({}, { addresses: [wider] });
    assert.deepEqual([found.addresses.added.length, found.addresses.removed.length], [1, 1]);
  });

  test("with routes, rules and other settings", () => {
    const to = { routes: [{ table: 1 }], rules: [{ table: 2 }], accept: false };
    const found = changes({ rules: [{ table: 3 }] }, to);
    assert.deepEqual(found.routes, { added: [{ table: 1 }], removed: [] });
    assert.deepEqual(found.rules, { added: [{ table: 2 }], removed: [{ table: 3 }] });
    assert.deepEqual(found.settings, ["accept"]);
  });

  test("with other unicast peers", () => {
    const unicast = (...peers: readonly string[]) => ({
      transport: { mode: "unicast" as const, peers },
      sourceAddress: ip("192.0.2.5"),
    });
    assert.deepEqual(changes(unicast("a"), unicast("a", "b")).settings, ["transport"]);
  });
});

describe("another virtual router takes its place", () => {
  const elsewhere: readonly (readonly [string, Partial<Instance>])[] = [
    ["VRID", { router: router({ vrid: 52 }) }],
    ["family", { router: router({ family: "ipv6" }) }],
    ["interface", { interface: "eth1" }],
    ["group", { transport: { mode: "multicast", group: ip("239.0.0.1") } }],
    ["mode", { transport: { mode: "unicast" } }],
    ["virtual link", { virtualLink: { kind: "macvlan", name: "vrrp.51" } }],
  ];
  for (const [name, to] of elsewhere) {
    test(`with another ${name}`, () => assert.equal(change({}, to).action, "replace"));
  }

  test("with another unicast source", () => {
    const transport = { mode: "unicast" } as const;
    const from = { transport, sourceAddress: ip("192.0.2.5") };
    assert.equal(change(from, { transport, sourceAddress: ip("192.0.2.6") }).action, "replace");
  });

  test("another multicast source is a setting", () => {
    assert.deepEqual(changes({}, { sourceAddress: ip("192.0.2.6") }).settings, ["sourceAddress"]);
  });

  test("with a virtual link that must be made anew", () => {
    const link = (mac: string) => ({ virtualLink: { kind: "macvlan", name: "v", mac } });
    assert.equal(change(link("02::1"), link("02::2")).action, "replace");
    assert.equal(change(link("02::1"), link("02::1")).action, "keep");
  });
});

test("what is new is added, what is gone is removed first", () => {
  const gone = instance({ router: router({ name: "old", vrid: 1 }) });
  const kept = instance();
  const added = instance({ router: router({ name: "new", vrid: 2 }) });
  const steps = plan([kept, gone], [added, kept]);
  assert.deepEqual(
    steps.map(({ action }) => action),
    ["remove", "add", "keep"],
  );
});

test("two that swap names keep their identities", () => {
  const one = (name: string, vrid: number) => instance({ router: router({ name, vrid }) });
  const steps = plan([one("a", 1), one("b", 2)], [one("b", 1), one("a", 2)]);
  assert.deepEqual(
    steps.map((step) => [step.action, "from" in step && step.from.router.vrid]),
    [
      ["keep", 1],
      ["keep", 2],
    ],
  );
});

test("one VRID through two groups is two routers", () => {
  const through = (group: string, name: string) =>
    instance({ router: router({ name }), transport: { mode: "multicast", group: ip(group) } });
  const both = [through("239.0.0.1", "a"), through("239.0.0.2", "b")];
  assert.ok(plan(both, [...both].reverse()).every(({ action }) => action === "keep"));
});

test("every instance gets exactly one step, and the same file changes nothing", () => {
  const any = fc
    .record({
      name: fc.constantFrom("a", "b", "c", "d"),
      vrid: fc.integer({ min: 1, max: 4 }),
      priority: fc.constantFrom(50, 100),
      interface: fc.constantFrom("eth0", "eth1"),
    })
    .map(({ interface: name, ...changed }) =>
      instance({ router: router(changed), interface: name }),
    );
  const many = fc.uniqueArray(any, { selector: identityOf, maxLength: 6 });
  fc.assert(
    fc.property(many, many, (old, fresh) => {
      const steps = plan(old, fresh);
      const from = steps.flatMap((step) => ("from" in step ? [step.from] : []));
      const to = steps.flatMap((step) => ("to" in step ? [step.to] : []));
      assert.deepEqual(to, fresh);
      assert.deepEqual(new Set(from), new Set(old));
      assert.equal(from.length, old.length);
      for (const step of steps) {
        if (step.action === "keep") assert.equal(identityOf(step.from), identityOf(step.to));
      }
      for (const step of plan(fresh, structuredClone(fresh))) {
        assert.ok(step.action === "keep" && isUnchanged(step.changes));
      }
    }),
  );
});

test("the time of a plan grows with the number of instances, not with its square", () => {
  const took = (count: number): number => {
    const many = Array.from({ length: count }, (_, n) =>
      instance({ router: router({ name: `i${n}`, vrid: n % 255 }), interface: `eth${n >> 8}` }),
    );
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      assert.equal(plan(many, structuredClone(many)).length, count);
      return performance.now() - started;
    });
    return Math.min(...times);
  };
  took(500);
  const ratio = took(16_000) / took(2_000);
  // Eight times as many; their square would take 64 times as long.
  assert.ok(ratio < 30, `${ratio.toFixed(1)} times as long`);
});

test("plainEqual", () => {
  const none: ReadonlySet<string> = new Set();
  const equal = (a: unknown, b: unknown) => plainEqual(a, b, none);
  assert.ok(equal({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1, d: undefined }));
  for (const [a, b] of [
    [1, 2],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [
      { a: undefined, b: 1 },
      { a: 1, b: undefined },
    ],
    ["1", 1],
  ]) {
    assert.ok(!equal(a, b), JSON.stringify([a, b]));
  }
  assert.ok(plainEqual({ a: [{ p: 1 }] }, { a: [{ p: 2 }] }, new Set(["p"])));
});
