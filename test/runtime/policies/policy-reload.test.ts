import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settle } from "../virtual-time.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { Forced } from "./fake-sandbox.ts";
import { ALIVE, benchWith, Health } from "./health.ts";
import { PolicyBench } from "./policy-bench.ts";

describe("a reload", () => {
  test("keeps the verdict, counts a version, and tells old and new", async () => {
    const heard: string[] = [];
    const on = (version: string): FakeProgram["on"] => ({
      start: (_ctx, event) =>
        heard.push(`${version} start ${(event as { reason: string }).reason}`),
      stop: (_ctx, event) => heard.push(`${version} stop ${(event as { reason: string }).reason}`),
    });
    const health = new Health();
    const bench = await benchWith(health.program({}, { on: on("one") as never }));
    await bench.time.advance(50);
    await bench.save("nginx", health.program({}, { on: on("two") as never }));
    assert.deepEqual(heard.sort(), ["one start boot", "one stop reload", "two start reload"]);
    const [policy] = bench.host.status().policies ?? [];
    assert.equal(policy?.version, 2);
    assert.equal(bench.sandbox.realms.size, 1);
    assert.deepEqual(bench.heard.messages("check"), ["up"]);
    assert.deepEqual(bench.heard.messages("policy"), ["version 1 runs", "version 2 runs"]);
  });

  for (const [what, broken, problem] of [
    ["does not compile", "broken", /nginx\.ts:3:9: odd/],
    [
      "throws at its first run",
      { answer: new TypeError("oops") },
      /first run of the check alive failed: a\.ts:5:7: TypeError: oops/,
    ],
    ["answers nonsense", { answer: 7 }, /neither true, false/],
    ["is stopped by force", { answer: new Forced("interrupted", "too long") }, /first run/],
  ] as const) {
    test(`to a version that ${what} leaves the old one running`, async () => {
      const good = new Health();
      const bench = await benchWith(good.program());
      await bench.time.advance(50);
      const bad = new Health();
      if (broken !== "broken") bad.answer = broken.answer;
      await bench.save("nginx", broken === "broken" ? "broken" : bad.program());
      const [policy] = bench.host.status().policies ?? [];
      assert.equal(policy?.state, "running");
      assert.equal(policy?.version, 1);
      assert.match(policy?.problems.join("\n") ?? "", problem);
      assert.match(bench.heard.messages("policy").at(-1) ?? "", /^refused, version 1 runs on: /);
      assert.equal(bench.sandbox.realms.size, 1);
      const before = good.runs;
      await bench.time.advance(1_000);
      assert.equal(good.runs, before + 1);
      assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
    });
  }

  test("to a version whose first run takes too long leaves the old one running", async () => {
    const bench = await benchWith(new Health().program());
    const hang = (): Promise<never> => new Promise(() => undefined);
    await bench.save("nginx", { checks: { alive: { every: "1s", timeout: "200ms", run: hang } } });
    await bench.time.advance(200);
    assert.match(bench.host.status().policies?.[0]?.problems[0] ?? "", /timeout after 0\.2 s/);
    assert.equal(bench.sandbox.realms.size, 1);
    assert.deepEqual(bench.sandbox.abandoned, ["check alive"]);
  });

  test("is not refused for a service that is down", async () => {
    const bench = await benchWith(new Health().program());
    const permissions = { control: { routers: ["VI_1"] }, process: ["nginx"] };
    const down: FakeProgram = {
      checks: { alive: { every: "1s", run: async (ctx) => await ctx.call("process.fail") } },
    };
    await bench.save("nginx", down, permissions);
    assert.equal(bench.host.status().policies?.[0]?.version, 2);
    assert.equal(bench.host.status().checks?.[0]?.verdict, "down");
  });

  test("is not refused for a service that does not answer in time", async () => {
    const bench = await benchWith(new Health().program());
    const permissions = { control: { routers: ["VI_1"] }, process: ["nginx"] };
    const run: NonNullable<FakeProgram["checks"]>[string]["run"] = async (ctx) =>
      await ctx.call("process.hang");
    await bench.save(
      "nginx",
      { checks: { alive: { every: "1s", timeout: "200ms", run } } },
      permissions,
    );
    await bench.time.advance(200);
    assert.equal(bench.host.status().policies?.[0]?.version, 2);
    assert.equal(bench.host.status().checks?.[0]?.verdict, "down");
  });

  test("is not refused for what fails in the old version too", async () => {
    const health = new Health();
    health.answer = new TypeError("old trouble");
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    await bench.save("nginx", health.program({ every: "2s" }));
    assert.equal(bench.host.status().policies?.[0]?.version, 2);
  });

  test("does nothing when the file is what runs", async () => {
    const bench = await benchWith(new Health().program());
    const { loads } = bench.sandbox;
    await bench.notice();
    assert.equal(bench.builds, 1);
    const file = bench.files.get("nginx");
    await bench.save("nginx", "broken");
    if (file !== undefined) bench.files.set("nginx", file);
    await bench.notice();
    assert.equal(bench.sandbox.loads, loads);
    const [policy] = bench.host.status().policies ?? [];
    assert.deepEqual(policy?.problems, []);
    assert.equal(policy?.version, 1);
    assert.match(bench.heard.messages("policy").at(-1) ?? "", /again what runs: version 1/);
  });

  test("is debounced, and a folder that never rests is looked at all the same", async () => {
    const bench = await benchWith(new Health().program());
    const { builds } = bench;
    bench.put("nginx", new Health().program());
    for (let ms = 0; ms < 180; ms += 20) {
      bench.touch();
      await bench.time.advance(20);
    }
    assert.equal(bench.builds, builds);
    bench.touch();
    await bench.time.advance(20);
    assert.equal(bench.builds, builds + 1);
  });

  test("overtaken by the next save is given up", async () => {
    const bench = await benchWith(new Health().program());
    let release: () => void = () => undefined;
    bench.hold = new Promise((resolve) => {
      release = resolve;
    });
    await bench.save("nginx", new Health().program());
    await bench.save("nginx", "broken");
    const last = new Health();
    await bench.save("nginx", last.program());
    release();
    await settle();
    assert.equal(bench.host.status().policies?.[0]?.version, 2);
    assert.equal(bench.sandbox.realms.size, 1);
    assert.equal(last.runs, 1);
    assert.deepEqual(bench.host.status().policies?.[0]?.problems, []);
  });

  test("hands state over, and writes it a second after it changed", async () => {
    const counting = (stateVersion: number): FakeProgram => ({
      stateVersion,
      initial: { n: 0 },
      checks: {
        alive: {
          every: "1s",
          run: (ctx) => {
            ctx.state = { n: (ctx.state as { n: number }).n + 1 };
            return true;
          },
        },
      },
    });
    const bench = await benchWith(counting(1));
    await bench.time.advance(2_100);
    assert.equal(bench.saved.get("nginx"), '{"version":1,"value":{"n":2}}');
    await bench.save("nginx", counting(1));
    await bench.host.stop();
    assert.equal(bench.saved.get("nginx"), '{"version":1,"value":{"n":4}}');
    const later = new PolicyBench();
    later.saved.set("nginx", '{"version":1,"value":{"n":40}}');
    later.put("nginx", counting(1));
    await later.start();
    await later.time.advance(50);
    await later.host.stop();
    assert.equal(later.saved.get("nginx"), '{"version":1,"value":{"n":41}}');
  });

  test("with other checks withdraws what is declared no more", async () => {
    const health = new Health();
    health.answer = false;
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "weight -30");
    await bench.save("nginx", { checks: { other: { every: "1s", run: () => true } } });
    assert.equal(bench.heard.claims.size, 0);
    assert.deepEqual([...bench.heard.verdicts.keys()], ["nginx/other"]);
  });
});

