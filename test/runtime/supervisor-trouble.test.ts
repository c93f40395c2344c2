import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { config, instance } from "./fixtures.ts";
import { configures, world } from "./supervisor-world.ts";

test("a reload while no vrrp process runs is for the next one", async (context) => {
  const { time, processes, begin, file } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  file.config = config([instance("VI_2")]);
  const outcome = await supervisor.reload();
  assert.ok(outcome.accepted);
  assert.deepEqual(outcome.plan.added, ["VI_2"]);
  await time.advance(60);
  const { received } = processes.last("vrrp");
  assert.deepEqual(configures(received), [2]);
  assert.match(JSON.stringify(received), /VI_2/);
});

test("a reload that is asked for at the start waits for the first configuration", async (context) => {
  const { time, notes, begin } = world(context);
  const { supervisor } = begin();
  const outcome = supervisor.reload();
  await time.advance(10);
  assert.equal((await outcome).generation, 2);
  assert.deepEqual(notes.slice(0, 1), ["RELOADING=1"]);
  assert.equal(notes.filter((note) => note === "READY=1").length, 2);
});

test("a vrrp process that cannot run again what it ran is replaced until it can", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(10);
  const obey = processes.behaviours.vrrp;
  processes.behaviours.vrrp = (child, message) => {
    const { kind, generation } = message;
    const problem = { code: "p", message: "no sockets left", remedy: "raise the limit" };
    if (kind === "configure") child.say({ kind: "refused", generation, problem });
    else obey?.(child, message);
  };
  processes.last("vrrp").end(false);
  await time.advance(60);
  assert.deepEqual(processes.last("vrrp").killed, ["SIGKILL"]);
  processes.behaviours.vrrp = obey;
  await time.advance(300);
  assert.equal(processes.of("vrrp").length, 3);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
});

test("a configuration that cannot be read in time is given up, and so is one at the stop", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.behaviours.config = () => undefined;
  const late = supervisor.reload();
  await time.advance(59_000);
  assert.deepEqual(processes.last("config").killed, []);
  await time.advance(2_000);
  const outcome = await late;
  assert.ok(!outcome.accepted && outcome.message.includes("within 60 s"));
  assert.deepEqual(processes.last("config").killed, ["SIGKILL"]);
  const stopped = supervisor.reload();
  await time.advance(10);
  supervisor.stop();
  await time.advance(10);
  assert.deepEqual(processes.last("config").killed, ["SIGKILL"]);
  assert.equal((await stopped).accepted, false);
  assert.equal(await ended, 0);
});

test("a new child has time to load its code and its configuration", async (context) => {
  const { time, processes, begin } = world(context);
  processes.behaviours.director = () => undefined;
  begin();
  await time.advance(20_000);
  assert.deepEqual(processes.last("director").killed, []);
  processes.last("director").say({ kind: "ready", version: 1 });
  await time.advance(4_000);
  assert.deepEqual(processes.last("director").killed, []);
  processes.last("director").say({ kind: "pong", id: 1 });
  await time.advance(4_000);
  assert.equal(processes.of("director").length, 2, "who answered once must go on answering");
});

test("who is killed for a slow start makes the machine busier: the next one has more time", async (context) => {
  const { time, processes, begin, said } = world(context);
  const answer = processes.behaviours.director;
  processes.behaviours.director = () => undefined;
  begin();
  const lived: number[] = [];
  for (const until of [35_000, 100_000, 225_000, 350_000]) {
    const child = processes.last("director");
    const since = time.nowMs;
    while (child.killed.length === 0 && time.nowMs < until) await time.advance(500);
    lived.push(Math.round((time.nowMs - since) / 10_000) * 10);
    while (processes.last("director") === child) await time.advance(50);
  }
  assert.deepEqual(lived, [30, 60, 120, 120]);
  const told = /did not answer for 30\.\d s, and was killed: the next one has 60 s to start, as /;
  assert.ok(
    said().some((line) => told.test(line)),
    said().join("\n"),
  );
  // One that has answered once begins from the start.
  processes.behaviours.director = answer;
  await time.advance(10_000);
  processes.behaviours.director = () => undefined;
  processes.last("director").end(false);
  await time.advance(32_000);
  assert.deepEqual(
    processes
      .of("director")
      .slice(5, 6)
      .map(({ killed }) => killed),
    [["SIGKILL"]],
  );
  assert.deepEqual(processes.of("vrrp").length, 1);
});

test("after one that died, a stop takes what it held off the host, virtual links too", async (context) => {
  const { time, processes, lastWill, begin } = world(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.last("vrrp").end(false);
  supervisor.stop();
  await time.advance(10);
  assert.equal(processes.of("vrrp").length, 1);
  assert.deepEqual(
    lastWill.requests.map(({ links }) => links),
    [false, true],
  );
  assert.equal(await ended, 0);
});

test("however many ask for the status, the vrrp process is asked twice", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const { received } = processes.last("vrrp");
  const before = received.length;
  await Promise.all(Array.from({ length: 50 }, () => supervisor.status()));
  assert.equal(received.length - before, 2);
});

test("what others may have written into the state directory counts for nothing", async (context) => {
  const { time, file, directory, begin } = world(context);
  begin();
  await time.advance(10);
  chmodSync(join(directory, "accepted.json"), 0o666);
  file.config = undefined;
  const { ended } = begin();
  await time.advance(100);
  assert.equal(await ended, 2);
});

test("says what it means that the configuration cannot be kept, and what to do", async (context) => {
  const { time, directory, begin, said } = world(context);
  rmSync(directory, { recursive: true });
  writeFileSync(directory, "no folder");
  begin();
  await time.advance(10);
  const lines = said().filter((line) => line.includes(`cannot be kept in ${directory} (`));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /after a crash .*; make room there, or .* --state$/);
});

test("state is never written through a link", async (context) => {
  const { time, directory, begin } = world(context);
  const victim = join(directory, "victim");
  writeFileSync(victim, "mine");
  symlinkSync(victim, join(directory, "accepted.json.new"));
  begin();
  await time.advance(10);
  assert.equal(readFileSync(victim, "utf8"), "mine");
  assert.match(readFileSync(join(directory, "accepted.json"), "utf8"), /VI_1/);
});
