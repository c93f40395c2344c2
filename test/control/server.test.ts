import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import {
  ControlError,
  readEvents,
  requestJournal,
  requestReload,
  requestStatus,
} from "../../agent/control/client.ts";
import type { ControlLimits } from "../../agent/control/limits.ts";
import { DEFAULT_LIMITS } from "../../agent/control/limits.ts";
import type { AgentEvent, DirectorCommand } from "../../agent/control/protocol.ts";
import type { ControlServer } from "../../agent/control/server.ts";
import { serveControl } from "../../agent/control/server.ts";
import type { ControlTarget } from "../../agent/control/target.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { sampleStatus as status } from "../cli/sample-status.ts";

/** As it is after a journey: JSON has no undefined members. */
const sampleStatus = JSON.parse(JSON.stringify(status));

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
after(() => rmSync(folder, { recursive: true }));

const event = (sequence: number, message = "m"): AgentEvent => ({
  sequence,
  at: 1_000 + sequence,
  kind: "transition",
  subject: "VI_1",
  message,
  detail: {},
});

class Target implements ControlTarget {
  readonly listeners = new Set<(event: AgentEvent) => void>();
  readonly kept: AgentEvent[] = [];
  journalText = "";
  failure: string | undefined;
  hold: Promise<void> = Promise.resolve();

  readonly events: ControlTarget["events"] = {
    recent: () => this.kept,
    subscribe: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
  };

  async status(): ReturnType<ControlTarget["status"]> {
    await this.hold;
    if (this.failure !== undefined) throw new Error(this.failure);
    return status;
  }

  reload(): ReturnType<ControlTarget["reload"]> {
    const plan = { added: ["VI_2"], removed: [], replaced: [], kept: ["VI_1"] };
    return Promise.resolve({ accepted: true, generation: 2, diagnostics: [], plan });
  }

  journal(): Promise<string> {
    return Promise.resolve(this.journalText);
  }

  director(command: DirectorCommand): Promise<unknown> {
    return Promise.resolve({ command });
  }
}

let path = "";
let number = 0;
let target = new Target();
let log: string[] = [];
let server: ControlServer | undefined;

async function serve(limits: Partial<ControlLimits> = {}): Promise<void> {
  server = await serveControl({
    path,
    target,
    log: (message) => log.push(message),
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
}

beforeEach(() => {
  number += 1;
  path = join(folder, `run-${number}`, "control.sock");
  target = new Target();
  log = [];
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A client without manners. */
function raw(): Socket {
  const socket = connect(path);
  socket.on("error", () => socket.destroy());
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.resume();
  });

/** Lines that came, until there are `count` of them. */
const linesFrom = (socket: Socket, count: number): Promise<readonly unknown[]> =>
  new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
      const lines = text.split("\n").slice(0, -1);
      if (lines.length >= count) resolve(lines.map((line) => JSON.parse(line)));
    });
  });

describe("the control server answers", () => {
  test("status, reload and journal", async () => {
    target.journalText = `{"journal":1}\n${"x".repeat(300_000)}\n`;
    await serve();
    assert.deepEqual(await requestStatus(path), sampleStatus);
    const outcome = await requestReload(path);
    assert.ok(outcome.accepted && outcome.generation === 2);
    assert.equal(await requestJournal(path), target.journalText);
  });

  test("recent events, then those that follow, without a gap", async () => {
    target.kept.push(event(1), event(2));
    await serve();
    const seen: number[] = [];
    await readEvents(path, false, ({ sequence }) => seen.push(sequence));
    assert.deepEqual(seen, [1, 2]);

    const stop = new AbortController();
    const following: number[] = [];
    const ended = readEvents(
      path,
      true,
      ({ sequence }) => {
        following.push(sequence);
        if (sequence === 2) for (const listener of target.listeners) listener(event(3));
        if (sequence === 3) stop.abort();
      },
      stop.signal,
    );
    await ended;
    assert.deepEqual(following, [1, 2, 3]);
  });

  test("no events at all", async () => {
    await serve();
    await readEvents(path, false, () => assert.fail("there is none"));
  });

  test("several requests of one client, each by its id", async () => {
    await serve();
    const socket = raw();
    const answers = linesFrom(socket, 3);
    socket.write('{"id":7,"command":"reload"}\n{"id":8,"command":"journal"}\n\n{"id":9,');
    socket.write('"command":"events"}\n');
    const ids = (await answers).map((answer) => (answer as { id: number }).id);
    assert.deepEqual([...ids].sort(), [7, 8, 9]);
    socket.destroy();
  });

  test("a failure of its target as an answer, and in the log", async () => {
    target.failure = "the disk is full";
    await serve();
    await assert.rejects(
      requestStatus(path),
      (error) => error instanceof ControlError && error.message === "the disk is full",
    );
    assert.match(log.join(), /status failed: the disk is full/);
  });
});

