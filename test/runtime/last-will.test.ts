import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../agent/core/time.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { NO_MARKS } from "../../agent/ports/last-will.ts";
import { config, instance } from "./fixtures.ts";
import { configures, world } from "./supervisor-world.ts";

const PACKET = {
  spec: { family: "ipv4", protocol: 112, interfaceIndex: 2, group: "224.0.0.18", ttl: 255 },
  destination: "224.0.0.18",
  packet: "AAAA",
};
const RESERVED = { ah: 2_000 };
const NOTHING = { addresses: 0, routes: 0, rules: 0, links: 0, filter: false };

const will = (id: string, packets: readonly unknown[] = [PACKET]) => ({
  kind: "wills",
  entries: [{ id, name: id, packets, reserved: RESERVED }],
});

test("when the vrrp process dies its will is executed at once, and its numbers are handed on", async (context) => {
  const { time, processes, lastWill, begin, said } = world(context);
  lastWill.outcome = { withdrawn: { ...NOTHING, addresses: 3 }, sent: 1, problems: [] };
  begin();
  await time.advance(10);
  const vrrp = processes.last("vrrp");
  assert.ok(!lastWill.prepared, "nothing is loaded while there is nothing to let go of");
  vrrp.say(will("V"));
  vrrp.say(will("W"));
  vrrp.say(will("W", []));
  assert.ok(lastWill.prepared);
  vrrp.end(false);
  await time.advance(1);
  assert.equal(processes.of("vrrp").length, 1, "before the next one starts");
  assert.deepEqual(lastWill.requests, [
    { namespace: undefined, links: false, packets: [PACKET], limitMs: 2_000 },
  ]);
  assert.ok(
    said().some((line) => /removed 3 addresses, sent 1 of 1 resignations/.test(line)),
    said().join("\n"),
  );
  await time.advance(60);
  const told = processes.last("vrrp").received.find(({ kind }) => kind === "configure");
  assert.deepEqual(told?.["reserved"], [
    ["V", RESERVED],
    ["W", RESERVED],
  ]);
  processes.last("vrrp").end(false);
  await time.advance(1);
  assert.deepEqual(lastWill.requests[1]?.packets, [], "it had become nothing yet");
});

test("of a process that never had its configuration nothing is executed: what is there may be another agent's", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  processes.behaviours.vrrp = undefined;
  begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  await time.advance(100);
  assert.equal(processes.of("vrrp").length, 2);
  assert.equal(lastWill.requests.length, 0);
  // Who sends wills holds addresses already.
  processes.last("vrrp").say(will("V"));
  processes.last("vrrp").end(false);
  await time.advance(1);
  assert.deepEqual(lastWill.requests[0]?.packets, [PACKET]);
});

test("a graceful stop leaves nothing to do", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.last("vrrp").say(will("V"));
  processes.last("vrrp").say(will("V", []));
  supervisor.stop();
  await time.advance(10);
  assert.equal(await ended, 0);
  assert.deepEqual(lastWill.requests, []);
});

test("in a namespace of its own, that is where it is executed, whatever a reload says", async (context) => {
  const { time, processes, lastWill, file, begin } = world(context);
  file.config = config([instance("VI_1")], { global: { netNamespace: "blue" } });
  const { supervisor } = begin();
  await time.advance(10);
  file.config = config([instance("VI_1")], { global: { netNamespace: "green" } });
  assert.ok((await supervisor.reload()).accepted);
  processes.last("vrrp").end(false);
  await time.advance(1);
  assert.equal(lastWill.requests[0]?.namespace, "blue");
});

test("the next process gets its configuration when the will is done; and so is a stop", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  let go: () => void = () => assert.fail();
  lastWill.until = new Promise((resolve) => {
    go = resolve;
  });
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  await time.advance(500);
  assert.equal(processes.of("vrrp").length, 2);
  assert.deepEqual(configures(processes.last("vrrp").received), []);
  go();
  await time.advance(1);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
  lastWill.until = new Promise((resolve) => {
    go = resolve;
  });
  processes.last("vrrp").end(false);
  supervisor.stop();
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await time.advance(500);
  assert.ok(!over);
  go();
  await time.advance(10);
  assert.ok(over);
});

