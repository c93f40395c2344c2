import type { CommandConfig } from "../../config/trackers.ts";
import type { RunProgram } from "../../ports/programs.ts";
import { failureOf } from "../director/run-timed.ts";

/**
 * keepalived lets them run for ever, and beside each other. Here the next one of an instance waits, so
 * that the last word stays the last; what must take longer is put into the background by its script.
 */
const LONGEST_MS = 60_000;
/** At once, of all instances together. */
const MOST_AT_ONCE = 32;
/** That wait for their turn, of one instance. */
const MOST_WAITING = 100;

/** What is to be run. */
export interface ScriptCall {
  readonly command: CommandConfig;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Job extends ScriptCall {
  /** It was started, or never will be. */
  readonly started: () => void;
}

interface Queue {
  readonly subject: string;
  readonly waiting: Job[];
  running: boolean;
}

/** Runs scripts, those of one subject one after another. */
export class Scripts {
  readonly #run: RunProgram;
  readonly #say: (message: string) => void;
  readonly #queues = new Map<string, Queue>();
  readonly #abort = new AbortController();
  #running = 0;
  #idle: (() => void)[] = [];

  /** `say` hears of each script that failed. */
  constructor(run: RunProgram, say: (message: string) => void) {
    this.#run = run;
    this.#say = say;
  }

  /** Resolves when it was started, or is given up. */
  start(subject: string, call: ScriptCall): Promise<void> {
    return new Promise((resolve) => this.#queue(subject, { ...call, started: resolve }));
  }

  #queue(subject: string, job: Job): void {
    const queue = this.#queues.get(subject) ?? { subject, waiting: [], running: false };
    this.#queues.set(subject, queue);
    queue.waiting.push(job);
    if (queue.waiting.length > MOST_WAITING) {
      const dropped = queue.waiting.shift();
      dropped?.started();
      this.#say(
        `${nameOf(dropped)} for ${subject} is not run: ${MOST_WAITING} others wait already`,
      );
    }
    this.#next();
  }

  /** Resolves when all have ended. */
  async finished(): Promise<void> {
    if (this.#queues.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends those that run; the others are not run any more. */
  abort(): void {
    for (const [subject, queue] of this.#queues) {
      queue.waiting.length = 0;
      if (!queue.running) this.#queues.delete(subject);
    }
    this.#abort.abort();
  }

  #next(): void {
    for (const queue of this.#queues.values()) {
      if (this.#running >= MOST_AT_ONCE) return;
      if (queue.running) continue;
      const job = queue.waiting.shift();
      if (job === undefined) continue;
      queue.running = true;
      this.#running += 1;
      void this.#carryOut(queue, job);
    }
  }

  async #carryOut(queue: Queue, job: Job): Promise<void> {
    const { argv, runAs } = job.command;
    const run = this.#run(
      {
        argv: [...argv, ...job.parameters],
        environment: job.environment,
        runAs,
        timeoutMs: LONGEST_MS,
        // What a script starts and leaves behind goes on, as with keepalived.
        leftovers: "keep",
      },
      this.#abort.signal,
    );
    job.started();
    const outcome = await run;
    const failure = failureOf(outcome);
    if (failure !== undefined) this.#say(`${nameOf(job)} for ${queue.subject} ${failure}`);
    queue.running = false;
    this.#running -= 1;
    if (queue.waiting.length === 0) this.#queues.delete(queue.subject);
    else {
      // Behind the others: one that never ends its list must not starve them.
      this.#queues.delete(queue.subject);
      this.#queues.set(queue.subject, queue);
    }
    this.#next();
    if (this.#queues.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

const nameOf = (job: Job | undefined): string => `the script ${job?.command.argv[0] ?? ""}`;
