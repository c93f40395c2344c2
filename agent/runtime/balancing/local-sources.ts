import type { DataPathHost } from "../../ports/data-path-host.ts";

type Settings = Pick<DataPathHost, "readSysctl" | "writeSysctl">;

const pathOf = (name: string): string => `net/ipv4/conf/${name}/accept_local`;

/** Interfaces on which packets from this host's own addresses are let in, as they were not before. */
export class LocalSources {
  readonly #remember: () => void;
  readonly #ours = new Set<string>();

  /** `remember`: called before the kernel is told, with `interfaces` as they will be. */
  constructor(remember: () => void) {
    this.#remember = remember;
  }

  get interfaces(): readonly string[] {
    return [...this.#ours];
  }

  /** An earlier director has switched it on there. */
  adopt(interfaces: readonly string[]): void {
    for (const name of interfaces) this.#ours.add(name);
  }

  /** Answers the errno name when the kernel refuses. */
  letIn(settings: Settings, name: string): string | undefined {
    if (settings.readSysctl(pathOf("all")) === "1") return undefined;
    if (settings.readSysctl(pathOf(name)) === "1") return undefined;
    const known = this.#ours.has(name);
    this.#ours.add(name);
    if (!known) this.#remember();
    const errno = settings.writeSysctl(pathOf(name), "1");
    if (errno !== undefined) this.#ours.delete(name);
    return errno;
  }

  /** Puts back what was changed on interfaces but these, and nobody has changed since. */
  keep(settings: Settings, wanted: ReadonlySet<string>): void {
    for (const name of [...this.#ours]) {
      if (wanted.has(name)) continue;
      if (settings.readSysctl(pathOf(name)) === "1") settings.writeSysctl(pathOf(name), "0");
      this.#ours.delete(name);
    }
  }
}
