import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { noSettings } from "../../agent/config/settings.ts";
import type { RealServerStatus, ServiceStatus } from "../../agent/control/protocol.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import { openTimer } from "../../agent/linux/timer.ts";
import type { DryRunReport } from "../../agent/policy/dry-run-report.ts";
import { openSandbox } from "../../agent/sandbox/pool.ts";
import { Chronicle } from "../../agent/simulator/chronicle.ts";
import { dryRun } from "../../agent/simulator/dry-run.ts";
import { scriptedPlugins } from "../../agent/simulator/scripted-plugins.ts";
import { ScriptedWorld } from "../../agent/simulator/scripted-world.ts";
import { scriptingOf } from "../../agent/simulator/scripting.ts";
import { VirtualClock } from "../../agent/simulator/virtual-clock.ts";
import { Recorder, RecordingHost } from "../cli/recorder.ts";
import { policyRunSchema } from "../schema/policy-schemas.ts";
import { policyFile } from "./simulation.ts";

const clock = new VirtualClock(0);
const chronicle = new Chronicle(clock);
const world = new ScriptedWorld({ processes: { x: 3 } }, clock, (message) =>
  chronicle.mistake("call", message),
);
const script = scriptingOf(world, clock);

/** In real time and in the real sandbox; what the plugins find is scripted. */
const ports: Parameters<typeof dryRun>[1] = {
  clock: systemClock,
  openTimer,
  openSandbox: (listener) => openSandbox({ listener }),
  plugins: scriptedPlugins(world),
  loadPlugin: () => Promise.reject(new Error("there is none")),
  secret: (text) => text,
};

const look = (file: string, services: readonly ServiceStatus[] = []): Promise<DryRunReport> => {
  const settings = noSettings("/etc/holdfast/holdfast.conf");
  return dryRun({ file, settings, node: "n", routers: [], services }, ports);
};

const every = 'every: "1h"';
const busy = policyFile(`
  permissions: {
    http: ["http://127.0.0.1/*"], process: ["x"], mail: { to: ["ops@example.org"] },
    control: { routers: ["VI_1"] },
  },
  checks: {
    answers: { ${every}, track: { routers: { VI_1: -50 } }, async run(ctx) {
      const { status } = await ctx.http.get("http://127.0.0.1/");
      ctx.mail.send({ subject: "looked", text: "once" });
      ctx.router("VI_1").adjust(-3);
      ctx.log.info("hello");
      ctx.metrics.gauge("status", status);
      return { ok: status === 200, reason: \`HTTP \${status}\` };
    } },
    runs: { ${every}, track: { routers: { VI_1: "fault" } }, run: (ctx) => ctx.processes.count("x") > 5 },
    slow: { ${every}, timeout: "50ms", async run(ctx) { await ctx.sleep("5s"); return true; } },
    keeps: { ${every}, async run(ctx) {
      await ctx.kv.set("a", 1);
      return (await ctx.kv.get("a")) === 1 ? "skip" : false;
    } },
  },
  on: { start: (ctx) => ctx.log.error("a hook ran"), checkChange: (ctx) => ctx.log.error("a hook ran") },
`);

