import type { IpAddress } from "../../core/address.ts";
import { familyOf } from "../../core/address.ts";
import type { Instant } from "../../core/time.ts";
import { after, seconds } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DataPathHost } from "../../ports/data-path-host.ts";
import type { KernelError } from "../../ports/error.ts";
import { LocalSources } from "./local-sources.ts";
import { whyLost } from "./lost-answers.ts";

/** From a virtual address, which may be this host's own, by the link to a real server. */
export interface AnswerWay {
  readonly from: IpAddress;
  readonly server: IpAddress;
}

export interface AnswerWaysWorld {
  readonly clock: Clock;
  readonly openHost: () => DataPathHost;
  /** Connection synchronisation is configured. */
  readonly syncs: () => boolean;
  /** A setting of the kernel is about to be changed: `changed` is to outlive this director. */
  readonly remember: () => void;
  /** Answers are lost, or are not any more (`undefined`). */
  readonly trouble: (subject: string, error: KernelError | undefined) => void;
}

/** How long what was found holds: addresses move, and somebody may change a setting. */
const FRESH = seconds(1);
const ROUTES_FRESH = seconds(10);

/**
 * Answers to this host from an address that may be its own. The kernel drops them unless it is told
 * otherwise, on the interface by which they come; what else would have them dropped is looked for and said.
 */
export class AnswerWays {
  readonly #world: AnswerWaysWorld;
  readonly #sources: LocalSources;
  readonly #ways = new Map<string, { readonly way: AnswerWay; users: number }>();
  /** The interface towards an address. */
  readonly #interfaces = new Map<IpAddress, string | undefined>();
  readonly #lost = new Set<string>();
  /** What was said, by subject. */
  readonly #told = new Map<string, string>();
  #host: DataPathHost | undefined;
  #looking: Promise<void> | undefined;
  #freshUntil: Instant | undefined;
  #routesUntil: Instant | undefined;
  #closed = false;

  constructor(world: AnswerWaysWorld) {
    this.#world = world;
    this.#sources = new LocalSources(world.remember);
  }

  /** Interfaces whose setting is to be put back. */
  get changed(): readonly string[] {
    return this.#sources.interfaces;
  }

  /** What an earlier director has changed. */
  adopt(interfaces: readonly string[]): void {
    if (interfaces.length === 0) return;
    this.#sources.adopt(interfaces);
    // As soon as it is known what is needed: perhaps nothing is.
    void Promise.resolve().then(() => this.#look());
  }

  need(way: AnswerWay): void {
    const key = keyOf(way);
    const known = this.#ways.get(key);
    if (known !== undefined) known.users += 1;
    else {
      this.#ways.set(key, { way, users: 1 });
      this.#freshUntil = undefined;
    }
  }

  release(way: AnswerWay): void {
    const known = this.#ways.get(keyOf(way));
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#ways.delete(keyOf(way));
    // Nobody will ask any more, and what was changed is to be put back.
    if (this.#ways.size === 0) void this.#look();
  }

  /** Whether answers on a way would be dropped now; why is told. */
  async areLost(way: AnswerWay): Promise<boolean> {
    const now = this.#world.clock.now();
    if (this.#freshUntil === undefined || now >= this.#freshUntil) await this.#look();
    return this.#lost.has(keyOf(way));
  }

  /** `leave`: settings stay as they are, for whoever comes after. */
  close(leave: boolean): void {
    this.#closed = true;
    if (!leave && this.changed.length > 0) this.#sources.keep(this.#opened(), new Set());
    this.#host?.close();
    this.#host = undefined;
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const now = this.#world.clock.now();
    // One that is needed from now on is not looked at any more.
    this.#freshUntil = after(now, FRESH);
    const ways = [...this.#ways.values()].map(({ way }) => way);
    if (this.#routesUntil === undefined || now >= this.#routesUntil) {
      this.#routesUntil = after(now, ROUTES_FRESH);
      this.#interfaces.clear();
    }
    await this.#findInterfaces(ways);
    if (!this.#closed) this.#judge(ways);
  }

  async #findInterfaces(ways: readonly AnswerWay[]): Promise<void> {
    const addresses = new Set(ways.flatMap(({ from, server }) => [from, server]));
    const unknown = [...addresses].filter((each) => !this.#interfaces.has(each));
    const host = this.#opened();
    const found = await Promise.all(unknown.map((each) => host.interfaceTo(each)));
    for (const [index, address] of unknown.entries()) this.#interfaces.set(address, found[index]);
  }

  #judge(ways: readonly AnswerWay[]): void {
    const host = this.#opened();
    const refusals = this.#letIn(host, ways);
    const found = new Map<string, KernelError>();
    this.#lost.clear();
    for (const way of ways) {
      const back = this.#interfaces.get(way.server);
      // Without a way to it, that is what the look will find.
      if (back === undefined || back === LOOPBACK) continue;
      const forth = this.#interfaces.get(way.from);
      const errno = refusals.get(back);
      const { from } = way;
      const error = whyLost(host, { from, forth, back, errno, syncs: this.#world.syncs() });
      if (error === undefined) continue;
      this.#lost.add(keyOf(way));
      found.set(`data path: ${from} by ${back}`, error);
    }
    this.#tell(found);
  }

  #tell(found: ReadonlyMap<string, KernelError>): void {
    for (const subject of [...this.#told.keys()]) {
      if (found.has(subject)) continue;
      this.#told.delete(subject);
      this.#world.trouble(subject, undefined);
    }
    for (const [subject, error] of found) {
      if (this.#told.get(subject) === error.message) continue;
      this.#told.set(subject, error.message);
      this.#world.trouble(subject, error);
    }
  }

  /** Answers what the kernel refused, by interface. */
  #letIn(host: DataPathHost, ways: readonly AnswerWay[]): ReadonlyMap<string, string> {
    const wanted = new Set<string>();
    for (const { from, server } of ways) {
      const name = this.#interfaces.get(server);
      if (familyOf(from) === "ipv4" && name !== undefined && name !== LOOPBACK) wanted.add(name);
    }
    const refusals = new Map<string, string>();
    for (const name of wanted) {
      const errno = this.#sources.letIn(host, name);
      if (errno !== undefined) refusals.set(name, errno);
    }
    this.#sources.keep(host, wanted);
    return refusals;
  }

  #opened(): DataPathHost {
    this.#host ??= this.#world.openHost();
    return this.#host;
  }
}

const LOOPBACK = "lo";

const keyOf = ({ from, server }: AnswerWay): string => `${from} ${server}`;
