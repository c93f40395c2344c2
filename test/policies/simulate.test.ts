import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { simulate } from "../../agent/simulator/simulate.ts";
import { another, checking, policyFile, simulated } from "./simulation.ts";

const HTTP = 'http: ["http://127.0.0.1/*"]';
const PAGE = "http://127.0.0.1/";
const get = `async run(ctx) { return (await ctx.http.get("${PAGE}")).status === 200; }`;
const world = { routers: { VI_1: { priority: 100 } } };

test("a line for syslog leaves, and is kept from being said too often", async () => {
  const say = 'ctx.syslog.send({ title: "disk", text: "worn out", throttle: "1m" }); return true;';
  const sim = await simulated(checking(HTTP, `every: "10s", run(ctx) { ${say} }`), world);
  await sim.advance("55s");
  assert.deepEqual(
    sim.syslog.map(({ title, text, severity }) => [title, text, severity]),
    [["disk", "worn out", "info"]],
  );
  assert.equal(sim.timeline.filter(({ kind }) => kind === "syslog").length, 1);
});

describe("a simulated check", { timeout: 20_000 }, () => {
  test("counts rise and fall as the agent does, and moves the priority", async () => {
    const every = 'every: "1s", rise: 2, fall: 3, track: { routers: { VI_1: -50 } }';
    const sim = await simulated(checking(HTTP, `${every}, ${get}`), world);
    sim.http(PAGE).replies(200);
    await sim.advance("10s");
    sim.http(PAGE).replies(500);
    await sim.advance("1500ms");
    assert.equal(sim.router("VI_1").priority, 100);
    await sim.advance("1s");
    assert.equal(sim.router("VI_1").priority, 50);
    assert.deepEqual(
      sim.router("VI_1").contributions.map(({ weight }) => weight),
      [-50],
    );
    sim.http(PAGE).replies(200);
    await sim.advance("10s");
    assert.deepEqual(
      sim.history("VI_1").map(({ after, priority }) => [Math.floor(after / 1_000), priority]),
      [
        [0, 100],
        [12, 50],
        [14, 100],
      ],
    );
    assert.deepEqual(sim.errors, []);
  });

  test("takes the time that its answers take, and times out", async () => {
    const sim = await simulated(checking(HTTP, `every: "2s", timeout: "500ms", ${get}`), world);
    sim.http(PAGE).replies(200, "", { after: "400ms" });
    await sim.advance("2s");
    assert.equal(sim.check("it").up, true);
    sim.http(PAGE).replies(200, "", { after: "600ms" });
    await sim.advance("1s");
    assert.deepEqual([sim.check("it").up, sim.check("it").reason], [false, "timeout"]);
    sim.http(PAGE).hangs();
    await sim.advance("10s");
    assert.equal(sim.check("it").up, false);
    assert.deepEqual(sim.errors, [], "what answers late is no mistake of the policy");
  });

  test("runs at once when a process that it counts comes or goes", async () => {
    const run =
      'every: "1h", track: { routers: { VI_1: "fault" } }, run: (ctx) => ctx.processes.count("x") > 0';
    const sim = await simulated(checking('process: ["x"]', run), { ...world, processes: { x: 1 } });
    await sim.advance("90s");
    sim.processes("x", 0);
    await sim.advance("50ms");
    assert.equal(sim.router("VI_1").state, "fault");
    sim.processes("x", 1);
    await sim.advance("50ms");
    assert.equal(sim.router("VI_1").state, "backup");
  });

  test("that gives no verdict grows stale, and holds what was declared", async () => {
    const keep =
      'every: "1s", onStale: { keep: { maxStale: "1m" } }, track: { routers: { VI_1: -5 } }';
    const sim = await simulated(checking(HTTP, `${keep}, ${get}`), world);
    sim.http(PAGE).replies(200);
    await sim.advance("10s");
    sim.kill();
    await sim.advance("30s");
    assert.equal(sim.router("VI_1").priority, 100);
    await sim.advance("1m");
    assert.equal(sim.router("VI_1").priority, 95);
  });
});

