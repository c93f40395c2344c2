import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noSettings } from "../../agent/config/settings.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { serveFence } from "../../agent/runtime/fence-process.ts";
import { fenceInProcess } from "../../agent/runtime/fence-source.ts";
import type { FromFence, ToFence } from "../../agent/runtime/ipc.ts";
import { FakeProcesses } from "./fake-processes.ts";
import { DEVICE } from "./fence-device.ts";
import { config } from "./fixtures.ts";
import { settle, VirtualTime } from "./virtual-time.ts";

const SECOND = { ...DEVICE, name: "ups", program: "/ups" };
const ORDER: ToFence = {
  kind: "fence",
  devices: [DEVICE, SECOND],
  secrets: {},
  netNamespace: undefined,
};

/** What a fence process runs, says and does at its end. */
async function served(order: ToFence, ...statuses: readonly number[]) {
  const left = [...statuses];
  const log: (string | FromFence)[] = [];
  let hear: (message: unknown) => void = () => undefined;
  const channel = {
    send: (message: unknown) => log.push(message as FromFence),
    listen: (listener: typeof hear) => {
      hear = listener;
    },
  };
  serveFence(channel, {
    run: ({ argv }) => {
      log.push(argv.join(" "));
      const status = left.shift() ?? 0;
      return Promise.resolve({ kind: "exited", status, ms: 1, stdout: "", stderr: "" });
    },
    examine: () => undefined,
    enterNamespace: (name) => {
      if (name === "gone") throw new KernelError("no-namespace", "there is no gone", "add it");
      log.push(`in ${name}`);
    },
    exit: () => log.push("exit"),
  });
  hear(order);
  await settle();
  return log;
}

describe("a fence process", () => {
  test("runs all devices in their order, in the namespace, answers and ends", async () => {
    const log = await served({ ...ORDER, netNamespace: "blue" });
    assert.deepEqual(log, ["in blue", "/fence", "/ups", { kind: "fenced", problem: null }, "exit"]);
  });

  test("runs none after one that failed, and none where its namespace is not", async () => {
    const [first, answer] = await served(ORDER, 1);
    assert.equal(first, "/fence");
    assert.ok(typeof answer === "object");
    assert.match(answer.problem?.reason ?? "", /^pdu: the agent ended with status 1/);
    const [refusal] = await served({ ...ORDER, netNamespace: "gone" });
    const problem = { reason: "there is no gone", remedy: "add it" };
    assert.deepEqual(refusal, { kind: "fenced", problem });
  });
});

describe("who starts it", () => {
  const begin = (...names: readonly string[]) => {
    const [processes, time] = [new FakeProcesses(), new VirtualTime()];
    const settings = { ...noSettings("/x"), fences: [SECOND, DEVICE], secrets: { a: "/a" } };
    const accepted = { config: config([]), settings };
    const answer = fenceInProcess(names, accepted, { start: processes.start, later: time.later });
    return { processes, time, answer };
  };

  test("hands it the devices of the files by their names, and what they need", async () => {
    const { processes, answer } = begin("pdu", "ups");
    const child = processes.last("fence");
    const order = { kind: "fence", devices: [DEVICE, SECOND], secrets: { a: "/a" } };
    assert.deepEqual(child.received, [order]);
    child.say({ kind: "fenced", problem: null });
    child.end(true);
    assert.equal(await answer, undefined);
  });

  test("starts none for a name that the files do not have", async () => {
    const { processes, answer } = begin("pdu", "/bin/sh");
    assert.deepEqual(processes.children, []);
    assert.match((await answer)?.reason ?? "", /holdfast\.conf has none of its fence devices/);
  });

  test("relies on none that ends without an answer, or is silent too long", async () => {
    const dead = begin("pdu");
    dead.processes.last("fence").end(false);
    assert.match((await dead.answer)?.reason ?? "", /ended without an answer: signal SIGKILL$/);
    const silent = begin("pdu", "ups");
    await silent.time.advance(75_000);
    assert.deepEqual(silent.processes.last("fence").killed, ["SIGKILL"]);
    assert.match((await silent.answer)?.reason ?? "", /did not answer for 75 s/);
  });
});
