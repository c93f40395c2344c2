import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../sdk/index.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { benchWith, Health } from "./health.ts";
import { PolicyBench } from "./policy-bench.ts";

describe("effects", () => {
  const asked = {
    control: { routers: ["VI_1"], realServers: ["web/10.0.0.1:80"] },
    mail: { to: ["ops@example.org"] },
    webhook: { slack: { preset: "slack", url: "${secret:slack}" } },
  };

  async function effectOf(operation: string, ...args: Json[]): Promise<PolicyBench> {
    const bench = new PolicyBench();
    const run: FakeProgram["checks"] = {
      alive: {
        every: "1h",
        run: (ctx) => {
          ctx.say(operation, ...args);
          return true;
        },
      },
    };
    bench.put("nginx", { checks: run }, asked);
    await bench.start();
    await bench.time.advance(50);
    return bench;
  }

  test("an adjustment is a claim that lapses", async () => {
    const bench = await effectOf("router.adjust", "VI_1", -20, { ttl: "5s" });
    assert.equal(bench.heard.effect("VI_1", "policy nginx"), "weight -20");
    assert.deepEqual(bench.heard.claims.get("VI_1 policy nginx")?.otherwise, { kind: "none" });
    await bench.time.advance(4_900);
    assert.equal(bench.heard.effect("VI_1", "policy nginx"), "weight -20");
    await bench.time.advance(200);
    assert.equal(bench.heard.effect("VI_1", "policy nginx"), undefined);
  });

  test("an adjustment without a lease lapses in 30 s, and is gone with the file", async () => {
    const bench = await effectOf("router.fault", "VI_1", "maintenance");
    assert.equal(bench.heard.effect("VI_1", "policy nginx"), "fault maintenance");
    bench.files.delete("nginx");
    await bench.notice();
    assert.equal(bench.heard.claims.size, 0);
  });

  for (const [operation, args, message] of [
    ["router.adjust", ["VI_2", -20], /router\.adjust is not permitted.*grant \{ control VI_2 \}/],
    ["router.adjust", ["VI_1", 1.5], /whole number from -253 to 253/],
    ["router.adjust", ["VI_1", -20, { ttl: "2h" }], /at most "1h"/],
    ["syslog.send", ["worn out"], /syslog\.send: write \{ text \}/],
    ["webhook.post", ["teams", { text: "x" }], /not permitted.*webhook teams/],
    ["mail.send", [{ subject: 1 }], /must be texts/],
    ["realServer.drain", ["x/10.0.0.1:80"], /not permitted.*real_server x\/10\.0\.0\.1:80/],
    ["realServer.setWeight", ["web/10.0.0.1:80", 70_000], /whole number from 0 to 65535/],
    ["odd.thing", [], /there is no odd\.thing/],
  ] as const) {
    test(`${operation} ${JSON.stringify(args)} is refused in words`, async () => {
      const bench = await effectOf(operation, ...(args as unknown as Json[]));
      assert.match(bench.heard.log.at(-1) ?? "", message);
      assert.equal(bench.heard.claims.size, 0);
      assert.equal(bench.notices.length, 0);
    });
  }

  test("mail and webhooks become notices; secrets stay references", async () => {
    const mail = await effectOf("mail.send", { subject: "down", text: "nginx", throttle: "5m" });
    assert.deepEqual(mail.notices, [
      {
        target: { kind: "mail", to: ["ops@example.org"], from: undefined },
        source: "policy nginx",
        title: "down",
        text: "nginx",
        severity: "info",
        json: undefined,
        key: "down\nnginx",
        throttleMs: 300_000,
        at: mail.notices[0]?.at,
      },
    ]);
    const hook = await effectOf("webhook.post", "slack", {
      text: "hi",
      severity: "critical",
      dedupe: "k",
    });
    assert.deepEqual(hook.notices[0]?.target, {
      kind: "webhook",
      preset: "slack",
      url: "${secret:slack}",
    });
    assert.equal(hook.notices[0]?.severity, "critical");
    assert.equal(hook.notices[0]?.key, "k");
  });

  test("a line for syslog is a notice, and needs no permission", async () => {
    const line = await effectOf("syslog.send", { text: "worn out", severity: "warning" });
    const [notice] = line.notices;
    assert.deepEqual(notice?.target, { kind: "syslog" });
    assert.deepEqual(
      [notice?.title, notice?.text, notice?.severity],
      ["nginx", "worn out", "warning"],
    );
  });

  test("log and metrics carry the name of the policy; a flood is cut, and told", async () => {
    const bench = await effectOf("metrics.count", "hits");
    assert.deepEqual(bench.series, ["nginx hits + 1"]);
    const flood = new PolicyBench();
    const run = (ctx: { say(operation: string, ...args: Json[]): void }): boolean => {
      for (let n = 0; n < 100; n += 1) ctx.say("log.info", `line\n${n}`, { n });
      return true;
    };
    flood.put("nginx", { checks: { alive: { every: "2s", run } } });
    await flood.start();
    await flood.time.advance(50);
    assert.equal(flood.heard.log.length, 20);
    assert.equal(flood.heard.log[0], 'info policy nginx: line 0 {"n":0}');
    await flood.time.advance(2_000);
    assert.match(flood.heard.log[20] ?? "", /said too much; 80 left out/);
  });

  test("of a version that is refused are not done, but for its log", async () => {
    const bench = await benchWith(new Health().program());
    const run = (ctx: { say(operation: string, ...args: Json[]): void }): never => {
      ctx.say("log.info", "trying");
      ctx.say("router.adjust", "VI_1", -100);
      throw new TypeError("no");
    };
    await bench.save("nginx", { checks: { alive: { every: "1s", run } } });
    assert.equal(bench.heard.effect("VI_1", "policy nginx"), undefined);
    assert.deepEqual(bench.heard.log, ["info policy nginx: trying"]);
  });
});