test("what the kernel refused is said in one line each", async (context) => {
  const { time, processes, lastWill, begin, said } = world(context);
  const problem = new KernelError("EPERM", "cannot remove addresses of ours: EPERM", "be root");
  lastWill.outcome = { withdrawn: NOTHING, sent: 0, problems: [problem] };
  begin();
  await time.advance(10);
  processes.last("vrrp").say(will("V"));
  processes.last("vrrp").end(false);
  await time.advance(1);
  assert.deepEqual(
    said().filter((line) => line.includes("in place of")),
    [
      "warn in place of the vrrp process: removed nothing, sent 0 of 1 resignations (0.0 ms)",
      "error in place of the vrrp process: cannot remove addresses of ours: EPERM; be root",
    ],
  );
});

for (const [interval, budget] of [
  [0.1, 1_000],
  [2, 2_000],
  [10, 3_000],
] as const) {
  test(`at ${interval} s a vrrp process that is silent for ${budget} ms is killed`, async (context) => {
    const { time, processes, lastWill, file, begin } = world(context);
    const slow = instance("VI_2", { vrid: 52, advertisementInterval: seconds(40) });
    const quick = instance("VI_1", { advertisementInterval: seconds(interval) });
    file.config = config([slow, quick]);
    begin();
    await time.advance(10_000);
    const silent = processes.last("vrrp");
    processes.behaviours.vrrp = () => undefined;
    await time.advance(budget - 1);
    assert.deepEqual(silent.killed, []);
    await time.advance(budget / 4 + 10);
    assert.deepEqual(silent.killed, ["SIGKILL"]);
    assert.equal(lastWill.requests.length, 1);
    await time.advance(100);
    assert.equal(processes.of("vrrp").length, 2);
  });
}

test("a vrrp process may be silent for long while it works off a reload", async (context) => {
  const { time, processes, file, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10_000);
  const busy = processes.last("vrrp");
  const obey = processes.behaviours.vrrp;
  processes.behaviours.vrrp = () => undefined;
  file.config = config([instance("VI_1"), instance("VI_2", { vrid: 52 })]);
  const reload = supervisor.reload();
  await time.advance(20_000);
  assert.deepEqual(busy.killed, []);
  const plan = { added: [], removed: [], replaced: [], kept: [] };
  busy.say({ kind: "configured", generation: 2, plan });
  assert.ok((await reload).accepted);
  processes.behaviours.vrrp = obey;
  await time.advance(1_000);
  processes.behaviours.vrrp = () => undefined;
  await time.advance(1_500);
  assert.deepEqual(busy.killed, ["SIGKILL"], "afterwards it is to answer as before");
});

test("an answer that was there before the supervisor looked counts", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(10_000);
  const vrrp = processes.last("vrrp");
  const obey = processes.behaviours.vrrp;
  processes.behaviours.vrrp = () => undefined;
  // Three heartbeats without an answer; the fourth is late, with the answers behind it.
  await time.advance(990);
  processes.behaviours.vrrp = obey;
  const last = vrrp.received.filter(({ kind }) => kind === "ping").at(-1);
  vrrp.say({ kind: "pong", id: last?.["id"] });
  await time.advance(5_000);
  assert.deepEqual(vrrp.killed, []);
});

test("a reload before the will is done is what the next process starts from", async (context) => {
  const { time, processes, lastWill, file, begin } = world(context);
  let go: () => void = () => assert.fail();
  lastWill.until = new Promise((resolve) => {
    go = resolve;
  });
  const { supervisor } = begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  await time.advance(100);
  file.config = config([instance("VI_2")]);
  const reloaded = supervisor.reload();
  await time.advance(10);
  go();
  assert.ok((await reloaded).accepted);
  await time.advance(10);
  const { received } = processes.last("vrrp");
  assert.deepEqual(configures(received), [2]);
  assert.match(JSON.stringify(received), /VI_2/);
});

test("a process that dies before its predecessor's will is done leaves nothing untold", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  const gos: (() => void)[] = [];
  const hold = () => {
    lastWill.until = new Promise((resolve) => {
      gos.push(resolve);
    });
  };
  hold();
  begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  await time.advance(100);
  processes.last("vrrp").end(false);
  await time.advance(400);
  hold();
  gos[0]?.();
  await time.advance(10);
  assert.deepEqual(configures(processes.last("vrrp").received), [], "the second one's runs");
  gos[1]?.();
  await time.advance(10);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
});

test("where addresses cannot be told from others, the next process waits until they have ended", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  const problem = new KernelError(NO_MARKS, "an old kernel", "wait");
  lastWill.outcome = { withdrawn: NOTHING, sent: 0, problems: [problem] };
  begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  await time.advance(5_900);
  assert.deepEqual(configures(processes.last("vrrp").received), []);
  await time.advance(200);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
});
