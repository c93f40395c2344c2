import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Claim } from "../../../agent/core/track/tracking.ts";
import type { Json } from "../../../sdk/index.ts";
import { ALIVE, benchWith, Health } from "./health.ts";
import { DIRECTORY, PolicyBench, settingsWith } from "./policy-bench.ts";

describe("a policy at the start", () => {
  test("is loaded, runs its check and moves the priority", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
    assert.equal(bench.heard.verdicts.get("nginx/alive")?.verdict, "up");
    health.answer = { ok: false, reason: "HTTP 500" };
    await bench.time.advance(1_000);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "weight -30");
    assert.deepEqual(bench.heard.verdicts.get("nginx/alive"), {
      verdict: "down",
      value: 0,
      reason: "HTTP 500",
    });
    assert.deepEqual(bench.heard.messages("check"), ["up", "down: HTTP 500"]);
    const [check] = bench.host.status().checks ?? [];
    assert.equal(check?.name, ALIVE);
    assert.equal(check?.runs, 2);
    assert.equal(check?.failures, 1);
  });

  test("shows what the last run said, also where the verdict stays", async () => {
    const health = new Health();
    const bench = await benchWith(health.program({ fall: 2 }));
    const reason = (): string | undefined => bench.host.status().checks?.[0]?.reason;
    await bench.time.advance(50);
    assert.equal(reason(), "");
    for (const said of ["HTTP 500", "HTTP 502", "HTTP 503"]) {
      health.answer = { ok: false, reason: said };
      await bench.time.advance(1_000);
      assert.equal(reason(), said);
    }
    assert.equal(bench.heard.verdicts.get("nginx/alive")?.reason, "HTTP 502");
  });

  test("holds a router that waits for a verdict, and counts a failing first run as bad", async () => {
    const health = new Health();
    health.answer = new TypeError("x is not a function");
    const track = { routers: { VI_1: "fault" } };
    const bench = await benchWith(health.program({ fall: 2, track }));
    await bench.time.advance(50);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "fault no verdict yet");
    await bench.time.advance(1_000);
    const reason = "a.ts:5:7: TypeError: x is not a function";
    assert.equal(bench.heard.effect("VI_1", ALIVE), `fault ${reason}`);
    assert.equal(bench.host.status().policies?.[0]?.state, "running");
  });

  test("that comes later moves no router that is well, and looks before it says anything", async () => {
    const bench = await benchWith(new Health().program());
    await bench.time.advance(5_000);
    const told: string[] = [];
    const { outlet } = bench.heard;
    const { claim } = outlet;
    Object.assign(outlet, {
      claim: (said: Claim) => {
        if (said.source.startsWith("policy late/")) told.push(said.effect.kind);
        claim(said);
      },
    });
    let answer: (ok: boolean) => void = () => undefined;
    const run = (): Promise<boolean> => new Promise((done) => (answer = done));
    const track = { routers: { VI_1: "fault" } };
    const check = { every: "10s", track, run };
    await bench.save("late", { checks: { one: check } });
    await bench.time.advance(1_000);
    assert.deepEqual(told, [], "it is still looking");
    answer(true);
    await bench.time.advance(10);
    assert.deepEqual(told, ["none"]);
    // A check that a new version has in addition.
    const second = { ...check, run: () => true };
    await bench.save("late", { checks: { one: second, two: second } });
    assert.deepEqual(new Set(told), new Set(["none"]));
    assert.equal(bench.heard.effect("VI_1", "policy late/two"), "none");
  });

  test("that comes later and is bad counts as bad", async () => {
    const bench = await benchWith(new Health().program());
    await bench.time.advance(5_000);
    const bad = new Health();
    bad.answer = new TypeError("x is not a function");
    await bench.save("late", bad.program({ track: { routers: { VI_1: "fault" } } }));
    assert.match(bench.heard.effect("VI_1", "policy late/alive") ?? "", /^fault .*not a function/);
  });

  test("is configured when its checks have judged, and no later than four seconds", async () => {
    const bench = new PolicyBench();
    bench.put("nginx", {
      checks: { slow: { every: "10s", run: () => new Promise(() => undefined) } },
    });
    let configured = false;
    void bench.host.configure(bench.settings).then(() => {
      configured = true;
    });
    await bench.time.advance(3_900);
    assert.equal(configured, false);
    await bench.time.advance(200);
    assert.equal(configured, true);
  });

  test("is refused with the lines to add when it asks for more than is granted", async () => {
    const bench = new PolicyBench({});
    bench.put("nginx", new Health().program());
    await bench.start();
    const [policy] = bench.host.status().policies ?? [];
    assert.equal(policy?.state, "refused");
    assert.match(
      policy?.problems[0] ?? "",
      /^\/etc\/holdfast\/policies\/nginx\.ts:1:1: control VI_1 is not/,
    );
    assert.match(
      policy?.problems[0] ?? "",
      /holdfast\.conf: policy nginx \{ grant \{ control VI_1 \} \}/,
    );
    assert.equal(bench.heard.claims.size, 0);
    assert.equal(bench.heard.snapshots, 0);
  });

  test("that says nonsense of itself is refused, and leaves no realm behind", async () => {
    const bench = await benchWith(new Health().program({ every: "1 sec" }));
    assert.match(bench.host.status().policies?.[0]?.problems[0] ?? "", /every/);
    assert.equal(bench.sandbox.realms.size, 0);
  });

  test("spreads its checks among those of others", async () => {
    const bench = new PolicyBench();
    const starts: number[] = [];
    for (let at = 0; at < 100; at += 1) {
      const run = (): boolean => starts.push(bench.time.nowMs) > 0;
      bench.put(`p${at}`, { checks: { alive: { every: "1s", run } } });
    }
    await bench.start();
    await bench.time.advance(150);
    assert.equal(starts.length, 100);
    for (const start of starts) {
      const together = starts.filter((other) => other === start).length;
      assert.ok(together < 60, `${together} run at once`);
    }
  });
});

