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
const LIMIT_MS = 300_000;
/** Until what is killed is gone. */
const DYING_MS = 10_000;
/** Of what a file said before its end that is no test's. */
const LAST_LINES = 40;

/** What a process ended with; `undefined`: it has not, though it was killed. */
type Ending = readonly [status: number | null, signal: string | null] | undefined;

/**
 * Runs a file's tests in a process of its own, and answers what became of each. What the process and its
 * children say goes into a file, as whoever is left would hold a pipe open for ever; when it has ended, they
 * are killed. An end that its tests do not explain is a failure by the name of the file.
 */
export async function runFile(file: string): Promise<readonly GuestResult[]> {
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
  const found = lines.map((line): GuestResult => JSON.parse(line));
  rmSync(folder, { recursive: true });
  const explained = found.some(({ failure }) => failure !== undefined);
  const [status, signal] = ending ?? [null, "nothing"];
  if (found.length > 0 && (status === 0 || (status === 1 && explained))) return found;
  const last = said.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const failure = `its process ended with ${signal ?? status} after ${found.length} tests; it said last:\n${last}`;
  return [...found, { title: sourceName(file), skipped: undefined, failure }];
}

async function run(
  file: string,
  group: ControlGroup,
  results: string,
  log: string,
): Promise<Ending> {
  const reporter = join(file, "../reporter.mjs");
  const said = openSync(log, "w");
  const child = spawn(
    "sh",
    [
      ...["-c", 'echo 0 >"$0" && exec "$@"', group.members, process.execPath],
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