describe("the control socket", () => {
  test("is its owner's alone, in a directory that is made", async () => {
    await serve();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(path, "..")).mode & 0o777, 0o755 & ~process.umask());
  });

  test("is gone after close", async () => {
    await serve();
    await server?.close();
    server = undefined;
    assert.equal(existsSync(path), false);
  });

  test("replaces one that a dead agent left", async () => {
    await serve();
    await server?.close();
    // A socket file that nobody listens at: bound by a server whose file outlives it.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${path}.old`, resolve));
    const { renameSync } = await import("node:fs");
    renameSync(`${path}.old`, path);
    await new Promise((resolve) => dead.close(resolve));
    assert.ok(statSync(path).isSocket());
    await assert.rejects(requestStatus(path), codeIs("not-running"));
    await serve();
    assert.deepEqual(await requestStatus(path), sampleStatus);
  });

  test("does not replace one that answers", async () => {
    await serve();
    await assert.rejects(
      serveControl({ path, target, log: () => undefined }),
      (error) => error instanceof KernelError && error.code === "control-socket-in-use",
    );
    assert.deepEqual(await requestStatus(path), sampleStatus);
  });

  test("does not replace a file of another kind", async () => {
    path = join(folder, `plain-${number}`);
    writeFileSync(path, "precious");
    await assert.rejects(serve(), /is not a socket/);
    assert.equal(statSync(path).size, 8);
  });

  test("refuses a path that no socket can have", async () => {
    path = join(folder, "x".repeat(120));
    await assert.rejects(serve(), /longer than 107 bytes/);
  });

  test("names what is missing when it cannot be made", async () => {
    path = "/proc/holdfast/control.sock";
    await assert.rejects(
      serve(),
      (error) => error instanceof KernelError && error.remedy.includes("--control"),
    );
  });
});

const codeIs =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof ControlError && error.code === code && error.remedy !== "";