describe("mistakes", { timeout: 20_000 }, () => {
  test("are told at their line of the policy's file", async () => {
    const sim = await simulated(
      checking(
        HTTP,
        'every: "1s",\n run() {\n const none = undefined as unknown as string;\n return none.length > 0; }',
      ),
      world,
    );
    await sim.advance("500ms");
    const [first] = sim.errors;
    assert.equal(first?.where, "check it");
    assert.match(first?.message ?? "", /undefined/);
    assert.match(first?.stack[0] ?? "", /^p\d+\.ts:5:\d+$/);
  });

  test("what nothing is scripted for says what to write", async () => {
    const sim = await simulated(checking(HTTP, `every: "1s", ${get}`), world);
    await sim.advance("500ms");
    assert.match(
      sim.errors[0]?.message ?? "",
      /write sim\.http\("http:\/\/127\.0\.0\.1\/"\)\.replies\(200\)/,
    );
    assert.equal(sim.errors[0]?.where, "check it");
  });

  test("what is not permitted is refused, also when it is scripted", async () => {
    const run =
      'every: "1s", async run(ctx) { await ctx.http.get("http://192.0.2.1/"); return true; }';
    const sim = await simulated(checking(HTTP, run), world);
    sim.http("http://192.0.2.1/").replies(200);
    await sim.advance("500ms");
    assert.match(
      sim.errors[0]?.message ?? "",
      /http\.get http:\/\/192\.0\.2\.1\/: it is not permitted/,
    );
  });

  test("a scripted failure is none", async () => {
    const sim = await simulated(checking(HTTP, `every: "1s", ${get}`), world);
    sim.http(PAGE).fails("ECONNREFUSED");
    await sim.advance("5s");
    assert.match(sim.check("it").reason, /ECONNREFUSED/);
    assert.deepEqual(sim.errors, []);
  });

  test("an endless loop is stopped, told, and the policy put in quarantine", async () => {
    const sim = await simulated(checking(HTTP, 'every: "1s", run() { for (;;); }'), world);
    await sim.advance("10s");
    assert.match(sim.errors[0]?.message ?? "", /more than 20 ms/);
    assert.ok(sim.timeline.some(({ message }) => message.includes("quarantine")));
  });

  test("of the test are told where they are made", async () => {
    const sim = await simulated(checking(HTTP, `every: "1s", ${get}`), world);
    assert.throws(
      () => sim.router("VI_2"),
      /no virtual router VI_2 \(there: VI_1\).*routers: \{ VI_2/,
    );
    assert.throws(() => sim.check("other"), /no check other; it has it/);
    assert.throws(() => sim.http(PAGE).replies(200, "", { after: "5 s" as "5s" }), /is no time/);
    const passing = sim.advance("1s");
    assert.throws(() => sim.router("VI_1"), /time is passing; write: await sim\.advance/);
    await passing;
    await assert.rejects(simulated("checks: {"), /cannot be loaded:\n.*p\d+\.ts:\d+:\d+: /);
  });
});

describe("everything that a policy says", { timeout: 20_000 }, () => {
  test("logs, series, keys, leases and mail", async () => {
    const sim = await simulated(
      checking(
        'mail: { to: ["ops@example.org"] }',
        `every: "10s", async run(ctx) {
          const runs = Number((await ctx.kv.get("runs")) ?? 0) + 1;
          await ctx.kv.set("runs", runs);
          ctx.log.info("looked", { runs });
          ctx.metrics.gauge("runs", runs, { of: "it" });
          if (runs === 1) ctx.router("VI_1").adjust(-20, { ttl: "25s" });
          ctx.mail.send({ subject: "looked", text: "again", dedupe: "x", throttle: "1h" });
          return true;
        }`,
      ),
      { ...world, kv: { runs: 0 } },
    );
    await sim.advance("15s");
    assert.equal(sim.router("VI_1").priority, 80);
    await sim.advance("45s");
    assert.equal(sim.router("VI_1").priority, 100, "a lease lapses by itself");
    assert.deepEqual(sim.kv, { runs: 6 });
    assert.equal(sim.metrics['runs{of="it"}'], 6);
    assert.deepEqual(sim.logs[1], {
      ...sim.logs[1],
      level: "info",
      message: "looked",
      fields: { runs: 2 },
    });
    assert.deepEqual(
      sim.mails.map(({ subject }) => subject),
      ["looked"],
    );
  });

  test("hooks hear of transitions, priorities, peers and the policy's own checks", async () => {
    const heard = ["transition", "priorityChange", "peer", "checkChange", "start", "stop"];
    const hooks = heard.map((name) => `${name}: (ctx, event) => ctx.log.info("${name}", event)`);
    const sim = await simulated(
      checking(
        HTTP,
        `every: "1s", track: { routers: { VI_1: -50 } }, ${get}`,
        `on: { ${hooks.join(", ")} }`,
      ),
      world,
    );
    sim.http(PAGE).replies(200);
    await sim.advance("2s");
    await sim.peer("VI_1", { address: "192.0.2.2", priority: 90 });
    await sim.advance("3s");
    await sim.transition("VI_1", "active");
    sim.http(PAGE).replies(500);
    await sim.advance("2s");
    await sim.stop();
    assert.deepEqual(
      sim.logs.map(({ message }) => message),
      ["start", "peer", "transition", "checkChange", "priorityChange", "stop"],
    );
    assert.equal(sim.logs[2]?.fields["to"], "active");
    assert.deepEqual(sim.errors, []);
  });

  test("its state outlives a new version, and a bad version changes nothing", async () => {
    const counting = (step: number): string =>
      `state: { version: 1, init: () => ({ n: 0 }) },
       checks: { it: { every: "1s", run(ctx) { ctx.state.n += ${step}; return true; } } }`;
    const sim = await simulated(counting(1));
    await sim.advance("10s");
    const before = (sim.state as { readonly n: number }).n;
    assert.ok(before >= 9);
    const broken = await sim.reload(another("checks: { it: {"));
    assert.equal(broken.accepted, false);
    assert.deepEqual(await sim.reload(another(counting(100))), { accepted: true });
    await sim.advance("2s");
    assert.ok((sim.state as { readonly n: number }).n >= before + 100);
  });
});

test("the same seed has the same timeline, another seed another one", async () => {
  const policy = checking(
    HTTP,
    `every: "1s", jitter: 0.5, track: { routers: { VI_1: -50 } }, run(ctx) {
       const drawn = Math.random();
       ctx.log.info(String(drawn), { now: Date.now() });
       return drawn > 0.3;
     }`,
  );
  const file = policyFile(policy);
  const timeline = async (seed: number): Promise<string> => {
    const sim = await simulate(file, { ...world, seed });
    await sim.advance("2m");
    assert.ok(sim.logs.length > 100);
    return hash("sha256", JSON.stringify([sim.timeline, sim.logs]));
  };
  const first = await timeline(7);
  assert.equal(await timeline(7), first);
  assert.notEqual(await timeline(8), first);
});
