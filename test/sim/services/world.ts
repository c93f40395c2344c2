import type {
  BalancingConfig,
  RealServerConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import { NO_BALANCING } from "../../../agent/config/virtual-servers.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { DestinationKey, ServiceKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey } from "../../../agent/core/ipvs/service.ts";
import type {
  PoolEffect,
  PoolState,
  ServerClaim,
} from "../../../agent/core/virtual-server/pool.ts";
import type { Kept } from "../../../agent/runtime/balancing/balancing-store.ts";
import { serviceKeysOf } from "../../../agent/runtime/balancing/service-targets.ts";
import type { EventReport } from "../../../agent/runtime/ipc.ts";
import { Violation } from "../checker.ts";
import type { Prng } from "../prng.ts";
import { Hosts } from "./hosts.ts";
import { Kernel } from "./kernel.ts";
import { Life } from "./life.ts";
import type { SimulatedServices } from "./machine.ts";
import type { Planned } from "./plan.ts";
import { Time } from "./time.ts";

/** Hears of everything that happens; throws a Violation when what must not be is so. */
export interface Watch {
  /** A director begins. */
  started?(): void;
  /** The director has the kernel carry these out now; it has not yet. */
  commands?(commands: readonly IpvsCommand[]): void;
  /** One of them is about to be carried out. */
  command?(command: IpvsCommand): void;
  /** What was carried out is done. */
  applied?(): void;
  effects?(name: string, effects: readonly PoolEffect[]): void;
  report?(report: EventReport): void;
  told?(service: string, lines: readonly string[]): void;
  /** All that happens at this moment has happened. */
  settled?(): void;
  /** Now and then. */
  sample?(): void;
}

export type Said =
  | { readonly kind: "drain" }
  | { readonly kind: "disable" }
  | { readonly kind: "weight"; readonly weight: number };

/** Whose it was, and until when it may finish. */
export interface Leaver {
  readonly service: VirtualServerConfig;
  readonly server: DestinationKey;
  readonly until: number;
}

export const SOURCE = "policy sim";
const SAMPLE = 1_000_000;

/** `service/address:port`, as operators and policies say it. */
export const nameOf = (service: { readonly name: string }, server: DestinationKey): string =>
  `${service.name}/${server}`;

/** One director, its kernel, its servers and everybody who has to do with them. */
export class World {
  readonly time = new Time();
  readonly kernel = new Kernel();
  readonly hosts = new Hosts(this.time);
  readonly addresses = new Set<string>();
  /** The configuration file, and what the director was last told of it. */
  plan: Planned[] = [];
  inForce: readonly VirtualServerConfig[] = [];
  life: Life | undefined;
  leaveServices = false;
  stopping = false;
  /** Until when the kernel refuses things, is slow, or is not there. */
  failingUntil = 0;
  missing = false;
  slowKernel = false;
  /** What operators have ordered and not taken back, and since when. */
  readonly orders = new Map<string, { readonly said: Said; readonly at: number }>();
  /** What policies say now, and whether this director has heard it. */
  readonly claims = new Map<string, ServerClaim>();
  claimsHeard = true;
  /** Removed, with time to finish their connections, by name. */
  readonly leaving = new Map<string, Leaver>();
  /** As the machine last left it, by name. */
  readonly states = new Map<string, PoolState>();
  /** When something last happened that a director may need time to follow. */
  disturbedAt = 0;
  /** When a director last took a configuration. */
  forcedAt = 0;
  /** When somebody else last changed our services. */
  driftedAt = Number.NEGATIVE_INFINITY;
  readonly #machine: SimulatedServices;
  /** What the state directory has, as JSON. */
  kept = "{}";
  readonly #prng: Prng;
  #watches: readonly Watch[] = [];
  #violation: Violation | undefined;

  constructor(machine: SimulatedServices, prng: Prng) {
    this.#machine = machine;
    this.#prng = prng;
    this.time.at(SAMPLE, () => this.#sample());
  }

  get now(): number {
    return this.time.now;
  }

  observe(watches: readonly Watch[]): void {
    this.#watches = watches;
  }

  /** Throws the first Violation. */
  async runUntil(end: number): Promise<void> {
    await this.time.runUntil(end, () => {
      this.each((watch) => watch.settled?.());
      if (this.#violation !== undefined) throw this.#violation;
    });
  }

  /** What a watch throws out of the director's own calls would be the director's. */
  each(tell: (watch: Watch) => void): void {
    if (this.#violation !== undefined) return;
    try {
      for (const watch of this.#watches) tell(watch);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation = error;
    }
  }

  disturb(): void {
    this.disturbedAt = this.now;
  }

  get running(): boolean {
    return this.life?.running === true;
  }

  service(name: string): VirtualServerConfig | undefined {
    return this.inForce.find((one) => one.name === name);
  }

  /** Whose service it is. */
  owner(key: ServiceKey): VirtualServerConfig | undefined {
    return this.inForce.find((one) => serviceKeysOf(one).includes(key));
  }

  start(): void {
    if (this.life !== undefined) return;
    this.disturb();
    this.hosts.forget();
    this.states.clear();
    const { time, kernel, hosts, addresses } = this;
    const life = new Life({
      time,
      kernel,
      hosts,
      addresses,
      latency: () => this.#prng.between(0.05, this.slowKernel ? 400 : 5) * 1_000,
      missing: () => this.missing,
      applied: (commands) => this.#carryOut(commands),
      report: (report) => this.each((watch) => watch.report?.(report)),
      told: (subject, lines) => this.each((watch) => watch.told?.(subject, lines)),
    });
    this.life = life;
    this.each((watch) => watch.started?.());
    this.#force();
    life.configure(this.#balancing(), this.leaveServices);
    this.claimsHeard = false;
    // Policies have to judge first.
    this.time.later(this.#prng.between(0.05, 2) * 1e6, () => {
      if (this.life !== life) return;
      this.claimsHeard = true;
      for (const [name, claim] of this.claims) life.claim(name, SOURCE, claim);
    });
  }

  kill(): void {
    if (this.stopping) return;
    this.disturb();
    this.life?.kill();
    this.life = undefined;
  }

  pause(): void {
    this.life?.pause();
  }

  resume(): void {
    this.disturb();
    this.life?.resume();
  }

  stop(): void {
    const { life } = this;
    if (life === undefined || this.stopping) return;
    this.stopping = true;
    this.disturb();
    void life.stop().then(() => {
      life.kill();
      this.life = undefined;
      this.stopping = false;
      if (this.leaveServices) return;
      this.leaving.clear();
    });
  }

  /** The configuration file is another one; a director that runs is told of it. */
  reload(plan: readonly Planned[]): void {
    const { life } = this;
    if (this.stopping || (life !== undefined && !life.running)) return;
    // It has yet to ask the kernel: what it is told meanwhile counts, and what it was told before does not.
    const begins = life !== undefined && this.states.size === 0 && this.inForce.length > 0;
    if (begins) return;
    this.plan = [...plan];
    if (life === undefined) return;
    this.disturb();
    this.#force();
    life.configure(this.#balancing(), this.leaveServices);
  }

  order(service: VirtualServerConfig, real: RealServerConfig, said: Said | undefined): void {
    const { life } = this;
    if (life?.running !== true || this.stopping) return;
    const name = nameOf(service, destinationKey(real));
    this.disturb();
    const weight = said?.kind === "weight" ? { weight: said.weight } : {};
    try {
      life.order(said?.kind ?? "undrain", { server: name, who: "root", ...weight });
    } catch (error) {
      // It has not opened ip_vs yet: what is not said is no order.
      if (error instanceof Error && /there is no/.test(error.message)) return;
      throw error;
    }
    if (said === undefined) this.orders.delete(name);
    else this.orders.set(name, { said, at: this.now });
  }

  /** A policy of this director says so. */
  claim(name: string, claim: ServerClaim | undefined): void {
    if (!this.running || this.stopping || !this.claimsHeard) return;
    this.disturb();
    if (claim === undefined) this.claims.delete(name);
    else this.claims.set(name, claim);
    this.life?.claim(name, SOURCE, claim);
  }

  /** Somebody else, with ipvsadm. */
  meddle(command: IpvsCommand): void {
    if (this.kernel.carryOut(command) !== undefined) return;
    this.disturb();
    this.driftedAt = this.now;
  }

  #balancing(): BalancingConfig {
    return { ...NO_BALANCING, virtualServers: this.inForce };
  }

  /** What the file says holds from now on: who is out of it may finish, and is under no order. */
  #force(): void {
    const before = this.inForce;
    this.forcedAt = this.now;
    this.inForce = this.plan.map(({ config }) => config);
    const there = new Set<string>();
    for (const one of this.inForce) {
      for (const real of one.realServers) there.add(nameOf(one, destinationKey(real)));
    }
    // A director that finds nothing to do does not even begin.
    const { targets = [] } = JSON.parse(this.kept) as Partial<Kept>;
    const begins = this.states.size > 0 || this.inForce.length > 0 || targets.length > 0;
    for (const name of this.orders.keys()) {
      if (begins && !there.has(name)) this.orders.delete(name);
    }
    for (const name of [...this.leaving.keys()]) if (there.has(name)) this.leaving.delete(name);
    if (this.states.size > 0) for (const old of before) this.#part(old, there);
    else this.#forgetMoved(before);
  }

  /** Services that came or went while no director ran: none has seen it, and nobody is waited for. */
  #forgetMoved(before: readonly VirtualServerConfig[]): void {
    for (const [name, { service }] of this.leaving) {
      const was = before.some((one) => one.name === service.name);
      if (was !== (this.service(service.name) !== undefined)) this.leaving.delete(name);
    }
  }

  /** Who is out of it may finish its connections. */
  #part(old: VirtualServerConfig, there: ReadonlySet<string>): void {
    const { drainTime } = this.service(old.name) ?? old;
    for (const real of old.realServers) {
      const server = destinationKey(real);
      const name = nameOf(old, server);
      if (there.has(name) || drainTime === 0) continue;
      this.leaving.set(name, { service: old, server, until: this.now + drainTime });
    }
  }

  /** A director that is gone writes nothing. */
  keep(kept: string): void {
    if (this.life !== undefined) this.kept = kept;
  }

  /** The machine of a virtual server took a step. */
  stepped(name: string, state: PoolState, effects: readonly PoolEffect[]): void {
    this.states.set(name, state);
    this.each((watch) => watch.effects?.(name, effects));
  }

  #carryOut(honest: readonly IpvsCommand[]): ReadonlyMap<number, string> {
    const errnos = new Map<number, string>();
    const commands = this.#machine.commands(honest, this.kernel.table);
    this.each((watch) => watch.commands?.(commands));
    for (const [index, command] of commands.entries()) {
      this.each((watch) => watch.command?.(command));
      const errno = this.kernel.carryOut(command);
      if (errno !== undefined) errnos.set(index, errno);
    }
    this.each((watch) => watch.applied?.());
    return errnos;
  }

  #sample(): void {
    if (this.running) this.each((watch) => watch.sample?.());
    this.time.later(SAMPLE, () => this.#sample());
  }
}
