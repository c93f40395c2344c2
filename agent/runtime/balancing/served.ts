import type { RealServerConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DestinationKey, ServiceEntry } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { Instant } from "../../core/time.ts";
import { desired } from "../../core/virtual-server/desired.ts";
import type { Found, PoolEffect, PoolEvent, PoolState } from "../../core/virtual-server/pool.ts";
import { virtualServer } from "../../core/virtual-server/virtual-server.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";
import type { Attachment, Looks } from "./looks.ts";

/** What a virtual server at work needs, and whom it tells. */
export interface ServedWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly looks: Looks;
  /** Its checks found something: `flush` is to be called at the end of the turn. */
  readonly stirred: (served: Served) => void;
  /** What the kernel is to have of it may be something else now. */
  readonly changed: (served: Served) => void;
  /** `before`: its configuration as it was a moment ago. */
  readonly happened: (served: Served, effect: PoolEffect, before: VirtualServerConfig) => void;
}

/** A virtual server at work: its machine, and the checks that feed it. */
export class Served {
  readonly #world: ServedWorld;
  readonly #slot: Slot;
  #config: VirtualServerConfig;
  #state: PoolState = virtualServer.initial;
  #checks = new Map<DestinationKey, readonly Attachment[]>();
  /** Made once for each configuration: a mass failure asks for all of them. */
  readonly #reals = new WeakMap<VirtualServerConfig, ReadonlyMap<string, RealServerConfig>>();
  #found: Found[] = [];
  #suspended = false;
  #closed = false;
  /** Wall-clock milliseconds of the last change, and how many there were since the start, by server. */
  readonly #changes = new Map<DestinationKey, { readonly at: number; readonly count: number }>();
  #quorumChanges = 0;

  constructor(world: ServedWorld, config: VirtualServerConfig) {
    this.#world = world;
    this.#config = config;
    this.#slot = world.schedule.slot(() => this.#step({ kind: "tick" }));
  }

  get config(): VirtualServerConfig {
    return this.#config;
  }

  get state(): PoolState {
    return this.#state;
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  get name(): string {
    return this.#config.name;
  }

  start(event: Extract<PoolEvent, { readonly kind: "start" }>): void {
    this.#step(event);
    this.#attach();
  }

  /** `drainTime`: how long those who are taken out now may finish their connections. */
  configure(config: VirtualServerConfig, drainTime = config.drainTime): void {
    const before = this.#config;
    this.flush();
    this.#config = config;
    // By their index: what they were attached for may be another check now.
    const attached = this.#checks;
    this.#checks = new Map();
    this.#step({ kind: "configured", before, drainTime }, before);
    this.#attach();
    for (const list of attached.values()) for (const one of list) one.close();
  }

  /** Checks stand still, and all remains as it is, while none of its addresses is on this host. */
  suspend(suspended: boolean): void {
    if (this.#suspended === suspended) return;
    this.#suspended = suspended;
    for (const list of this.#checks.values()) for (const one of list) one.suspend(suspended);
  }

  take(
    event: Extract<PoolEvent, { readonly kind: "override" | "claim" | "balance" | "connections" }>,
  ): void {
    this.flush();
    this.#step(event);
  }

  /** What checks found in this turn, all at once. */
  flush(): void {
    if (this.#found.length === 0) return;
    const found = this.#found;
    this.#found = [];
    this.#step({ kind: "found", found });
  }

  entries(): readonly ServiceEntry[] {
    return desired(this.#config, this.#state);
  }

  /** One that was just removed is in the configuration before. */
  realServer(
    key: DestinationKey,
    before: VirtualServerConfig = this.#config,
  ): RealServerConfig | undefined {
    return this.#realsOf(this.#config).get(key) ?? this.#realsOf(before).get(key);
  }

  #realsOf(config: VirtualServerConfig): ReadonlyMap<string, RealServerConfig> {
    const known = this.#reals.get(config);
    if (known !== undefined) return known;
    const made = new Map(config.realServers.map((real) => [destinationKey(real), real]));
    this.#reals.set(config, made);
    return made;
  }

  /** As keepalived names it. */
  nameOf(key: DestinationKey, before?: VirtualServerConfig): string {
    return this.realServer(key, before)?.name ?? key;
  }

  /** `service/address:port`, as policies name real servers. */
  *names(): Iterable<{ readonly server: DestinationKey; readonly name: string }> {
    for (const key of Object.keys(this.#state.servers)) {
      yield { server: key as DestinationKey, name: `${this.name}/${key}` };
    }
  }

  /** The one that is called so; `undefined`: none of these. */
  serverOf(name: string): DestinationKey | undefined {
    const own = `${this.name}/`;
    if (!name.startsWith(own)) return undefined;
    const key = name.slice(own.length) as DestinationKey;
    return this.#state.servers[key] === undefined ? undefined : key;
  }

  checksOf(key: DestinationKey): readonly Attachment[] {
    return this.#checks.get(key) ?? [];
  }

  since(key: DestinationKey): number | null {
    return this.#changes.get(key)?.at ?? null;
  }

  /** How often it came up or went down; what it was found to be at the start is no change. */
  changes(key: DestinationKey): number {
    return this.#changes.get(key)?.count ?? 0;
  }

  get quorumChanges(): number {
    return this.#quorumChanges;
  }

  close(): void {
    this.#closed = true;
    this.#slot.set(undefined);
    for (const list of this.#checks.values()) for (const one of list) one.close();
    this.#checks.clear();
    this.#found = [];
  }

  #attach(): void {
    for (const real of this.#config.realServers) {
      const server = destinationKey(real);
      if (this.#checks.has(server)) continue;
      const attached = real.checks.map((each, check) =>
        this.#world.looks.attach(each, `${real.name} of ${this.name}`, (finding) => {
          if (this.#found.length === 0) this.#world.stirred(this);
          this.#found.push({ server, check, finding });
        }),
      );
      if (this.#suspended) for (const one of attached) one.suspend(true);
      this.#checks.set(server, attached);
    }
  }

  #step(event: PoolEvent, configBefore = this.#config): void {
    // Somebody may have asked the kernel on its behalf, and has the answer now.
    if (this.#closed) return;
    const now: Instant = this.#world.clock.now();
    const before = this.#state;
    const { state, effects } = virtualServer.step(this.#config, before, event, now);
    this.#state = state;
    this.#slot.set(virtualServer.deadline(state));
    for (const effect of effects) {
      this.#count(effect);
      this.#world.happened(this, effect, configBefore);
    }
    this.#world.changed(this);
  }

  #count(effect: PoolEffect): void {
    if (effect.kind === "quorum" && !effect.start) this.#quorumChanges += 1;
    if (effect.kind !== "server") return;
    const count = this.changes(effect.server) + (effect.start ? 0 : 1);
    this.#changes.set(effect.server, { at: this.#world.clock.wallClock(), count });
  }
}