describe("strikes", () => {
  test("three in a minute are a quarantine; its time over, the policy runs again", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    health.answer = new Forced("interrupted", "interrupted");
    await bench.time.advance(3_000);
    const status = () => bench.host.status().policies?.[0];
    assert.equal(status()?.state, "quarantined");
    assert.equal(status()?.strikes, 3);
    assert.match(bench.heard.messages("policy").at(-1) ?? "", /in quarantine for 1 s/);
    const { runs } = health;
    health.answer = true;
    await bench.time.advance(900);
    assert.equal(health.runs, runs);
    await bench.time.advance(200);
    assert.equal(status()?.state, "running");
    assert.equal(health.runs, runs + 1);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
  });

  test("one that held a thread up is a quarantine, so that the next one finds another thread", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    health.answer = new Forced("stuck", "");
    await bench.time.advance(1_000);
    const status = () => bench.host.status().policies?.[0];
    assert.equal(status()?.state, "quarantined");
    assert.equal(status()?.strikes, 1);
    await bench.time.advance(1_100);
    assert.equal(status()?.strikes, 2);
    assert.match(bench.heard.messages("policy").at(-1) ?? "", /in quarantine for 2 s/);
  });

  test("in quarantine a new version decides at once", async () => {
    const health = new Health();
    health.answer = new Forced("stuck", "");
    const bench = await benchWith(health.program());
    await bench.time.advance(2_500);
    assert.equal(bench.host.status().policies?.[0]?.state, "quarantined");
    await bench.save("nginx", new Health().program());
    const [policy] = bench.host.status().policies ?? [];
    assert.equal(policy?.state, "running");
    assert.equal(policy?.strikes, 0);
  });

  test("that it does not come back from end it, and a new version can follow", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    bench.sandbox.comesBack = false;
    health.answer = new Forced("stuck", "");
    await bench.time.advance(6_000);
    const status = () => bench.host.status().policies?.[0];
    assert.equal(status()?.state, "refused");
    assert.match(status()?.problems[0] ?? "", /cannot be loaded after it was stopped/);
    assert.equal(bench.sandbox.realms.size, 0);
    await bench.time.advance(5_000);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "weight -30");
    await bench.save("nginx", new Health().program());
    assert.equal(status()?.state, "running");
    assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
  });

  test("of others cost no period: a run that was moved is made again at once", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    const { runs } = health;
    health.answer = new Forced("moved", "");
    health.whenRun = () => {
      health.answer = true;
    };
    await bench.time.advance(1_000);
    assert.equal(health.runs, runs + 2);
    const [check] = bench.host.status().checks ?? [];
    assert.equal(check?.failures, 0);
  });

  test("of others do not count: a run that was moved is made again", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    health.answer = new Forced("moved", "");
    await bench.time.advance(1_000);
    health.answer = true;
    const { runs } = health;
    const [realm] = bench.sandbox.realms.keys();
    bench.sandbox.recover(realm ?? 0);
    await settle();
    assert.equal(health.runs, runs + 1);
    const [check] = bench.host.status().checks ?? [];
    assert.equal(check?.failures, 0);
    assert.equal(check?.verdict, "up");
  });
});
