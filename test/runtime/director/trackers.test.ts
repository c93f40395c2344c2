import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type {
  FileTracker,
  ProcessTracker,
  ScriptTracker,
  TrackerConfig,
} from "../../../agent/config/trackers.ts";
import type { CheckStatus } from "../../../agent/control/protocol.ts";
import { seconds } from "../../../agent/core/time.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import { Trackers } from "../../../agent/runtime/director/trackers.ts";
import { settle } from "../virtual-time.ts";
import { director, FakeMachine, settingsOf } from "./fake-director.ts";

const POSITION = { file: "test.conf", line: 1, column: 1 };

const script = (change: Partial<ScriptTracker> = {}): ScriptTracker => ({
  kind: "script",
  position: POSITION,
  name: "chk",
  run: {
    kind: "command",
    command: { position: POSITION, argv: ["/bin/chk", "-x"], runAs: undefined },
  },
  interval: seconds(1),
  timeout: seconds(1),
  rise: 2,
  fall: 2,
  initFail: false,
  weight: 0,
  reverse: false,
  ...change,
});

const file = (change: Partial<FileTracker> = {}): FileTracker => ({
  kind: "file",
  position: POSITION,
  name: "f",
  path: "/f",
  init: undefined,
  weight: 1,
  reverse: false,
  ...change,
});

const running = (change: Partial<ProcessTracker> = {}): ProcessTracker => ({
  kind: "process",
  position: POSITION,
  name: "p",
  program: "nginx",
  parameters: [],
  parameterMatch: "none",
  fullCommand: false,
  quorum: 1,
  quorumMax: undefined,
  terminateDelay: seconds(0),
  forkDelay: seconds(0),
  weight: 0,
  reverse: false,
  ...change,
});

/** A director with these trackers, and what its vrrp process believes of them. */
async function begin(...trackers: readonly TrackerConfig[]) {
  const machine = new FakeMachine();
  let policies: Outlet | undefined;
  const { tell, of, said } = director(machine, [
    (outlet) => new Trackers(outlet, machine.ports),
    (outlet) => {
      policies = outlet;
      return {
        name: "policies",
        configure: () => undefined,
        status: () => ({}),
        stop: () => Promise.resolve(),
      };
    },
  ]);
  const configure = async (...next: readonly TrackerConfig[]): Promise<void> => {
    tell({ kind: "configure", settings: settingsOf(next) });
    await settle();
  };
  tell({ kind: "vrrp-configured" });
  await configure(...trackers);
  const reading = (key: string) =>
    of("readings")
      .flatMap(({ entries }) => entries.filter((one) => one.key === key))
      .at(-1)?.value;
  const verdict = (key: string) => reading(key)?.verdict;
  const events = () =>
    of("event").map(({ report: { subject, message } }) => `${subject} ${message}`);
  const check = (name: string): CheckStatus => {
    tell({ kind: "status", id: 1 });
    const found = of("director-status")
      .at(-1)
      ?.status.checks.find((one) => one.name === name);
    assert.ok(found !== undefined);
    return found;
  };
  return { machine, tell, of, said, configure, reading, verdict, events, check, policies };
}

