import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { eventually } from "./eventually.ts";

const ASKING = join(import.meta.dirname, "asking.ts");

/** One page that came. */
export interface Answer {
  /** Milliseconds of a clock of the client's own. */
  readonly at: number;
  readonly body: string;
}

/** A client that asks an HTTP server fifty times a second, and remembers what came. */
export class HttpClient {
  readonly answers: Answer[] = [];
  readonly #child: ChildProcess;

  constructor(node: LabNode, url: string) {
    const child = node.spawn(execPath, [ASKING, url], { stdio: ["ignore", "pipe", "inherit"] });
    if (child.stdout === null) throw new TypeError("no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [at = "", body = ""] = line.split(" ");
      this.answers.push({ at: Number(at), body });
    });
    this.#child = child;
  }

  /** Resolves when a page that comes from now on is this one. */
  async hears(body: string, timeoutMs: number): Promise<void> {
    const start = this.answers.length;
    await eventually(`a page from ${body}`, timeoutMs, () => {
      const last = this.answers.slice(start).at(-1)?.body ?? "nobody";
      if (last !== body) throw new Error(`the last page is from ${last}`);
    });
  }

  /** The longest time without a page, in milliseconds, since there were `start` of them. */
  longestOutage(start: number): number {
    const times = this.answers.slice(Math.max(0, start - 1)).map(({ at }) => at);
    return Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at)));
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}
