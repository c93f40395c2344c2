import { interfaceSysctl, readSysctl, writeSysctl } from "../sysctl.ts";

/**
 * Removing the first IPv4 address of a subnet takes the others of it along, whoever added them,
 * unless promote_secondaries is on. This switches it on for as long as a removal takes.
 */
export class Promotion {
  /** Interfaces for which it was switched on, with how many removals need that. */
  readonly #users = new Map<string, number>();

  async during<Result>(names: ReadonlySet<string>, remove: () => Promise<Result>): Promise<Result> {
    const held = [...names].filter((name) => this.#acquire(name));
    try {
      return await remove();
    } finally {
      for (const name of held) this.#release(name);
    }
  }

  /** Answers whether the setting is ours to take back. */
  #acquire(name: string): boolean {
    const users = this.#users.get(name);
    const path = pathOf(name);
    const switched = users !== undefined || (isOff(path) && writeSysctl(path, "1") === undefined);
    if (switched) this.#users.set(name, (users ?? 0) + 1);
    return switched;
  }

  #release(name: string): void {
    const users = (this.#users.get(name) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(name, users);
      return;
    }
    this.#users.delete(name);
    writeSysctl(pathOf(name), "0");
  }
}

/** The secondaries of a subnet stay when its first address goes. */
export const promotesSecondaries = (name: string): boolean => !isOff(pathOf(name));

const pathOf = (name: string): string => interfaceSysctl("ipv4", name, "promote_secondaries");

const isOff = (path: string): boolean =>
  readSysctl(path) === "0" && readSysctl(pathOf("all")) === "0";
