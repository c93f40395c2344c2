import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { watchFile } from "../../agent/linux/file-watch.ts";

const root = fs.mkdtempSync(join(tmpdir(), "holdfast-watch-"));
const open = new Set<{ close(): void }>();
after(() => {
  for (const watch of open) watch.close();
  fs.rmSync(root, { recursive: true });
});

let folders = 0;
const folder = (): string => {
  const path = join(root, String(++folders));
  fs.mkdirSync(path);
  return path;
};

/** A watched file: what was told, and a wait for the next word that is `expected`. */
function watched(path: string): {
  told: (string | undefined)[];
  comes(expected: string | undefined): Promise<void>;
  close(): void;
} {
  const told: (string | undefined)[] = [];
  let wake = () => {};
  const watch = watchFile(path, (content) => {
    told.push(content);
    wake();
  });
  open.add(watch);
  const comes = async (expected: string | undefined) => {
    const deadline = performance.now() + 900;
    while (told.at(-1) !== expected || told.length === 0) {
      assert.ok(performance.now() < deadline, `told ${JSON.stringify(told)}, not ${expected}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  };
  return { told, comes, close: () => watch.close() };
}

describe("a watched file", () => {
  test("is told at once and at each change, whole", async () => {
    const path = join(folder(), "f");
    fs.writeFileSync(path, "1");
    const { told, comes } = watched(path);
    assert.deepEqual(told, ["1"]);
    for (const text of ["20", "3", "-40\n"]) {
      spawnSync("/bin/sh", ["-c", `printf %s '${text}' > ${path}`]);
      await comes(text);
    }
    // Never the moment in which it was empty.
    assert.deepEqual(told, ["1", "20", "3", "-40\n"]);
    fs.writeFileSync(path, "");
    await comes("");
  });

  test("that appears, is replaced by another one, goes and comes back", async () => {
    const path = join(folder(), "f");
    const { told, comes } = watched(path);
    assert.deepEqual(told, [undefined]);
    fs.writeFileSync(path, "a");
    await comes("a");
    fs.writeFileSync(`${path}.new`, "b");
    fs.renameSync(`${path}.new`, path);
    await comes("b");
    fs.appendFileSync(path, "c");
    await comes("bc");
    fs.rmSync(path);
    await comes(undefined);
    fs.writeFileSync(path, "d");
    await comes("d");
  });

  test("in folders that are not there yet, go, and are swapped", async () => {
    const base = folder();
    const path = join(base, "x/y/f");
    const { comes } = watched(path);
    fs.mkdirSync(join(base, "x"));
    fs.mkdirSync(join(base, "x/y"));
    fs.writeFileSync(path, "1");
    await comes("1");
    fs.mkdirSync(join(base, "z/y"), { recursive: true });
    fs.writeFileSync(join(base, "z/y/f"), "2");
    fs.renameSync(join(base, "x"), join(base, "old"));
    fs.renameSync(join(base, "z"), join(base, "x"));
    await comes("2");
    fs.writeFileSync(path, "3");
    await comes("3");
    fs.rmSync(join(base, "x"), { recursive: true });
    await comes(undefined);
    fs.mkdirSync(join(base, "x/y"), { recursive: true });
    fs.writeFileSync(path, "4");
    await comes("4");
  });

  test("behind links that are turned", async () => {
    const base = folder();
    for (const version of ["v1", "v2"]) {
      fs.mkdirSync(join(base, version));
      fs.writeFileSync(join(base, version, "f"), version);
    }
    fs.symlinkSync("v1", join(base, "data"));
    fs.symlinkSync("data/f", join(base, "f"));
    const { comes } = watched(join(base, "f"));
    await comes("v1");
    fs.symlinkSync("v2", join(base, "data.new"));
    fs.renameSync(join(base, "data.new"), join(base, "data"));
    await comes("v2");
    fs.writeFileSync(join(base, "v2/f"), "deep");
    await comes("deep");
    fs.symlinkSync("f", join(base, "f.new"));
    fs.renameSync(join(base, "f.new"), join(base, "f"));
    await comes(undefined);
  });

  test("what is no file, or too long", async () => {
    const path = join(folder(), "f");
    fs.mkdirSync(path);
    const { told, comes } = watched(path);
    assert.deepEqual(told, [undefined]);
    fs.rmdirSync(path);
    spawnSync("mkfifo", [path]);
    fs.renameSync(path, `${path}.fifo`);
    fs.renameSync(`${path}.fifo`, path);
    fs.rmSync(path);
    fs.writeFileSync(path, "x".repeat(70_000));
    await comes("x".repeat(65_536));
  });

  test("a thousand saves end with the last one, and say nothing twice", async () => {
    const path = join(folder(), "f");
    const { told, comes } = watched(path);
    for (let save = 1; save <= 1_000; save++) {
      fs.writeFileSync(`${path}.new`, String(save));
      fs.renameSync(`${path}.new`, path);
      if (save % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await comes("1000");
    assert.equal(new Set(told).size, told.length);
    fs.utimesSync(path, 1, 1);
    fs.writeFileSync(path, "end");
    await comes("end");
    assert.equal(new Set(told).size, told.length);
  });

  test("that is not watched any more is not told of", async () => {
    const path = join(folder(), "f");
    const first = watched(path);
    const second = watched(path);
    first.close();
    first.close();
    fs.writeFileSync(path, "1");
    await second.comes("1");
    assert.deepEqual(first.told, [undefined]);
  });
});
