import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../sdk/index.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { Health } from "./health.ts";
import { PolicyBench } from "./policy-bench.ts";

const SERVER = "web/10.0.0.1:80";
const ASKED = { control: { routers: ["VI_1"], realServers: [SERVER] } };

async function bench(program: FakeProgram): Promise<PolicyBench> {
  const made = new PolicyBench();
  made.put("nginx", program, ASKED);
  await made.start();
  await made.time.advance(50);
  return made;
}

describe("real servers", () => {
  test("a weight that a policy says lapses, and is gone with the policy", async () => {
    const say = (operation: string, ...args: Json[]): FakeProgram => ({
      checks: {
        once: {
          every: "1h",
          run: (ctx) => {
            ctx.say(operation, ...args);
            return true;
          },
        },
      },
    });
    const one = await bench(say("realServer.setWeight", SERVER, 5, { ttl: "5s" }));
    assert.deepEqual(
      [...one.serverClaims],
      [[`${SERVER} policy nginx`, { kind: "weight", weight: 5 }]],
    );
    await one.time.advance(5_100);
    assert.equal(one.serverClaims.size, 0);
    const two = await bench(say("realServer.drain", SERVER));
    assert.deepEqual(two.serverClaims.get(`${SERVER} policy nginx`), { kind: "weight", weight: 0 });
    two.files.delete("nginx");
    await two.notice();
    assert.equal(two.serverClaims.size, 0);
  });

  test("a check takes its server out while it is down, and gives it the weight that it answers", async () => {
    const health = new Health();
    const track = { realServers: { [SERVER]: "down" } };
    const one = await bench(health.program({ track }));
    const claim = () => one.serverClaims.get(`${SERVER} policy nginx/alive`);
    assert.equal(claim(), undefined);
    health.answer = { ok: true, weight: 40 };
    await one.time.advance(1_100);
    assert.deepEqual(claim(), { kind: "weight", weight: 40 });
    health.answer = { ok: false, reason: "too slow" };
    await one.time.advance(1_100);
    assert.deepEqual(claim(), { kind: "down", reason: "too slow" });
    health.answer = true;
    await one.time.advance(1_100);
    assert.equal(claim(), undefined);
  });

  test("a check whose weight changes says so to whoever goes by it", async () => {
    const health = new Health();
    const one = await bench(health.program());
    const reading = () => one.heard.verdicts.get("nginx/alive");
    assert.deepEqual(reading(), { verdict: "up", value: 0, reason: "" });
    health.answer = { ok: true, weight: 40 };
    await one.time.advance(1_100);
    assert.deepEqual(reading(), { verdict: "up", value: 0, reason: "", weight: 40 });
    health.answer = { ok: true, weight: 70_000 };
    await one.time.advance(1_100);
    assert.equal((reading() as { readonly weight?: number } | undefined)?.weight, 65_535);
    health.answer = { ok: false, weight: 3 };
    await one.time.advance(1_100);
    assert.deepEqual(reading(), { verdict: "down", value: 0, reason: "" });
    health.answer = true;
    await one.time.advance(1_100);
    assert.deepEqual(reading(), { verdict: "up", value: 0, reason: "" });
  });

  test("hooks hear of them and of quorums, and views show them", async () => {
    const heard: unknown[] = [];
    const seen: unknown[] = [];
    const hear: NonNullable<FakeProgram["on"]>[string] = (ctx, event) => {
      heard.push(event);
      seen.push(ctx.view["services"]);
    };
    const one = await bench({ on: { realServer: hear, serviceQuorum: hear } });
    const realServer = { name: SERVER, up: false, weight: 0, activeConnections: 3 };
    one.services = [{ name: "web", quorum: false, realServers: [realServer] }];
    const detail = { service: "web", server: "10.0.0.1:80", up: false, weight: 1, change: "state" };
    const report = { at: 1, level: "warn", subject: "web", message: "" } as const;
    one.host.event({ ...report, kind: "real-server", detail });
    one.host.event({ ...report, kind: "real-server", detail: { ...detail, change: "left" } });
    one.host.event({ ...report, kind: "quorum", detail: { service: "web", up: false, alive: 0 } });
    await one.time.advance(10);
    assert.deepEqual(heard, [
      { service: "web", realServer: SERVER, up: false, weight: 1 },
      { service: "web", up: false, alive: 0 },
    ]);
    assert.deepEqual(seen[0], one.services);
  });
});
