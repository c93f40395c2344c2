import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../../../agent/core/time.ts";
import type { Claim } from "../../../agent/core/track/tracking.ts";
import type { DirectorPart, OpenPart, Outlet } from "../../../agent/runtime/director/part.ts";
import type { EventReport } from "../../../agent/runtime/ipc.ts";
import { settle } from "../virtual-time.ts";
import { director, FakeMachine, settingsOf } from "./fake-director.ts";

const EVENT: EventReport = {
  at: 1,
  kind: "transition",
  level: "info",
  subject: "V",
  message: "backup to active",
  detail: {},
};

const claim = (source: string, weight: number, router = "V"): Claim => ({
  router,
  source,
  effect: { kind: "weight", weight },
  otherwise: { kind: "none" },
});

const script = {
  command: { position: { file: "x", line: 1, column: 1 }, argv: ["/bin/x"], runAs: undefined },
  timeout: micros(10e6),
};

/** A director with these parts, each with its name. */
function begin(...parts: readonly ((outlet: Outlet) => Partial<DirectorPart>)[]) {
  const machine = new FakeMachine();
  const outlets: Outlet[] = [];
  const open = parts.map(
    (part, at): OpenPart =>
      (outlet) => {
        outlets.push(outlet);
        return {
          name: `part ${at}`,
          configure: () => undefined,
          status: () => ({}),
          stop: () => Promise.resolve(),
          ...part(outlet),
        };
      },
  );
  const process = director(machine, open);
  process.tell({ kind: "configure", settings: settingsOf([]) });
  const [outlet] = outlets;
  assert.ok(outlet !== undefined);
  return { ...process, machine, outlet };
}

test("says nothing before it knows, then everything, then changes, each turn at once", async () => {
  let ready: () => void = () => assert.fail();
  const configured = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const { tell, of, outlet } = begin(() => ({ configure: () => configured }));
  tell({ kind: "vrrp-configured" });
  outlet.claim(claim("policy a", 5));
  outlet.reading("script s", { verdict: "up", value: 0, reason: "" });
  await settle();
  assert.deepEqual(
    of("readings").map(({ complete }) => complete),
    ["last", "no"],
    "they are known at once",
  );
  assert.deepEqual(of("claims"), []);
  ready();
  await settle();
  const everything = of("claims");
  assert.deepEqual(
    everything.map(({ complete }) => complete),
    ["part", "last"],
  );
  assert.deepEqual(everything[0]?.entries, [{ key: "V", value: [claim("policy a", 5)] }]);
  outlet.claim(claim("policy b", 1));
  outlet.claim(claim("policy a", 6));
  outlet.claim(claim("policy c", 9, "W"));
  outlet.withdraw("W", "policy c");
  outlet.withdraw("W", "policy nobody");
  await settle();
  assert.deepEqual(of("claims").slice(2), [
    {
      kind: "claims",
      complete: "no",
      entries: [{ key: "V", value: [claim("policy a", 6), claim("policy b", 1)] }, { key: "W" }],
    },
  ]);
  tell({ kind: "vrrp-configured" });
  await settle();
  assert.deepEqual(
    of("claims")
      .slice(3)
      .map(({ complete }) => complete),
    ["part", "last"],
    "a vrrp process that is new hears everything",
  );
});

test("large pictures travel in small parts", async () => {
  const { tell, of, outlet } = begin(() => ({}));
  for (let at = 0; at < 100; at += 1) outlet.claim(claim("policy a", 5, `V${at}`));
  tell({ kind: "vrrp-configured" });
  await settle();
  assert.deepEqual(
    of("claims").map(({ complete, entries }) => [complete, entries.length]),
    [
      ["part", 32],
      ["part", 32],
      ["part", 32],
      ["part", 4],
      ["last", 0],
    ],
  );
});

test("does not answer before the long work of its first configuration is done", async () => {
  let done: () => void = () => assert.fail();
  const work = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { tell, of } = begin(
    () => ({ begun: () => work }),
    () => ({ begun: () => Promise.reject(new Error("that one failed")) }),
  );
  tell({ kind: "ping", id: 1 });
  await settle();
  assert.deepEqual(of("pong"), [], "its supervisor would take the next silence for a stall");
  done();
  await settle();
  tell({ kind: "ping", id: 2 });
  await settle();
  assert.deepEqual(
    of("pong").map(({ id }) => id),
    [1, 2],
  );
});

test("a part that fails is told of, and the others go on", async () => {
  const heard: string[] = [];
  const { tell, of } = begin(
    () => ({
      configure: () => Promise.reject(new Error("first")),
      event: () => {
        throw new Error("second");
      },
      status: () => {
        throw new Error("third");
      },
    }),
    () => ({ event: ({ subject }) => void heard.push(subject), status: () => ({ policies: [] }) }),
  );
  tell({ kind: "event", report: EVENT });
  tell({ kind: "status", id: 7 });
  await settle();
  assert.deepEqual(heard, ["V"]);
  assert.deepEqual(
    of("log").flatMap(({ level, message }) => (level === "error" ? message : [])),
    [
      "part 0 failed at status: third; please report this defect",
      "part 0 failed at configure: first; please report this defect",
      "part 0 failed at event: second; please report this defect",
    ],
  );
  assert.deepEqual(of("director-status")[0]?.id, 7);
});

