import assert from "node:assert/strict";
import { appendFileSync, chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { notice, Rig } from "./rig.ts";

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

const file = (): string => join(rig.folder, "outbox/log");
const failure = { kind: "failed", reason: "connection refused" } as const;

describe("the outbox", () => {
  test("delivers, and counts", async () => {
    rig.part.configure(rig.settings());
    rig.part.notify(notice("a"));
    assert.deepEqual(rig.texts, [], "who tells something waits for nothing");
    await rig.rest();
    assert.deepEqual(rig.texts, ["a"]);
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 1, dead: 0 });
  });

  test("what waits survives a killed director, in order, and what was delivered does not come again", async () => {
    rig.part.configure(rig.settings());
    rig.part.notify(notice("delivered"));
    await rig.rest();
    rig.outcomes.push(failure);
    for (const text of ["a", "b", "c"]) rig.part.notify(notice(text, { target: TEAM }));
    await rig.rest();
    rig.sent.length = 0;
    rig.start().configure(rig.settings());
    await rig.rest();
    assert.deepEqual(rig.texts, ["a", "b", "c"]);
  });

  test("one that was held back is told after a restart too", async () => {
    rig.part.configure(rig.settings());
    for (const text of ["a", "b"]) rig.part.notify(notice(text, { key: "k", throttleMs: 60_000 }));
    await rig.rest();
    assert.deepEqual(rig.texts, ["a"]);
    rig.start().configure(rig.settings());
    await rig.rest();
    assert.deepEqual(rig.texts, ["a", "b"]);
  });

  test("a torn tail and spoilt lines cost only themselves, and are said", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push(failure);
    rig.part.notify(notice("whole"));
    await rig.rest();
    appendFileSync(
      file(),
      'not JSON\n{"put":1}\n["put",2,{"target":{"kind":"pigeon"}}]\n["put",9,{"targ',
    );
    rig.sent.length = 0;
    rig.start().configure(rig.settings());
    await rig.rest();
    assert.deepEqual(rig.texts, ["whole"]);
    assert.ok(
      rig.log.some((line) => line.includes("4 lines")),
      rig.log.join("\n"),
    );
  });

  test("a file that others may write is not believed", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push(failure);
    rig.part.notify(notice("a"));
    await rig.rest();
    chmodSync(file(), 0o666);
    rig.sent.length = 0;
    rig.start().configure(rig.settings());
    await rig.rest();
    assert.deepEqual(rig.texts, []);
    assert.ok(rig.log.some((line) => line.includes("not ours alone")));
  });

  test("only its owner reads it, and secrets stay references", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push(failure);
    const url = `https://hooks.example.org/\${secret:slack}`;
    rig.part.notify(notice("a", { target: { kind: "webhook", preset: "slack", url } }));
    await rig.rest();
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.equal(statSync(join(rig.folder, "outbox")).mode & 0o777, 0o700);
    assert.ok(readFileSync(file(), "utf8").includes(`\${secret:slack}`));
  });

  test("the file does not grow for ever", async () => {
    rig.part.configure(rig.settings());
    for (let at = 0; at < 4; at += 1) {
      for (let one = 0; one < 1_000; one += 1) rig.part.notify(notice(`n${at}.${one}`));
      await rig.rest();
    }
    assert.equal(rig.part.status().notifications.delivered, 4_000);
    const lines = readFileSync(file(), "utf8").split("\n").length;
    assert.ok(lines < 3_000, `${lines} lines`);
  });

  test("a disk that cannot be written is said once, and delivery goes on", async () => {
    writeFileSync(join(rig.folder, "outbox"), "in the way");
    rig.part.configure(rig.settings());
    rig.part.notify(notice("a"));
    await rig.rest();
    rig.part.notify(notice("b"));
    await rig.rest();
    assert.deepEqual(rig.texts, ["a", "b"]);
    assert.equal(rig.log.filter((line) => line.includes("not on disk")).length, 1);
  });

  test("ten thousand are kept: the oldest that only inform go first", () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push("never");
    const critical = { severity: "critical", target: MAIL } as const;
    rig.part.notify(notice("under way", critical));
    rig.part.notify(notice("important", critical));
    for (let at = 0; at < 10_000; at += 1) rig.part.notify(notice(`n${at}`, { target: MAIL }));
    assert.equal(rig.part.status().notifications.queued, 10_000);
    assert.equal(rig.part.commands.notifications().dropped, 2);
    assert.ok(rig.log.some((line) => line.includes("the outbox is full")));
  });
});

