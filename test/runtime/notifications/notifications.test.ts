import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { FifoConfig } from "../../../agent/config/notifications.ts";
import { NO_NOTIFICATIONS } from "../../../agent/config/notifications.ts";
import { NO_BALANCING } from "../../../agent/config/virtual-servers.ts";
import { seconds } from "../../../agent/core/time.ts";
import { settle } from "../virtual-time.ts";
import { command, instance, notice, Rig, transition } from "./rig.ts";

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

const scripted = instance("VI_1", {
  active: command("/m.sh", "a b"),
  backup: command("/b.sh"),
  stop: command("/s.sh"),
  any: command("/any.sh"),
});

const fifo = (path: string, more: Partial<FifoConfig> = {}): FifoConfig => ({
  path,
  owner: undefined,
  script: undefined,
  events: "vrrp",
  ...more,
});

const withFifos = (...fifos: readonly FifoConfig[]) =>
  rig.settings({
    subjects: [instance("VI_1", {})],
    notifications: { ...NO_NOTIFICATIONS, fifos },
  });

const lines = (path: string): readonly string[] => rig.fifos.get(path)?.lines ?? [];

test("virtual servers have scripts and mail, and FIFOs of their own", async () => {
  const fifos = [fifo("/all", { events: "all" }), fifo("/vrrp"), fifo("/lvs", { events: "lvs" })];
  const settings = withFifos(...fifos);
  rig.part.configure(settings);
  assert.deepEqual([...rig.fifos.keys()], ["/all", "/vrrp"]);
  const balancing = { ...NO_BALANCING, virtualServers: [{}] as never };
  rig.part.configure({ ...settings, balancing });
  void rig.part.event(transition("VI_1", "active"));
  const down = command("/down.sh");
  rig.part.tellOf(
    "real server a",
    [
      { kind: "script", command: down, arguments: [] },
      { kind: "fifo", line: "RS a b DOWN" },
    ],
    1,
  );
  assert.deepEqual(lines("/all"), ['INSTANCE "VI_1" MASTER 100', "RS a b DOWN"]);
  assert.deepEqual(lines("/vrrp"), ['INSTANCE "VI_1" MASTER 100']);
  assert.deepEqual(lines("/lvs"), ["RS a b DOWN"]);
  assert.deepEqual(rig.commands, ["/down.sh"]);
  await rig.rest();
});

describe("scripts", () => {
  test("run one after another for an instance, with keepalived's arguments", async () => {
    rig.part.configure(rig.settings({ subjects: [scripted] }));
    void rig.part.event(transition("VI_1", "active"));
    void rig.part.event(transition("VI_1", "backup", { priority: 90 }));
    assert.deepEqual(rig.commands, ["/m.sh a b"]);
    for (let at = 0; at < 4; at += 1) await rig.running[at]?.end();
    assert.deepEqual(rig.commands, [
      "/m.sh a b",
      "/any.sh INSTANCE VI_1 MASTER 100",
      "/b.sh",
      "/any.sh INSTANCE VI_1 BACKUP 90",
    ]);
    assert.equal(rig.running[0]?.request.timeoutMs, 60_000);
    assert.equal(rig.running[0]?.request.leftovers, "keep");
  });

  test("have the epoch of the lease in their environment, those of groups too", () => {
    const group = { ...scripted, kind: "group", name: "G" } as const;
    rig.part.configure(rig.settings({ subjects: [scripted, group] }));
    const event = transition("VI_1", "active", { epoch: "0b" });
    void rig.part.event(event);
    void rig.part.event({ ...event, kind: "group-transition", subject: "G" });
    const environments = rig.running.map(({ request }) => request.environment);
    assert.deepEqual(environments, [{ HOLDFAST_EPOCH: "0b" }, { HOLDFAST_EPOCH: "0b" }]);
    void rig.part.event(transition("VI_1", "backup"));
    assert.equal(rig.running.length, 2);
  });

  test("those of other instances do not wait, though not hundreds start at once", () => {
    const subjects = Array.from({ length: 100 }, (_, at) =>
      instance(`VI_${at}`, { any: command("/any.sh") }),
    );
    rig.part.configure(rig.settings({ subjects }));
    for (const { name } of subjects) void rig.part.event(transition(name, "active"));
    assert.equal(rig.running.length, 32);
  });

  test("one that fails is said, and the next one runs", async () => {
    rig.part.configure(rig.settings({ subjects: [scripted] }));
    void rig.part.event(transition("VI_1", "active"));
    await rig.running[0]?.end({ status: 3 });
    assert.deepEqual(rig.log, ["warn the script /m.sh for instance VI_1 ended with status 3"]);
    assert.equal(rig.running.length, 2);
  });

  test("a flapping instance with a script that hangs does not fill the memory", () => {
    rig.part.configure(rig.settings({ subjects: [scripted] }));
    for (let at = 0; at < 300; at += 1) void rig.part.event(transition("VI_1", "active"));
    assert.equal(rig.running.length, 1);
    assert.ok(rig.log.some((line) => line.includes("100 others wait already")));
  });

  test("a stop waits for notify_stop, and a second word does not", async () => {
    rig.part.configure(rig.settings({ subjects: [scripted] }));
    void rig.part.event(transition("VI_1", "initialize", { reason: "shutdown" }));
    let stopped = false;
    const stop = rig.part.stop().then(() => {
      stopped = true;
    });
    await rig.time.advance(3_000);
    assert.equal(stopped, false);
    await rig.running[0]?.end();
    await rig.running[1]?.end();
    await stop;
    assert.deepEqual(rig.commands, ["/s.sh", "/any.sh INSTANCE VI_1 STOP 100"]);
  });

  test("a second word ends what runs", async () => {
    rig.part.configure(rig.settings({ subjects: [scripted] }));
    void rig.part.event(transition("VI_1", "initialize", { reason: "shutdown" }));
    const stop = rig.part.stop();
    await rig.rest();
    await Promise.all([stop, rig.part.stop()]);
    assert.deepEqual(rig.commands, ["/s.sh"]);
  });
});

