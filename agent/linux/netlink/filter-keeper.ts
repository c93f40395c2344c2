import { setTimeout as delay } from "node:timers/promises";
import { KernelError } from "../../ports/error.ts";
import type { Command, Table } from "../../wire/netlink/nftables.ts";
import {
  decodeElements,
  decodeGeneration,
  deleteTable,
  elementsOf,
  getGeneration,
  getRules,
} from "../../wire/netlink/nftables.ts";
import { NFT } from "../../wire/netlink/nftables-numbers.ts";
import { systemClock } from "../clock.ts";
import { Channel } from "./channel.ts";
import { isPassing } from "./filter-errno.ts";
import type { Contents, FilterPart, ShownKeys } from "./filter-part.ts";
import { dropTable, keyText, makeTables, tablesOf } from "./filter-part.ts";
import { ARP_TABLE, removeTables } from "./filter-tables.ts";
import { throwLater } from "./netlink-socket.ts";
import { Transactions } from "./transactions.ts";

/**
 * How often the ruleset's generation is asked for (one question without a lock, 20 µs). Polled rather
 * than heard, as a busy ruleset (containers, bans) would flood a listener that shares this thread with
 * the protocol's timers. What somebody removes is missing for that long: until it is back, packets
 * that should be dropped pass.
 */
const LOOK_MS = 200;
/** Between the tries of what the kernel could not just now: others wait for the end of it. */
const PAUSES_MS = [1, 2, 4, 8];
const TRIAL = "holdfast-trial";
/** What a kernel without netfilter answers. */
const NO_NETFILTER = "EPROTONOSUPPORT";
const NOT_THERE = "ENOENT";

type Errno = string | undefined;
/** What it asks the kernel by. */
export type FilterTransactions = Pick<Transactions, "run" | "close">;

/** Hears that tables were put back, or the errno name for which they could not be. */
type Listener = (errno: Errno) => void;

/**
 * Keeps our tables as the parts want them, in one transaction for all that was wished for meanwhile.
 * There are tables, chains and sets only while a part needs them.
 */
export class FilterKeeper {
  readonly #parts: readonly FilterPart[];
  readonly #listeners = new Map<FilterPart, Set<Listener>>();
  /** Parts that the kernel has by our doing; `undefined`: what it has is not known. */
  #applied: readonly FilterPart[] | undefined = [];
  /** We have tried to make tables, and not removed them since. */
  #mayExist = false;
  /** The kernel could not do the last that was wanted, just then. */
  #isBehind = false;
  /** The ruleset's generation, if nobody but us has changed anything since all was seen there. */
  #generation: number | undefined;
  #transactions: FilterTransactions | undefined;
  #channel: Channel | undefined;
  /** One pass or look at a time. */
  #work: Promise<unknown> = Promise.resolve();
  /** A pass that has not begun: it will see what is wanted by then. */
  #next: Promise<Errno> | undefined;
  #looks: NodeJS.Timeout | undefined;
  #looking = false;

  readonly #connect: () => FilterTransactions;

  /** @param connect throws a KernelError where the kernel has no netfilter */
  constructor(
    parts: readonly FilterPart[],
    connect: () => FilterTransactions = () => new Transactions(),
  ) {
    this.#parts = parts;
    this.#connect = connect;
  }

