import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createNamespace } from "../../agent/linux/namespace.ts";
import { openPidfdTable } from "../../agent/linux/pidfd-table.ts";
import { openConnectorTable, openProcessTable } from "../../agent/linux/process-table.ts";
import type { ProcessEvent, ProcessTable } from "../../agent/ports/watches.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-processes-"));
after(() => rmSync(directory, { recursive: true }));

let programs = 0;
/** A copy of `sleep` with a name that nobody else has. */
function ownSleep(): { path: string; comm: string } {
  const comm = `hf${process.pid}s${++programs}`;
  const path = join(directory, comm);
  copyFileSync("/bin/sleep", path);
  return { path, comm };
}

const countOf = (table: ProcessTable, comm: string): number =>
  [...table.running()].filter((process) => process.comm === comm).length;

/** Resolves at the first event after which it is so; `withinMs` is a failure, not a wait. */
function until(table: ProcessTable, condition: () => boolean, withinMs = 10_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("it was not told in time")), withinMs);
    const look = () => {
      if (!condition()) return;
      clearTimeout(late);
      unsubscribe();
      resolve();
    };
    const unsubscribe = table.subscribe(look);
    look();
  });
}

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});
const start = (path: string, ...args: readonly string[]): ChildProcess => {
  const child = spawn(path, args, { stdio: "ignore" });
  children.push(child);
  return child;
};

const SOURCES: Readonly<Record<string, () => ProcessTable | string>> = {
  connector: () => openConnectorTable(),
  pidfd: openPidfdTable,
};

for (const [source, open] of Object.entries(SOURCES)) {
  const opened = open();
  const refused = typeof opened === "string" ? `the kernel refuses it here (${opened})` : false;
  describe(`processes by ${source}`, { skip: refused }, () => {
    const table = typeof opened === "string" ? openPidfdTable() : opened;
    after(() => table.close());

    test("those that ran before are known, with their arguments", () => {
      assert.equal(table.source, source);
      const self = [...table.running()].find(({ pid }) => pid === process.pid);
      assert.ok(self !== undefined);
      assert.equal(
        self.commandLine[0],
        process.execPath.endsWith("node") ? self.commandLine[0] : "",
      );
      assert.ok(self.commandLine.length > 1);
      const kernel = [...table.running()].find(({ comm }) => comm === "kthreadd");
      if (kernel !== undefined) assert.deepEqual(kernel.commandLine, []);
    });

    test("a start and an end are told, the end at once", async () => {
      const times: number[] = [];
      const all = [1, 2, 3].map(() => {
        const { path, comm } = ownSleep();
        return { path, comm, child: start(path, "100") };
      });
      for (const { path, comm, child } of all) {
        await until(table, () => countOf(table, comm) === 1);
        const [found] = [...table.running()].filter((process) => process.comm === comm);
        assert.deepEqual(found?.commandLine, [path, "100"]);
        const begun = performance.now();
        child.kill("SIGKILL");
        await until(table, () => countOf(table, comm) === 0);
        times.push(performance.now() - begun);
      }
      // A busy machine may be late with one.
      assert.ok((times.sort((a, b) => a - b)[1] ?? 0) < 500, `told late: ${times} ms`);
    });

    test("a program that becomes another one", async () => {
      const { path, comm } = ownSleep();
      const child = start("/bin/sh", "-c", `sleep 0.05; exec ${path} 100`);
      await until(table, () => countOf(table, comm) === 1);
      child.kill("SIGKILL");
      await until(table, () => countOf(table, comm) === 0);
    });

    test("a process that names itself", async () => {
      const name = `hf${process.pid}n${source}`.slice(0, 15);
      const child = start("/bin/sh", "-c", `printf ${name} > /proc/$$/comm; sleep 100; true`);
      await until(table, () => countOf(table, name) === 1);
      const shell = [...table.running()].find(({ comm }) => comm === name);
      assert.equal(shell?.pid, child.pid);
      child.kill("SIGKILL");
      await until(table, () => countOf(table, name) === 0);
      spawnSync("pkill", ["-KILL", "-P", String(child.pid)]);
    });

    test("threads do not count, children do", async () => {
      const name = `hf${process.pid}t${source}`.slice(0, 15);
      const { path, comm } = ownSleep();
      const child = start(
        process.execPath,
        "-e",
        `require("fs").writeFileSync("/proc/self/comm", "${name}");
         require("child_process").spawn("${path}", ["100"], { stdio: "ignore" });
         setInterval(() => {}, 1000)`,
      );
      await until(table, () => countOf(table, name) === 1);
      await until(table, () => countOf(table, comm) === 1);
      assert.equal(countOf(table, name), 1);
      const sleeper = [...table.running()].find((process) => process.comm === comm);
      child.kill("SIGKILL");
      await until(table, () => countOf(table, name) === 0);
      if (sleeper !== undefined) process.kill(sleeper.pid, "SIGKILL");
    });

    test("a zombie has ended", async () => {
      const { path, comm } = ownSleep();
      // The shell becomes a program that never asks for its child.
      const child = start("/bin/sh", "-c", `${path} 1.2 & exec sleep 100`);
      await until(table, () => countOf(table, comm) === 1);
      await until(table, () => countOf(table, comm) === 0);
      child.kill("SIGKILL");
    });

    test("counts are right after a storm", async () => {
      const { path, comm } = ownSleep();
      spawnSync("/bin/sh", [
        "-c",
        `for i in $(seq 300); do /bin/true; done; for i in $(seq 40); do ${path} 0.01 & done; wait`,
      ]);
      const last = start(path, "100");
      await until(table, () => countOf(table, comm) === 1);
      last.kill("SIGKILL");
      await until(table, () => countOf(table, comm) === 0);
    });

    test("a listener that unsubscribed hears nothing, nor does any after close", async () => {
      const other = open();
      assert.ok(typeof other === "object");
      const heard: ProcessEvent[] = [];
      const deaf = other.subscribe((event) => heard.push(event));
      deaf();
      const { path, comm } = ownSleep();
      const child = start(path, "100");
      await until(other, () => countOf(other, comm) === 1);
      assert.deepEqual(heard, []);
      other.close();
      other.close();
      child.kill("SIGKILL");
      await until(table, () => countOf(table, comm) === 0);
      assert.equal(countOf(other, comm), 1);
    });
  });
}

describe("which source", () => {
  test("is found from within another network namespace", () => {
    const direct = openConnectorTable();
    const namespace = createNamespace();
    try {
      const table = namespace.run(openProcessTable);
      // Only a process that may look at the first one gets back into its namespace.
      assert.ok(
        table.source === "connector" ? typeof direct === "object" : table.source === "pidfd",
      );
      table.close();
    } finally {
      namespace.close();
      if (typeof direct === "object") direct.close();
    }
  });

  test("events that are lost lead to a new reading", async (context) => {
    const table = openConnectorTable(16_384);
    if (typeof table === "string") return context.skip(`the kernel refuses it here (${table})`);
    const events = new Set<string>();
    table.subscribe(({ kind }) => events.add(kind));
    const { path, comm } = ownSleep();
    // The loop stands still meanwhile, so that the queue of the socket runs over.
    spawnSync("/bin/sh", ["-c", `for i in $(seq 200); do ( : ) ; done; ${path} 100 &`], {
      stdio: "ignore",
    });
    await until(table, () => countOf(table, comm) === 1);
    assert.ok(events.has("resynchronized"));
    for (const process of table.running())
      if (process.comm === comm) globalThis.process.kill(process.pid, "SIGKILL");
    await until(table, () => countOf(table, comm) === 0);
    table.close();
  });
});
