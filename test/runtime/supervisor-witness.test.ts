import assert from "node:assert/strict";
import { test } from "node:test";
import type { MandateConfig } from "../../agent/config/mandates.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { WitnessProcessSettings } from "../../agent/runtime/ipc.ts";
import { storeSeries } from "../../agent/runtime/store-series.ts";
import type { FakeProcesses } from "./fake-processes.ts";
import { config, instance } from "./fixtures.ts";
import { world } from "./supervisor-world.ts";

const MANDATE: MandateConfig = {
  name: "VI_1",
  members: ["VI_1"],
  lease: { mode: "required", key: "VI_1", failsafe: false },
  fences: [],
};
const WITH = config([instance("VI_1")], { mandates: [MANDATE] });
const WITHOUT = config([instance("VI_1")]);

const WANTED = { kind: "mandate-wanted", mandate: "VI_1", serial: 7, fence: true };
const GRANTED = {
  kind: "mandate",
  mandate: "VI_1",
  serial: 7,
  news: { kind: "granted", deadlineAt: 5, epoch: "e" },
};

const PROBLEM = new KernelError("kernel", "no netlink", "look");

/** Answers what a witness process always answers. */
function witness(processes: FakeProcesses): void {
  processes.behaviours.witness = (child, { kind, id }) => {
    if (kind === "ping") child.say({ kind: "pong", id });
    if (kind === "configure") child.say({ kind: "witness-ready" });
    if (kind === "stop") child.end(true);
  };
}

const withWitness = (...args: Parameters<typeof world>) => {
  const made = world(...args);
  witness(made.processes);
  made.file.config = WITH;
  return made;
};

const kinds = (received: readonly Record<string, unknown>[]) =>
  received.map(({ kind }) => kind).filter((kind) => kind !== "ping" && kind !== "snapshot");

test("a witness process runs where something needs a mandate, and only there", async (context) => {
  const { time, processes, file, begin } = withWitness(context);
  file.config = WITHOUT;
  const { supervisor } = begin();
  await time.advance(10);
  assert.equal(processes.of("witness").length, 0);
  assert.equal((await supervisor.status()).processes.witness, undefined);
  file.config = WITH;
  await Promise.all([supervisor.reload(), time.advance(10)]);
  const [first] = processes.of("witness");
  assert.equal((await supervisor.status()).processes.witness?.pid, first?.pid);
  const configured = first?.received.find(({ kind }) => kind === "configure");
  const settings = configured?.["settings"] as WitnessProcessSettings | undefined;
  assert.deepEqual(settings?.mandates, [MANDATE]);
  assert.match(settings?.holder ?? "", /^test\/[0-9a-f]{8}$/);
  file.config = WITHOUT;
  await Promise.all([supervisor.reload(), time.advance(10)]);
  assert.equal(kinds(first?.received ?? []).at(-1), "stop");
  assert.equal((await supervisor.status()).processes.witness, undefined);
  const ends = supervisor.events.recent().filter(({ kind }) => kind === "process");
  assert.deepEqual(ends, [], "that it ends is as it was told");
  file.config = WITH;
  await Promise.all([supervisor.reload(), time.advance(10)]);
  assert.equal(processes.of("witness").length, 2);
});

test("what it says of the store is shown and measured, as long as it runs", async (context) => {
  const { time, processes, begin } = withWitness(context);
  const { supervisor } = begin();
  await time.advance(10);
  const [first] = processes.of("witness");
  assert.equal((await supervisor.status()).store, undefined);
  const report = {
    store: "etcd",
    endpoints: ["http://192.0.2.9:2379"],
    condition: "refused",
    reason: "who?",
    remedy: "log in",
    since: 1,
    leases: [],
  } as const;
  first?.say({ kind: "store", report });
  assert.deepEqual((await supervisor.status()).store, report);
  assert.match(storeSeries(report), /_serves\{store="etcd"\} 0\n/);
  assert.match(storeSeries({ ...report, condition: "serves" }), /_serves\{store="etcd"\} 1\n/);
  first?.end(false);
  assert.equal((await supervisor.status()).store, undefined);
});

test("one that is wanted again before the last one has ended is started then", async (context) => {
  const { time, processes, file, begin } = withWitness(context);
  const { supervisor } = begin();
  await time.advance(10);
  processes.behaviours.witness = undefined;
  for (const next of [WITHOUT, WITH]) {
    file.config = next;
    await Promise.all([supervisor.reload(), time.advance(10)]);
  }
  witness(processes);
  const first = processes.last("witness");
  first.end(true);
  await time.advance(10);
  assert.equal(processes.of("witness").length, 2);
  assert.deepEqual(kinds(processes.last("witness").received), ["configure"]);
});