const MAIL = { kind: "mail", to: ["ops@example.org"], from: undefined } as const;
const TEAM = { kind: "webhook", preset: "pagerduty", url: "https://example.org/" } as const;

describe("failures", () => {
  test("are said once, then tried again until they are over", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push(failure, failure, failure);
    rig.part.notify(notice("a"));
    await rig.time.advance(10_000);
    assert.deepEqual(rig.texts, ["a", "a", "a", "a"]);
    assert.deepEqual(
      rig.events.map(({ subject, message }) => `${subject}: ${message}`),
      [
        "syslog: not delivered, and tried again: connection refused",
        "syslog: notifications are delivered again",
      ],
    );
    assert.equal(rig.part.commands.notifications().targets[0]?.lastError, null);
  });

  test("a try that hangs is ended after a minute", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push("never");
    rig.part.notify(notice("a"));
    await rig.time.advance(62_000);
    assert.deepEqual(rig.texts, ["a", "a"]);
  });

  test("what is refused is kept as dead, over a restart, until somebody retries it", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push({ kind: "refused", reason: "HTTP 404" });
    rig.part.notify(notice("a", { target: TEAM, title: "disk" }));
    await rig.rest();
    rig.start().configure(rig.settings());
    await rig.rest();
    const [dead] = rig.part.commands.notifications().dead;
    assert.deepEqual(
      [dead?.target, dead?.title, dead?.reason],
      ["pagerduty at example.org", "disk", "HTTP 404"],
    );
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 0, dead: 1 });
    rig.part.commands["retry-notifications"]("all");
    await rig.rest();
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 1, dead: 0 });
    rig.start().configure(rig.settings());
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 0, dead: 0 });
  });

  test("of those that were given up, one is retried, one forgotten, one stays", async () => {
    rig.part.configure(rig.settings());
    const texts = ["a", "b", "c"];
    for (const _ of texts) rig.outcomes.push({ kind: "refused", reason: "HTTP 404" });
    for (const text of texts) rig.part.notify(notice(text, { target: TEAM }));
    await rig.rest();
    const dead = () => rig.part.commands.notifications().dead;
    const [a = 0, b = 0, c = 0] = dead().map(({ id }) => id);
    rig.sent.length = 0;
    rig.part.commands["retry-notifications"]([b]);
    rig.part.commands["discard-notifications"]([a]);
    await rig.rest();
    assert.deepEqual(rig.texts, ["b"]);
    assert.throws(() => rig.part.commands["discard-notifications"]([c, a]), /ID 1 was given up/);
    assert.deepEqual(
      dead().map(({ id, title }) => [id, title]),
      [[c, "c"]],
    );
    rig.start().configure(rig.settings());
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 0, dead: 1 });
  });

  test("after a day it is given up", async () => {
    rig.part.configure(rig.settings());
    for (let at = 0; at < 1_000; at += 1) rig.outcomes.push(failure);
    rig.part.notify(notice("a"));
    await rig.time.advance(25 * 3_600_000);
    assert.deepEqual(rig.part.status().notifications, { queued: 0, delivered: 0, dead: 1 });
    assert.match(rig.events.at(-1)?.message ?? "", /given up: connection refused/);
  });

  test("other settings are tried at once", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push(failure);
    rig.part.notify(notice("a"));
    await rig.rest();
    rig.part.configure(rig.settings({ routerId: "other" }));
    await rig.rest();
    assert.deepEqual(rig.texts, ["a", "a"]);
    assert.equal(rig.opened, 2);
  });

  test("one target that fails keeps no other waiting", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push("never");
    rig.part.notify(notice("a", { target: TEAM }));
    rig.part.notify(notice("b", { target: MAIL }));
    await rig.rest();
    assert.equal(rig.part.status().notifications.delivered, 1);
  });
});

describe("at a stop", () => {
  test("what can be sent soon is, and what cannot is on disk", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push("never");
    rig.part.notify(notice("stuck", { target: TEAM }));
    rig.part.notify(notice("well", { target: MAIL }));
    const stopped = rig.part.stop();
    await rig.time.advance(2_100);
    await stopped;
    assert.equal(rig.part.status().notifications.delivered, 1);
    rig.sent.length = 0;
    rig.start().configure(rig.settings());
    await rig.rest();
    assert.deepEqual(rig.texts, ["stuck"]);
  });

  test("a second word is obeyed at once", async () => {
    rig.part.configure(rig.settings());
    rig.outcomes.push("never");
    rig.part.notify(notice("stuck"));
    const stopped = rig.part.stop();
    await rig.rest();
    await Promise.all([stopped, rig.part.stop()]);
  });
});
