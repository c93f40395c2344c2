import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds, since } from "../../../agent/core/time.ts";
import { settle } from "../virtual-time.ts";
import { Bench, mandateOf } from "./bench.ts";

const DONE: null = null;
const FAILED = { reason: "pdu: the agent ended with status 1", remedy: "run it by hand" };

describe("a lease", () => {
  test("is granted until a deadline, which each renewal puts off", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    const [first] = bench.news;
    assert.ok(first?.kind === "granted" && first.deadlineAt !== null);
    assert.equal(first.epoch, "e1");
    // The ttl without a thousandth and the margin.
    assert.equal(since(bench.time.now, first.deadlineAt), 4_795_000);
    await bench.time.advance(3_000);
    assert.deepEqual(bench.heard(), Array(4).fill("1 granted"));
    const last = bench.news.at(-1);
    assert.ok(last?.kind === "granted" && last.deadlineAt !== null);
    assert.equal(since(first.deadlineAt, last.deadlineAt), seconds(3));
    await bench.unwant();
    assert.equal(bench.store.asked.at(-1), "release v");
    await bench.time.advance(10_000);
    assert.equal(bench.store.asked.at(-1), "release v");
  });

  test("that somebody else has is told of with each answer; a hint is followed up at once", async () => {
    const bench = new Bench([mandateOf()]);
    bench.store.others.set("v", "b/2");
    await bench.want();
    await bench.time.advance(2_000);
    const taken = bench.news.filter(({ kind }) => kind === "taken");
    assert.ok(taken.length >= 3 && taken.length <= 5, `${taken.length}`);
    assert.deepEqual(taken[0], { kind: "taken", holder: "b/2" });
    bench.heard();
    bench.store.free("v");
    await bench.time.advance(200);
    assert.deepEqual(bench.heard(), ["1 granted"]);
  });

  test("lapses in silence: withdrawn, and this wish is not granted again", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.store.silent = true;
    await bench.time.advance(6_000);
    assert.deepEqual(bench.heard(), [
      "1 granted",
      "1 waiting store-unreachable",
      "1 withdrawn lapsed",
    ]);
    bench.store.silent = false;
    await bench.time.advance(5_000);
    assert.deepEqual(bench.heard(), []);
    await bench.want(false, 2);
    assert.deepEqual(bench.heard(), ["2 granted"]);
  });

  test("lapses for one that is failsafe: it is granted again when the store answers", async () => {
    const bench = new Bench([mandateOf({ failsafe: true }, ["pdu"])]);
    await bench.want();
    bench.heard();
    bench.store.silent = true;
    await bench.time.advance(6_000);
    assert.deepEqual(bench.heard(), [
      "1 waiting store-unreachable",
      "1 withdrawn lapsed",
      "1 waiting store-unreachable",
    ]);
    bench.store.silent = false;
    await bench.time.advance(1_500);
    assert.equal(bench.heard()[0], "1 granted");
    assert.deepEqual(bench.fenced, []);
  });

  test("that somebody took meanwhile ends what was failsafe", async () => {
    const bench = new Bench([mandateOf({ failsafe: true })]);
    await bench.want();
    bench.store.silent = true;
    await bench.time.advance(6_000);
    bench.heard();
    bench.store.silent = false;
    bench.store.others.set("v", "b/2");
    await bench.time.advance(1_500);
    assert.deepEqual(bench.heard(), ["1 taken"]);
    bench.store.free("v");
    await bench.time.advance(3_000);
    assert.deepEqual(bench.heard(), []);
  });

  test("of a process before this one is not taken by another: it runs out first", async () => {
    const bench = new Bench([mandateOf()]);
    bench.store.others.set("v", "a/1");
    await bench.want();
    await bench.time.advance(3_000);
    // The store serves: nobody goes on without a lease for that.
    assert.deepEqual(bench.heard(), ["1 waiting store-refused"]);
    bench.store.free("v");
    await bench.time.advance(1_000);
    assert.deepEqual(bench.heard(), ["1 granted"]);
  });

  test("is gone for the store: withdrawn", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.store.others.set("v", "b/2");
    await bench.time.advance(1_500);
    assert.deepEqual(bench.heard(), ["1 granted", "1 withdrawn lost"]);
  });

  test("advisory: goes without where the store does not answer, and says why", async () => {
    const bench = new Bench([mandateOf({ mode: "advisory" })]);
    bench.store.silent = true;
    await bench.want();
    await bench.time.advance(2_100);
    assert.deepEqual(bench.heard().slice(0, 2), ["1 waiting store-unreachable", "1 granted"]);
    assert.deepEqual(bench.news[1], { kind: "granted", deadlineAt: null, epoch: null });
  });

  test("advisory: yields to whoever has it when the store answers again", async () => {
    const bench = new Bench([mandateOf({ mode: "advisory" })]);
    bench.store.silent = true;
    await bench.want();
    await bench.time.advance(2_100);
    bench.heard();
    bench.store.silent = false;
    bench.store.others.set("v", "b/2");
    await bench.time.advance(2_000);
    assert.equal(bench.heard().at(-1), "1 withdrawn taken");
  });
});

