import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { playScenario } from "../../agent/simulator/scenario/play.ts";
import { readScenario } from "../../agent/simulator/scenario/read-scenario.ts";
import { Recorder, RecordingHost } from "../cli/recorder.ts";
import { PolicyFolder } from "../policy/folder.ts";
import { FakeLan } from "../runtime/fake-lan.ts";
import { config, host, instance } from "../runtime/fixtures.ts";
import { VirtualTime } from "../runtime/virtual-time.ts";
import { policySimulateSchema } from "../schema/policy-schemas.ts";
import { checking, policyFile } from "./simulation.ts";

const folder = new PolicyFolder();
let count = 0;

function scenario(...lines: readonly string[]): string {
  count += 1;
  return folder.write(`s${count}.txt`, `${lines.join("\n")}\n`);
}

const check = `every: "1s", fall: 2, track: { routers: { VI_1: -50 } }, async run(ctx) {
  return (await ctx.http.get("http://127.0.0.1/")).status === 200;
}`;
const policy = policyFile(checking('http: ["http://127.0.0.1/*"]', check));

describe("a scenario", { timeout: 20_000 }, () => {
  test("is played, and shows what the policy would have done", async () => {
    const report = await playScenario(
      policy,
      scenario(
        "router VI_1 priority 150 active   # as in keepalived.conf",
        'http http://127.0.0.1/ replies 200 "all \\"well\\"" after 5ms',
        "",
        "20s  http http://127.0.0.1/ replies 200",
        "10s  http http://127.0.0.1/ fails ECONNREFUSED",
        "25s  peer VI_1 192.0.2.2 priority 120",
        "30s  transition VI_1 backup higher-priority",
        "40s  end",
        "50s  transition VI_1 active",
      ),
    );
    policySimulateSchema.parse(JSON.parse(JSON.stringify(report)));
    assert.equal(report.lasted, 40_000);
    assert.deepEqual(
      report.routers[0]?.history.map(({ after, priority, state }) => [
        Math.floor(after / 1_000),
        priority,
        state,
      ]),
      [
        [0, 150, "active"],
        [11, 100, "active"],
        [20, 150, "active"],
        [30, 150, "backup"],
      ],
    );
    const times = report.timeline.map(({ after }) => after);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.deepEqual(report.errors, []);
  });

  test("has real servers, and shows their weights", async () => {
    const balancing =
      policyFile(`permissions: { control: { services: ["web"] } }, balance: { every: "1s",
      run: (_ctx, { realServers }) => Object.fromEntries(realServers.map(
        ({ key, latencyMs, up }) => [key, up ? latencyMs?.p50 ?? 1 : 3])) },`);
    const report = await playScenario(
      balancing,
      scenario(
        "server web/10.0.0.1:80 weight 5 latency 20ms active 3",
        "server web/10.0.0.2:80",
        "2s  change web/10.0.0.1:80 latency 40ms",
        "4s  change web/10.0.0.1:80 drain",
        "6s  change web/10.0.0.1:80 undrain",
        "8s  change web/10.0.0.2:80 down refused",
        "8s  change web/10.0.0.9:80 up",
        "9s  end",
      ),
    );
    policySimulateSchema.parse(JSON.parse(JSON.stringify(report)));
    const told = report.timeline.filter(({ kind }) => kind !== "policy" && kind !== "check");
    assert.deepEqual(
      told.flatMap(({ kind, message }) => (kind === "scenario" ? [] : [message])),
      [
        "weights by the policy: 10.0.0.1:80 20, 10.0.0.2:80 1",
        "weights by the policy: 10.0.0.1:80 40, 10.0.0.2:80 1",
        "10.0.0.1:80 changes its weight from 40 to 0",
        "10.0.0.1:80: drain, by operator",
        "10.0.0.1:80 changes its weight from 0 to 40",
        "10.0.0.1:80: undrain, by operator",
        "10.0.0.2:80 is down: refused",
        "weights by the policy: 10.0.0.1:80 40, 10.0.0.2:80 0",
      ],
    );
    assert.match(
      told.find(({ subject }) => subject === "in vain")?.message ?? "",
      /no real server/,
    );
  });

  test("says what it leaves open, and what cannot be", async () => {
    const report = await playScenario(policy, scenario("1s transition VI_7 active", "3s end"));
    assert.match(report.errors[0]?.message ?? "", /say in the scenario what answers$/);
    assert.ok(report.timeline.some(({ message }) => /no virtual router VI_7/.test(message)));
  });

  test("may be what an agent recorded, with answers beside it", async () => {
    const time = new VirtualTime();
    const lan = new FakeLan(() => time.now);
    const a = host("a", time, lan, "192.0.2.1/24");
    const b = host("b", time, lan, "192.0.2.2/24");
    await a.node.configure(config([instance("VI_1", { priority: 150 })]));
    await b.node.configure(config([instance("VI_1")]));
    await time.advance(6_000);
    await a.node.stop();
    await time.advance(6_000);
    await b.node.stop();
    folder.write("b.journal", [...b.node.journal.lines()].join("\n"));
    const report = await playScenario(
      policy,
      scenario("journal b.journal", "http http://127.0.0.1/ fails ECONNREFUSED"),
    );
    const states = report.routers[0]?.history.map(({ state }) => state) ?? [];
    assert.deepEqual([...new Set(states)].sort(), ["active", "backup", "initialize"]);
    assert.ok(report.timeline.some(({ message }) => message === "peer VI_1 192.0.2.1 silent"));
    assert.equal(report.routers[0]?.history.at(-1)?.priority, 50);
    assert.deepEqual(report.errors, []);
  });

  const wrong: readonly (readonly [line: string, column: number, message: RegExp])[] = [
    ["foo", 1, /foo is none of journal, end, /],
    ["http x", 7, /one of replies, fails, hangs is missing; write: http URL replies STATUS/],
    ["http x replies 99", 16, /a status is a whole number, 100–599/],
    ["http x replies 200 a b", 22, /b is one word too many/],
    ["http x replies 200 after soon", 26, /after is a time such as 500ms/],
    ["  10s router a", 14, /router holds from the start: it takes no time/],
    ["router a priority 0", 19, /a priority is a whole number, 1–255/],
    ['file /x is "a', 12, /a quote that is not closed/],
    ["peer VI_1 300.1.1.1", 20, /300\.1\.1\.1 is no address/],
    ["clock yesterday", 16, /yesterday is no date and time/],
    ["journal nowhere", 16, /nowhere cannot be read/],
  ];
  for (const [line, column, message] of wrong) {
    test(`is refused at its place: ${line}`, () => {
      const file = scenario("# first", line);
      assert.throws(
        () => readScenario(file),
        (error) => {
          assert.ok(error instanceof SyntaxError);
          assert.ok(error.message.startsWith(`${file}:2:${column}: `), error.message);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test("that is half a journal is refused at its line", () => {
    const file = scenario('{"journal":1,"steps":1,"lost":0}', '{"router":"VI_1"}');
    assert.throws(() => readScenario(file), new RegExp(`${file}:2:1: it is no step of a journal`));
    assert.throws(
      () => readScenario(scenario('{"journal":9}')),
      /:1:1: it is no journal of version/,
    );
  });
});

describe("policy simulate", { timeout: 20_000 }, () => {
  async function simulate(...words: readonly string[]) {
    const real = new RecordingHost();
    real.simulatePolicy = playScenario;
    const terminal = new Recorder();
    const status = await runCli("holdfast", ["policy", "simulate", ...words], real, terminal);
    return { status, out: terminal.written, err: terminal.complained };
  }

  test("prints the timeline, and what became of each router", async () => {
    const file = scenario("http http://127.0.0.1/ replies 500", "10s end");
    const { status, out } = await simulate(policy, "--scenario", file);
    assert.equal(status, 0, out);
    assert.match(out, /^time +what +of/);
    assert.match(out, /^VI_1 +0\.000 s +100 +backup$/m);
    assert.match(out, /^ +0\.\d+ s +50 +backup$/m);
    assert.match(out, /: 10\.000 s of s\d+\.txt, no mistakes\n$/);
  });

  test("fails for mistakes, and refuses what it cannot understand", async () => {
    const open = await simulate(policy, "--scenario", scenario("5s end"), "--json");
    assert.equal(open.status, 1);
    policySimulateSchema.parse(JSON.parse(open.out));
    const bad = await simulate(policy, "--scenario", scenario("foo"));
    assert.deepEqual([bad.status, bad.out], [2, ""]);
    assert.match(bad.err, /^holdfast: .*s\d+\.txt:1:1: foo is none of/);
    assert.equal((await simulate(policy, "--scenario", "/nowhere.txt")).status, 2);
    assert.equal((await simulate(policy)).status, 2);
  });
});
