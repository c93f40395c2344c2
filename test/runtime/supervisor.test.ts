import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { config, instance } from "./fixtures.ts";
import { configures, world } from "./supervisor-world.ts";

test("starts all children at once, hands over what was read, and stops them", async (context) => {
  const { time, processes, notes, begin, directory } = world(context);
  const { supervisor, ended } = begin();
  assert.deepEqual(
    processes.children.map(({ role }) => role),
    ["vrrp", "director", "config"],
  );
  await time.advance(10);
  const { received } = processes.last("vrrp");
  assert.deepEqual(
    received.slice(0, 2).map(({ kind }) => kind),
    ["instances", "configure"],
  );
  assert.deepEqual(notes, ["READY=1"]);
  const kept = join(directory, "accepted.json");
  assert.equal(statSync(kept).mode & 0o777, 0o600);
  supervisor.stop();
  await time.advance(10);
  assert.equal(await ended, 0);
  assert.equal(existsSync(kept), false, "put away by a graceful end");
});

test("a vrrp process that dies is started again, later and later, and told the same", async (context) => {
  const { time, processes, begin, said } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  assert.equal((await supervisor.status()).processes.vrrp.pid, null);
  await time.advance(60);
  assert.equal(processes.of("vrrp").length, 2);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
  processes.last("vrrp").end(false);
  await time.advance(60);
  assert.equal(processes.of("vrrp").length, 2, "the second time takes longer");
  await time.advance(250);
  assert.equal(processes.of("vrrp").length, 3);
  const { vrrp } = (await supervisor.status()).processes;
  assert.equal(vrrp.restarts, 2);
  assert.ok(said().some((line) => line.includes("vrrp process ended (signal SIGKILL)")));
});

test("a child that does not answer its heartbeat is killed and replaced, and that is said", async (context) => {
  const { time, processes, begin, said } = world(context);
  begin();
  await time.advance(1_000);
  const silent = processes.last("director");
  processes.behaviours.director = () => undefined;
  await time.advance(5_000);
  assert.deepEqual(silent.killed, ["SIGKILL"]);
  const told = "the director process ended (it did not answer for 3.0 s, and was killed)";
  assert.ok(
    said().some((line) => line.includes(told)),
    said().join("\n"),
  );
  assert.ok(processes.of("director").length > 1);
  assert.deepEqual(processes.of("vrrp").length, 1);
});

test("silence counts only while the supervisor itself was awake", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(1_000);
  // The whole machine was paused in the middle of a heartbeat.
  time.stall(60_000);
  await time.advance(2_000);
  assert.deepEqual(
    processes.children.flatMap(({ killed }) => killed),
    [],
  );
});

test("while the vrrp process does not answer, status shows what it last said", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  assert.equal((await supervisor.status()).current, true);
  processes.behaviours.vrrp = () => undefined;
  processes.last("vrrp").say({
    kind: "event",
    report: {
      at: 5,
      kind: "transition",
      level: "info",
      subject: "VI_1",
      message: "backup to active",
      detail: { from: "backup", to: "active", reason: "active-down-timer", faults: [] },
    },
  });
  const asked = supervisor.status();
  await time.advance(500);
  const status = await asked;
  assert.equal(status.current, false);
  assert.equal(status.routers[0]?.state, "active");
  assert.equal(status.routers[0]?.lastTransition?.at, 5);
});

test("a refused file changes nothing, and says where it is wrong", async (context) => {
  const { time, processes, file, notes, begin, said } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  file.config = undefined;
  const outcome = await supervisor.reload();
  assert.equal(outcome.accepted, false);
  assert.equal(outcome.generation, 1);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
  assert.ok(
    said().includes(
      "error /x.conf:3:7: a VRID is 1 to 255 (999); write 1 to 255 [essential-value]",
    ),
  );
  assert.equal((await supervisor.status()).configuration.refused.length, 1);
  assert.equal(notes[1], "RELOADING=1", "the notifier adds the machine's time");
  assert.equal(notes[2], "READY=1");
  file.config = config([instance("VI_1", { priority: 120 })]);
  assert.equal((await supervisor.reload()).generation, 2);
  assert.equal((await supervisor.status()).configuration.refused.length, 0);
});