describe("what is told", () => {
  test("a router that a reload takes away is no stop", () => {
    rig.part.configure(withFifos(fifo("/f")));
    void rig.part.event(transition("VI_1", "initialize", { reason: "shutdown", retired: true }));
    void rig.part.event(transition("VI_1", "initialize", { reason: "reconfigured" }));
    assert.deepEqual(lines("/f"), ['INSTANCE "VI_1" FAULT 100']);
  });

  test("a router that a reload brings is told of when its configuration comes", () => {
    rig.part.configure(withFifos(fifo("/f")));
    void rig.part.event(transition("VI_2", "backup"));
    assert.deepEqual(lines("/f"), []);
    const settings = withFifos(fifo("/f"));
    rig.part.configure({ ...settings, subjects: [...settings.subjects, instance("VI_2", {})] });
    assert.deepEqual(lines("/f"), ['INSTANCE "VI_2" BACKUP 100']);
  });

  test("a change of priority says what the router is, also after a restart of the director", () => {
    const settings = withFifos(fifo("/f"));
    rig.part.configure({ ...settings, subjects: [instance("VI_1", { priorityChanges: true })] });
    assert.equal(rig.snapshots, 1);
    rig.part.snapshot(
      [{ name: "VI_1", state: "active", priority: { base: 100, effective: 100 } } as never],
      [],
    );
    const detail = { before: 100, after: 90, contributions: [] };
    void rig.part.event({ ...transition("VI_1", ""), kind: "priority", detail });
    void rig.part.event({
      ...transition("VI_1", ""),
      kind: "alarm",
      detail: { alarm: "rival-heard" },
    });
    assert.deepEqual(lines("/f"), [
      'INSTANCE "VI_1" MASTER_PRIORITY 90',
      'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 90',
    ]);
  });

  test("mail goes by way of the outbox, in keepalived's words", async () => {
    const mail = {
      from: "lb@example.org",
      to: ["ops@example.org"],
      server: { host: "127.0.0.1", port: 25 },
      heloName: undefined,
      connectTimeout: seconds(30),
      faults: false,
    };
    rig.part.configure(
      rig.settings({
        subjects: [instance("VI_1", { mail: true })],
        notifications: { ...NO_NOTIFICATIONS, mail },
      }),
    );
    void rig.part.event(transition("VI_1", "active"));
    void rig.part.event(transition("VI_1", "fault"));
    await rig.rest();
    assert.deepEqual(
      rig.sent.map(({ title, target }) => ({ title, target })),
      [
        {
          title: "[lb1] VRRP Instance VI_1 - Entering MASTER state",
          target: { kind: "mail", to: ["ops@example.org"], from: "lb@example.org" },
        },
      ],
    );
  });

  test("what is much too long is cut, or refused", async () => {
    rig.part.configure(rig.settings());
    rig.part.notify(notice("x".repeat(100_000), { json: { big: "y".repeat(100_000) } }));
    rig.part.notify(notice("x".repeat(100_000)));
    await rig.rest();
    assert.deepEqual(
      rig.texts.map(({ length }) => length),
      [32_768],
    );
    assert.equal(rig.log.length, 1);
  });
});

