import type { FifoConfig } from "../../config/notifications.ts";
import type { FifoWriter, OpenFifo } from "../../ports/channels.ts";
import type { Later } from "../../ports/processes.ts";
import type { RunProgram } from "../../ports/programs.ts";
import { FifoReader } from "./fifo-reader.ts";

const MOST_LINES = 10_000;
/** How often a pipe that is full is tried. */
const POLL_MS = 100;
/** How often one that cannot be had is tried. */
const REOPEN_MS = 5_000;

export interface FifoPorts {
  readonly openFifo: OpenFifo;
  readonly run: RunProgram;
  readonly later: Later;
}

/** One FIFO and its reader. Lines wait here while the pipe is full; none is lost without a word. */
export class FifoOutput {
  readonly #ports: FifoPorts;
  readonly #config: FifoConfig;
  readonly #say: (message: string) => void;
  #writer: FifoWriter | undefined;
  readonly #reader: FifoReader | undefined;
  readonly #lines: string[] = [];
  #dropped = 0;
  #cancelTimer: (() => void) | undefined;
  #trouble = "";
  #closed = false;
  #empty: (() => void) | undefined;

  constructor(ports: FifoPorts, config: FifoConfig, say: (message: string) => void) {
    this.#ports = ports;
    this.#config = config;
    this.#say = say;
    this.#flush();
    const { script, path } = config;
    this.#reader = script && new FifoReader(ports, script, path, say);
  }

  write(line: string): void {
    if (this.#closed) return;
    this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) {
      this.#lines.shift();
      this.#dropped += 1;
      if (/^10*$/.test(String(this.#dropped)) || this.#dropped % 1_000 === 0) {
        const why = `nobody reads it, and ${MOST_LINES} lines wait`;
        this.#say(`${this.#config.path}: ${this.#dropped} events were dropped: ${why}`);
      }
    }
    if (this.#cancelTimer === undefined) this.#flush();
  }

  /** Waits until the pipe has taken everything, `waitMs` at most, then for its reader. */
  async stop(waitMs: number): Promise<void> {
    if (!this.#closed && this.#lines.length > 0 && this.#empty === undefined) {
      await new Promise<void>((resolve) => {
        const cancel = this.#ports.later(waitMs, resolve);
        this.#empty = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#empty?.();
    this.#close();
    await this.#reader?.stop();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    this.#writer?.close();
    if (this.#lines.length === 0) return;
    this.#say(`${this.#config.path}: ${this.#lines.length} events were not read by anybody`);
  }

  #flush(): void {
    this.#cancelTimer = undefined;
    try {
      this.#writer ??= this.#ports.openFifo(this.#config);
      this.#trouble = "";
      while (this.#lines.length > 0) {
        const [line = ""] = this.#lines;
        if (!this.#writer.write(line)) {
          this.#again(POLL_MS);
          return;
        }
        this.#lines.shift();
      }
      this.#empty?.();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#trouble) this.#say(`FIFO ${this.#config.path}: ${message}`);
      this.#trouble = message;
      this.#writer?.close();
      this.#writer = undefined;
      this.#again(REOPEN_MS);
    }
  }

  #again(ms: number): void {
    this.#cancelTimer = this.#ports.later(ms, () => this.#flush());
  }
}
