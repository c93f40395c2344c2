import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openFifo } from "../../plugins/fifo/fifo.ts";

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-fifo-`));
after(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
const open = (name: string) => openFifo({ path: path(name), owner: undefined });

function read(name: string): string {
  const fd = openSync(path(name), constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(1 << 20);
  try {
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

describe("a FIFO", () => {
  test("is made for its owner alone, and takes lines without a reader", () => {
    const fifo = open("new");
    assert.equal(statSync(path("new")).mode & 0o777, 0o600);
    assert.ok(fifo.write('INSTANCE "VI_1" MASTER 100'));
    assert.ok(fifo.write("second"));
    assert.equal(read("new"), 'INSTANCE "VI_1" MASTER 100\nsecond\n');
    fifo.close();
    fifo.close();
    assert.equal(fifo.write("late"), false);
  });

  test("that is there stays as it is", () => {
    execFileSync("mkfifo", [path("there")]);
    chmodSync(path("there"), 0o640);
    open("there").close();
    assert.equal(statSync(path("there")).mode & 0o777, 0o640);
  });

  test("that is full says so, blocks nobody, and never takes half a line", () => {
    const fifo = open("full");
    const line = "x".repeat(999);
    let taken = 0;
    while (fifo.write(line)) taken += 1;
    assert.ok(taken >= 60, `${taken} lines`);
    assert.equal(read("full"), `${line}\n`.repeat(taken));
    assert.ok(fifo.write(line));
    fifo.close();
  });

  test("anything else in its place is left alone", () => {
    writeFileSync(path("file"), "precious");
    symlinkSync(path("file"), path("link"));
    assert.throws(() => open("file"), /file is there and is no FIFO/);
    assert.throws(() => open("link"), /link is there and is no FIFO/);
    assert.throws(() => open("no/such/folder"), /mkfifo/);
    assert.throws(() => open("new").write("x".repeat(5_000)), /too long/);
  });
});
