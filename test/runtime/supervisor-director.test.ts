import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TimedCommand } from "../../agent/config/notifications.ts";
import { NO_NOTIFICATIONS } from "../../agent/config/notifications.ts";
import type { ProcessTracker } from "../../agent/config/trackers.ts";
import { micros, seconds } from "../../agent/core/time.ts";
import type { DirectorSettings } from "../../agent/runtime/ipc.ts";
import { config, instance } from "./fixtures.ts";
import { world } from "./supervisor-world.ts";

const RUN_AS = { uid: 1, gid: 1, groups: [] };

const script = (name: string): TimedCommand => ({
  command: { position: { file: "x", line: 1, column: 1 }, argv: [name], runAs: RUN_AS },
  timeout: seconds(10),
});

type Message = Record<string, unknown>;

const kinds = (received: readonly Message[]) => received.map(({ kind }) => kind);
const of = (kind: string, received: readonly Message[]) =>
  received.filter((message) => message["kind"] === kind);
const messagesOf = (received: readonly Message[]) =>
  of("event", received).map(({ report }) => (report as { readonly message: string }).message);

const EVENT = {
  at: 5,
  kind: "transition",
  level: "info",
  subject: "VI_1",
  message: "backup to active",
  detail: {},
};

test("what the director says reaches the vrrp process, also one that is new", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(10);
  const director = processes.last("director");
  const { received } = processes.last("vrrp");
  assert.deepEqual(kinds(director.received).slice(0, 2), ["configure", "vrrp-configured"]);
  const said = { kind: "readings", complete: "last", entries: [] };
  director.say(said);
  assert.deepEqual(received.at(-1), said);
  processes.last("vrrp").end(false);
  await time.advance(100);
  assert.equal(of("vrrp-configured", director.received).length, 2);
  director.end(false);
  assert.deepEqual(processes.last("vrrp").received.at(-1), { kind: "director-lost" });
  await time.advance(300);
  assert.deepEqual(kinds(processes.last("director").received).slice(0, 2), ["configure", "event"]);
  assert.equal(of("vrrp-configured", processes.last("director").received).length, 1);
});

test("events reach the director once, also those of a time without one", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const first = processes.last("director");
  processes.last("vrrp").say({ kind: "event", report: EVENT });
  first.say({ kind: "event", report: { ...EVENT, message: "its own" } });
  const heard = messagesOf(first.received);
  assert.ok(heard.includes("backup to active") && !heard.includes("its own"));
  assert.equal(supervisor.events.recent().at(-1)?.message, "its own");
  for (const [at] of heard.entries()) first.say({ kind: "told", nth: at + 1 });
  first.end(false);
  processes.last("vrrp").say({ kind: "event", report: { ...EVENT, message: "meanwhile" } });
  await time.advance(100);
  assert.deepEqual(messagesOf(processes.last("director").received), [
    "the director process ended (signal SIGKILL); the next one starts in 50 ms",
    "meanwhile",
  ]);
});

test("what a director had not finished is told the next one, unless it ends that too", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(10);
  const first = processes.last("director");
  for (const [at] of messagesOf(first.received).entries()) first.say({ kind: "told", nth: at + 1 });
  const said = ["poison", "a", "b"];
  for (const message of said) {
    processes.last("vrrp").say({ kind: "event", report: { ...EVENT, message } });
  }
  const heard = (): readonly unknown[] =>
    messagesOf(processes.last("director").received).filter((one) => said.includes(String(one)));
  first.end(false);
  await time.advance(1_000);
  assert.deepEqual(heard(), said);
  processes.last("director").end(false);
  await time.advance(1_000);
  assert.deepEqual(heard(), said);
  processes.last("director").end(false);
  await time.advance(5_000);
  assert.deepEqual(heard(), ["a", "b"]);
  processes.last("director").say({ kind: "told", nth: 2 });
  processes.last("director").end(false);
  await time.advance(5_000);
  assert.deepEqual(heard(), ["a"]);
});

test("the status and commands of the director, for as long as it answers", async (context) => {
  const { time, processes, begin } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  assert.deepEqual((await supervisor.status()).director?.checks, []);
  processes.behaviours.director = (child, { kind, id, command }) => {
    if (kind === "command" && command === "metrics") child.say({ kind: "answer", id, result: 7 });
    else if (kind === "command") child.say({ kind: "no-answer", id, problem: "not here" });
  };
  assert.equal(await supervisor.director("metrics"), 7);
  await assert.rejects(supervisor.director("notifications"), /not here/);
  const [status] = await Promise.all([supervisor.status(), time.advance(200)]);
  assert.equal(status.director, null);
  processes.behaviours.director = () => undefined;
  const asked = assert.rejects(supervisor.director("metrics"), /the director does not answer/);
  await time.advance(5_000);
  await asked;
});

test("a director that asks for a snapshot gets it in parts", async (context) => {
  const { time, processes, begin } = world(context);
  begin();
  await time.advance(10);
  const director = processes.last("director");
  director.say({ kind: "snapshot", id: 9 });
  await time.advance(10);
  const answers = of("snapshot", director.received);
  assert.deepEqual(
    answers.map(({ id, routers, groups }) => [id, (routers as unknown[]).length, groups]),
    [
      [9, 1, undefined],
      [9, 0, []],
    ],
  );
});

