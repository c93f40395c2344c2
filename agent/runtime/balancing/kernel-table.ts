import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import { reconcile } from "../../core/ipvs/reconcile.ts";
import type { ServiceEntry, ServiceKey, ServiceTarget } from "../../core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../core/ipvs/service.ts";
import type { Clock } from "../../ports/clock.ts";
import { KernelError } from "../../ports/error.ts";
import type { Ipvs, IpvsPicture, OpenIpvs } from "../../ports/ipvs.ts";
import { Backoff } from "../backoff.ts";
import type { Schedule } from "../schedule.ts";
import { Mirror } from "./mirror.ts";

export interface KernelTableWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly openIpvs: OpenIpvs;
  /** ip_vs can be had, for the first time or again. */
  readonly opened: () => void;
  /** A service is not ours any more: the kernel does not have it. */
  readonly released: () => void;
  /** The kernel refuses something, or does not any more (`undefined`): told once. */
  readonly trouble: (subject: string, error: KernelError | undefined) => void;
  /** Somebody else changed services of ours; they are mended. */
  readonly drifted: (service: ServiceKey, commands: readonly IpvsCommand[]) => void;
}

/** What is handed over in one piece: some milliseconds of work for a process. */
const SLICE = 500;

const ARROW = " → ";

export const IP_VS = "ip_vs";

/**
 * Makes the kernel's table what it should be. It remembers what the kernel has, so that a change costs
 * what it changes; now and then it looks, and mends what others changed.
 */
export class KernelTable {
  readonly #world: KernelTableWorld;
  readonly #backoff: Backoff;
  readonly #mirror = new Mirror();
  readonly #wanted = new Map<ServiceKey, ServiceEntry>();
  readonly #ours = new Map<ServiceKey, ServiceTarget>();
  readonly #inherited = new Map<ServiceKey, ServiceTarget>();
  readonly #dirty = new Set<ServiceKey>();
  /** Services of refused commands, which are looked at anew before the next try. */
  readonly #doubtful = new Map<ServiceKey, ServiceTarget>();
  readonly #refused = new Map<string, string>();
  readonly #mended = new Map<ServiceKey, number>();
  #ipvs: Ipvs | undefined;
  #opening: Promise<IpvsPicture | KernelError> | undefined;
  #working: Promise<void> | undefined;
  /** Rises with every command, so that a picture that was taken meanwhile is known to be stale. */
  #changes = 0;
  #closed = false;

  constructor(world: KernelTableWorld) {
    this.#world = world;
    this.#backoff = new Backoff(world.clock, world.schedule, () => this.#retry());
  }

  get ipvs(): Ipvs | undefined {
    return this.#ipvs;
  }

  /** Services that are ours to remove when nobody wants them: until the kernel has removed them. */
  get ours(): ReadonlyMap<ServiceKey, ServiceTarget> {
    return this.#ours;
  }

