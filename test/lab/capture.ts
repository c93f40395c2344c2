import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

/** One captured frame. */
export interface Frame {
  /** Seconds since 1970, as tcpdump saw it. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A busy machine may take its time. */
const STARTED_MS = 30_000;
const CAUGHT_UP_MS = 10_000;
const FILE_HEADER = 24;
const FRAME_HEADER = 16;

/** tcpdump on an interface of a node, its frames as they come in. */
export class Capture {
  readonly frames: Frame[] = [];
  readonly #child: ChildProcess;
  readonly #changed = new Set<() => void>();
  #said = "";
  #ended = false;
  #rest: Buffer = Buffer.alloc(0);
  #headerSeen = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    // To the end, or its next word to a closed pipe would kill it.
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
      this.#tell();
    });
    child.on("close", () => {
      this.#ended = true;
      this.#tell();
    });
  }

  /** Resolves when the capture runs. `filter` is tcpdump's. */
  static async start(node: LabNode, link: string, filter: string): Promise<Capture> {
    const child = node.spawn(
      "tcpdump",
      // Short slots and many of them: with slots for the longest packet a burst overruns the ring.
      ["-i", link, "-n", "-U", "--immediate-mode", "-s", "2048", "-B", "16384", "-w", "-", filter],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const capture = new Capture(child);
    await capture.#until(() => /listening on .*\n/.test(capture.#said), STARTED_MS, "it listens");
    return capture;
  }

  /** Resolves when the frames so far satisfy `wanted`; rejects after `timeoutMs`. */
  until(wanted: (frames: readonly Frame[]) => boolean, timeoutMs: number): Promise<void> {
    return this.#until(() => wanted(this.frames), timeoutMs, "all is seen");
  }

  /** Ends the capture after all that was seen so far has arrived. */
  async stop(): Promise<readonly Frame[]> {
    await this.caughtUp();
    this.#child.kill("SIGINT");
    await new Promise<void>((resolve) => {
      if (this.#ended) resolve();
      else this.#child.once("close", () => resolve());
    });
    return this.frames;
  }

  /** Resolves when tcpdump has read all that there was: it sleeps then. It ends without a look at the rest. */
  async caughtUp(): Promise<void> {
    const until = performance.now() + CAUGHT_UP_MS;
    // Not at once: what it wrote is read meanwhile, and does not stand in its way.
    do await delay(5);
    while (!this.#ended && !sleeps(this.#child.pid) && performance.now() < until);
  }

  #until(met: () => boolean, timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (problem?: string): void => {
        clearTimeout(timer);
        this.#changed.delete(check);
        const seen = `${this.frames.length} frames, tcpdump said: ${this.#said.trim()}`;
        if (problem === undefined) resolve();
        else reject(new Error(`${problem} before ${what}; ${seen}`));
      };
      const check = (): void => {
        if (met()) settle();
        else if (this.#ended) settle("tcpdump ended");
      };
      const timer = setTimeout(() => settle(`${timeoutMs} ms passed`), timeoutMs);
      this.#changed.add(check);
      check();
    });
  }

  #tell(): void {
    for (const check of [...this.#changed]) check();
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#headerSeen) {
      if (this.#rest.length < FILE_HEADER) return;
      this.#headerSeen = true;
      this.#rest = this.#rest.subarray(FILE_HEADER);
    }
    while (this.#rest.length >= FRAME_HEADER) {
      const size = this.#rest.readUInt32LE(8);
      if (this.#rest.length < FRAME_HEADER + size) return;
      const at = this.#rest.readUInt32LE(0) + this.#rest.readUInt32LE(4) / 1e6;
      const bytes = Uint8Array.from(this.#rest.subarray(FRAME_HEADER, FRAME_HEADER + size));
      this.frames.push({ at, bytes });
      this.#rest = this.#rest.subarray(FRAME_HEADER + size);
    }
    this.#tell();
  }
}

function sleeps(pid: number | undefined): boolean {
  try {
    return /\) S /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
