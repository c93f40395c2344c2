import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventReport } from "../../../agent/runtime/ipc.ts";
import type { Json } from "../../../sdk/index.ts";
import { settle } from "../virtual-time.ts";

import { benchWith, Health } from "./health.ts";
import { PolicyBench } from "./policy-bench.ts";
import { snapshotOf, withPeer } from "./snapshots.ts";

describe("hooks", () => {
  const transition = (to: string): EventReport => ({
    at: 5,
    kind: "transition",
    level: "info",
    subject: "VI_1",
    message: "",
    detail: { from: "backup", to, reason: "timeout", faults: [], priority: 150 },
  });

  test("hear of transitions, with a view that knows them already", async () => {
    const seen: unknown[] = [];
    const bench = await benchWith({
      on: {
        transition: (ctx, event) => {
          seen.push(event, (ctx.view["routers"] as { VI_1: { state: string } }).VI_1.state);
        },
      },
    });
    bench.host.snapshot([snapshotOf("backup")]);
    bench.host.event(transition("active"));
    await settle();
    assert.deepEqual(seen, [
      { router: "VI_1", from: "backup", to: "active", reason: "timeout", priority: 150, at: 5 },
      "active",
    ]);
  });

  test("hear of what happened while their first version was loaded, after its start", async () => {
    const seen: unknown[] = [];
    const bench = new PolicyBench();
    let release = (): void => undefined;
    bench.hold = new Promise((done) => (release = done));
    bench.put("late", {
      on: {
        start: () => seen.push("start"),
        transition: (_ctx, event) => seen.push((event as { to: string }).to),
      },
    });
    await bench.start();
    await bench.time.advance(5_000);
    bench.host.event(transition("active"));
    release();
    await settle();
    assert.deepEqual(seen, ["start", "active"]);
  });

  test("hear nothing of what happened while their policy was refused", async () => {
    const seen: unknown[] = [];
    const bench = new PolicyBench();
    bench.put("mended", "broken");
    await bench.start();
    bench.host.event(transition("active"));
    await bench.save("mended", {
      on: { transition: (_ctx, event) => seen.push((event as { to: string }).to) },
    });
    assert.deepEqual(seen, []);
    bench.host.event(transition("backup"));
    await settle();
    assert.deepEqual(seen, ["backup"]);
  });

  test("hear of the lease under which a router became active", async () => {
    const seen: unknown[] = [];
    const bench = await benchWith({
      on: { transition: (_ctx, event) => seen.push((event as { epoch?: string }).epoch) },
    });
    const report = transition("active");
    bench.host.event({ ...report, detail: { ...report.detail, epoch: "0b" } });
    bench.host.event(transition("backup"));
    await settle();
    assert.deepEqual(seen, ["0b", undefined]);
  });

  test("hear of their own checks and of faults in words", async () => {
    const seen: Json[] = [];
    const health = new Health();
    const bench = await benchWith(
      health.program({}, { on: { checkChange: (_ctx, event) => seen.push(event ?? null) } }),
    );
    await bench.time.advance(50);
    health.answer = { ok: false, reason: "HTTP 500" };
    await bench.time.advance(1_000);
    assert.equal(seen.length, 1);
    assert.deepEqual(
      { ...(seen[0] as object), lasted: 0 },
      {
        check: "alive",
        up: false,
        reason: "HTTP 500",
        lasted: 0,
      },
    );
  });

  test("run one after another; of too many the oldest are dropped", async () => {
    const order: string[] = [];
    let release: () => void = () => undefined;
    const bench = await benchWith({
      on: {
        transition: async (_ctx, event) => {
          order.push((event as { to: string }).to);
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        },
      },
    });
    for (let n = 0; n < 300; n += 1)
      bench.host.event(transition(n % 2 === 0 ? "active" : "backup"));
    await settle();
    assert.equal(order.length, 1);
    for (let n = 0; n < 400; n += 1) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(order.length, 257);
    assert.deepEqual(bench.heard.messages("policy").slice(1), [
      "it cannot keep up: 43 events were left out",
    ]);
  });

  test("that take too long are given up", async () => {
    let ran = 0;
    const bench = await benchWith({
      on: {
        transition: () => {
          ran += 1;
          return new Promise(() => undefined);
        },
      },
    });
    bench.host.event(transition("active"));
    bench.host.event(transition("backup"));
    await bench.time.advance(30_100);
    assert.equal(ran, 2);
    assert.match(bench.heard.messages("policy").at(-1) ?? "", /transition took longer than 30 s/);
  });

  test("hear of peers that come and fall silent", async () => {
    const seen: Json[] = [];
    const bench = await benchWith({
      on: { peer: (_ctx, event) => seen.push(event ?? null) },
    });
    const quiet = snapshotOf("backup");
    bench.host.snapshot([quiet]);
    bench.host.snapshot([withPeer(quiet, 1)]);
    await settle();
    assert.deepEqual(seen, [{ router: "VI_1", address: "192.0.2.9", priority: 100, heard: true }]);
    await bench.time.advance(4_100);
    bench.host.snapshot([withPeer(quiet, 1)]);
    await settle();
    assert.deepEqual(seen.at(-1), {
      router: "VI_1",
      address: "192.0.2.9",
      priority: 100,
      heard: false,
    });
  });

  test("snapshots are asked for each second while a policy is loaded", async () => {
    const bench = await benchWith(new Health().program());
    await bench.time.advance(5_500);
    assert.equal(bench.heard.snapshots, 6);
    bench.host.snapshot(Array.from({ length: 201 }, () => snapshotOf("backup")));
    await bench.time.advance(20_600);
    assert.equal(bench.heard.snapshots, 9);
    bench.files.clear();
    await bench.notice();
    await bench.time.advance(60_000);
    assert.equal(bench.heard.snapshots, 10);
  });
});