  /** Of these, those that the kernel may have: before it could be asked, those of an earlier run. */
  get held(): readonly ServiceTarget[] {
    return [...(this.#ipvs === undefined ? this.#inherited : this.#ours).values()];
  }

  /** What the kernel refuses, by what it is about. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  /** How many things of a service that others had changed were put right. */
  mended(key: ServiceKey): number {
    return this.#mended.get(key) ?? 0;
  }

  /** What the kernel has, as far as it is known. */
  actual(key: ServiceKey): ServiceEntry | undefined {
    return this.#mirror.get(key);
  }

  /** Opens ip_vs, and answers what is in it. Once it is open: what is known. */
  open(): Promise<IpvsPicture | KernelError> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Services of an earlier run, and those that `want` will name: they are ours. */
  adopt(targets: readonly ServiceTarget[]): void {
    for (const target of targets) {
      const key = serviceKey(target);
      this.#ours.set(key, target);
      this.#inherited.set(key, target);
      this.#touch(key);
    }
  }

  want(entries: readonly ServiceEntry[]): void {
    for (const entry of entries) {
      const { target } = entry.service;
      const key = serviceKey(target);
      this.#wanted.set(key, entry);
      this.#ours.set(key, target);
      this.#touch(key);
    }
  }

  drop(keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      this.#wanted.delete(key);
      this.#touch(key);
    }
  }

  /** Looks at everything. Answers the picture, unless it is stale or cannot be had. */
  async audit(): Promise<IpvsPicture | undefined> {
    if (this.#ipvs === undefined || this.#working !== undefined) return undefined;
    const before = this.#changes;
    const picture = await this.#ipvs.read();
    if (picture instanceof KernelError) {
      this.#trouble(IP_VS, picture);
      return undefined;
    }
    if (before !== this.#changes || this.#closed) return undefined;
    this.#compare(picture);
    return picture;
  }

  /** Resolves when all is carried out that can be. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#working !== undefined) await this.#working;
  }

  close(): void {
    this.#closed = true;
    this.#ipvs?.close();
    this.#ipvs = undefined;
  }

  async #open(): Promise<IpvsPicture | KernelError> {
    const ipvs = await this.#world.openIpvs();
    if (ipvs instanceof KernelError) return this.#notOpen(ipvs);
    const picture = await ipvs.read();
    if (picture instanceof KernelError) {
      ipvs.close();
      return this.#notOpen(picture);
    }
    if (this.#closed) ipvs.close();
    else this.#ipvs = ipvs;
    this.#trouble(IP_VS, undefined);
    this.#mirror.set(picture.table);
    this.#world.opened();
    this.#begin();
    return picture;
  }

  #notOpen(error: KernelError): KernelError {
    this.#opening = undefined;
    this.#trouble(IP_VS, error);
    return error;
  }

  #touch(key: ServiceKey): void {
    this.#dirty.add(key);
    this.#begin();
  }

  #begin(): void {
    if (this.#working !== undefined || this.#ipvs === undefined || this.#dirty.size === 0) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      this.#begin();
    });
  }

  /** What changes within one turn is one list of commands; a long one leaves the loop its turns. */
  async #work(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#dirty.size > 0 && this.#ipvs !== undefined) {
      const keys = [...this.#dirty];
      this.#dirty.clear();
      const commands = this.#commands(keys);
      for (let at = 0; at < commands.length; at += SLICE) {
        if (this.#ipvs === undefined) return;
        await this.#apply(this.#ipvs, commands.slice(at, at + SLICE));
      }
    }
  }

  #commands(keys: readonly ServiceKey[]): readonly IpvsCommand[] {
    const wanted = new Map<ServiceKey, ServiceEntry>();
    const actual = new Map<ServiceKey, ServiceEntry>();
    for (const key of keys) {
      const entry = this.#wanted.get(key);
      const known = this.#mirror.get(key);
      if (entry !== undefined) wanted.set(key, entry);
      if (known !== undefined) actual.set(key, known);
      else if (entry === undefined) this.#release(key);
    }
    const ours = new Set(keys.filter((key) => this.#ours.has(key)));
    const commands = reconcile(wanted, actual, ours);
    if (this.#refused.size > 0) this.#forget(new Set(keys), new Set(commands.map(subjectOf)));
    return commands;
  }

  #release(key: ServiceKey): void {
    if (this.#ours.delete(key)) this.#world.released();
  }

  /** What was refused and is not wanted any more is no trouble. */
  #forget(services: ReadonlySet<ServiceKey>, subjects: ReadonlySet<string>): void {
    for (const subject of [...this.#refused.keys()]) {
      const [service = ""] = subject.split(ARROW);
      if (services.has(service as ServiceKey) && !subjects.has(subject)) {
        this.#trouble(subject, undefined);
      }
    }
  }

  async #apply(ipvs: Ipvs, commands: readonly IpvsCommand[]): Promise<void> {
    this.#changes += 1;
    const refused = await ipvs.apply(commands);
    this.#changes += 1;
    for (const [index, command] of commands.entries()) {
      const error = refused.get(index);
      if (error !== undefined && this.#isSaid(command, error)) continue;
      const target = targetOf(command);
      const key = serviceKey(target);
      if (error !== undefined) this.#doubtful.set(key, target);
      else {
        this.#mirror.apply(command);
        if (command.kind === "delete-service") this.#release(key);
      }
      this.#trouble(subjectOf(command), error);
    }
    if (refused.size > 0) this.#backoff.failed();
  }

  /** A service that cannot be added has no destinations either. */
  #isSaid(command: IpvsCommand, error: KernelError): boolean {
    if (!("destination" in command)) return false;
    return this.#refused.get(serviceKey(command.target)) === error.message;
  }

  #compare({ table }: IpvsPicture): void {
    const ours = new Set([...this.#ours.keys()].filter((key) => !this.#dirty.has(key)));
    const wanted = new Map([...this.#wanted].filter(([key]) => ours.has(key)));
    const commands = reconcile(wanted, table, ours);
    this.#mirror.set(table);
    const byService = new Map<ServiceKey, IpvsCommand[]>();
    for (const command of commands) {
      const key = serviceKey(targetOf(command));
      const list = byService.get(key) ?? [];
      list.push(command);
      byService.set(key, list);
    }
    for (const [key, list] of byService) {
      // What is refused has its own next try.
      if (this.#doubtful.has(key)) continue;
      this.#mended.set(key, this.mended(key) + list.length);
      this.#world.drifted(key, list);
      this.#touch(key);
    }
  }

  /** Something was refused, or ip_vs could not be had: once more. */
  #retry(): void {
    if (this.#closed) return;
    if (this.#ipvs === undefined) {
      void this.open().then((opened) => {
        if (opened instanceof KernelError) return;
        for (const key of this.#ours.keys()) this.#touch(key);
      });
      return;
    }
    const doubtful = [...this.#doubtful];
    this.#doubtful.clear();
    void this.#ipvs.read(doubtful.map(([, target]) => target)).then((picture) => {
      if (picture instanceof KernelError) {
        for (const [key, target] of doubtful) this.#doubtful.set(key, target);
        this.#trouble(IP_VS, picture);
        return;
      }
      for (const [key] of doubtful) {
        this.#mirror.put(key, picture.table.get(key));
        this.#touch(key);
      }
    });
  }

  /** Something beside the table was refused, or is not any more. */
  trouble(subject: string, error: KernelError | undefined): void {
    this.#trouble(subject, error);
  }

  #trouble(subject: string, error: KernelError | undefined): void {
    const before = this.#refused.get(subject);
    if (error === undefined) {
      if (before === undefined) return;
      this.#refused.delete(subject);
      this.#world.trouble(subject, undefined);
      return;
    }
    if (subject === IP_VS) this.#backoff.failed();
    if (before === error.message) return;
    this.#refused.set(subject, error.message);
    this.#world.trouble(subject, error);
  }
}

const targetOf = (command: IpvsCommand): ServiceTarget =>
  "service" in command ? command.service.target : command.target;

const subjectOf = (command: IpvsCommand): string =>
  "destination" in command
    ? `${serviceKey(command.target)}${ARROW}${destinationKey(command.destination)}`
    : serviceKey(targetOf(command));
