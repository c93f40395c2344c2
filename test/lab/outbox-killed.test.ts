import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { listening } from "../plugins/servers.ts";

/* The outbox of a process that is killed again and again, and a receiver that keeps count. */

const CHILD = join(import.meta.dirname, "outbox-child.ts");
const KILLS = 12;
const EACH = 15;

/** Some of the first come to nothing: their notices have to be tried again. */
const FAILURES = 3;
/** One for each target. */
const MOST_UNDER_WAY = 9;

test("killed at any moment, it loses nothing, keeps the order, and repeats what was under way", {
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-outbox-`));
  const received: { target: string; number: number }[] = [];
  let requests = 0;
  const server = await listening(
    createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      request.on("end", () => {
        requests += 1;
        if (requests <= FAILURES) {
          response.writeHead(503).end();
          return;
        }
        received.push({ target: request.url ?? "", number: Number(body) });
        // So that some are killed between what was sent and its answer.
        setTimeout(() => response.end(), requests % 5);
      });
    }),
  );
  /** Numbers that a process said to be on the disk. */
  const kept: number[] = [];
  const run = async (first: number, count: number, killAfter: number | undefined) => {
    const child = spawn(
      process.execPath,
      [CHILD, directory, `http://127.0.0.1:${server.port}/`, String(first), String(count)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const last = text.split("\n").length - 1;
      if (killAfter !== undefined && last >= killAfter) child.kill("SIGKILL");
    });
    const [status, signal] = (await once(child, "close")) as [number | null, string | null];
    const lines = text.split("\n").slice(0, -1);
    kept.push(...lines.filter((line) => line !== "empty").map(Number));
    return { status, signal, empty: lines.includes("empty") };
  };
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { signal } = await run(kill * EACH, EACH, 1 + ((kill * 7) % EACH));
      assert.equal(signal, "SIGKILL");
    }
    assert.ok((await run(KILLS * EACH, 0, undefined)).empty);
    const numbers = received.map(({ number }) => number);
    assert.deepEqual(
      kept.filter((number) => !numbers.includes(number)),
      [],
      "lost",
    );
    for (const target of new Set(received.map((one) => one.target))) {
      const came = received.filter((one) => one.target === target).map(({ number }) => number);
      // Whatever comes twice comes twice in a row.
      assert.deepEqual(
        came,
        [...came].sort((one, other) => one - other),
        target,
      );
    }
    const repeated = numbers.length - new Set(numbers).size;
    assert.ok(repeated <= KILLS * MOST_UNDER_WAY, `${repeated} of ${numbers.length}`);
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
