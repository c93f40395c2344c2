import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { OutboxFile } from "../../../agent/runtime/notifications/outbox-file.ts";
import { readOutbox } from "../../../agent/runtime/notifications/outbox-records.ts";
import { notice } from "./rig.ts";

const base = mkdtempSync(join(tmpdir(), `hf-${process.pid}-outbox-file-`));
after(() => rmSync(base, { recursive: true }));
let folders = 0;

function folder(log?: string | Uint8Array): string {
  folders += 1;
  const path = join(base, String(folders));
  mkdirSync(path, { mode: 0o700 });
  if (log !== undefined) writeFileSync(join(path, "log"), log, { mode: 0o600 });
  return path;
}

const read = (path: string) => readOutbox(path, join(path, "log"));

type Step =
  | { readonly kind: "put" }
  | { readonly kind: "done"; readonly pick: number }
  | { readonly kind: "died"; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: "put" } as const) },
  fc.record({ kind: fc.constant("done" as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant("died" as const), pick: fc.nat() }),
);

/** Ids that wait, and that were given up. */
interface Model {
  readonly live: readonly number[];
  readonly dead: readonly number[];
}

/** Does the steps; answers what is in the file after each line of it. */
function play(file: OutboxFile, steps: readonly Step[]): readonly Model[] {
  let model: Model = { live: [], dead: [] };
  let last = 0;
  const models = [model];
  for (const one of steps) {
    const { live, dead } = model;
    if (one.kind === "put") {
      last += 1;
      file.put({ id: last, notice: notice(`ü ${last}`) });
      model = { live: [...live, last], dead };
    } else {
      const id = live[one.pick % Math.max(1, live.length)];
      if (id === undefined) continue;
      const others = live.filter((each) => each !== id);
      if (one.kind === "done") file.done([id]);
      else file.died({ id, notice: notice(`ü ${id}`), reason: "refused", diedAt: 1 });
      model = { live: others, dead: one.kind === "died" ? [...dead, id] : dead };
    }
    models.push(model);
  }
  return models;
}

const ids = (entries: readonly { readonly id: number }[]): readonly number[] =>
  entries.map(({ id }) => id);

describe("the file of the outbox", { timeout: 20_000 }, () => {
  test("cut off anywhere, it holds what was in it a moment before, and goes on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (steps, where) => {
          const whole = folder();
          const { file } = OutboxFile.open(whole, assert.fail);
          const models = play(file, steps);
          await file.close();
          const bytes = models.length > 1 ? readFileSync(join(whole, "log")) : Buffer.alloc(0);
          const kept = bytes.subarray(0, Math.floor(bytes.length * where));
          const torn = folder(kept);
          const lines = kept
            .toString()
            .split("\n")
            .filter((line) => line !== "");
          const found = read(torn);
          const complete = lines.length - found.spoilt;
          assert.ok(found.spoilt <= 1);
          const expected = models[complete];
          assert.deepEqual([ids(found.entries), ids(found.dead)], [expected?.live, expected?.dead]);
          // What is added now is not lost with the half line before it.
          const again = OutboxFile.open(torn, () => undefined).file;
          again.put({ id: 1_000, notice: notice("after") });
          await again.close();
          assert.deepEqual(ids(read(torn).entries), [...(expected?.live ?? []), 1_000]);
          assert.equal(read(torn).spoilt, 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("whatever is in it, it is read, and written to", async () => {
    const line = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .tuple(fc.constantFrom("put", "dead", "done"), fc.jsonValue(), fc.jsonValue())
        .map((parts) => JSON.stringify(parts)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const path = folder(lines.join("\n"));
        const { file } = OutboxFile.open(path, () => undefined);
        file.put({ id: 7, notice: notice("well") });
        await file.close();
        const { entries, spoilt, problem } = read(path);
        assert.deepEqual([ids(entries), spoilt, problem], [[7], 0, undefined]);
      }),
      { numRuns: 60 },
    );
  });
});
