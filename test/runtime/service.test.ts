import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { GlobalConfig } from "../../agent/config/config.ts";
import type { RunOptions } from "../../agent/config/run-options.ts";
import { noSettings } from "../../agent/config/settings.ts";
import type { DirectorSettings } from "../../agent/runtime/ipc.ts";
import { PidFiles } from "../../agent/runtime/pid-files.ts";
import { reloadMoment } from "../../agent/runtime/scheduled-reload.ts";
import { StateStore } from "../../agent/runtime/state-store.ts";
import { Supervisor } from "../../agent/runtime/supervisor.ts";
import { DEFAULT_RUN_OPTIONS } from "./default-run-options.ts";
import { FakeLastWill } from "./fake-last-will.ts";
import { FakeProcesses } from "./fake-processes.ts";
import { config, instance } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A supervisor whose file says this of global_defs. */
function world(
  context: TestContext,
  global: Partial<GlobalConfig>,
  watchdogMs: number | undefined = undefined,
) {
  const time = new VirtualTime();
  const processes = new FakeProcesses();
  const directory = folder(context);
  const said: string[] = [];
  const notes: string[] = [];
  const prepared: GlobalConfig[] = [];
  const file = { global };
  const during: string[][] = [];
  processes.behaviours.config = (child) => {
    during.push(readdirSync(directory));
    const loaded = config([instance("VI_1")], { global: file.global });
    child.say({ kind: "loaded", config: loaded, settings: noSettings("/none"), diagnostics: [] });
    child.end(true);
  };
  processes.behaviours.director = (child, { kind, id }) => {
    if (kind === "ping") child.say({ kind: "pong", id });
    if (kind === "stop") child.end(true);
  };
  processes.behaviours.vrrp = (child, { kind, id, generation }) => {
    const plan = { added: [], removed: [], replaced: [], kept: [] };
    if (kind === "ping") child.say({ kind: "pong", id });
    if (kind === "configure") child.say({ kind: "configured", generation, plan });
    if (kind === "snapshot") child.say({ kind: "snapshot", id, routers: [], groups: [] });
    if (kind === "stop") child.end(true);
  };
  const options: RunOptions = {
    ...DEFAULT_RUN_OPTIONS,
    policiesDirectory: undefined,
    configFile: "/x.conf",
    stateDirectory: join(directory, "state"),
  };
  const supervisor = new Supervisor(options, {
    start: processes.start,
    later: time.later,
    nowMs: () => time.nowMs,
    wallClock: time.clock.wallClock,
    pid: 77,
    version: "0",
    nodeVersion: "22",
    log: { write: ({ message }) => said.push(message), flush: () => Promise.resolve() },
    notifier: { notify: (state) => notes.push(state), watchdogMs },
    state: new StateStore(options.stateDirectory, "0"),
    lastWill: new FakeLastWill(),
    pidDirectory: join(directory, "run"),
    prepare: (settings) => prepared.push(settings),
  });
  const ended = supervisor.run();
  return { time, processes, directory, said, notes, prepared, file, during, supervisor, ended };
}

const pid = (path: string): number => Number(readFileSync(path, "utf8"));

test("use_pid_dir writes keepalived's file names, and instance makes them its own", async (context) => {
  const { time, processes, directory, supervisor, ended } = world(context, {
    usePidDirectory: true,
    instanceName: "blue",
  });
  await time.advance(10);
  const file = (name: string): string => join(directory, "run", name);
  assert.equal(pid(file("keepalived_blue.pid")), 77);
  assert.equal(pid(file("vrrp_blue.pid")), processes.last("vrrp").pid);
  assert.equal(pid(file("checkers_blue.pid")), processes.last("director").pid);
  supervisor.stop();
  await time.advance(10);
  await ended;
  assert.deepEqual(readdirSync(join(directory, "run")), []);
});

test("the command line's pid files win over use_pid_dir; a reload may take that back", (context) => {
  const directory = folder(context);
  const own = join(directory, "own.pid");
  const files = new PidFiles(
    { supervisor: own, vrrp: undefined, director: undefined },
    directory,
    assert.fail,
  );
  files.started("supervisor", 7);
  files.started("vrrp", 8);
  files.configure({ usePidDirectory: true, instanceName: undefined });
  assert.deepEqual(readdirSync(directory).toSorted(), ["own.pid", "vrrp.pid"]);
  files.started("vrrp", 9);
  assert.equal(pid(join(directory, "vrrp.pid")), 9);
  files.configure({ usePidDirectory: false, instanceName: undefined });
  assert.deepEqual(readdirSync(directory), ["own.pid"]);
});

test("reload_file is there exactly while a reload reads", async (context) => {
  const { time, directory, file, during, supervisor } = world(context, {});
  const lockFile = join(directory, "reading");
  file.global = { reload: { timeFile: undefined, repeat: false, lockFile } };
  await time.advance(10);
  await Promise.all([supervisor.reload(), time.advance(10)]);
  await Promise.all([supervisor.reload(), time.advance(10)]);
  assert.equal(existsSync(lockFile), false);
  assert.equal(during.at(-1)?.includes("reading"), true);
});

