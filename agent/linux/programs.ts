import type { ChildProcess, SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { ProgramOutcome, ProgramRequest, RunProgram } from "../ports/programs.ts";
import { Capture } from "./capture.ts";
import { underUsualConditions } from "./child-conditions.ts";
import { ProcessGroup } from "./process-group.ts";

const DEFAULT_KILL_AFTER_MS = 2_000;
const DEFAULT_OUTPUT_LIMIT = 65_536;
/** For the last output of a program that has ended while others hold its pipes. */
const LAST_OUTPUT_MS = 50;
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};
/** Of util-linux. Node empties the supplementary groups and can set none. */
const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"];

/** What is said of an end, without the time and the output that every outcome has. */
type End<Outcome = ProgramOutcome> = Outcome extends ProgramOutcome
  ? Omit<Outcome, "ms" | "stdout" | "stderr">
  : never;
type Identity = NonNullable<ProgramRequest["runAs"]>;

/**
 * Runs programs in a session and process group of their own, in `/`, with the usual scheduling,
 * limits and signal dispositions. Umask, CPU affinity, namespaces and cgroup are those of this
 * process. A start holds the event loop up for about a millisecond. Main thread only.
 */
export const runProgram: RunProgram = (request, signal) =>
  new Promise((resolve) => {
    const run = new ProgramRun(request, (outcome) => {
      signal?.removeEventListener("abort", abort);
      resolve(outcome);
    });
    const abort = () => run.stop({ kind: "aborted" });
    signal?.addEventListener("abort", abort, { once: true });
    signal?.aborted === true ? abort() : run.start();
  });

class ProgramRun {
  readonly #request: ProgramRequest;
  readonly #startedAt = performance.now();
  #answer: ((outcome: ProgramOutcome) => void) | undefined;
  #group: ProcessGroup | undefined;
  #outputs: readonly Capture[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(request: ProgramRequest, answer: (outcome: ProgramOutcome) => void) {
    this.#request = request;
    this.#answer = answer;
  }

  start(): void {
    const { input, timeoutMs, leftovers, outputLimit = DEFAULT_OUTPUT_LIMIT } = this.#request;
    const child = startOrErrno(this.#request);
    if (typeof child === "string") {
      this.#settle({ kind: "not-started", errno: child });
      return;
    }
    child.on("error", (error) => {
      if (child.pid === undefined) this.#settle({ kind: "not-started", errno: errnoOf(error) });
    });
    if (child.pid === undefined) return;
    this.#group = new ProcessGroup(child.pid, { mortal: leftovers !== "keep" });
    this.#outputs = [child.stdout, child.stderr].map((stream) => new Capture(stream, outputLimit));
    this.#timer = setTimeout(() => this.stop({ kind: "timed-out" }), timeoutMs);
    // A program that does not read its input is no failure.
    child.stdin?.on("error", () => undefined).end(input);
    child.on("exit", (status, signal) => {
      const end = signal === null ? { kind: "exited" as const, status: status ?? 0 } : undefined;
      this.#ended(child, end ?? { kind: "signalled", signal: signal ?? "" });
    });
  }

  /** Answers at once. The group gets SIGTERM now, and SIGKILL later. */
  stop(end: End): void {
    if (this.#answer === undefined) return;
    this.#settle(end);
    this.#group?.end(this.#request.killAfterMs ?? DEFAULT_KILL_AFTER_MS, () => this.#release());
  }

  /** Its leader has ended: by itself, or after it was answered for. */
  #ended(child: ChildProcess, end: End): void {
    const deserted = this.#group?.populated !== true;
    if (this.#answer === undefined) {
      if (deserted) this.#release();
      return;
    }
    clearTimeout(this.#timer);
    if (this.#request.leftovers !== "keep") this.#group?.signal("SIGKILL");
    const finish = () => {
      clearTimeout(patience);
      this.#settle(end);
      this.#release();
    };
    const patience = setTimeout(finish, LAST_OUTPUT_MS);
    child.once("close", finish);
  }

  #settle(end: End): void {
    clearTimeout(this.#timer);
    const [stdout = "", stderr = ""] = this.#outputs.map((output) => output.text());
    this.#answer?.({ ...end, ms: performance.now() - this.#startedAt, stdout, stderr });
    this.#answer = undefined;
  }

  #release(): void {
    this.#group?.release();
    for (const output of this.#outputs) output.close();
  }
}

/** A child, which may tell by an event that it could not be started; or why there is none. */
function startOrErrno(request: ProgramRequest): ChildProcess | string {
  const { argv, runAs, environment, input, leftovers } = request;
  const output = leftovers === "keep" ? "ignore" : "pipe";
  const options: SpawnOptions = {
    cwd: "/",
    env: { ...ENVIRONMENT, ...environment },
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", output, output],
  };
  try {
    const [program = "", ...rest] = argv;
    if (runAs === undefined) return underUsualConditions(() => spawn(program, rest, options));
    if (runAs.groups.every((group) => group === runAs.gid)) {
      const { uid, gid } = runAs;
      return underUsualConditions(() => spawn(program, rest, { ...options, uid, gid }));
    }
    const setpriv = SETPRIV.find((path) => existsSync(path));
    if (setpriv === undefined) return "ENOTSUP";
    // Else setpriv would be what ends with a status.
    accessSync(program, constants.X_OK);
    const prefix = identityArguments(runAs);
    return underUsualConditions(() => spawn(setpriv, [...prefix, program, ...rest], options));
  } catch (error) {
    return errnoOf(error);
  }
}

const identityArguments = ({ uid, gid, groups }: Identity): readonly string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  `--groups=${groups.join(",")}`,
  "--",
];

/** A text with a NUL, or none at all, never gets to the kernel. */
function errnoOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("ERR_") || code === "" ? "EINVAL" : code;
}
