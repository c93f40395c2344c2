import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_NOTIFICATIONS } from "../../agent/config/notifications.ts";
import { seconds } from "../../agent/core/time.ts";
import { config, instance } from "./fixtures.ts";
import { configures, world } from "./supervisor-world.ts";

/* A reload that is asked for is done, or refused in words; one that takes long says what it waits for. */

const RUN_AS = { uid: 1, gid: 1, groups: [] };
const WAITS = "warn the reload is under way, and waits";
const FOR_READER = `${WAITS} for the process that reads /x.conf (a busy machine, or files that do not answer)`;
const FOR_VRRP = `${WAITS} for the vrrp process to take it up (after the startup script, where one runs)`;

const reloadLines = (lines: readonly string[]) =>
  lines.filter((line) => / reload | generation /.test(line));

test("a reload that takes long says what it waits for, once, and one that does not says nothing", async (context) => {
  const { time, processes, begin, said } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  await Promise.all([supervisor.reload(), time.advance(2_900)]);
  await time.advance(10_000);
  assert.deepEqual(reloadLines(said()), ["info /x.conf: accepted as generation 2"]);

  const { config: read, vrrp } = processes.behaviours;
  processes.behaviours.config = () => undefined;
  processes.behaviours.vrrp = (child, message) => {
    if (message["kind"] !== "configure") vrrp?.(child, message);
  };
  const asked = supervisor.reload();
  await time.advance(2_900);
  assert.equal(reloadLines(said()).length, 1);
  await time.advance(15_000);
  assert.deepEqual(reloadLines(said()).slice(1), [FOR_READER]);
  read?.(processes.last("config"), { kind: "load" });
  await time.advance(15_000);
  assert.deepEqual(reloadLines(said()).slice(2), [FOR_VRRP]);
  vrrp?.(processes.last("vrrp"), { kind: "configure", generation: 3 });
  await time.advance(10);
  assert.equal((await asked).accepted, true);
  await time.advance(10_000);
  assert.deepEqual(reloadLines(said()).slice(3), ["info /x.conf: accepted as generation 3"]);
});

test("reloads that are asked for during one are said to follow, and see the file as it is then", async (context) => {
  const { time, processes, begin, file, said } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const read = processes.behaviours.config;
  processes.behaviours.config = () => undefined;
  const first = supervisor.reload();
  await time.advance(10);
  const others = [supervisor.reload(), supervisor.reload()];
  const follows = "info a reload is under way: the next one, now asked for, follows it";
  assert.deepEqual(reloadLines(said()), [follows]);
  processes.behaviours.config = read;
  read?.(processes.last("config"), { kind: "load" });
  file.config = config([instance("VI_2")]);
  await time.advance(10);
  const outcomes = await Promise.all([first, ...others]);
  assert.deepEqual(
    outcomes.map(({ generation }) => generation),
    [2, 3, 3],
  );
  assert.match(JSON.stringify(processes.last("vrrp").received), /VI_2/);
  assert.equal(reloadLines(said()).filter((line) => line === follows).length, 1);
});

test("one that is asked for while the start reads the file waits in words, and is done", async (context) => {
  const { time, processes, begin, said } = world(context);
  const read = processes.behaviours.config;
  processes.behaviours.config = () => undefined;
  const { supervisor } = begin();
  const asked = supervisor.reload();
  await time.advance(15_000);
  assert.deepEqual(reloadLines(said()), [`${WAITS} until /x.conf was read for the start`]);
  processes.behaviours.config = read;
  read?.(processes.last("config"), { kind: "load" });
  await time.advance(10);
  assert.equal((await asked).generation, 2);
});

test("one that is asked for during the startup script waits in words, and is what runs after it", async (context) => {
  const { time, processes, file, begin, said } = world(context);
  const position = { file: "x", line: 1, column: 1 };
  const command = { position, argv: ["/start"], runAs: RUN_AS };
  const startupScript = { command, timeout: seconds(60) };
  const notifications = { ...NO_NOTIFICATIONS, startupScript };
  file.config = config([instance("VI_1")], { notifications });
  const { supervisor } = begin();
  await time.advance(1_000);
  file.config = config([instance("VI_2")]);
  const asked = supervisor.reload();
  await time.advance(15_000);
  assert.deepEqual(reloadLines(said()), [FOR_VRRP]);
  const director = processes.last("director");
  const run = director.received.find(({ kind }) => kind === "run-script");
  director.say({ kind: "script-ended", id: run?.["id"] });
  await time.advance(10);
  assert.equal((await asked).accepted, true);
  assert.deepEqual(configures(processes.last("vrrp").received), [1, 2]);
});

test("what dies under a reload refuses it in words, and the one after it is done", async (context) => {
  const { time, processes, begin, said } = world(context);
  const { supervisor } = begin();
  await time.advance(10);
  const { config: read, vrrp } = processes.behaviours;
  processes.behaviours.config = (child) => child.end(false);
  const unread = supervisor.reload();
  await time.advance(10);
  assert.equal((await unread).accepted, false);
  processes.behaviours.config = read;
  processes.behaviours.vrrp = (child, message) => {
    if (message["kind"] === "configure") child.end(false);
    else vrrp?.(child, message);
  };
  const [dying, after] = [supervisor.reload(), supervisor.reload()];
  await time.advance(10);
  assert.equal((await dying).accepted, false);
  processes.behaviours.vrrp = vrrp;
  await time.advance(100);
  assert.equal((await after).generation, 2);
  // Its successor runs what was accepted while none did.
  assert.deepEqual(configures(processes.last("vrrp").received), [2]);
  assert.deepEqual(
    reloadLines(said())
      .filter((line) => line.startsWith("error /x.conf: refused"))
      .map((line) => line.replace(/.*runs on: /, "").replace(/;.*/, "")),
    [
      "the process that reads /x.conf ended (signal SIGKILL) without an answer",
      "the vrrp process ended before it answered",
    ],
  );
});

test("a vrrp process that falls silent over a reload is replaced, and the reload refused in words", async (context) => {
  const { time, processes, begin, said } = world(context);
  const { supervisor } = begin();
  await time.advance(1_000);
  const hung = processes.last("vrrp");
  const obey = processes.behaviours.vrrp;
  processes.behaviours.vrrp = (child, message) => {
    if (child !== hung) obey?.(child, message);
  };
  const asked = supervisor.reload();
  await time.advance(35_000);
  assert.equal((await asked).accepted, false);
  assert.deepEqual(hung.killed, ["SIGKILL"]);
  assert.deepEqual(configures(processes.last("vrrp").received), [1]);
  assert.ok(said().includes(FOR_VRRP));
  const again = supervisor.reload();
  await time.advance(10);
  assert.equal((await again).generation, 2);
});
