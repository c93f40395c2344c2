import type { Network } from "../ports/network.ts";

interface Setting {
  readonly owners: Set<string>;
  readonly before: string | undefined;
}

/** Kernel settings that routers need, put back as they were when the last of them goes. */
export class Sysctls {
  readonly #network: Network;
  readonly #settings = new Map<string, Setting>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** Answers the errno name when the kernel refuses. */
  set(owner: string, path: string, value: string): string | undefined {
    const known = this.#settings.get(path);
    if (known !== undefined) {
      known.owners.add(owner);
      return undefined;
    }
    const before = this.#network.readSysctl(path);
    this.#settings.set(path, { owners: new Set([owner]), before });
    return before === value ? undefined : this.#network.writeSysctl(path, value);
  }

  release(owner: string): void {
    for (const [path, { owners, before }] of this.#settings) {
      if (!owners.delete(owner) || owners.size > 0) continue;
      this.#settings.delete(path);
      if (before !== undefined) this.#network.writeSysctl(path, before);
    }
  }
}
