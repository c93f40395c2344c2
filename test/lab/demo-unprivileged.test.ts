import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "./eventually.ts";

const ROOT = join(import.meta.dirname, "../..");
const NOBODY = 65_534;
/** Everything that the demo starts inherits this, however it is started. */
const MARK = "HOLDFAST_TEST_RUN";

let temporary = "";
before(() => {
  temporary = mkdtempSync(join(tmpdir(), `hf-${process.pid}-unprivileged-`));
});
after(() => rmSync(temporary, { recursive: true, force: true }));

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * `node agent/holdfast.mjs demo` for a user without any privilege. A checkout may lie where only
 * root may look: root shows it to that user in a mount namespace of its own.
 */
function command(): readonly [string, ...string[]] {
  if (process.getuid?.() !== 0) return [process.execPath, "agent/holdfast.mjs", "demo"];
  const inside = relative(ROOT, process.execPath);
  const node = inside.startsWith("..") ? process.execPath : `./${inside}`;
  const drop = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --no-new-privs`;
  const run = `exec ${drop} ${quoted(node)} agent/holdfast.mjs demo`;
  const show = `mount --bind ${quoted(ROOT)} /mnt && cd /mnt && ${run}`;
  return ["unshare", "--mount", "sh", "-c", show];
}

/** Processes with this mark. */
const survivors = (mark: string): readonly string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${MARK}=${mark}`);
    } catch {
      return false;
    }
  });

describe("the demo without a terminal and without privilege", () => {
  test("plays one failure of each kind, says what it measured, and leaves nothing", async () => {
    if (process.getuid?.() === 0) chownSync(temporary, NOBODY, NOBODY);
    const mark = `${process.pid}-${Date.now()}`;
    const [program, ...args] = command();
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { PATH: process.env["PATH"], HOME: temporary, TMPDIR: temporary, [MARK]: mark },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 0, said);
    for (const kind of ["stop", "kill", "pause", "cut"]) {
      assert.match(said, new RegExp(`^.*${kind}.*\\b\\d+ ms`, "m"), said);
    }
    // Without a process, and held by no file, a namespace is gone as well.
    await eventually("its processes are gone", 10_000, () => assert.deepEqual(survivors(mark), []));
    assert.deepEqual(readdirSync(temporary), []);
  });
});
