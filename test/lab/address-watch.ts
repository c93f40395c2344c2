import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

/** An address came to a node, or left it. */
export interface Holding {
  readonly node: string;
  readonly held: boolean;
  /** performance.now() when it was seen. */
  readonly at: number;
}

/**
 * Watches which nodes have an address, by `ip monitor` in each of them: the kernel's own word, the
 * same for every program under test.
 */
export class AddressWatch {
  readonly history: Holding[] = [];
  readonly #held = new Map<string, boolean>();
  readonly #children: ChildProcess[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
  }

  /** Watches one address, without prefix length, on the nodes. */
  static async start(nodes: readonly LabNode[], address: string): Promise<AddressWatch> {
    const watch = new AddressWatch(address);
    await Promise.all(nodes.map((node) => watch.#follow(node)));
    return watch;
  }

  /** Names of the nodes that have the address now. */
  get holders(): readonly string[] {
    return [...this.#held].flatMap(([node, held]) => (held ? [node] : []));
  }

  /** Resolves when exactly these nodes have it; rejects after `timeoutMs`. */
  until(nodes: readonly LabNode[], timeoutMs: number): Promise<number> {
    const wanted = nodes
      .map((node) => node.name)
      .sort()
      .join();
    const met = (): boolean => [...this.holders].sort().join() === wanted;
    return this.#until(met, wanted, timeoutMs);
  }

  /** Resolves when somebody got or lost it since the history had this length: what was done is heard. */
  changed(length: number, timeoutMs: number): Promise<number> {
    return this.#until(() => this.history.length > length, "another", timeoutMs);
  }

  async #until(met: () => boolean, wanted: string, timeoutMs: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!met()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        const found = this.holders.join() || "nobody";
        reject(
          new Error(`${this.#address} is on ${found} after ${timeoutMs} ms, not on ${wanted}`),
        );
      }, timeoutMs);
      this.#waiting.add(check);
      check();
    });
    return performance.now();
  }

  /** Resolves after `forMs` in which nobody got or lost it; rejects as soon as somebody does. */
  async unchanged(forMs: number): Promise<void> {
    const { length } = this.history;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        const change = this.history[length];
        if (change === undefined) return;
        settle();
        reject(
          new Error(`${change.node} ${change.held ? "took" : "lost"} ${this.#address} meanwhile`),
        );
      };
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      const timer = setTimeout(() => {
        settle();
        resolve();
      }, forMs);
      this.#waiting.add(check);
    });
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  /** Resolves when the monitor listens and what was there before is known. */
  async #follow(node: LabNode): Promise<void> {
    const child = node.spawn("ip", ["-o", "monitor", "address", "label"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#children.push(child);
    const { stdout } = child;
    if (stdout === null) throw new TypeError("ip monitor has no output");
    const lines = createInterface({ input: stdout });
    lines.on("line", (line) => this.#hear(node, line));
    // The monitor says nothing by itself: an address of our own shows that it listens.
    const probe = "127.9.9.9";
    await new Promise<void>((resolve) => {
      const poke = setInterval(
        () => node.exec("ip", ["address", "replace", `${probe}/32`, "dev", "lo"]),
        20,
      );
      lines.on("line", (line) => {
        if (!line.includes(probe)) return;
        clearInterval(poke);
        resolve();
      });
    });
    node.exec("ip", ["address", "del", `${probe}/32`, "dev", "lo"]);
    const now = node.exec("ip", ["-o", "address", "show"]).stdout;
    if (now.includes(` ${this.#address}/`)) this.#note(node, true);
  }

  #hear(node: LabNode, line: string): void {
    if (!line.includes(` ${this.#address}/`)) return;
    this.#note(node, !line.includes("Deleted "));
  }

  #note(node: LabNode, held: boolean): void {
    if ((this.#held.get(node.name) ?? false) === held) return;
    this.#held.set(node.name, held);
    this.history.push({ node: node.name, held, at: performance.now() });
    for (const check of [...this.#waiting]) check();
  }
}
