import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runProgram } from "../../agent/linux/programs.ts";
import type { ProgramOutcome, ProgramRequest } from "../../agent/ports/programs.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-programs-"));
chmodSync(directory, 0o777);
after(() => rmSync(directory, { recursive: true }));

const run = (
  argv: readonly string[],
  more: Partial<ProgramRequest> = {},
  signal?: AbortSignal,
): Promise<ProgramOutcome> =>
  runProgram({ argv, runAs: undefined, timeoutMs: 5_000, ...more }, signal);
const shell = (text: string, more: Partial<ProgramRequest> = {}, signal?: AbortSignal) =>
  run(["/bin/sh", "-c", text], more, signal);

/** Processes that have `word` as an argument, zombies and all. */
const withArgument = (word: string): readonly string[] =>
  readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(word);
    } catch {
      return false;
    }
  });

/** After so long a shell has begun with what it is told, on a busy machine too. */
const BEGUN_MS = 500;
/** Until what ignores SIGTERM is killed: long enough to look at it before that. */
const GRACE_MS = 800;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, "it did not come to be so in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let marks = 0;
const mark = (): string => `31.${process.pid}${++marks}`;

describe("a program that ends", () => {
  test("its status and both outputs", async () => {
    const outcome = await shell("echo out; echo err >&2; exit 3");
    assert.deepEqual(
      { ...outcome, ms: 0 },
      { kind: "exited", status: 3, stdout: "out\n", stderr: "err\n", ms: 0 },
    );
    assert.ok(outcome.ms > 0 && outcome.ms < 5_000);
  });

  test("its signal", async () => {
    const outcome = await shell("kill -SEGV $$");
    assert.equal(outcome.kind === "signalled" && outcome.signal, "SIGSEGV");
  });

  test("no shell: arguments are what they are", async () => {
    const { stdout } = await run(["/bin/echo", "$HOME; rm -rf '*'", "a b"]);
    assert.equal(stdout, "$HOME; rm -rf '*' a b\n");
  });

  test("its input is written and closed, and may be left unread", async () => {
    assert.equal((await run(["/bin/cat"], { input: "grüße" })).stdout, "grüße");
    const unread = await run(["/bin/true"], { input: "x".repeat(1_000_000) });
    assert.equal(unread.kind, "exited");
  });

  test("of a flood the first 64 KiB are kept, and it is not held up", async () => {
    const { stdout, stderr, kind } = await shell(
      "head -c 5000000 /dev/zero; head -c 70000 /dev/zero >&2",
    );
    assert.deepEqual([kind, stdout.length, stderr.length], ["exited", 65_536, 65_536]);
    assert.equal((await shell("head -c 100 /dev/zero", { outputLimit: 7 })).stdout.length, 7);
  });

  test("what cannot be started says why", async () => {
    const notExecutable = join(directory, "plain");
    writeFileSync(notExecutable, "#!/bin/sh\n");
    const garbage = join(directory, "garbage");
    writeFileSync(garbage, "no program", { mode: 0o755 });
    const errno = async (argv: readonly string[]) => {
      const outcome = await run(argv);
      return outcome.kind === "not-started" ? outcome.errno : outcome.kind;
    };
    assert.equal(await errno(["/no/such/program"]), "ENOENT");
    assert.equal(await errno([notExecutable]), "EACCES");
    // As execvp(3) has it, a file of which the kernel knows no format is sh's.
    assert.equal(await errno([garbage]), "exited");
    assert.equal(await errno(["/bin/echo", "a\0b"]), "EINVAL");
    assert.equal(await errno([]), "EINVAL");
    assert.equal(await errno(["/bin/echo", "x".repeat(3_000_000)]), "E2BIG");
  });
});