test("reload_time_file: a reload at its moment, once, or every day", async (context) => {
  const directory = folder(context);
  const timeFile = join(directory, "moment");
  const reload = { timeFile, repeat: false, lockFile: undefined };
  const { time, during, said } = world(context, { reload });
  await time.advance(10);
  const at = new Date(time.clock.wallClock() + 5_000).toISOString();
  writeFileSync(timeFile, `${at.slice(0, 19)}Z\n`);
  await time.advance(3_000);
  assert.equal(during.length, 1);
  assert.ok(said.some((line) => line.startsWith(`a reload is scheduled for ${at.slice(0, 19)}`)));
  await time.advance(4_000);
  assert.equal(during.length, 2, "reloaded");
  assert.equal(existsSync(timeFile), false, "it comes but once");
  writeFileSync(timeFile, "soon\n");
  await time.advance(2_000);
  assert.ok(said.some((line) => line.includes('holds no moment to come ("soon")')));
  assert.equal(during.length, 2);
});

test("reload_repeat keeps a time without a date", async (context) => {
  const directory = folder(context);
  const timeFile = join(directory, "moment");
  const { time, during } = world(context, {
    reload: { timeFile, repeat: true, lockFile: undefined },
  });
  await time.advance(10);
  const at = new Date(time.clock.wallClock() + 5_000).toISOString();
  writeFileSync(timeFile, `${at.slice(11, 19)}Z`);
  await time.advance(10_000);
  assert.equal(during.length, 2);
  assert.equal(existsSync(timeFile), true);
});

test("moments of a reload", () => {
  const now = Date.UTC(2026, 1, 3, 10, 0, 0);
  const at = (text: string): string | undefined => {
    const moment = reloadMoment(text, now);
    return moment && `${new Date(moment.at).toISOString()} ${moment.dated}`;
  };
  assert.equal(at("10:00:01Z"), "2026-02-03T10:00:01.000Z false");
  assert.equal(at("09:59:59Z"), "2026-02-04T09:59:59.000Z false");
  assert.equal(at("2026-12-31 23:59:59Z"), "2026-12-31T23:59:59.000Z true");
  assert.equal(at("26-12-31 23:59:59Z"), "2026-12-31T23:59:59.000Z true");
  assert.equal(at("2026-02-31 00:00:00Z"), undefined);
  assert.equal(at("24:00:00"), undefined);
  assert.equal(at("noon"), undefined);
  const local = reloadMoment("2026-02-03 12:30:00", now);
  assert.equal(local?.at, new Date(2026, 1, 3, 12, 30, 0).getTime());
});

test("each process hears of its name and its scheduling", async (context) => {
  const directorScheduling = {
    nice: 5,
    realtimePriority: undefined,
    realtimeLimit: undefined,
    cpuAffinity: [0],
    noSwap: true,
  };
  const processNames = { supervisor: "lb", vrrp: "lb_vrrp", director: "lb_checks" };
  const { time, processes, prepared, supervisor } = world(context, {
    processNames,
    directorScheduling,
    umask: 0o027,
  });
  await time.advance(10);
  const wanted = JSON.parse(JSON.stringify({ name: "lb_checks", scheduling: directorScheduling }));
  const heard = () =>
    processes.last("director").received.flatMap(({ kind, settings }) => {
      if (kind !== "configure") return [];
      const { name, scheduling } = settings as DirectorSettings;
      return [{ name, scheduling }];
    });
  assert.deepEqual(heard().at(-1), wanted);
  assert.deepEqual(prepared.at(-1)?.processNames, processNames);
  assert.equal(prepared.at(-1)?.umask, 0o027);
  const before = heard().length;
  await Promise.all([supervisor.reload(), time.advance(10)]);
  assert.ok(heard().length > before, "and of each reload");
  processes.last("director").end(false);
  await time.advance(100);
  assert.deepEqual(heard().at(-1), wanted);
});

test("the watchdog is answered only while the vrrp process answers, or starts", async (context) => {
  const { time, processes, notes } = world(context, {}, 1_000);
  await time.advance(5_000);
  const beats = () => notes.filter((note) => note === "WATCHDOG=1").length;
  assert.ok(beats() >= 5);
  const hung = processes.last("vrrp");
  processes.behaviours.vrrp = () => undefined;
  await time.advance(1_000);
  const silent = beats();
  while (hung.killed.length === 0) {
    assert.equal(beats(), silent);
    await time.advance(100);
  }
  // The next one takes its time: all the others anew would make a busy machine busier.
  await time.advance(1_000);
  const starting = beats();
  await time.advance(25_000);
  assert.ok(beats() >= starting + 25);
  assert.deepEqual(
    notes.filter((note) => note.startsWith("RELOADING")),
    [],
  );
});

test("the status names router_id", async (context) => {
  const { time, supervisor } = world(context, { routerId: "lb01" });
  await time.advance(10);
  const [status] = await Promise.all([supervisor.status(), time.advance(300)]);
  assert.equal(status.routerId, "lb01");
  assert.equal(status.director, null, "it did not answer");
});