describe("FIFOs", () => {
  test("those of other events hear nothing", () => {
    rig.part.configure(
      withFifos(fifo("/v"), fifo("/all", { events: "all" }), fifo("/l", { events: "lvs" })),
    );
    void rig.part.event(transition("VI_1", "active"));
    assert.deepEqual(lines("/v"), ['INSTANCE "VI_1" MASTER 100']);
    assert.deepEqual(lines("/all"), lines("/v"));
    assert.equal(rig.fifos.has("/l"), false);
  });

  test("lines wait while the pipe is full, in order", async () => {
    rig.part.configure(withFifos(fifo("/f")));
    const pipe = rig.fifos.get("/f");
    assert.ok(pipe);
    pipe.room = 1;
    for (const to of ["active", "backup", "active"]) void rig.part.event(transition("VI_1", to));
    assert.equal(pipe.lines.length, 1);
    pipe.room = 2;
    await rig.time.advance(150);
    assert.deepEqual(
      pipe.lines.map((line) => line.split(" ")[2]),
      ["MASTER", "BACKUP", "MASTER"],
    );
  });

  test("what nobody reads is dropped in the end, and that is said", () => {
    rig.part.configure(withFifos(fifo("/f")));
    const pipe = rig.fifos.get("/f");
    assert.ok(pipe);
    pipe.room = 0;
    for (let at = 0; at < 10_011; at += 1) void rig.part.event(transition("VI_1", "active"));
    assert.deepEqual(
      rig.log.map((line) => /(\d+) events were dropped/.exec(line)?.[1]),
      ["1", "10"],
    );
  });

  test("one that cannot be had is said once, and tried again", async () => {
    rig.fifoTrouble = "/f is no FIFO";
    rig.part.configure(withFifos(fifo("/f")));
    void rig.part.event(transition("VI_1", "active"));
    await rig.time.advance(12_000);
    assert.deepEqual(rig.log, ["warn FIFO /f: /f is no FIFO"]);
    rig.fifoTrouble = undefined;
    await rig.time.advance(5_000);
    assert.deepEqual(lines("/f"), ['INSTANCE "VI_1" MASTER 100']);
  });

  test("its reader has the pipe as last argument, and is started again more and more slowly", async () => {
    rig.part.configure(withFifos(fifo("/f", { script: command("/r.sh", "x") })));
    assert.deepEqual(rig.commands, ["/r.sh x /f"]);
    await rig.running[0]?.end({ status: 1, stderr: "one\nno such thing\n" });
    assert.match(rig.log[0] ?? "", /ended with status 1 \(no such thing\); .* again in 1 s/);
    await rig.time.advance(1_100);
    await rig.running[1]?.end();
    await rig.time.advance(1_100);
    assert.equal(rig.running.length, 2);
    await rig.time.advance(1_000);
    assert.equal(rig.running.length, 3);
  });

  test("a reload leaves the pipe and its reader alone that stay the same", async () => {
    const script = command("/r.sh");
    rig.part.configure(withFifos(fifo("/f", { script })));
    const moved = { ...script, position: { file: "k", line: 9, column: 1 } };
    rig.part.configure(withFifos(fifo("/f", { script: moved }), fifo("/g")));
    await settle();
    assert.deepEqual(rig.commands, ["/r.sh /f"]);
    assert.equal(rig.fifos.get("/f")?.closed, false);
    rig.part.configure(withFifos(fifo("/g")));
    await settle();
    assert.equal(rig.fifos.get("/f")?.closed, true);
  });

  test("at a stop the pipe takes what waits, then is closed, and the reader may finish", async () => {
    rig.part.configure(withFifos(fifo("/f", { script: command("/r.sh") })));
    const pipe = rig.fifos.get("/f");
    assert.ok(pipe);
    pipe.room = 0;
    void rig.part.event(transition("VI_1", "initialize", { reason: "shutdown" }));
    const stop = rig.part.stop();
    await settle();
    assert.equal(pipe.closed, false);
    pipe.room = 1;
    await rig.time.advance(150);
    assert.deepEqual([pipe.lines.at(-1), pipe.closed], ['INSTANCE "VI_1" STOP 100', true]);
    assert.equal(rig.running[0]?.signal?.aborted, false);
    await rig.time.advance(1_100);
    assert.equal(rig.running[0]?.signal?.aborted, true);
    await stop;
  });
});