describe("the conditions", () => {
  test("root folder, clean environment, no descriptor of ours, own session, nothing ignored", async () => {
    process.env["HOLDFAST_SECRET"] = "1";
    const { stdout } = await shell(
      "pwd; env | sort; ls /proc/self/fd; cat /proc/self/stat /proc/$$/status",
      {
        environment: { EXTRA: "yes" },
      },
    );
    assert.match(
      stdout,
      /^\/\n(?:_=.*\n)?EXTRA=yes\nLANG=C.UTF-8\nPATH=\/usr\/local\/sbin:[^\n]*\nPWD=\/\n(?:_=.*\n)?0\n1\n2\n3\n/,
    );
    const [, , group, session] = stdout.match(/\) R (\d+) (\d+) (\d+)/) ?? [];
    assert.equal(group, session);
    assert.notEqual(Number(group), process.pid);
    assert.match(stdout, /SigBlk:\t0+\nSigIgn:\t0+\n/);
  });

  test("limits, nice value, policy and killing score are usual ones under an unusual agent", () => {
    const module = JSON.stringify(new URL("../../agent/linux/programs.ts", import.meta.url).href);
    const script = `
      const { runProgram } = await import(${module});
      require("node:fs").writeFileSync("/proc/self/oom_score_adj", "500");
      const { stdout } = await runProgram({ argv: ["/bin/sh", "-c", "sleep 0.05; ulimit -n; ulimit -c; cat /proc/self/oom_score_adj /proc/self/stat"], runAs: undefined, timeoutMs: 5000 });
      const own = require("node:fs").readFileSync("/proc/thread-self/stat", "latin1").split(") ")[1].split(" ");
      console.log(JSON.stringify({ stdout, own: [own[16], own[38]] }));`;
    const through = (
      prefix: readonly string[],
    ): { lines: string[]; nice: string; policy: string; own: string[] } => {
      const [command = "", ...rest] = [
        ...prefix,
        process.execPath,
        "--input-type=commonjs",
        "-e",
        `(async () => {${script}})()`,
      ];
      const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8" });
      assert.equal(stderr, "");
      const told = JSON.parse(stdout) as { stdout: string; own: string[] };
      const fields = told.stdout.split(") ")[1]?.split(" ") ?? [];
      return {
        lines: told.stdout.split("\n").slice(0, 3),
        nice: fields[16] ?? "",
        policy: fields[38] ?? "",
        own: told.own,
      };
    };
    for (const nice of ["5", "-5"]) {
      const { own, ...got } = through(["nice", "-n", nice]);
      assert.deepEqual(got, { lines: ["1024", "0", "0"], nice: "0", policy: "0" });
      assert.deepEqual(own, [nice, "0"]);
    }
    const { own, ...got } = through(["chrt", "-f", "10"]);
    assert.deepEqual(got, { lines: ["1024", "0", "0"], nice: "0", policy: "0" });
    assert.equal(own[1], "1");
  });

  test("user and group are taken, and our own supplementary groups are lost", () => {
    const module = JSON.stringify(new URL("../../agent/linux/programs.ts", import.meta.url).href);
    const script = `(async () => {
      const { runProgram } = await import(${module});
      process.setgroups([4, 27]);
      const id = async (groups) => (await runProgram({ argv: ["/usr/bin/id"], runAs: { uid: 65534, gid: 65534, groups }, timeoutMs: 5000 })).stdout;
      const caps = await runProgram({ argv: ["/bin/grep", "Cap[PE]", "/proc/self/status"], runAs: { uid: 65534, gid: 65534, groups: [] }, timeoutMs: 5000 });
      console.log(JSON.stringify([await id([]), await id([65534]), await id([12, 20]), caps.stdout]));
    })()`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--input-type=commonjs", "-e", script],
      { encoding: "utf8" },
    );
    assert.equal(stderr, "");
    const [none, own, wanted, capabilities] = JSON.parse(stdout) as string[];
    assert.match(none ?? "", /^uid=65534\(\w+\) gid=65534\(\w+\) groups=65534\(\w+\)\n$/);
    assert.equal(own, none);
    assert.match(
      wanted ?? "",
      /^uid=65534\(\w+\) gid=65534\(\w+\) groups=65534\(\w+\),12\(\w+\),20\(\w+\)\n$/,
    );
    assert.match(capabilities ?? "", /^CapPrm:\t0+\nCapEff:\t0+\n$/);
    // Nothing of it sticks to this process.
    assert.equal(process.geteuid?.(), 0);
  });

  test("with groups too, what is not there is not there", async () => {
    const outcome = await run(["/no/such"], { runAs: { uid: 65534, gid: 65534, groups: [12] } });
    assert.equal(outcome.kind === "not-started" && outcome.errno, "ENOENT");
  });
});