test("the startup script comes before the first router, whatever becomes of it", async (context) => {
  const { time, processes, file, begin, said } = world(context);
  const notifications = { ...NO_NOTIFICATIONS, startupScript: script("/start") };
  file.config = config([instance("VI_1")], { notifications });
  begin();
  await time.advance(1_000);
  const director = processes.last("director");
  const [run] = of("run-script", director.received);
  assert.deepEqual(run?.["script"], script("/start"));
  assert.deepEqual(of("configure", processes.last("vrrp").received), []);
  // One that dies meanwhile is configured at the end like the first would have been.
  processes.last("vrrp").end(false);
  await time.advance(1_000);
  assert.deepEqual(of("configure", processes.last("vrrp").received), []);
  director.say({ kind: "script-ended", id: run?.["id"], outcome: "ended with status 1" });
  await time.advance(10);
  assert.equal(of("configure", processes.last("vrrp").received).length, 1);
  assert.ok(said().includes("error the startup script ended with status 1"));
  processes.last("vrrp").end(false);
  await time.advance(1_000);
  assert.equal(of("configure", processes.last("vrrp").received).length, 1);
  assert.equal(of("run-script", director.received).length, 1, "it runs once");
});

test("a startup script that is lost with its director holds nothing up", async (context) => {
  const { time, processes, file, begin, said } = world(context);
  const notifications = { ...NO_NOTIFICATIONS, startupScript: script("/start") };
  file.config = config([instance("VI_1")], { notifications });
  begin();
  await time.advance(10);
  processes.last("director").end(false);
  await time.advance(10);
  assert.equal(of("configure", processes.last("vrrp").received).length, 1);
  assert.ok(said().includes("error the startup script was lost with the director"));
});

test("the vrrp process stops first; the director tells of it, and runs the last script", async (context) => {
  const { time, processes, file, begin } = world(context);
  const notifications = { ...NO_NOTIFICATIONS, shutdownScript: script("/stop") };
  file.config = config([instance("VI_1")], { notifications });
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.behaviours.vrrp = (child, { kind }) => {
    if (kind !== "stop") return;
    child.say({ kind: "event", report: { ...EVENT, message: "active to initialize" } });
    child.end(true);
  };
  processes.behaviours.director = () => undefined;
  supervisor.stop();
  await time.advance(100);
  const { received, killed } = processes.last("director");
  assert.deepEqual(received.slice(-2), [
    { kind: "event", report: { ...EVENT, message: "active to initialize" } },
    { kind: "stop", script: script("/stop") },
  ]);
  // As long as both may take, and no longer.
  await time.advance(2_900);
  assert.deepEqual(killed, []);
  processes.behaviours.director = (child, { kind, id }) => {
    if (kind === "ping") child.say({ kind: "pong", id });
  };
  await time.advance(20_000);
  assert.deepEqual(killed, ["SIGKILL"]);
  assert.equal(await ended, 0);
});

test("without a director the last script is missed, and it is said", async (context) => {
  const { time, processes, file, begin, said } = world(context);
  const notifications = { ...NO_NOTIFICATIONS, shutdownScript: script("/stop") };
  file.config = config([instance("VI_1")], { notifications });
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.last("director").end(false);
  supervisor.stop();
  await time.advance(100);
  assert.equal(await ended, 0);
  assert.ok(said().includes("error the shutdown script was not run: the director does not run"));
});

test("new routers wait for the director where there are policies", async (context) => {
  for (const holds of [false, true]) {
    const directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
    context.after(() => rmSync(directory, { recursive: true, force: true }));
    if (holds) writeFileSync(join(directory, "nginx.ts"), "");
    const { time, processes, begin } = world(context, { policiesDirectory: directory });
    begin();
    await time.advance(10);
    const [configured] = of("configure", processes.last("vrrp").received);
    assert.equal(configured?.["awaitDirector"], holds);
  }
});

test("-C tracks files alone, as there are only real servers to track for", async (context) => {
  const { time, processes, file, begin } = world(context, { directorOnly: true });
  const tracker = {
    kind: "file",
    position: { file: "x", line: 1, column: 1 },
    name: "f",
    path: "/f",
    init: undefined,
    weight: 1,
    reverse: false,
  } as const;
  const process: ProcessTracker = {
    kind: "process",
    position: tracker.position,
    name: "p",
    program: "p",
    parameters: [],
    parameterMatch: "none",
    fullCommand: false,
    quorum: 1,
    quorumMax: undefined,
    terminateDelay: micros(0),
    forkDelay: micros(0),
    weight: 1,
    reverse: false,
  };
  file.config = config([instance("VI_1")], { trackers: [tracker, process] });
  begin();
  await time.advance(10);
  assert.equal(processes.of("vrrp").length, 0);
  const [configured] = of("configure", processes.last("director").received);
  const settings = configured?.["settings"] as DirectorSettings | undefined;
  assert.deepEqual(
    settings?.trackers.map(({ name }) => name),
    ["f"],
  );
  assert.deepEqual(settings?.subjects, []);
});

test("a director may be busy with its first configuration for longer than ever after", async (context) => {
  const { time, processes, begin } = world(context);
  let answers = true;
  const load = processes.behaviours.config;
  processes.behaviours.config = (child, message) =>
    void time.later(1_200, () => load?.(child, message));
  processes.behaviours.director = (child, { kind, id }) => {
    // As the process does, it answers what came before the configuration.
    if (kind === "configure") answers = false;
    if (kind === "ping" && answers) child.say({ kind: "pong", id });
  };
  begin();
  await time.advance(1_300);
  const { killed, received } = processes.last("director");
  assert.deepEqual(kinds(received).slice(0, 3), ["ping", "ping", "configure"]);
  await time.advance(20_000);
  assert.deepEqual(
    killed,
    [],
    "the work of tens of thousands of virtual servers on a slow machine",
  );
  answers = true;
  await time.advance(1_000);
  answers = false;
  await time.advance(4_500);
  assert.deepEqual(killed, ["SIGKILL"]);
});