describe("the store", () => {
  test("refuses: why and what to do is told once, also in the log, and its end", async () => {
    const bench = new Bench([mandateOf(), mandateOf({ key: "w" }, [], "W")]);
    const remedy = "set the user";
    bench.store.failure = { kind: "refused", reason: "wrong password", remedy };
    await bench.want();
    await bench.want(false, 1, "W");
    await bench.time.advance(60_000);
    const reason = "etcd http://192.0.2.9:2379: wrong password";
    const waiting = { kind: "waiting", because: "store-refused", reason, remedy };
    assert.deepEqual(bench.news, [waiting, waiting]);
    const trouble = `the store of leases refuses: ${reason}; ${remedy}`;
    assert.deepEqual(bench.logs, [`error ${trouble}`]);
    bench.store.failure = undefined;
    await bench.time.advance(2_000);
    assert.equal(bench.heard().at(-1), "1 granted");
    const again = "info the store of leases serves again: etcd http://192.0.2.9:2379";
    assert.equal(bench.logs.at(-1), again);
  });

  test("comes and goes: the log says so once in ten seconds", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    for (let turn = 0; turn < 20; turn += 1) {
      bench.store.failure = { kind: "unreachable", reason: "no route" };
      await bench.time.advance(1_000);
      bench.store.failure = undefined;
      await bench.time.advance(1_000);
    }
    const told = bench.logs.filter((line) => /does not answer/.test(line)).length;
    assert.ok(told >= 2 && told <= 5, `${told}`);
    assert.ok(!bench.heard().includes("1 withdrawn lapsed"));
  });

  test("is opened once for all; again where it does not serve, and a secret changed", async () => {
    const bench = new Bench([mandateOf(), mandateOf({ key: "w" }, [], "W")]);
    await bench.want();
    await bench.want(false, 1, "W");
    assert.equal(bench.store.opened, 1);
    await bench.unwant();
    await bench.unwant(1, "W");
    bench.store.failure = { kind: "refused", reason: "no", remedy: "yes" };
    await bench.want(false, 2);
    await bench.time.advance(5_000);
    assert.deepEqual([bench.store.opened, bench.store.closed], [1, 0]);
    bench.fingerprint = "b";
    await bench.time.advance(3_000);
    assert.deepEqual([bench.store.opened, bench.store.closed], [2, 1]);
  });
});

test("a secret that changes costs nobody the lease that is held", async () => {
  const bench = new Bench([mandateOf()]);
  await bench.want();
  bench.fingerprint = "b";
  bench.store.failure = { kind: "unreachable", reason: "no route" };
  await bench.time.advance(2_000);
  bench.store.failure = undefined;
  await bench.time.advance(2_000);
  assert.deepEqual([bench.store.opened, bench.heard().at(-1)], [1, "1 granted"]);
});

