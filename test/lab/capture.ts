import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

/** One captured frame. */
export interface Frame {
  /** Seconds since 1970, as tcpdump saw it. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

const FILE_HEADER = 24;
const FRAME_HEADER = 16;

/** tcpdump on an interface of a node, its frames as they come in. */
export class Capture {
  readonly frames: Frame[] = [];
  readonly #child: ChildProcess;
  #rest: Buffer = Buffer.alloc(0);
  #headerSeen = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  /** Resolves when the capture runs. `filter` is tcpdump's. */
  static async start(node: LabNode, link: string, filter: string): Promise<Capture> {
    const child = node.spawn(
      "tcpdump",
      ["-i", link, "-n", "-U", "--immediate-mode", "-s", "0", "-w", "-", filter],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const capture = new Capture(child);
    let said = "";
    for await (const text of child.stderr?.setEncoding("utf8") ?? []) {
      said += text;
      if (said.includes("listening on")) break;
    }
    if (!said.includes("listening on")) throw new Error(`tcpdump: ${said}`);
    return capture;
  }

  /** Ends the capture after all that was seen so far has arrived. */
  async stop(): Promise<readonly Frame[]> {
    this.#child.kill("SIGINT");
    if (this.#child.exitCode === null) await once(this.#child, "close");
    return this.frames;
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
  }
}