describe("a client without an agent", () => {
  test("says that there is none", () => assert.rejects(requestStatus(path), codeIs("not-running")));

  test("says that it may not", async () => {
    await serve();
    // Root may do all: for the moment of the connection this process is nobody.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    else chmodSync(path, 0o000);
    try {
      await assert.rejects(requestStatus(path), codeIs("no-permission"));
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  test("says that an agent that hangs says nothing of events", async () => {
    const mute = createServer((socket) => void socket.resume());
    const there = join(folder, "mute.sock");
    await new Promise<void>((resolve) => mute.listen(there, resolve));
    const heard = (): void => assert.fail("nothing was said");
    try {
      for (const follow of [false, true]) {
        const asked = readEvents(there, follow, heard, undefined, 20);
        await assert.rejects(asked, codeIs("no-answer"));
      }
    } finally {
      await new Promise((resolve) => mute.close(resolve));
    }
  });

  test("goes on waiting for events that do not come", async () => {
    await serve();
    const stop = new AbortController();
    const seen: number[] = [];
    const ended = readEvents(path, true, (each) => seen.push(each.sequence), stop.signal, 50);
    await new Promise((resolve) => setTimeout(resolve, 120));
    for (const listener of target.listeners) listener(event(7));
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await ended;
    assert.deepEqual(seen, [7]);
  });

  test("says that the agent went away", async () => {
    let release = (): void => undefined;
    target.hold = new Promise((resolve) => {
      release = resolve;
    });
    await serve();
    const pending = assert.rejects(requestStatus(path), codeIs("hung-up"));
    const probe = raw();
    await new Promise((resolve) => probe.once("connect", resolve));
    await server?.close();
    await pending;
    release();
  });
});

describe("a hostile client", () => {
  const garbage: readonly (readonly [string, string])[] = [
    ["no JSON", "hello\n"],
    ["a number", "7\n"],
    ["null", "null\n"],
    ["an array", '[{"id":1}]\n'],
    ["no id", '{"command":"status"}\n'],
    ["a fractional id", '{"id":1.5,"command":"status"}\n'],
    ["an unknown command", '{"id":1,"command":"shutdown"}\n'],
    ["an inherited name", '{"id":1,"command":"constructor"}\n'],
    ["a command that is no text", '{"id":1,"command":{"status":1}}\n'],
    ["bytes that are no UTF-8", "\u00ff\u00fe{\n"],
  ];
  for (const [what, line] of garbage) {
    test(`that sends ${what} gets a refusal and keeps its connection`, async () => {
      await serve();
      const socket = raw();
      const answers = linesFrom(socket, 2);
      socket.write(Buffer.from(line, "latin1"));
      socket.write('{"id":2,"command":"journal"}\n');
      const [first, second] = (await answers) as readonly { ok: boolean; id: number }[];
      assert.equal(first?.ok, false);
      assert.deepEqual({ ok: second?.ok, id: second?.id }, { ok: true, id: 2 });
      socket.destroy();
    });
  }

  test("that sends a huge line is cut off", async () => {
    await serve();
    const socket = raw();
    socket.write(Buffer.alloc(DEFAULT_LIMITS.lineBytes + 1, "a"));
    await closed(socket);
    assert.match(log.join(), /longer than 65536 bytes/);
    assert.deepEqual(await requestStatus(path), sampleStatus);
  });

  test("that sends a line of exactly the limit is answered", async () => {
    await serve();
    const socket = raw();
    const answers = linesFrom(socket, 1);
    const head = '{"id":3,"command":"journal","pad":"';
    const pad = "a".repeat(DEFAULT_LIMITS.lineBytes - head.length - 2);
    socket.write(`${head}${pad}"}\n`);
    assert.equal(((await answers)[0] as { ok: boolean }).ok, true);
    socket.destroy();
  });

  test("that asks for too much at once is cut off", async () => {
    target.hold = new Promise(() => undefined);
    await serve({ pending: 2 });
    const socket = raw();
    socket.write('{"id":1,"command":"status"}\n'.repeat(3));
    await closed(socket);
    assert.match(log.join(), /more than 2 things/);
  });

  test("that follows events and does not read them is cut off", async () => {
    await serve({ backlogBytes: 10_000 });
    const socket = raw();
    socket.pause();
    socket.write('{"id":1,"command":"events","follow":true}\n');
    while (target.listeners.size === 0) await new Promise(setImmediate);
    for (let sequence = 1; target.listeners.size > 0 && sequence < 5_000; sequence += 1) {
      for (const listener of [...target.listeners]) listener(event(sequence, "x".repeat(1_000)));
      if (sequence % 100 === 0) await new Promise(setImmediate);
    }
    assert.equal(target.listeners.size, 0);
    assert.match(log.join(), /does not read the events/);
    socket.destroy();
  });

  test("that leaves an answer unread is cut off", async () => {
    target.journalText = "x".repeat(8 * 1024 * 1024);
    await serve({ slowMs: 20 });
    const socket = raw();
    socket.pause();
    socket.write('{"id":1,"command":"journal"}\n');
    while (log.length === 0) await new Promise(setImmediate);
    assert.match(log.join(), /unread for 20 ms/);
    socket.destroy();
  });

  test("that says nothing is let go", async () => {
    await serve({ idleMs: 20 });
    await closed(raw());
  });

  test("beyond the number that is let in is told so", async () => {
    await serve({ clients: 1 });
    const first = raw();
    const answer = linesFrom(first, 1);
    first.write('{"id":1,"command":"journal"}\n');
    await answer;
    await assert.rejects(requestStatus(path), codeIs("busy"));
    first.destroy();
  });

  test("that hangs up in the middle leaves nothing behind", async () => {
    await serve();
    const socket = raw();
    socket.write('{"id":1,"command":"events","follow":true}\n{"id":2');
    while (target.listeners.size === 0) await new Promise(setImmediate);
    socket.destroy();
    while (target.listeners.size > 0) await new Promise(setImmediate);
  });
});