describe("a fence", () => {
  const fenced = () => new Bench([mandateOf({}, ["pdu"])]);

  test("comes after the lease and before the grant; the lease is renewed meanwhile", async () => {
    const bench = fenced();
    await bench.want(true);
    assert.deepEqual(bench.store.asked, ["acquire v"]);
    assert.deepEqual(bench.heard(), ["1 waiting fencing"]);
    assert.equal(bench.fenced.length, 1);
    await bench.time.advance(10_000);
    assert.equal(bench.store.asked.filter((each) => each === "renew v").length, 10);
    assert.deepEqual(bench.heard(), []);
    await bench.end(DONE);
    assert.deepEqual(bench.heard(), ["1 granted"]);
  });

  test("is not needed where nobody went silent, nor twice for one wish", async () => {
    const bench = fenced();
    await bench.want(false);
    assert.deepEqual(bench.fenced, []);
    await bench.unwant(1);
    bench.outcomes.push(DONE);
    await bench.want(true, 2);
    await bench.want(true, 2);
    await bench.time.advance(3_000);
    assert.equal(bench.fenced.length, 1);
    await bench.unwant(2);
    bench.outcomes.push(DONE);
    await bench.want(true, 3);
    assert.equal(bench.fenced.length, 2, "the next wish is another occasion");
  });

  test("does not run without the lease", async () => {
    const bench = fenced();
    bench.store.others.set("v", "b/2");
    await bench.want(true);
    await bench.time.advance(5_000);
    assert.deepEqual(bench.fenced, []);
  });

  test("fails: no grant, an alarm, the lease goes back, and tries at longer and longer pauses", async () => {
    const bench = fenced();
    bench.outcomes.push(...Array(20).fill(FAILED));
    const begun = bench.time.nowMs;
    await bench.want(true);
    const at: number[] = [];
    for (let tries = 0; bench.time.nowMs - begun < 200_000; ) {
      await bench.time.advance(100);
      if (bench.fenced.length > tries) at.push(Math.round((bench.time.nowMs - begun) / 1_000));
      tries = bench.fenced.length;
    }
    assert.deepEqual(at, [0, 5, 15, 35, 75, 135, 195]);
    assert.ok(!bench.heard().includes("1 granted"));
    assert.equal(bench.store.asked[1], "release v");
    const waiting = bench.news.find((one) => one.kind === "waiting" && one.because !== "fencing");
    assert.ok(waiting?.kind === "waiting" && waiting.because === "fence-failed");
    assert.equal(waiting.reason, FAILED.reason);
    const alarms = bench.logs.filter((line) => line.startsWith("error fencing failed"));
    assert.equal(alarms.length, 7);
  });

  test("whose lease is lost meanwhile is let finish, and grants nothing", async () => {
    const bench = fenced();
    await bench.want(true);
    bench.store.others.set("v", "b/2");
    await bench.time.advance(1_500);
    await bench.end(DONE);
    await bench.time.advance(3_000);
    assert.ok(!bench.heard().includes("1 granted"));
    // Who has it then may be another one than was fenced.
    bench.store.free("v");
    await bench.time.advance(1_500);
    assert.equal(bench.fenced.length, 2);
    await bench.end(DONE);
    assert.equal(bench.heard().at(-1), "1 granted");
  });

  test("whose wish is taken back is let finish; its success is nobody's", async () => {
    const bench = fenced();
    await bench.want(true);
    await bench.unwant();
    assert.equal(bench.store.asked.at(-1), "release v");
    await bench.want(true, 2);
    assert.equal(bench.fenced.length, 1);
    await bench.end(DONE);
    assert.equal(bench.fenced.length, 2);
    await bench.end(DONE);
    assert.equal(bench.heard().at(-1), "2 granted");
  });

  test("that fails for an earlier wish takes nothing from one that is granted", async () => {
    const bench = fenced();
    await bench.want(true);
    await bench.unwant();
    await bench.want(false, 2);
    assert.equal(bench.heard().at(-1), "2 granted");
    await bench.end(FAILED);
    await bench.time.advance(3_000);
    assert.deepEqual([...new Set(bench.heard())], ["2 granted"]);
  });

  test("whose failures are paused after holds up nobody who needs none", async () => {
    const bench = fenced();
    bench.outcomes.push(FAILED);
    await bench.want(true);
    await bench.unwant();
    await bench.want(false, 2);
    assert.equal(bench.heard().at(-1), "2 granted");
  });

  test("is tried again at once after a reload, and not at all where that takes it out", async () => {
    for (const fences of [["ups"], []]) {
      const bench = fenced();
      bench.outcomes.push(FAILED, FAILED, DONE);
      await bench.want(true);
      await bench.time.advance(6_000);
      assert.equal(bench.fenced.length, 2, "the next try is ten seconds away");
      bench.configure({ mandates: [mandateOf({}, fences)] });
      await settle();
      assert.deepEqual(bench.fenced.slice(2), fences.length > 0 ? [fences] : []);
      assert.equal(bench.heard().at(-1), "1 granted");
    }
  });

  test("alone, without a store", async () => {
    const bench = new Bench([mandateOf(undefined, ["pdu"])], { store: undefined });
    await bench.want(true);
    await bench.end(FAILED);
    assert.deepEqual(bench.heard(), ["1 waiting fencing", "1 waiting fence-failed"]);
    await bench.time.advance(5_000);
    await bench.end(DONE);
    assert.equal(bench.heard().at(-1), "1 granted");
    assert.deepEqual(bench.news.at(-1), { kind: "granted", deadlineAt: null, epoch: null });
  });

  test("is asked for with the devices that the last reload names, the first one among them", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.configure({ mandates: [mandateOf({}, ["ups", "pdu"])] });
    await bench.unwant();
    bench.outcomes.push(DONE);
    await bench.want(true, 2);
    assert.deepEqual(bench.fenced, [["ups", "pdu"]]);
    assert.deepEqual(bench.heard(), ["1 granted", "2 waiting fencing", "2 granted"]);
    bench.configure({ mandates: [mandateOf()] });
    await bench.unwant(2);
    await bench.want(true, 3);
    assert.deepEqual([bench.fenced.length, bench.heard()], [1, ["3 granted"]]);
  });

  test("of another process before this one is no answer to this one", async () => {
    const bench = fenced();
    await bench.want(true);
    await bench.tell({ kind: "fenced", id: 1, problem: null });
    assert.deepEqual(bench.heard(), ["1 waiting fencing"]);
  });
});