describe("a policy that goes", () => {
  test("with its file takes everything along", async () => {
    const health = new Health();
    health.answer = false;
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    bench.files.delete("nginx");
    await bench.notice();
    assert.equal(bench.heard.claims.size, 0);
    assert.equal(bench.heard.verdicts.size, 0);
    assert.equal(bench.sandbox.realms.size, 0);
    assert.deepEqual(bench.host.status(), { policies: [], checks: [] });
    assert.deepEqual(bench.series, ["nginx forgotten"]);
    const { runs } = health;
    await bench.time.advance(5_000);
    assert.equal(health.runs, runs);
  });

  test("because its grants are withdrawn leaves what was declared for that", async () => {
    const health = new Health();
    const bench = await benchWith(health.program());
    await bench.time.advance(50);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
    bench.settings = { ...bench.settings, settings: settingsWith({}) };
    await bench.start();
    assert.equal(bench.host.status().policies?.[0]?.state, "refused");
    assert.equal(bench.sandbox.realms.size, 0);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "none");
    await bench.time.advance(3_000);
    assert.equal(bench.heard.effect("VI_1", ALIVE), "weight -30");
    assert.equal(bench.host.status().checks?.[0]?.stale, true);
  });

  for (const [onStale, effect] of [
    ["down", "weight -30"],
    ["up", "none"],
    [{ keep: { maxStale: "10s" } }, "none"],
  ] as const) {
    const said = JSON.stringify(onStale);
    test(`claims for a director that is gone, and stale: onStale ${said}`, async () => {
      const bench = await benchWith(new Health().program({ onStale }));
      await bench.time.advance(50);
      const { otherwise } = bench.heard.claims.get(`VI_1 ${ALIVE}`) ?? {};
      const none = onStale === "up";
      assert.deepEqual(otherwise, none ? { kind: "none" } : { kind: "weight", weight: -30 });
      bench.settings = { ...bench.settings, settings: settingsWith({}) };
      await bench.start();
      await bench.time.advance(4_000);
      assert.equal(bench.heard.effect("VI_1", ALIVE), effect);
      await bench.time.advance(7_000);
      assert.equal(bench.heard.effect("VI_1", ALIVE), none ? "none" : "weight -30");
    });
  }
});

describe("the host", () => {
  test("follows the policies folder to another place", async () => {
    const bench = await benchWith(new Health().program());
    bench.settings = { ...bench.settings, policiesDirectory: undefined };
    await bench.start();
    assert.equal(bench.watches, 0);
    assert.equal(bench.sandbox.realms.size, 0);
    assert.equal(bench.heard.claims.size, 0);
    bench.settings = { ...bench.settings, policiesDirectory: DIRECTORY };
    await bench.start();
    assert.equal(bench.watches, 1);
    assert.equal(bench.sandbox.realms.size, 1);
  });

  test("loads anew what was refused when its grant comes", async () => {
    const bench = new PolicyBench({});
    bench.put("nginx", new Health().program());
    await bench.start();
    bench.settings = {
      ...bench.settings,
      settings: settingsWith({ control: { routers: ["VI_1"] } }),
    };
    await bench.start();
    assert.equal(bench.host.status().policies?.[0]?.state, "running");
  });

  test("stops at once the second time, and lets go of everything", async () => {
    const heard: Json[] = [];
    const bench = await benchWith(
      new Health().program({}, { on: { stop: (_ctx, event) => heard.push(event ?? null) } }),
    );
    await bench.time.advance(50);
    const claims = bench.heard.claims.size;
    await Promise.all([bench.host.stop(), bench.host.stop()]);
    assert.deepEqual(heard, [{ reason: "shutdown" }]);
    assert.equal(bench.sandbox.closed, true);
    assert.equal(bench.watches, 0);
    // Others hold them from now on.
    assert.equal(bench.heard.claims.size, claims);
  });

  test("warns of a router that is not there", async () => {
    const bench = new PolicyBench();
    const run = { every: "1s", track: { routers: { VI_2: 10 } }, run: () => true };
    bench.put("nginx", { checks: { alive: run } }, { control: { routers: ["VI_2"] } });
    await bench.start();
    assert.ok(
      bench.heard.messages("policy").includes("there is no vrrp_instance VI_2 for it to move"),
    );
  });
});
