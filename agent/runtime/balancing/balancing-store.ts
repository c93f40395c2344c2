import { join } from "node:path";
import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { ServiceTarget } from "../../core/ipvs/service.ts";
import type { Override, PoolMember } from "../../core/virtual-server/pool.ts";
import { readOwnFile, replaceOwnFile } from "../own-file.ts";
import type { ServerChanges } from "./server-changes.ts";

const VERSION = 2;

/** What of load balancing outlives a director. */
export interface Kept {
  readonly version: typeof VERSION;
  /** It did not end gracefully: the services in the kernel are still ours. */
  readonly running: boolean;
  /** Services that are ours to remove. */
  readonly targets: readonly ServiceTarget[];
  /** Interfaces on which packets from own addresses were let in for data paths. */
  readonly localSources: readonly string[];
  /** By name of the virtual server. */
  readonly servers: Readonly<Record<string, KeptServer>>;
  /** Out of the configuration; their real servers finish their connections. */
  readonly retiring: readonly KeptRetiring[];
  /** What operators added and took away, by name of the virtual server. */
  readonly changes: Readonly<Record<string, ServerChanges>>;
}

export interface KeptRetiring {
  readonly config: VirtualServerConfig;
  readonly kept: KeptServer;
}

export interface KeptServer {
  /** As it was told last. */
  readonly quorum: boolean;
  /** Weights of the real servers that were up, by `DestinationKey`: of some the kernel does not say. */
  readonly up?: Readonly<Record<string, number>>;
  /** By `DestinationKey`. */
  readonly overrides: Readonly<Record<string, Override>>;
  readonly leaving: Readonly<
    Record<string, { readonly member: PoolMember; readonly untilMs: number }>
  >;
}

export const NOTHING_KEPT: Kept = {
  version: VERSION,
  running: false,
  targets: [],
  localSources: [],
  servers: {},
  retiring: [],
  changes: {},
};

/** `balancing.json` in the state directory. */
export class BalancingStore {
  readonly #path: string;
  #last = "";

  constructor(directory: string) {
    this.#path = join(directory, "balancing.json");
  }

  /** What others may have written counts for nothing. */
  load(): Kept {
    try {
      const kept = JSON.parse(readOwnFile(this.#path)) as Partial<Kept>;
      return kept.version === VERSION ? { ...NOTHING_KEPT, ...kept } : NOTHING_KEPT;
    } catch {
      return NOTHING_KEPT;
    }
  }

  /** Answers why it could not be written, or `undefined`. */
  save(kept: Kept): string | undefined {
    const text = JSON.stringify(kept);
    if (text === this.#last) return undefined;
    try {
      replaceOwnFile(this.#path, text);
      this.#last = text;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