describe("the process", () => {
  test("nobody wants: everything goes back, whatever the serial", async () => {
    const bench = new Bench([mandateOf(), mandateOf({ key: "w" }, [], "W")]);
    await bench.want();
    await bench.want(false, 5, "W");
    await bench.unwant(4);
    assert.deepEqual([...bench.store.ours.keys()], ["v", "w"]);
    await bench.tell({ kind: "nobody-wants" });
    assert.deepEqual([...bench.store.ours.keys()], []);
  });

  test("stops: leases go back first; a fence agent is let finish", async () => {
    const bench = new Bench([mandateOf(), mandateOf({ key: "w" }, ["pdu"], "W")]);
    await bench.want();
    await bench.want(true, 2, "W");
    await bench.tell({ kind: "stop" });
    assert.deepEqual([...bench.store.ours.keys()], []);
    assert.deepEqual(bench.exits, []);
    await bench.end(DONE);
    assert.deepEqual(bench.exits, [0]);
    assert.equal(bench.store.closed, 1);
    assert.deepEqual(bench.said.at(-1), { kind: "stopped" });
  });

  test("stops within a request's time where the store is silent", async () => {
    const bench = new Bench([mandateOf()]);
    bench.store.silent = true;
    await bench.want();
    await bench.tell({ kind: "stop" });
    await bench.time.advance(1_000);
    assert.deepEqual(bench.exits, [0]);
  });

  test("whose supervisor is gone gives nothing back: gates may be open", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.lose();
    await settle();
    assert.deepEqual(bench.exits, [0]);
    assert.deepEqual(bench.store.asked, ["acquire v"]);
    assert.equal(bench.store.closed, 0);
  });

  test("is told of a wish before its mandate", async () => {
    const bench = new Bench([]);
    await bench.want();
    await bench.want(false, 1, "W");
    await bench.unwant(1, "W");
    bench.configure({ mandates: [mandateOf(), mandateOf({ key: "w" }, [], "W")] });
    await settle();
    assert.deepEqual(bench.heard(), ["1 granted"]);
  });

  test("a reload that changes nothing of a mandate leaves it alone", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.configure({ mandates: [mandateOf(), mandateOf({ key: "w" }, [], "W")] });
    await settle();
    assert.deepEqual(bench.heard(), ["1 granted"]);
    assert.equal(bench.said.filter(({ kind }) => kind === "witness-ready").length, 1);
  });

  test("a mandate that the configuration has no more goes back", async () => {
    const bench = new Bench([mandateOf()]);
    await bench.want();
    bench.configure({ mandates: [] });
    await settle();
    assert.deepEqual(bench.store.asked, ["acquire v", "release v"]);
  });
});
