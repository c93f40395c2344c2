import type { CommandConfig } from "../../config/trackers.ts";
import type { Later } from "../../ports/processes.ts";
import type { RunProgram } from "../../ports/programs.ts";
import { failureOf } from "../director/run-timed.ts";

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;
/** One that ran this long was well. */
const WELL_MS = 10_000;
/** The longest that Node's timers hold: 24 days, after which it is started anew. */
const FOR_EVER_MS = 2_147_483_647;
/** After the pipe was closed: most readers end by themselves then. */
const FAREWELL_MS = 1_000;

/** The program that reads a FIFO, started again whenever it ends. */
export class FifoReader {
  readonly #ports: { readonly run: RunProgram; readonly later: Later };
  readonly #command: CommandConfig;
  readonly #path: string;
  readonly #say: (message: string) => void;
  readonly #abort = new AbortController();
  #restMs = FIRST_REST_MS;
  #stopping = false;
  #wake: (() => void) | undefined;
  readonly #ended: Promise<void>;

  constructor(
    ports: { readonly run: RunProgram; readonly later: Later },
    command: CommandConfig,
    path: string,
    say: (message: string) => void,
  ) {
    this.#ports = ports;
    this.#command = command;
    this.#path = path;
    this.#say = say;
    this.#ended = this.#keepUp();
  }

  /** The pipe was closed: it may read what is left, and is ended then. At once if asked twice. */
  async stop(): Promise<void> {
    if (this.#stopping) this.#abort.abort();
    this.#stopping = true;
    this.#wake?.();
    const cancel = this.#ports.later(FAREWELL_MS, () => this.#abort.abort());
    await this.#ended;
    cancel();
  }

  async #keepUp(): Promise<void> {
    const { argv, runAs } = this.#command;
    const name = `the reader ${argv[0] ?? ""} of ${this.#path}`;
    while (!this.#stopping) {
      const outcome = await this.#ports.run(
        { argv: [...argv, this.#path], runAs, timeoutMs: FOR_EVER_MS, outputLimit: 1_024 },
        this.#abort.signal,
      );
      if (this.#stopping) return;
      if (outcome.ms >= WELL_MS) this.#restMs = FIRST_REST_MS;
      const how = failureOf(outcome) ?? "ended";
      const last = outcome.stderr.trim().split("\n").at(-1) ?? "";
      const why = last === "" ? "" : ` (${last})`;
      this.#say(`${name} ${how}${why}; it is started again in ${this.#restMs / 1_000} s`);
      await this.#rest();
    }
  }

  #rest(): Promise<void> {
    const ms = this.#restMs;
    this.#restMs = Math.min(2 * ms, LONGEST_REST_MS);
    return new Promise((resolve) => {
      const cancel = this.#ports.later(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