describe("policy run", { timeout: 30_000 }, () => {
  test("looks once with each check, and only says what would come of it", async () => {
    script.http("http://127.0.0.1/").replies(500);
    const report = await look(busy);
    policyRunSchema.parse(JSON.parse(JSON.stringify(report)));
    assert.deepEqual(report.problems, []);
    const found = report.checks.map(({ name, result, reason }) => `${name} ${result} ${reason}`);
    assert.deepEqual(found.sort(), [
      "answers bad HTTP 500",
      "keeps skipped ",
      "runs bad ",
      "slow failed timeout",
    ]);
    assert.ok(report.checks.every(({ milliseconds }) => milliseconds < 10_000));
    const policy = report.policy;
    assert.deepEqual(
      report.claims.map(({ source, weight }) => `${source} ${weight}`).sort(),
      [`policy ${policy} -3`, `policy ${policy}/answers -50`, `policy ${policy}/runs null`].sort(),
    );
    assert.deepEqual(report.said.map(({ kind, to, text }) => `${kind} ${to} ${text}`).sort(), [
      "log info hello",
      "mail ops@example.org looked: once",
      "metric status 500",
    ]);
    assert.deepEqual(report.ungranted.length, 4);
    assert.equal(world.kv.size, 0, "what it keeps is forgotten");
  });

  test("asks once for the weights of the services of the agent that runs", async () => {
    const server: Omit<RealServerStatus, "server"> = {
      ...{ state: "up", reason: "", since: null, configuredWeight: 5, weight: 5 },
      ...{ kernelWeight: 5, connections: { active: 3, inactive: 0 }, override: null, change: null },
      contributions: [],
      checks: [
        {
          ...{ kind: "tcp", verdict: "up", reason: "", runs: 1, failures: 0, failing: 0 },
          ...{ lastMs: 9, p50Ms: 8, p99Ms: 10 },
        },
      ],
    };
    const service: ServiceStatus = {
      ...{ name: "web", targets: [], scheduler: "wlc", sorryServer: null, held: 0 },
      ...{ suspended: false, retiring: false, refused: [] },
      quorum: { up: true, weight: 5, wanted: 1, hysteresis: 0 },
      realServers: [
        { ...server, server: "10.0.0.1:80" },
        { ...server, server: "10.0.0.2:80", state: "leaving" },
      ],
    };
    const balancing = (run: string): string =>
      policyFile(
        `permissions: { control: { services: ["*"] } }, balance: { every: "1s", run: ${run} },`,
      );
    const run = `(_ctx, { realServers }) => Object.fromEntries(
      realServers.map(({ key, latencyMs, activeConnections }) => [key, (latencyMs?.p50 ?? 0) * activeConnections]))`;
    const report = await look(balancing(run), [service]);
    policyRunSchema.parse(JSON.parse(JSON.stringify(report)));
    assert.deepEqual(
      report.checks.map(({ name, result }) => `${name} ${result}`),
      ["balance web good"],
    );
    assert.deepEqual(report.weights, [
      { service: "web", server: "10.0.0.1:80", weight: 24, configured: 5 },
    ]);
    const odd = await look(balancing("() => ({ x: 1 })"), [service]);
    assert.match(odd.checks[0]?.reason ?? "", /x is no real server of it/);
    assert.equal(odd.checks[0]?.result, "failed");
    assert.deepEqual(odd.weights, []);
  });

  test("says why a policy does not run", async () => {
    const broken = await look(policyFile("checks: {"));
    assert.match(broken.problems[0] ?? "", /p\d+\.ts:\d+:\d+: /);
    const throwing = await look(policyFile("checks: ((): never => { throw new Error('no'); })()"));
    assert.match(throwing.problems[0] ?? "", /no/);
    assert.deepEqual(throwing.checks, []);
  });

  test("is printed for people, and ends with what was found", async () => {
    const host = new RecordingHost();
    host.runPolicy = (request) => dryRun(request, ports);
    const run = async (file: string) => {
      const terminal = new Recorder();
      const words = ["policy", "run", file, "--control", "/nowhere.sock"];
      return { status: await runCli("holdfast", words, host, terminal), out: terminal.written };
    };
    const bad = await run(busy);
    assert.equal(bad.status, 1);
    assert.match(bad.out, /^answers +down +[\d.]+ ms +HTTP 500$/m);
    assert.match(bad.out, /^VI_1 +priority −50 +policy p\d+\/answers$/m);
    assert.match(bad.out, /^not granted in \/etc\/holdfast\/holdfast\.conf:$/m);
    assert.equal(
      (await run(policyFile(`checks: { it: { ${every}, run: () => true } }`))).status,
      0,
    );
    assert.equal((await run(policyFile("checks: {"))).status, 2);
  });
});