  /** Brings the kernel to what the parts want by the time this is carried out. */
  apply(): Promise<Errno> {
    this.#next ??= this.#then(() => {
      this.#next = undefined;
      return this.#pass();
    });
    return this.#next;
  }

  /**
   * Whether the kernel could. Leaves nothing, as it is made and removed in one transaction: under our
   * own names, which may be somebody else's, unless we have tables there.
   */
  tryOut(part: FilterPart): Promise<Errno> {
    return this.#then(() => {
      const applied = this.#applied ?? [];
      if (applied.includes(part)) return this.#isBehind ? this.#pass() : DONE;
      const trial = part.contents.map((contents) => {
        const { table } = contents;
        return applied.length === 0 ? contents : { ...contents, table: { ...table, name: TRIAL } };
      });
      const commands = [...makeTables(trial), ...tablesOf(trial).map(deleteTable)];
      return patiently(() => this.#transact(() => commands));
    });
  }

  subscribe(part: FilterPart, listener: Listener): () => void {
    const listeners = this.#listeners.get(part) ?? new Set();
    this.#listeners.set(part, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /** Answers whether an earlier run had left anything. To be called before anything is wanted. */
  removeLeftovers(): Promise<boolean> {
    return this.#then(async () => {
      const transactions = this.#open();
      return transactions !== undefined && (await removeTables(transactions)).removed;
    });
  }

  /** When the parts want nothing any more, and the kernel was brought to that. */
  close(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#channel?.close();
    this.#transactions?.close();
  }

  #then<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result;
    return result;
  }

  async #pass(): Promise<Errno> {
    const before = this.#applied ?? [];
    for (let repaired = false; ; ) {
      const errno = await this.#step();
      this.#isBehind = isPassing(errno);
      if (this.#isBehind) {
        // What it has it keeps, and gates that are not extended shut: it is asked again in a moment.
        const now = systemClock.now();
        this.#tell(
          this.#parts.filter((part) => part.needed(now)),
          errno,
        );
        this.#watch();
        return errno;
      }
      if (errno === undefined) {
        if (repaired) this.#tell(before, undefined);
        this.#watch();
        return undefined;
      }
      // What we knew of the kernel is wrong, unless we knew nothing: from the beginning.
      const known = this.#applied !== undefined && this.#applied.length > 0;
      this.#applied = undefined;
      if (known) {
        repaired = true;
        continue;
      }
      if (repaired) this.#tell(before, errno);
      this.#watch();
      return errno;
    }
  }

  /** From what was applied to what is wanted, and once more where too much time passed meanwhile. */
  async #step(): Promise<Errno> {
    for (;;) {
      const now = systemClock.now();
      const needed = this.#parts.filter((part) => part.needed(now));
      if (needed.length === 0) return this.#clear();
      const errno = await patiently(() => this.#ask(needed));
      const done = systemClock.now();
      // Each of them is asked, as each wants its own again.
      if (errno === NOT_THERE && needed.filter((part) => part.refused(done)).length > 0) continue;
      if (errno !== undefined) return errno;
      this.#applied = needed;
      const again = needed.filter((part) => part.carriedOut(done));
      if (again.length === 0) return undefined;
    }
  }

  async #ask(needed: readonly FilterPart[]): Promise<Errno> {
    const errno = await this.#transact(() => this.#commands(needed));
    if (isPassing(errno)) for (const part of needed) part.again();
    return errno;
  }

  #commands(needed: readonly FilterPart[]): readonly Command[] {
    const now = systemClock.now();
    const same =
      this.#applied?.length === needed.length &&
      needed.every((one, at) => one === this.#applied?.[at]);
    if (same) return needed.flatMap((part) => part.changes(now));
    for (const part of this.#parts) part.gone();
    const contents = needed.flatMap((part) => part.contents);
    const without = this.#mayExist && !tablesOf(contents).includes(ARP_TABLE);
    this.#mayExist = true;
    return [
      ...(without ? dropTable(ARP_TABLE) : []),
      ...makeTables(contents),
      ...needed.flatMap((part) => part.whole(now)),
    ];
  }

  async #clear(): Promise<Errno> {
    const transactions = this.#mayExist ? this.#open() : undefined;
    if (transactions !== undefined) {
      this.#generation = undefined;
      const errno = await patiently(async () => (await removeTables(transactions)).problem?.code);
      if (errno !== undefined) return errno;
    }
    for (const part of this.#parts) part.gone();
    this.#applied = [];
    this.#mayExist = false;
    return undefined;
  }

  async #transact(commands: () => readonly Command[]): Promise<Errno> {
    const transactions = this.#open();
    if (transactions === undefined) return NO_NETFILTER;
    let count = 0;
    const errno = await transactions.run(() => {
      const all = commands();
      count = all.length;
      return all;
    });
    const changed = errno === undefined && count > 0;
    // The kernel counts one for each transaction.
    if (changed && this.#generation !== undefined) this.#generation += 1;
    return errno;
  }

  /** `undefined` where the kernel has no netfilter. */
  #open(): FilterTransactions | undefined {
    try {
      this.#transactions ??= this.#connect();
      this.#channel ??= new Channel("netfilter");
      return this.#transactions;
    } catch (error) {
      if (error instanceof KernelError) return undefined;
      throw error;
    }
  }

  /** Looks after the tables exactly while there are any, or should be. */
  #watch(): void {
    const now = systemClock.now();
    if (!this.#mayExist && !this.#parts.some((part) => part.needed(now))) {
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

  /** Puts the tables back when somebody else has touched them; lets time pass for the parts. */
  async #look(): Promise<void> {
    this.#looking = false;
    const applied = this.#applied ?? [];
    if (this.#isBehind) {
      await this.#pass();
      return;
    }
    if (applied.length === 0) return;
    if (!(await this.#isWhole(applied))) {
      this.#applied = undefined;
      const errno = await this.#pass();
      if (!isPassing(errno)) this.#tell(applied, errno);
      return;
    }
    const now = systemClock.now();
    const due = applied.filter((part) => part.due(now));
    if (due.length > 0 || applied.some((part) => !part.needed(now))) await this.#pass();
  }

  async #isWhole(applied: readonly FilterPart[]): Promise<boolean> {
    const channel = this.#channel;
    if (channel === undefined) return true;
    const { messages, errno } = await channel.ask(NFT.getGeneration, getGeneration());
    const generation = messages.map(decodeGeneration).find((one) => one !== undefined);
    // An answer that does not come says nothing about the tables.
    if (errno !== undefined) return true;
    if (generation !== undefined && generation === this.#generation) return true;
    const contents = applied.flatMap((part) => part.contents);
    const shown = await shownKeys(channel, contents);
    if (shown === undefined || !(await hasRules(channel, contents))) return false;
    const now = systemClock.now();
    if (!applied.every((part) => part.fits(shown, now))) return false;
    this.#generation = generation;
    return true;
  }

  #tell(parts: readonly FilterPart[], errno: Errno): void {
    for (const part of parts) {
      for (const listener of [...(this.#listeners.get(part) ?? [])]) listener(errno);
    }
  }
}

const DONE: Promise<Errno> = Promise.resolve(undefined);

/** Again after each pause, while the kernel says that it cannot just now. */
async function patiently(work: () => Promise<Errno>): Promise<Errno> {
  for (const pause of PAUSES_MS) {
    const errno = await work();
    if (!isPassing(errno)) return errno;
    await delay(pause);
  }
  return work();
}

/** More rules than ours are the operator's wish. */
async function hasRules(channel: Channel, contents: readonly Contents[]): Promise<boolean> {
  for (const { table, chains } of contents) {
    for (const { name, rules } of chains) {
      const dump = await channel.dump(NFT.getRule, getRules(table, name));
      const count = dump.messages.filter(({ type }) => type === NFT.newRule).length;
      if (count < rules.length) return false;
    }
  }
  return true;
}

/** `undefined`: a set is missing. */
async function shownKeys(
  channel: Channel,
  contents: readonly Contents[],
): Promise<ShownKeys | undefined> {
  const shown = new Map<string, ReadonlySet<string>>();
  const nameOf = ({ family }: Table, set: string): string => `${family} ${set}`;
  for (const { table, sets } of contents) {
    for (const { name } of sets) {
      const dump = await channel.dump(NFT.getSetElements, elementsOf(table, name));
      if (dump.errno !== undefined) return undefined;
      shown.set(nameOf(table, name), new Set(dump.messages.flatMap(decodeElements).map(keyText)));
    }
  }
  return (table, set) => shown.get(nameOf(table, set)) ?? new Set();
}
