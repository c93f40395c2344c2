import type { VirtualLink } from "../config/config.ts";
import type { Family } from "../core/address.ts";
import { KernelError } from "../ports/error.ts";
import type { Link, Network } from "../ports/network.ts";

/** What a router's virtual link must be. */
export interface LinkWish {
  readonly spec: VirtualLink;
  readonly parentIndex: number;
  readonly family: Family;
  readonly mac: string | undefined;
}

interface Entry {
  wish: LinkWish;
  readonly owners: Set<string>;
  link: Link | undefined;
  making: Promise<void> | undefined;
  /** The kernel refused; asked again when the parent changes. */
  refused: boolean;
}

/** Hears when a link is there, or was refused. */
export interface VirtualLinkListener {
  made(link: Link): void;
  refused(name: string, error: KernelError): void;
}

/** The macvlans and ipvlans that this agent makes: by name, shared, gone with their last owner. */
export class VirtualLinks {
  readonly #network: Network;
  readonly #listener: VirtualLinkListener;
  readonly #entries = new Map<string, Entry>();

  constructor(network: Network, listener: VirtualLinkListener) {
    this.#network = network;
    this.#listener = listener;
  }

  /** Idempotent. Answers the link if it is there; else it is being made, or was refused. */
  want(owner: string, wish: LinkWish): Link | undefined {
    const { name } = wish.spec;
    const known = this.#entries.get(name);
    const entry: Entry = known ?? {
      wish,
      owners: new Set(),
      link: undefined,
      making: undefined,
      refused: false,
    };
    this.#entries.set(name, entry);
    entry.owners.add(owner);
    if (!sameWish(entry.wish, wish)) {
      entry.wish = wish;
      entry.link = undefined;
      entry.refused = false;
    }
    if (entry.link === undefined && !entry.refused) entry.making ??= this.#make(name, entry);
    return entry.link;
  }

  /** Resolves when no link is being made. */
  async settled(): Promise<void> {
    for (;;) {
      const making = [...this.#entries.values()].flatMap(({ making: one }) => one ?? []);
      if (making.length === 0) return;
      await Promise.all(making);
    }
  }

  /** An interface changed: what was made may be new, what was refused may work now. */
  changed(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.link !== undefined) entry.link = this.#network.linkByName(name);
    const parent = this.#network.linkByName(name);
    for (const each of this.#entries.values()) {
      if (each.wish.parentIndex === parent?.index) each.refused = false;
    }
  }

  release(owner: string): Promise<void> {
    return this.retain(owner, []);
  }

  /** Lets go of all links of this owner but those of these names. */
  async retain(owner: string, names: readonly string[]): Promise<void> {
    const removed: Promise<unknown>[] = [];
    for (const [name, entry] of this.#entries) {
      if (names.includes(name)) continue;
      if (!entry.owners.delete(owner) || entry.owners.size > 0) continue;
      this.#entries.delete(name);
      removed.push(this.#remove(name, entry));
    }
    await Promise.all(removed);
  }

  async #remove(name: string, entry: Entry): Promise<void> {
    await entry.making;
    // Somebody wants it again, and has adopted it or will replace it.
    if (this.#entries.has(name)) return;
    if (entry.link !== undefined) await this.#network.removeVirtualLink(entry.link.index);
  }

  async #make(name: string, entry: Entry): Promise<void> {
    const { wish } = entry;
    const { spec, parentIndex, family, mac } = wish;
    try {
      const link = await this.#network.createVirtualLink(spec, parentIndex, family, mac);
      entry.making = undefined;
      if (entry.wish !== wish) {
        // Something else is wanted by now.
        entry.making = this.#make(name, entry);
        return entry.making;
      }
      entry.link = link;
      this.#listener.made(link);
    } catch (error) {
      entry.making = undefined;
      if (!(error instanceof KernelError)) throw error;
      entry.refused = true;
      this.#listener.refused(name, error);
    }
  }
}

const sameWish = (a: LinkWish, b: LinkWish): boolean =>
  a.parentIndex === b.parentIndex &&
  a.mac === b.mac &&
  a.family === b.family &&
  JSON.stringify(a.spec) === JSON.stringify(b.spec);