describe("a vrrp_script", () => {
  test("is decided by its first result, and then by rise and fall", async () => {
    const { machine, verdict, events, check } = await begin(script());
    assert.equal(verdict("script chk"), "unknown");
    assert.deepEqual(machine.lastRun.request.argv, ["/bin/chk", "-x"]);
    machine.lastRun.exit(0);
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "up");
    const seen: unknown[] = [];
    for (const status of [1, 0, 1, 1, 0, 0]) {
      await machine.time.advance(1_000);
      machine.lastRun.exit(status);
      await machine.time.advance(10);
      seen.push(verdict("script chk"));
    }
    assert.deepEqual(seen, ["up", "up", "up", "down", "down", "up"]);
    assert.equal(machine.runs.length, 7);
    assert.deepEqual(events(), [
      "script chk unknown to up: status 0",
      "script chk up to down: ended with status 1",
      "script chk down to up: status 0",
    ]);
    const { runs, failures, reason, stale } = check("script chk");
    assert.deepEqual(
      { runs, failures, reason, stale },
      { runs: 7, failures: 3, reason: "status 0", stale: false },
    );
  });

  test("that fails at first is down at once, whatever fall says", async () => {
    const { machine, verdict } = await begin(script({ fall: 3 }));
    machine.lastRun.end({ kind: "exited", status: 1, stderr: "first\nno such service\n" });
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "down");
  });

  test("for which there is nothing to add ends without a colon", async () => {
    const run = { kind: "policy", position: POSITION, policy: "p", check: "c" } as const;
    const { events, policies } = await begin(script({ run }));
    policies?.policyVerdict("p", "c", { verdict: "down", value: 0, reason: "no answer" });
    policies?.policyVerdict("p", "c", { verdict: "up", value: 0, reason: "" });
    assert.deepEqual(events().slice(1), [
      "script chk failed to down: no answer",
      "script chk down to up",
    ]);
  });

  test("that takes too long has failed at that moment, not when it is gone", async () => {
    const { machine, verdict, reading } = await begin(script({ fall: 1 }));
    const [first] = machine.runs;
    assert.ok(first !== undefined);
    await machine.time.advance(999);
    assert.equal(verdict("script chk"), "unknown");
    await machine.time.advance(1);
    assert.deepEqual(reading("script chk"), { verdict: "down", value: 0, reason: "timeout" });
    assert.equal(first.aborted(), true);
    assert.equal(machine.runs.length, 2, "the next one is not late");
    first.exit(0);
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "down", "what it says afterwards counts for nothing");
  });

  test("init_fail: is down until it has succeeded once", async () => {
    const { machine, reading, verdict } = await begin(script({ initFail: true }));
    assert.equal(reading("script chk")?.presumed, true);
    assert.equal(verdict("script chk"), "down");
    machine.lastRun.exit(0);
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "up");
  });

  test("that may not run has failed, and says why", async () => {
    const reason = "writable by others";
    const { machine, reading, check } = await begin(script({ run: { kind: "refused", reason } }));
    assert.deepEqual(reading("script chk"), { verdict: "failed", value: 0, reason });
    assert.equal(check("script chk").verdict, "down");
    assert.equal(machine.runs.length, 0);
  });

  test("that cannot be started has failed", async () => {
    const { machine, reading } = await begin(script());
    machine.lastRun.end({ kind: "not-started", errno: "ENOENT" });
    await machine.time.advance(10);
    assert.equal(reading("script chk")?.reason, "could not be started (ENOENT)");
    assert.equal(reading("script chk")?.verdict, "down");
  });

  test("keeps its verdict over a reload; another program is run at once", async () => {
    const { machine, configure, verdict, reading, check } = await begin(script());
    machine.lastRun.exit(0);
    await machine.time.advance(10);
    const moved = { ...POSITION, line: 9 };
    await configure(script({ position: moved, fall: 1, weight: 7 }));
    assert.equal(machine.runs.length, 1);
    await machine.time.advance(1_000);
    machine.lastRun.exit(1);
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "down", "the new fall holds");
    const command = { position: POSITION, argv: ["/bin/other"], runAs: undefined };
    await configure(script({ run: { kind: "command", command } }));
    assert.equal(verdict("script chk"), "down");
    assert.equal(check("script chk").verdict, "down");
    assert.deepEqual(machine.lastRun.request.argv, ["/bin/other"]);
    machine.lastRun.exit(0);
    await machine.time.advance(10);
    assert.equal(verdict("script chk"), "up");
    await configure();
    assert.equal(reading("script chk"), undefined);
    const { length } = machine.runs;
    await machine.time.advance(5_000);
    assert.equal(machine.runs.length, length);
  });

  test("policy: is what the policy's check says", async () => {
    const run = { kind: "policy", position: POSITION, policy: "nginx", check: "alive" } as const;
    const { policies, verdict, reading } = await begin(script({ run }));
    assert.equal(verdict("script chk"), "failed");
    assert.match(reading("script chk")?.reason ?? "", /there is no check nginx\/alive/);
    policies?.policyVerdict("nginx", "alive", { verdict: "up", value: 0, reason: "200" });
    await settle();
    assert.equal(verdict("script chk"), "up");
    policies?.policyVerdict("nginx", "alive", undefined);
    await settle();
    assert.equal(verdict("script chk"), "failed");
  });
});

