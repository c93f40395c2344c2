import type { RealServerConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { seconds } from "../../core/time.ts";
import type { Served } from "./served.ts";
import type { OrderOver, ServerChanges } from "./server-changes.ts";
import { held, isEmpty, NO_CHANGES, withChanges, withRestored } from "./server-changes.ts";

/** How long one that is taken away may finish its connections where the file does not say. */
const DRAIN = seconds(3_600);

/** One virtual server, as the file has it and with what operators changed. */
export interface ChangedService {
  readonly file: VirtualServerConfig;
  readonly changes: ServerChanges;
}

/** Virtual servers with the real servers that operators added to them and took away. */
export class ChangedServices {
  readonly #over: (service: string, order: OrderOver) => void;
  /** By name of the virtual server. */
  readonly #all = new Map<string, ChangedService>();
  /** Of virtual servers that are not configured yet. */
  readonly #kept = new Map<string, ServerChanges>();

  /** `over`: hears of orders that the file has carried out by itself. */
  constructor(over: (service: string, order: OrderOver) => void) {
    this.#over = over;
  }

  /** As it was when the director before this one ended. */
  resume(kept: Readonly<Record<string, ServerChanges>>): void {
    for (const [name, changes] of Object.entries(kept)) this.#kept.set(name, changes);
  }

  /** The virtual server as it is to be. */
  configured(file: VirtualServerConfig): VirtualServerConfig {
    const { name } = file;
    const known = this.#all.get(name)?.changes ?? this.#kept.get(name) ?? NO_CHANGES;
    this.#kept.delete(name);
    const { changes, over } = held(file, known);
    for (const order of over) this.#over(name, order);
    this.#all.set(name, { file, changes });
    return isEmpty(changes) ? file : withChanges(file, changes);
  }

  /** The virtual server is in no file any more. */
  forget(name: string): void {
    this.#all.delete(name);
  }

  of(served: Served): ChangedService {
    return this.#all.get(served.name) ?? { file: served.config, changes: NO_CHANGES };
  }

  /** Real servers of the file that were taken away. */
  removedOf(served: Served): readonly RealServerConfig[] {
    const { file, changes } = this.of(served);
    return file.realServers.filter((real) => changes.removed[destinationKey(real)] !== undefined);
  }

  change(served: Served, changes: ServerChanges): void {
    const { file } = this.of(served);
    this.#all.set(served.name, { file, changes });
    served.configure(withChanges(file, changes), file.drainTime === 0 ? DRAIN : file.drainTime);
  }

  /** One of the file that was taken away is there again. */
  restore(served: Served, server: DestinationKey): void {
    this.change(served, withRestored(this.of(served).changes, server));
  }

  /** What is to outlive this director. */
  get toKeep(): Readonly<Record<string, ServerChanges>> {
    const all = [...this.#all].map(([name, { changes }]) => [name, changes] as const);
    return Object.fromEntries(all.filter(([, changes]) => !isEmpty(changes)));
  }
}
