import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WitnessSettings } from "../../../agent/config/mandates.ts";
import { seconds } from "../../../agent/core/time.ts";
import { settle } from "../virtual-time.ts";
import { Bench, mandateOf, STORE } from "./bench.ts";
import { FakeStore } from "./fake-store.ts";

describe("a reload with another store", () => {
  const ENDPOINT = "http://192.0.2.10:2379";
  const OTHER = { ...STORE, endpoints: [ENDPOINT] } as const;

  /** Granted by the one, and told of the other, which is as `prepare` makes it. */
  async function moved(prepare: (next: FakeStore) => void = () => undefined) {
    const bench = new Bench([mandateOf()]);
    const next = new FakeStore();
    bench.others.set(ENDPOINT, next);
    prepare(next);
    await bench.want();
    bench.configure({ store: OTHER });
    await settle();
    return { bench, next };
  }

  const words = (bench: Bench) => [...new Set(bench.heard())];
  const logged = (bench: Bench) => bench.logs.map((line) => line.split(/[;:]/, 1)[0]);

  test("grants the same, and the lease of the one before is kept as long as it is wanted", async () => {
    const { bench, next } = await moved();
    assert.deepEqual(logged(bench), ["warn the store of leases is another one", "info V"]);
    assert.deepEqual(bench.news.at(-1)?.kind, "granted");
    await bench.time.advance(3_000);
    assert.deepEqual(words(bench), ["1 granted"]);
    for (const store of [bench.store, next]) assert.equal(store.asked.at(-1), "renew v");
    bench.store.failure = { kind: "unreachable", reason: "no route" };
    await bench.time.advance(20_000);
    assert.deepEqual(words(bench), ["1 granted"], "it is not needed any more");
    const last = bench.logs.at(-1) ?? "";
    assert.match(
      last,
      /^error the store of leases does not answer: etcd http:\/\/192.0.2.9:2379: no route;/,
    );
    assert.match(last, / \(the one before a reload\)$/);
    bench.store.failure = undefined;
    await bench.unwant();
    await bench.time.advance(1_000);
    for (const store of [bench.store, next]) assert.equal(store.asked.at(-1), "release v");
    assert.deepEqual([bench.store.closed, next.closed], [1, 0]);
    await bench.want(true, 2);
    assert.deepEqual([words(bench), next.asked.at(-1)], [["2 granted"], "acquire v"]);
  });

  test("that does not answer changes nothing until it does; nor does a third one", async () => {
    const { bench, next } = await moved((store) => {
      store.failure = { kind: "unreachable", reason: "no route" };
    });
    await bench.time.advance(20_000);
    assert.deepEqual(words(bench), ["1 granted"]);
    assert.ok(logged(bench).includes("error the store of leases does not answer"));
    bench.others.set("http://192.0.2.11:2379", new FakeStore());
    bench.configure({ store: { ...STORE, endpoints: ["http://192.0.2.11:2379"] } });
    await bench.time.advance(3_000);
    assert.deepEqual(words(bench), ["1 granted"]);
    assert.equal(next.closed, 1);
    await bench.unwant();
    await bench.time.advance(1_000);
    assert.deepEqual([...bench.store.ours.keys()], []);
  });

  test("whose lease somebody else has: so it is", async () => {
    const { bench, next } = await moved((store) => store.others.set("v", "b/2"));
    assert.deepEqual(words(bench), ["1 granted", "1 taken"]);
    await bench.unwant();
    await bench.time.advance(1_000);
    assert.deepEqual([...bench.store.ours.keys()], []);
    await bench.want(false, 2);
    next.free("v");
    await bench.time.advance(2_000);
    assert.deepEqual(words(bench), ["2 taken", "2 granted"]);
  });

  test("that is the same by another name: the lease stays what it is until it goes back", async () => {
    const { bench, next } = await moved((store) => store.others.set("v", "a/1"));
    await bench.time.advance(10_000);
    assert.deepEqual(words(bench), ["1 granted"]);
    await bench.unwant();
    next.free("v");
    await bench.want(false, 2);
    assert.deepEqual(words(bench), ["2 granted"]);
    assert.equal(next.asked.at(-1), "acquire v");
  });

  test("while the one before is lost: withdrawn, and asked for there", async () => {
    const { bench, next } = await moved((store) => {
      store.silent = true;
    });
    bench.store.others.set("v", "b/2");
    await bench.time.advance(2_000);
    assert.deepEqual(words(bench), ["1 granted", "1 withdrawn lost"]);
    next.silent = false;
    await bench.unwant();
    await bench.want(false, 2);
    await bench.time.advance(2_000);
    assert.equal(words(bench).at(-1), "2 granted");
  });

  test("is asked at once by who waits for the lease", async () => {
    const bench = new Bench([mandateOf()]);
    const next = new FakeStore();
    bench.others.set(ENDPOINT, next);
    bench.store.others.set("v", "b/2");
    await bench.want();
    bench.configure({ store: OTHER });
    await settle();
    assert.deepEqual(bench.heard(), ["1 taken", "1 granted"]);
    assert.equal(bench.store.closed, 1);
  });

  test("is said to be another one only where it is", () => {
    const told = (change: Partial<WitnessSettings>) => {
      const bench = new Bench([mandateOf()]);
      bench.configure({ store: { ...STORE, ...change } });
      return bench.logs.length > 0;
    };
    assert.ok(
      told({ prefix: "x" }) && told({ store: "consul" }) && told({ endpoints: [ENDPOINT] }),
    );
    const more = [ENDPOINT, ...STORE.endpoints] as const;
    assert.ok(!told({ endpoints: more }) && !told({ ttl: seconds(6) }));
  });
});