test("what a part says reaches the others one after another, and the supervisor once", () => {
  const heard: string[] = [];
  const note =
    (name: string) =>
    ({ subject }: EventReport): void =>
      void heard.push(`${name} ${subject}`);
  const { tell, of } = begin(
    (outlet) => ({
      event: (report) => {
        note("a")(report);
        if (report.subject === "V") outlet.event({ ...EVENT, subject: "mine" });
      },
    }),
    () => ({ event: note("b") }),
  );
  tell({ kind: "event", report: EVENT });
  assert.deepEqual(heard, ["a V", "b V", "a mine", "b mine"]);
  assert.deepEqual(
    of("event").map(({ report }) => report.subject),
    ["mine"],
  );
});

test("those who ask for a snapshot share the next one", () => {
  const seen: number[] = [];
  const { tell, of, outlet } = begin(() => ({
    snapshot: (routers) => void seen.push(routers.length),
  }));
  outlet.requestSnapshot();
  outlet.requestSnapshot();
  outlet.requestSnapshot();
  assert.deepEqual(of("snapshot"), [{ kind: "snapshot", id: 1 }]);
  tell({ kind: "snapshot", id: 1, routers: [{}, {}] });
  tell({ kind: "snapshot", id: 1, routers: [{}], groups: [] });
  assert.deepEqual(seen, [3]);
  assert.equal(of("snapshot").length, 2);
});

test("an event is acknowledged when no part would lose it", async () => {
  const safe: (() => void)[] = [];
  const { tell, of } = begin(() => ({
    event: () => new Promise<void>((resolve) => safe.push(resolve)),
  }));
  for (let at = 0; at < 3; at += 1) tell({ kind: "event", report: EVENT });
  await settle();
  assert.deepEqual(of("told"), []);
  safe[1]?.();
  safe[0]?.();
  await settle();
  assert.deepEqual(of("told"), [
    { kind: "told", nth: 2 },
    { kind: "told", nth: 1 },
  ]);
});

test("what happens while a part is configured for the first time waits for it, in order", async () => {
  let ready: () => void = () => assert.fail();
  const configured = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const heard: string[] = [];
  const { tell, of } = begin(
    () => ({
      configure: () => configured,
      event: ({ message }) => void heard.push(`slow ${message}`),
    }),
    () => ({ event: ({ message }) => void heard.push(`quick ${message}`) }),
  );
  for (const message of ["1", "2"]) tell({ kind: "event", report: { ...EVENT, message } });
  await settle();
  assert.deepEqual(heard, ["quick 1", "quick 2"]);
  assert.deepEqual(of("told"), []);
  ready();
  await settle();
  // Another configuration keeps nothing waiting.
  tell({ kind: "configure", settings: settingsOf([]) });
  tell({ kind: "event", report: { ...EVENT, message: "3" } });
  assert.deepEqual(heard.slice(2), ["slow 1", "slow 2", "slow 3", "quick 3"]);
  await settle();
  assert.equal(of("told").length, 3);
});

test("commands go to the part that has them", async () => {
  const { tell, of } = begin(() => ({ commands: { services: () => "text" } }));
  tell({ kind: "command", id: 1, command: "services" });
  tell({ kind: "command", id: 2, command: "notifications" });
  await settle();
  assert.deepEqual(of("answer"), [{ kind: "answer", id: 1, result: "text" }]);
  assert.deepEqual(of("no-answer"), [
    { kind: "no-answer", id: 2, problem: "nothing here answers notifications" },
  ]);
});

test("a command waits until its part has begun, and for no other", async () => {
  let done: () => void = () => assert.fail();
  const work = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { tell, of } = begin(
    () => ({ begun: () => work, commands: { services: () => "all of them" } }),
    () => ({ begun: () => undefined, commands: { notifications: () => "none" } }),
  );
  tell({ kind: "command", id: 1, command: "services" });
  tell({ kind: "command", id: 2, command: "notifications" });
  await settle();
  assert.deepEqual(of("answer"), [{ kind: "answer", id: 2, result: "none" }]);
  done();
  await settle();
  assert.deepEqual(of("answer")[1], { kind: "answer", id: 1, result: "all of them" });
});

test("series are those of all parts, also when one of them fails", async () => {
  const { tell, of } = begin(
    () => ({ metrics: () => "one 1\n" }),
    () => ({ metrics: () => Promise.reject(new Error("no")) }),
    () => ({ metrics: () => Promise.resolve("two 2\n") }),
  );
  tell({ kind: "command", id: 1, command: "metrics" });
  await settle();
  assert.deepEqual(of("answer"), [{ kind: "answer", id: 1, result: "one 1\ntwo 2\n" }]);
  assert.match(of("log")[0]?.message ?? "", /failed at metrics: no/);
});

test("stops its parts, then runs the last script, then ends; a lost supervisor hastens it", async () => {
  const order: string[] = [];
  let finish: () => void = () => assert.fail();
  const { tell, lose, of, exits, machine } = begin(() => ({
    stop: () => {
      order.push("stop");
      if (order.length > 1) finish();
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  }));
  tell({ kind: "stop", script });
  await settle();
  assert.deepEqual([machine.runs.length, exits.length], [0, 0]);
  finish();
  await settle();
  assert.deepEqual(machine.lastRun.request, {
    argv: ["/bin/x"],
    runAs: undefined,
    timeoutMs: 10_000,
  });
  machine.lastRun.exit(3);
  await settle();
  assert.match(of("log")[0]?.message ?? "", /the shutdown script ended with status 3/);
  assert.deepEqual(exits, [0]);
  lose();
  assert.deepEqual(order, ["stop", "stop"]);
});

test("the startup script is answered with what became of it", async () => {
  const { tell, of, machine } = begin(() => ({}));
  tell({ kind: "run-script", id: 4, script });
  machine.lastRun.end({ kind: "timed-out" });
  await settle();
  assert.deepEqual(of("script-ended"), [{ kind: "script-ended", id: 4, outcome: "took too long" }]);
});
