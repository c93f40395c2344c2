import type { AcceptFilter, AcceptFilterEvent, RefusedAddress } from "../../ports/accept-filter.ts";
import { KernelError } from "../../ports/error.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import {
  decodeElements,
  decodeGeneration,
  deleteTable,
  encodeBatch,
  getElements,
  getGeneration,
  getRules,
} from "../../wire/netlink/nftables.ts";
import { NFT } from "../../wire/netlink/nftables-numbers.ts";
import type { Element } from "./accept-ruleset.ts";
import { add, build, CHAIN, elementOf, RULES, remove, SETS, TABLE } from "./accept-ruleset.ts";
import { Channel } from "./channel.ts";
import { throwLater } from "./netlink-socket.ts";

/**
 * How often the ruleset's generation is asked for (one question without a lock, 20 µs). Polled rather
 * than heard, as a busy ruleset (containers, bans) would flood a listener that shares this thread with
 * the protocol's timers.
 */
const LOOK_MS = 200;
/** Elements in one transaction: they share a datagram, and an attribute of 64 KiB. */
const CHUNK = 1000;
/** Somebody may flush the ruleset between any two of our transactions. */
const ATTEMPTS = 4;

type Problem = KernelError | undefined;
type Elements = ReadonlyMap<string, Element>;

/**
 * The packet filter of the namespace that the main thread is in, over native nftables netlink. Opens
 * nothing before it is needed. Main thread only.
 */
export const openAcceptFilter = (): AcceptFilter => new KernelAcceptFilter();

