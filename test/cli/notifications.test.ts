import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import type {
  DirectorCommand,
  LetterIds,
  NotificationsReport,
} from "../../agent/control/protocol.ts";
import type { ControlServer } from "../../agent/control/server.ts";
import { serveControl } from "../../agent/control/server.ts";
import type { ControlTarget } from "../../agent/control/target.ts";
import { Recorder, RecordingHost } from "./recorder.ts";

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

const report = (ids: readonly number[]): NotificationsReport => ({
  targets: [
    {
      target: "mail to ops@example.org",
      queued: 1,
      delivered: 3,
      dead: ids.length,
      lastError: { at: AT, reason: "550 no\u001b[31m such user" },
      nextTryAt: null,
    },
  ],
  dead: ids.map((id) => ({
    id,
    target: "mail to ops@example.org",
    source: "keepalived.conf",
    title: `title ${id}`,
    at: AT,
    reason: "550 no such user",
    diedAt: AT,
  })),
  dropped: 0,
});

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-cli-`));
const path = join(folder, "control.sock");
const asked: (readonly [DirectorCommand, LetterIds])[] = [];
let left = report([7, 9]);
let server: ControlServer;

const notHere = (): never => {
  throw new TypeError("nobody asks for this here");
};

const target: ControlTarget = {
  status: notHere,
  reload: notHere,
  journal: notHere,
  events: { recent: () => [], subscribe: notHere },
  director: (command, ids) => {
    asked.push([command, ids]);
    if (typeof ids !== "string" && ids.includes(8))
      throw new Error("nothing with the ID 8 was given up");
    return Promise.resolve(left);
  },
};

before(async () => {
  server = await serveControl({ path, target, log: () => undefined });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function run(...words: readonly string[]) {
  asked.length = 0;
  const terminal = new Recorder();
  const line = ["notifications", ...words, "--control", path];
  const status = await runCli("holdfast", line, new RecordingHost(), terminal);
  return { status, ...terminal };
}

describe("holdfast notifications", { timeout: 20_000 }, () => {
  test("shows what was given up, with its ID, and says so by its status", async () => {
    const { status, written } = await run();
    assert.equal(status, 1);
    assert.match(written, /^9 +\S.* mail to ops@example\.org +title 9 +550 no such user$/m);
    assert.match(written, /holdfast notifications retry \[ID…\], or discard ID…/);
    assert.ok(!written.includes("\u001b"), "what a server said moves no cursor");
    assert.deepEqual(asked, [["notifications", "all"]]);
  });

  test("retries and discards these, or all", async () => {
    left = report([]);
    assert.equal((await run("retry")).status, 0);
    assert.deepEqual(asked, [["retry-notifications", "all"]]);
    await run("retry", "9", "7");
    assert.deepEqual(asked, [["retry-notifications", [9, 7]]]);
    await run("discard", "7");
    assert.deepEqual(asked, [["discard-notifications", [7]]]);
    await run("discard", "all");
    assert.deepEqual(asked, [["discard-notifications", "all"]]);
  });

  test("refuses what is no ID, and forgets nothing that was not named", async () => {
    for (const words of [["discard"], ["discard", "x"], ["retry", "-1"], ["forget", "7"]]) {
      assert.equal((await run(...words)).status, 2, words.join(" "));
      assert.deepEqual(asked, []);
    }
    const { status, complained } = await run("discard", "8");
    assert.equal(status, 1);
    assert.match(complained, /nothing with the ID 8 was given up/);
  });

  test("prints JSON", async () => {
    left = report([7]);
    const { written } = await run("--json");
    assert.deepEqual(JSON.parse(written), left);
  });
});
