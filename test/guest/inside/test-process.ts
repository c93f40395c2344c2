import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { GuestResult } from "../guest-result.ts";
import { sourceName } from "./source-name.ts";

/** Of one file on a crowded machine. */
const LIMIT_MS = 420_000;
/** Until what is killed is gone. */
const DYING_MS = 10_000;
/** Of what a file said before its end that is no test's. */
const LAST_LINES = 40;

/**
 * What libuv says when epoll_pwait fails with anything but EINTR, which no kernel should have it do. In this guest
 * it was seen twice, on a host that was very busy; which error it is is not known. A rain of signals, memory that
 * runs out, and descriptors that are closed twice do not provoke it. Nor is there a setting against it: the ring
 * by which libuv 1.51 tells epoll of its descriptors is made whatever UV_USE_IO_URING says. So `epoll-witness.c`
 * says which error it was, on which kind of descriptor, and whether it is the same when asked again.
 */
const LIBUV_ABORTED = /uv__io_poll: Assertion `errno == EINTR' failed/;
const WITNESS = /^epoll_pwait\(.*$/m;
/** Only this process is to have the witness, and none that it starts. */
const ALONE = "data:text/javascript,delete process.env.LD_PRELOAD".replaceAll(" ", "%20");

/** What a process ended with; `undefined`: it has not, though it was killed. */
type Ending = readonly [status: number | null, signal: string | null] | undefined;

interface Outcome {
  readonly ending: Ending;
  readonly results: readonly GuestResult[];
  /** On stdout and stderr. */
  readonly said: string;
}

/**
 * Runs a file's tests in a process of its own, and answers what became of each. An end that they do not explain
 * is a failure by the name of the file; after the one that the kernel alone is to blame for, it is run once more,
 * and says so.
 */
export async function runFile(file: string): Promise<readonly GuestResult[]> {
  const first = await runOnce(file);
  if (first.ending?.[1] !== "SIGABRT" || !LIBUV_ABORTED.test(first.said)) {
    return explained(file, first);
  }
  const [one, ...others] = explained(file, await runOnce(file));
  const why = WITNESS.exec(first.said)?.[0] ?? "epoll_pwait failed, nobody knows how";
  const remark = `${sourceName(file)} was run AGAIN: its process was aborted by libuv, as ${why}`;
  return one === undefined ? others : [{ ...one, remark }, ...others];
}

function explained(file: string, { ending, results, said }: Outcome): readonly GuestResult[] {
  const [status, signal] = ending ?? [null, "nothing"];
  const failed = results.some(({ failure }) => failure !== undefined);
  if (results.length > 0 && (status === 0 || (status === 1 && failed))) return results;
  const last = said.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const failure = `its process ended with ${signal ?? status} after ${results.length} tests; it said last:\n${last}`;
  return [...results, { title: sourceName(file), skipped: undefined, failure }];
}

/**
 * What the process and its children say goes into a file, as whoever is left would hold a pipe open for ever.
 * When it has ended, they are killed.
 */
async function runOnce(file: string): Promise<Outcome> {
  const folder = mkdtempSync("/run/test-file-");
  const group = new ControlGroup(basename(folder));
  const [results, log] = [join(folder, "results"), join(folder, "log")];
  writeFileSync(results, "");
  const ending = await run(file, group, results, log);
  await group.dispose();
  const said = readFileSync(log, "utf8");
  process.stderr.write(said);
  // Of a process that was killed the last line may be half of one.
  const lines = readFileSync(results, "utf8").split("\n").slice(0, -1);
  rmSync(folder, { recursive: true });
  return { ending, said, results: lines.map((line): GuestResult => JSON.parse(line)) };
}

async function run(
  file: string,
  group: ControlGroup,
  results: string,
  log: string,
): Promise<Ending> {
  const reporter = join(file, "../reporter.mjs");
  const witness = join(file, "../epoll-witness.so");
  const said = openSync(log, "w");
  const child = spawn(
    "sh",
    [
      ...["-c", 'echo 0 >"$0" && exec "$@"', group.members],
      ...["env", `LD_PRELOAD=${witness}`, process.execPath, `--import=${ALONE}`],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${results}`, file],
    ],
    { stdio: ["ignore", said, said] },
  );
  closeSync(said);
  const late = setTimeout(() => group.kill(), LIMIT_MS);
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  const never = delay(LIMIT_MS + DYING_MS, undefined, { ref: false });
  const ending = await Promise.race([ended, never]);
  clearTimeout(late);
  child.unref();
  return ending;
}

/** All processes that come of one. */
class ControlGroup {
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = join("/sys/fs/cgroup", name);
    mkdirSync(this.#folder);
  }

  get members(): string {
    return join(this.#folder, "cgroup.procs");
  }

  kill(): void {
    writeFileSync(join(this.#folder, "cgroup.kill"), "1");
  }

  /** What is still there is killed. */
  async dispose(): Promise<void> {
    this.kill();
    const end = performance.now() + DYING_MS;
    while (this.#isPopulated() && performance.now() < end) await delay(20);
    if (!this.#isPopulated()) rmdirSync(this.#folder);
  }

  #isPopulated(): boolean {
    const events = readFileSync(join(this.#folder, "cgroup.events"), "utf8");
    return /^populated 1$/m.test(events);
  }
}