class KernelAcceptFilter implements AcceptFilter {
  readonly #listeners = new Set<(event: AcceptFilterEvent) => void>();
  readonly #wanted = new Map<string, Element>();
  /** What the kernel has by our doing; `undefined`: no table of ours. */
  #applied: Elements | undefined;
  /** We have tried to make it, and not removed it since. */
  #mayExist = false;
  /** The ruleset's generation in which all of that was seen to be there. */
  #seen: number | undefined;
  #channel: Channel | undefined;
  /** One transaction or look at a time. */
  #work: Promise<unknown> = Promise.resolve();
  /** A pass that has not begun: it will see what is wanted by then. */
  #next: Promise<Problem> | undefined;
  #looks: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  probe(): Promise<Problem> {
    return this.#then(async () => {
      if (this.#applied !== undefined) return undefined;
      const problem = await this.#transact(build([]));
      await this.#transact([deleteTable(TABLE)]);
      return problem;
    });
  }

  refuse(addresses: readonly RefusedAddress[]): Promise<Problem> {
    for (const address of addresses) this.#wanted.set(keyOf(address), elementOf(address));
    return this.#apply();
  }

  release(addresses: readonly RefusedAddress[]): Promise<Problem> {
    let released = false;
    for (const address of addresses) released = this.#wanted.delete(keyOf(address)) || released;
    return released ? this.#apply() : Promise.resolve(undefined);
  }

  subscribe(listener: (event: AcceptFilterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  removeLeftovers(): Promise<boolean> {
    return this.#then(async () => (await this.#transact([deleteTable(TABLE)])) === undefined);
  }

  async close(): Promise<void> {
    this.#wanted.clear();
    await this.#apply();
    this.#closed = true;
    clearInterval(this.#looks);
    this.#listeners.clear();
    this.#channel?.close();
  }

  #apply(): Promise<Problem> {
    this.#next ??= this.#then(() => {
      this.#next = undefined;
      return this.#pass();
    });
    return this.#next;
  }

  #then<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result;
    return result;
  }

  /** Brings the kernel to what is wanted. */
  async #pass(): Promise<Problem> {
    for (let attempt = 1; ; attempt += 1) {
      const problem = await this.#step();
      const known = this.#applied !== undefined;
      if (problem === undefined || !known || attempt === ATTEMPTS) {
        this.#watch();
        return problem;
      }
      // What we knew of the kernel is wrong: from the beginning.
      this.#applied = undefined;
    }
  }

  /** From what was applied to what is wanted. */
  async #step(): Promise<Problem> {
    const wanted: Elements = new Map(Array.from(this.#wanted.values(), entryOf));
    if (wanted.size === 0) return this.#clear();
    const before: Elements = this.#applied ?? new Map();
    for (const chunk of chunks([...wanted.values()].filter((one) => !before.has(textOf(one))))) {
      const commands = this.#applied === undefined ? build(chunk) : add(chunk);
      this.#mayExist = true;
      const problem = await this.#transact(commands);
      if (problem !== undefined) return problem;
      this.#applied = new Map([...(this.#applied ?? []), ...chunk.map(entryOf)]);
    }
    for (const chunk of chunks([...before.values()].filter((one) => !wanted.has(textOf(one))))) {
      const problem = await this.#transact(remove(chunk));
      if (problem !== undefined) return problem;
    }
    this.#applied = wanted;
    return undefined;
  }

  async #clear(): Promise<Problem> {
    if (!this.#mayExist) return undefined;
    const problem = await this.#transact([deleteTable(TABLE)]);
    if (problem !== undefined && problem.code !== "ENOENT") return problem;
    this.#applied = undefined;
    this.#mayExist = false;
    return undefined;
  }

  async #transact(commands: readonly Command[]): Promise<Problem> {
    try {
      const { errno } = await this.#open().transact(encodeBatch(commands));
      return errno === undefined ? undefined : refused(errno);
    } catch (error) {
      if (error instanceof KernelError) return refused("EPROTONOSUPPORT");
      throw error;
    }
  }

  /** Throws a KernelError where the kernel has no netfilter. */
  #open(): Channel {
    this.#channel ??= new Channel("netfilter");
    return this.#channel;
  }

  /** Looks after the table exactly while there is one, or should be. */
  #watch(): void {
    const needed = this.#wanted.size > 0 && !this.#closed;
    if (!needed) {
      clearInterval(this.#looks);
      this.#looks = undefined;
      return;
    }
    this.#looks ??= setInterval(() => {
      if (this.#looking) return;
      this.#looking = true;
      this.#then(() => this.#look()).catch(throwLater);
    }, LOOK_MS).unref();
  }

  /** Puts the table back when somebody else has touched it. */
  async #look(): Promise<void> {
    this.#looking = false;
    if (this.#applied === undefined || (await this.#isWhole())) return;
    this.#applied = undefined;
    const error = await this.#pass();
    this.#tell(error === undefined ? { kind: "restored" } : { kind: "lost", error });
  }

  async #isWhole(): Promise<boolean> {
    const channel = this.#open();
    const { messages, errno } = await channel.ask(NFT.getGeneration, getGeneration());
    const generation = messages.map(decodeGeneration).find((one) => one !== undefined);
    // An answer that does not come says nothing about the table.
    if (errno !== undefined) return true;
    if (generation !== undefined && generation === this.#seen) return true;
    const rules = await channel.dump(NFT.getRule, getRules(TABLE, CHAIN));
    const count = rules.messages.filter(({ type }) => type === NFT.newRule).length;
    // More than ours are the operator's wish.
    if (count < RULES.length || !(await this.#hasElements(channel))) return false;
    this.#seen = generation;
    return true;
  }

  async #hasElements(channel: Channel): Promise<boolean> {
    const shown = new Set<string>();
    for (const { name } of SETS) {
      const dump = await channel.dump(NFT.getSetElements, getElements(TABLE, name));
      if (dump.errno !== undefined) return false;
      for (const key of dump.messages.flatMap(decodeElements))
        shown.add(textOf({ set: name, key }));
    }
    const applied = [...(this.#applied?.keys() ?? [])];
    return shown.size === applied.length && applied.every((key) => shown.has(key));
  }

  #tell(event: AcceptFilterEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

const keyOf = ({ interfaceIndex, address }: RefusedAddress): string =>
  `${interfaceIndex} ${address}`;

const textOf = ({ set, key }: Element): string => `${set} ${key.join()}`;

const entryOf = (element: Element) => [textOf(element), element] as const;

function chunks<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const parts: (readonly Item[])[] = [];
  for (let at = 0; at < items.length; at += CHUNK) parts.push(items.slice(at, at + CHUNK));
  return parts;
}

const NOT_PERMITTED = ["EPERM", "EACCES"];
const PASSING = ["ENOBUFS", "ENOMEM", "ETIMEDOUT", "ECANCELED", "EBUSY"];

function refused(errno: string): KernelError {
  const message = `packets to the addresses cannot be refused: the kernel says ${errno}`;
  if (NOT_PERMITTED.includes(errno)) {
    return new KernelError(errno, message, "run Holdfast as root or give it CAP_NET_ADMIN");
  }
  if (PASSING.includes(errno)) return new KernelError(errno, message, "it is tried again");
  return new KernelError(
    errno,
    message,
    "it needs nf_tables with the inet family (modprobe nf_tables); or let the instance accept them: " +
      "take out no_accept and strict mode",
  );
}