describe("a program that does not end", () => {
  test("is answered for at once, and gone with its grandchildren that ignore SIGTERM", async () => {
    const time = mark();
    const outcome = await shell(
      `trap '' TERM; echo begun; sh -c "trap '' TERM; sleep ${time}; sleep ${time}" & sleep ${time}; sleep ${time}`,
      {
        timeoutMs: BEGUN_MS,
        killAfterMs: GRACE_MS,
      },
    );
    assert.equal(outcome.kind, "timed-out");
    assert.equal(outcome.stdout, "begun\n");
    assert.ok(outcome.ms >= BEGUN_MS - 5 && outcome.ms < BEGUN_MS + GRACE_MS, `${outcome.ms}`);
    await until(() => withArgument(time).length === 0);
  });

  test("may end in order within the grace", async () => {
    const file = join(directory, "trapped");
    const outcome = await shell(
      `trap 'echo bye > ${file}; exit 0' TERM; while :; do sleep 0.02; done`,
      { timeoutMs: BEGUN_MS },
    );
    assert.equal(outcome.kind, "timed-out");
    await until(() => existsSync(file) && readFileSync(file, "utf8") === "bye\n");
  });

  test("a grandchild that outlives the leader gets SIGKILL in the end", async () => {
    const time = mark();
    await shell(`(trap '' TERM; sleep ${time}; sleep ${time}) & sleep ${time}`, {
      timeoutMs: BEGUN_MS,
      killAfterMs: GRACE_MS,
    });
    assert.notEqual(withArgument(time).length, 0);
    await until(() => withArgument(time).length === 0);
  });

  test("an abort, before or while it runs", async () => {
    const time = mark();
    const before = await shell("exit 0", {}, AbortSignal.abort());
    assert.equal(before.kind, "aborted");
    const outcome = await shell(`sleep ${time}; true`, {}, AbortSignal.timeout(50));
    assert.equal(outcome.kind, "aborted");
    assert.ok(outcome.ms < 2_000, "it does not wait for what it kills");
    await until(() => withArgument(time).length === 0);
  });
});

describe("what is left behind", () => {
  test("is killed, and does not hold the answer up by holding the pipes", async () => {
    const time = mark();
    const outcome = await shell(`sleep ${time} & echo done`);
    assert.deepEqual([outcome.kind, outcome.stdout], ["exited", "done\n"]);
    await until(() => withArgument(time).length === 0);
    const escaped = mark();
    const free = await shell(`setsid sleep ${escaped} & sleep 0.1; echo done`);
    assert.deepEqual([free.kind, free.stdout], ["exited", "done\n"]);
    for (const pid of withArgument(escaped)) process.kill(Number(pid), "SIGKILL");
  });

  test("is kept where that is asked for", async () => {
    const time = mark();
    const outcome = await shell(`sleep ${time} & echo done`, { leftovers: "keep" });
    assert.deepEqual([outcome.kind, outcome.stdout], ["exited", ""]);
    const [left] = withArgument(time);
    assert.ok(left !== undefined);
    process.kill(Number(left), "SIGKILL");
  });

  test("no zombies after a hundred at once", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, n) => shell(`exit ${n % 5}`, { timeoutMs: 20_000 })),
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind === "exited" && outcome.status),
      outcomes.map((_, n) => n % 5),
    );
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
    assert.equal(children, "");
  });

  test("goes when the agent goes", async () => {
    const time = mark();
    const module = JSON.stringify(new URL("../../agent/linux/programs.ts", import.meta.url).href);
    const script = `import(${module}).then(({ runProgram }) => {
      runProgram({ argv: ["/bin/sleep", "${time}"], runAs: undefined, timeoutMs: 50000 });
      setTimeout(() => process.exit(7), 50);
    })`;
    assert.equal(spawnSync(process.execPath, ["--input-type=commonjs", "-e", script]).status, 7);
    // It was killed at the end; to be gone it needs a processor.
    await until(() => withArgument(time).length === 0);
  });
});
