import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreReport } from "../../../agent/core/witness/store-report.ts";
import { settle } from "../virtual-time.ts";
import { Bench, mandateOf, STORE } from "./bench.ts";
import { FakeStore } from "./fake-store.ts";

const ENDPOINT = "http://192.0.2.10:2379";
const NAME = "etcd http://192.0.2.9:2379";

const reports = (bench: Bench): readonly (StoreReport | null)[] =>
  bench.said.flatMap((message) => (message.kind === "store" ? [message.report] : []));

const last = (bench: Bench): StoreReport | null | undefined => reports(bench).at(-1);

test("a store that refuses is told of at once where nobody wants anything, and when it serves", async () => {
  const bench = new Bench([mandateOf()]);
  bench.store.failure = { kind: "refused", reason: "wrong password", remedy: "set the password" };
  const other = new FakeStore();
  other.failure = bench.store.failure;
  bench.others.set(ENDPOINT, other);
  bench.configure({ store: { ...STORE, endpoints: [ENDPOINT] } });
  await settle();
  const trouble = `the store of leases refuses: etcd ${ENDPOINT}: wrong password; set the password`;
  assert.equal(bench.logs.at(-1), `warn ${trouble}`);
  const { condition, reason, remedy, leases } = last(bench) ?? assert.fail();
  assert.deepEqual([condition, reason, remedy], ["refused", "wrong password", "set the password"]);
  assert.deepEqual(leases, [{ group: "V", lease: "v", state: "unknown", holder: null }]);
  other.failure = undefined;
  other.others.set("v", "b/2");
  await bench.time.advance(11_000);
  assert.equal(bench.logs.at(-1), `info the store of leases serves again: etcd ${ENDPOINT}`);
  assert.equal(last(bench)?.condition, "serves");
  assert.equal(last(bench)?.leases[0]?.holder, "b/2");
  assert.deepEqual(other.asked, [], "nothing was asked for");
});

test("an endpoint that is not there is told of within seconds; a request says it more urgently", async () => {
  const bench = new Bench([mandateOf()]);
  await settle();
  bench.store.failure = { kind: "unreachable", reason: "no route" };
  bench.configure({ store: { ...STORE, prefix: "x" } });
  await bench.time.advance(3_000);
  const trouble = `the store of leases does not answer: ${NAME}: no route; see that this node reaches`;
  const told = () => bench.logs.filter((line) => line.includes(trouble)).map((line) => line[0]);
  assert.deepEqual(told(), ["w"]);
  await bench.want();
  await bench.time.advance(5_000);
  assert.deepEqual(told(), ["w", "e"]);
});

test("a reload that mends it is answered with a line", async () => {
  const bench = new Bench([mandateOf()]);
  await settle();
  bench.others.set(ENDPOINT, new FakeStore());
  bench.store.failure = { kind: "refused", reason: "who?", remedy: "log in" };
  bench.configure({ store: { ...STORE, prefix: "x" } });
  await settle();
  bench.configure({ store: { ...STORE, endpoints: [ENDPOINT] } });
  await settle();
  assert.equal(bench.logs.at(-1), `info the store of leases serves again: etcd ${ENDPOINT}`);
});

test("who has or seeks the lease does not look", async () => {
  const bench = new Bench([mandateOf()]);
  await settle();
  assert.deepEqual(bench.store.looked, ["v"]);
  await bench.want();
  await bench.time.advance(120_000);
  assert.deepEqual(bench.store.looked, ["v"]);
  assert.equal(last(bench)?.leases[0]?.state, "ours");
  assert.ok(reports(bench).length < 6, "renewals are no news");
  await bench.unwant();
  bench.store.others.set("v", "b/2");
  await bench.time.advance(2_000);
  assert.deepEqual(bench.store.looked, ["v", "v"]);
  assert.equal(last(bench)?.leases[0]?.holder, "b/2");
});

test("fences alone need no store; a process that stops does not look", async () => {
  const alone = new Bench([mandateOf(undefined, ["pdu"])], { store: undefined });
  await alone.time.advance(60_000);
  assert.deepEqual([alone.store.looked, reports(alone)], [[], [null]]);
  const bench = new Bench([mandateOf()]);
  await settle();
  bench.store.silent = true;
  await bench.want();
  await bench.tell({ kind: "stop" });
  await bench.time.advance(60_000);
  assert.deepEqual(bench.store.looked, ["v"]);
});
