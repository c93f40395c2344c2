import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MandateConfig } from "../../../agent/config/mandates.ts";
import { settle } from "../virtual-time.ts";
import { Bench, mandateOf } from "./bench.ts";
import type { FakeStore } from "./fake-store.ts";

const REQUIRED = mandateOf();
const ADVISORY = mandateOf({ mode: "advisory" });
const FENCE: MandateConfig = { ...mandateOf(undefined, ["pdu"]), lease: undefined };
const BOTH = mandateOf({}, ["pdu"]);

/** Granted by the one configuration, and told of the other. */
async function reloaded(
  from: MandateConfig,
  to: MandateConfig,
  prepare: (store: FakeStore) => void = () => undefined,
): Promise<Bench> {
  const bench = new Bench([from]);
  await bench.want();
  prepare(bench.store);
  bench.configure({ mandates: [to] });
  await settle();
  return bench;
}

const words = (bench: Bench) => [...new Set(bench.heard())];
const unreachable = (store: FakeStore): void => {
  store.failure = { kind: "unreachable", reason: "no route" };
};

describe("a reload that asks for a lease by other rules", () => {
  for (const [name, from, to] of [
    ["required to advisory", REQUIRED, ADVISORY],
    ["advisory to required", ADVISORY, REQUIRED],
    ["failsafe", REQUIRED, mandateOf({ failsafe: true })],
    ["no failsafe any more", mandateOf({ failsafe: true }), REQUIRED],
    ["a fence added", REQUIRED, BOTH],
  ] as const) {
    test(`${name}: the lease stays what it is, and is renewed`, async () => {
      const bench = await reloaded(from, to);
      await bench.time.advance(10_000);
      assert.deepEqual(words(bench), ["1 granted"]);
      assert.equal(bench.store.asked.filter((line) => line === "acquire v").length, 1);
      assert.ok(!bench.store.asked.includes("release v"));
      await bench.unwant();
      assert.equal(bench.store.asked.at(-1), "release v");
    });
  }

  test("required: what nobody vouched for goes on asking, and is granted no more without a lease", async () => {
    const bench = new Bench([ADVISORY]);
    unreachable(bench.store);
    await bench.want();
    await bench.time.advance(500);
    bench.configure({ mandates: [REQUIRED] });
    await bench.time.advance(20_000);
    assert.deepEqual(words(bench), ["1 waiting store-unreachable"]);
    bench.store.failure = undefined;
    await bench.time.advance(5_000);
    assert.deepEqual(words(bench), ["1 granted"]);
  });
});

describe("a reload with another lease", () => {
  const NAMED = mandateOf({ key: "w" });

  test("grants the same, and the one before is kept as long as it is wanted", async () => {
    const bench = await reloaded(REQUIRED, NAMED);
    await bench.time.advance(3_000);
    assert.deepEqual(words(bench), ["1 granted"]);
    assert.deepEqual([...bench.store.ours.keys()], ["v", "w"]);
    assert.match(bench.logs.join("\n"), /its lease is another one: .*reload the active node first/);
    assert.match(bench.logs.join("\n"), /it has the lease that the configuration asks for now/);
    await bench.unwant();
    await bench.time.advance(1_000);
    assert.deepEqual([...bench.store.ours.keys()], []);
  });

  test("that somebody else has: so it is", async () => {
    const bench = await reloaded(REQUIRED, NAMED, (store) => store.others.set("w", "b/2"));
    assert.deepEqual(words(bench), ["1 granted", "1 taken"]);
  });

  test("in place of none asks for it, and tells why there is none yet; nobody is fenced", async () => {
    const bench = await reloaded(FENCE, BOTH, unreachable);
    await bench.time.advance(3_000);
    assert.deepEqual(words(bench), ["1 granted", "1 waiting store-unreachable"]);
    bench.store.failure = undefined;
    await bench.time.advance(5_000);
    assert.deepEqual([bench.heard().at(-1), bench.fenced], ["1 granted", []]);
    assert.deepEqual([...bench.store.ours.keys()], ["v"]);
  });

  test("no more, but a fence: it is granted without, and kept for those who still ask for it", async () => {
    const bench = await reloaded(BOTH, FENCE);
    assert.equal(bench.news.at(-1)?.kind, "granted");
    await bench.time.advance(10_000);
    assert.deepEqual([words(bench), [...bench.store.ours.keys()]], [["1 granted"], ["v"]]);
    await bench.unwant();
    await bench.time.advance(1_000);
    assert.deepEqual([...bench.store.ours.keys()], []);
  });
});