test("what the vrrp process cannot do leaves the old generation, also for its successor", async (context) => {
  const { time, processes, begin, file } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const obey = processes.behaviours.vrrp;
  processes.behaviours.vrrp = (child, message) => {
    const { kind, generation } = message;
    const problem = { code: "socket", message: "no sockets left", remedy: "raise the limit" };
    if (kind === "configure") child.say({ kind: "refused", generation, problem });
    else obey?.(child, message);
  };
  file.config = config([instance("VI_2")]);
  const outcome = await supervisor.reload();
  assert.ok(!outcome.accepted && outcome.message === "no sockets left; raise the limit");
  processes.behaviours.vrrp = obey;
  processes.last("vrrp").end(false);
  await time.advance(100);
  const told = processes.last("vrrp").received.find(({ kind }) => kind === "instances");
  assert.match(JSON.stringify(told), /VI_1/);
});

test("reloads that are asked for during a reload become one more", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => supervisor.reload()));
  assert.deepEqual(
    outcomes.map(({ generation }) => generation),
    [2, 3, 3, 3],
  );
  assert.equal(processes.of("config").length, 3);
});

test("a file with errors at the start ends the agent; after a crash the last accepted one runs", async (context) => {
  const { time, processes, file, begin, said } = world(context);
  const first = begin();
  await time.advance(10);
  assert.ok(first);
  // The first supervisor is killed: nobody puts the accepted configuration away.
  file.config = undefined;
  const second = begin();
  await time.advance(10);
  assert.ok(said().some((line) => line.startsWith("warn running on with the configuration")));
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
  second.supervisor.stop();
  await time.advance(10);
  assert.equal(await second.ended, 0);
  const third = begin();
  await time.advance(100);
  assert.equal(await third.ended, 2);
});

test("what another build had accepted is not run: its words may mean something else", async (context) => {
  const { time, file, begin } = world(context);
  begin("1.0.0");
  await time.advance(10);
  file.config = undefined;
  const { ended } = begin("1.1.0");
  await time.advance(100);
  assert.equal(await ended, 2);
});

test("a host that refuses everything ends the agent with one clear line", async (context) => {
  const { time, processes, begin, said } = world(context);
  processes.behaviours.vrrp = (child, { kind, generation }) => {
    const problem = { code: "p", message: "no raw sockets", remedy: "run it as root" };
    if (kind === "configure") child.say({ kind: "refused", generation, problem });
    if (kind === "stop") child.end(true);
  };
  const { ended } = begin();
  await time.advance(100);
  assert.equal(await ended, 1);
  assert.ok(said().includes("error no raw sockets; run it as root"));
});

test("a child that does not stop in time is killed", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.behaviours.vrrp = (child, { kind, id }) => {
    if (kind === "ping") child.say({ kind: "pong", id });
  };
  const { killed } = processes.last("vrrp");
  supervisor.stop();
  await time.advance(4_900);
  assert.deepEqual(killed, []);
  await time.advance(200);
  assert.deepEqual(killed, ["SIGKILL"]);
  assert.deepEqual(
    lastWill.requests.map(({ links }) => links),
    [true],
  );
  assert.equal(await ended, 0);
});

test("pid files are there while the processes are", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const pidFiles = {
    supervisor: join(directory, "a.pid"),
    vrrp: join(directory, "b.pid"),
    director: undefined,
  };
  const { time, processes, begin } = world(context, { pidFiles, vrrpOnly: true });
  const { supervisor, ended } = begin();
  await time.advance(10);
  assert.equal(readFileSync(pidFiles.supervisor, "utf8"), "1\n");
  assert.equal(readFileSync(pidFiles.vrrp, "utf8"), "1000\n");
  assert.equal(processes.of("director").length, 1, "also for -P: it runs the scripts");
  supervisor.stop();
  await time.advance(10);
  await ended;
  assert.ok(!existsSync(pidFiles.supervisor) && !existsSync(pidFiles.vrrp));
});