describe("a track_file", () => {
  test("is its number, whatever becomes of the file", async () => {
    const { machine, reading, of, events } = await begin(file());
    const values: unknown[] = [reading("file f")?.value];
    for (const content of ["5\n", "x", "7", "99999999999", undefined]) {
      machine.write("/f", content);
      await settle();
      values.push(reading("file f")?.value);
    }
    assert.deepEqual(values, [0, 5, 0, 7, 7, 0]);
    assert.match(
      of("log")[0]?.message ?? "",
      /file f: \/f holds no number of 32 bits: it remains 7/,
    );
    assert.deepEqual(events(), [
      "file f unknown to up: there is no file",
      "file f 0 to 5: it says 5",
      "file f 5 to 0: it says 0",
      "file f 0 to 7: it says 7",
      "file f 7 to 0: there is no file",
    ]);
  });

  test("init_file writes it, over an older one only with overwrite", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const [fresh, old, over] = ["fresh", "old", "over"].map((name) => join(folder, name));
    assert.ok(fresh !== undefined && old !== undefined && over !== undefined);
    for (const path of [old, over]) writeFileSync(path, "3\n");
    const init = { value: 7, overwrite: false };
    const { of } = await begin(
      file({ name: "a", path: fresh, init }),
      file({ name: "b", path: old, init }),
      file({ name: "c", path: over, init: { ...init, overwrite: true } }),
      file({ name: "d", path: join(folder, "no/such"), init }),
    );
    const texts = [fresh, old, over].map((path) => readFileSync(path, "utf8"));
    assert.deepEqual(texts, ["7\n", "3\n", "7\n"]);
    assert.match(of("log")[0]?.message ?? "", /no\/such could not be written \(ENOENT\)/);
  });

  test("is watched no more when nobody names it", async () => {
    const { machine, configure } = await begin(file());
    await configure(file({ weight: 9 }));
    assert.ok(machine.watched("/f"));
    await configure();
    assert.ok(!machine.watched("/f"));
  });
});

describe("a vrrp_track_process", () => {
  test("is up while as many run as there should", async () => {
    const { machine, verdict, check } = await begin(running({ quorum: 2, quorumMax: 3 }));
    const seen: unknown[] = [verdict("process p")];
    for (const pid of [1, 2, 3, 4]) {
      machine.begin(pid, "nginx");
      machine.begin(100 + pid, "other");
      await settle();
      seen.push(verdict("process p"));
    }
    assert.deepEqual(seen, ["down", "down", "up", "up", "down"]);
    assert.equal(check("process p").reason, "4 run");
    machine.end(4);
    machine.begin(3, "another program");
    await settle();
    assert.equal(verdict("process p"), "up");
    machine.lose(1);
    await settle();
    assert.equal(verdict("process p"), "down", "an end that nobody saw");
  });

  test("hides what is over before its delay", async () => {
    const delays = { terminateDelay: seconds(2), forkDelay: seconds(1) };
    const { machine, verdict } = await begin(running(delays));
    machine.begin(1, "nginx");
    await machine.time.advance(999);
    assert.equal(verdict("process p"), "down");
    await machine.time.advance(1);
    assert.equal(verdict("process p"), "up");
    machine.end(1);
    await machine.time.advance(1_999);
    machine.begin(2, "nginx");
    await machine.time.advance(5_000);
    assert.equal(verdict("process p"), "up");
    machine.end(2);
    await machine.time.advance(2_000);
    assert.equal(verdict("process p"), "down");
  });
});
