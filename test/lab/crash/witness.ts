import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { StoreLine } from "../store-line.ts";
import type { Ensemble } from "../stores/ensemble.ts";

/** Milliseconds; etcd keeps no shorter lease. */
export const WITNESS_TTL_MS = 2_000;

let scenes = 0;

/** What the nodes of one scene need to ask a store that it shares with others. */
export class Witness {
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-witness-`));
  readonly #ports: readonly number[];
  readonly #lines = new Map<LabNode, StoreLine>();

  constructor({ ports }: Ensemble) {
    this.#ports = ports;
    scenes += 1;
    const endpoints = ports.map((port) => `  endpoint http://127.0.0.1:${port}`);
    // All scenes call their instance the same.
    const words = [`  ttl ${WITNESS_TTL_MS / 1_000}`, `  prefix scene-${process.pid}-${scenes}/`];
    const text = ["witness etcd {", ...endpoints, ...words, "}", ""].join("\n");
    writeFileSync(this.#settings, text, { mode: 0o600 });
  }

  /** Words of the command line. */
  get options(): readonly string[] {
    return ["--settings", this.#settings];
  }

  /** The store is there for this node. */
  connect(node: LabNode): void {
    this.#lines.set(node, new StoreLine(node, this.#ports));
  }

  /** What this node sends to the store is lost from now on, and what the store sends to it. */
  cutOff(node: LabNode): void {
    this.#lines.get(node)?.cut();
  }

  /** As all nodes of this scene see it: connections are closed, and no new one is taken. */
  die(): void {
    for (const line of this.#lines.values()) line.close();
  }

  dispose(): void {
    this.die();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #settings(): string {
    return join(this.#folder, "holdfast.conf");
  }
}