test("wishes and news go their way; a new witness process is told the wishes anew", async (context) => {
  const { time, processes, begin } = withWitness(context);
  begin();
  await time.advance(10);
  const vrrp = processes.last("vrrp");
  assert.equal(kinds(vrrp.received).at(-1), "witness-lost");
  vrrp.say(WANTED);
  const first = processes.last("witness");
  assert.deepEqual(first.received.at(-1), WANTED);
  first.say(GRANTED);
  assert.deepEqual(vrrp.received.at(-1), GRANTED);
  first.end(false);
  await time.advance(10);
  assert.deepEqual(vrrp.received.at(-1), GRANTED, "nothing is told of its death");
  await time.advance(100);
  assert.equal(kinds(vrrp.received).at(-1), "witness-lost");
  vrrp.say(WANTED);
  // It runs on what was granted: nobody is fenced for that a second time.
  assert.deepEqual(processes.last("witness").received.at(-1), { ...WANTED, fence: false });
  vrrp.say({ ...WANTED, serial: 8 });
  assert.deepEqual(processes.last("witness").received.at(-1), { ...WANTED, serial: 8 });
});

test("a witness process that wants somebody fenced hears what came of it", async (context) => {
  const { time, processes, begin } = withWitness(context);
  begin();
  await time.advance(10);
  const child = processes.last("witness");
  child.say({ kind: "fence", id: 8, devices: ["pdu"] });
  await time.advance(10);
  const answer = child.received.find(({ kind }) => kind === "fenced");
  const reason = "holdfast.conf has none of its fence devices";
  assert.deepEqual(answer, {
    kind: "fenced",
    id: 8,
    problem: { reason, remedy: "add them there" },
  });
});

test("what a reload makes the vrrp process want comes after the configuration that it is about", async (context) => {
  const { time, processes, begin } = withWitness(context);
  const { supervisor } = begin();
  await time.advance(10);
  const vrrp = processes.last("vrrp");
  const child = processes.last("witness");
  const { vrrp: answers } = processes.behaviours;
  for (const accepted of [true, false]) {
    processes.behaviours.vrrp = (one, message) => {
      if (message["kind"] !== "configure") return;
      one.say({ ...WANTED, serial: accepted ? 8 : 9 });
      if (accepted) answers?.(one, message);
      else one.say({ kind: "refused", generation: message["generation"], problem: PROBLEM });
    };
    const before = child.received.length;
    await Promise.all([supervisor.reload(), time.advance(10)]);
    const told = kinds(child.received.slice(before));
    assert.deepEqual(told, accepted ? ["configure", "mandate-wanted"] : ["mandate-wanted"]);
  }
  vrrp.say({ ...WANTED, serial: 10 });
  assert.equal(child.received.at(-1)?.["serial"], 10);
});

test("leases go back when the will of a vrrp process that died was executed, and not else", async (context) => {
  for (const problems of [[], [PROBLEM]]) {
    const { time, processes, lastWill, begin } = withWitness(context);
    begin();
    await time.advance(10);
    lastWill.outcome = { ...lastWill.outcome, problems };
    const child = processes.last("witness");
    processes.last("vrrp").end(false);
    await time.advance(1_000);
    const told = kinds(child.received).filter((kind) => kind === "nobody-wants");
    assert.equal(told.length, problems.length === 0 ? 1 : 0);
  }
});

test("at a stop the witness process ends after the vrrp process and before the director", async (context) => {
  const { time, processes, begin } = withWitness(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  const [vrrp, child, director] = (["vrrp", "witness", "director"] as const).map((role) =>
    processes.last(role),
  );
  processes.behaviours.vrrp = undefined;
  processes.behaviours.witness = undefined;
  supervisor.stop();
  await time.advance(10);
  const stopped = () =>
    [vrrp, child, director].map((one) => kinds(one?.received ?? []).includes("stop"));
  assert.deepEqual(stopped(), [true, false, false]);
  vrrp?.end(true);
  await time.advance(10);
  assert.deepEqual(stopped(), [true, true, false]);
  child?.end(true);
  await time.advance(10);
  assert.deepEqual(stopped(), [true, true, true]);
  assert.equal(await ended, 0);
});

test("at a stop with something left of the vrrp process nothing goes back", async (context) => {
  const { time, processes, lastWill, begin } = withWitness(context);
  const { supervisor, ended } = begin();
  await time.advance(10);
  processes.behaviours.vrrp = undefined;
  const child = processes.last("witness");
  lastWill.outcome = { ...lastWill.outcome, problems: [PROBLEM] };
  supervisor.stop();
  processes.last("vrrp").end(false);
  await time.advance(100);
  await ended;
  assert.deepEqual(child.killed, ["SIGKILL"]);
  assert.ok(!kinds(child.received).includes("nobody-wants"));
});
