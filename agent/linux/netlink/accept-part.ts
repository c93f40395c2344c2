import type { RefusedAddress } from "../../ports/accept-filter.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import { addElements, deleteElements } from "../../wire/netlink/nftables.ts";
import { ACCEPT_MODE } from "./accept-ruleset.ts";
import type { FilterPart, ShownKeys } from "./filter-part.ts";
import { addressKey, keyText } from "./filter-part.ts";
import { IP_TABLE } from "./filter-tables.ts";

/** The key of one refused address, in the set that it belongs to. */
interface Element {
  readonly set: string;
  readonly key: Uint8Array;
}

type Elements = ReadonlyMap<string, Element>;

/** Elements in one message, which has them in an attribute of 64 KiB. */
const CHUNK = 1000;
const NONE: Elements = new Map();

/** The addresses that packets are refused to. Several interfaces may refuse the same. */
export class AcceptPart implements FilterPart {
  readonly contents = [ACCEPT_MODE];
  readonly #wanted = new Map<string, Element>();
  #applied: Elements = NONE;
  #sent: Elements = NONE;

  refuse(addresses: readonly RefusedAddress[]): void {
    for (const address of addresses) this.#wanted.set(wishOf(address), elementOf(address));
  }

  /** Answers whether any of them was refused. */
  release(addresses: readonly RefusedAddress[]): boolean {
    return addresses.filter((address) => this.#wanted.delete(wishOf(address))).length > 0;
  }

  clear(): void {
    this.#wanted.clear();
  }

  needed(): boolean {
    return this.#wanted.size > 0;
  }

  whole(): readonly Command[] {
    this.#applied = NONE;
    return this.changes();
  }

  changes(): readonly Command[] {
    const before = this.#applied;
    const wanted: Elements = new Map(
      Array.from(this.#wanted.values(), (element) => [textOf(element), element]),
    );
    this.#sent = wanted;
    const missing = [...wanted].flatMap(([text, one]) => (before.has(text) ? [] : [one]));
    const left = [...before].flatMap(([text, one]) => (wanted.has(text) ? [] : [one]));
    return [
      ...bySet(missing).map(({ set, elements }) => addElements(IP_TABLE, set, elements)),
      ...bySet(left).map(({ set, elements }) => deleteElements(IP_TABLE, set, elements)),
    ];
  }

  carriedOut(): boolean {
    this.#applied = this.#sent;
    return false;
  }

  refused(): boolean {
    return false;
  }

  /** What was not carried out is asked for each time. */
  again(): void {}

  gone(): void {
    this.#applied = NONE;
  }

  fits(shown: ShownKeys): boolean {
    const applied = [...this.#applied.values()];
    return ACCEPT_MODE.sets.every(({ name }) => {
      const keys = shown(IP_TABLE, name);
      const expected = applied.filter(({ set }) => set === name);
      return keys.size === expected.length && expected.every(({ key }) => keys.has(keyText(key)));
    });
  }

  due(): boolean {
    return false;
  }
}

const wishOf = ({ interfaceIndex, address }: RefusedAddress): string =>
  `${interfaceIndex} ${address}`;

function elementOf({ interfaceIndex, address }: RefusedAddress): Element {
  const { kind, bytes } = addressKey(interfaceIndex, address);
  return { set: `refused${kind}`, key: bytes };
}

const textOf = ({ set, key }: Element): string => `${set} ${keyText(key)}`;

/** What goes into one message each. */
function bySet(all: readonly Element[]): readonly { set: string; elements: readonly Element[] }[] {
  return ACCEPT_MODE.sets.flatMap(({ name }) => {
    const elements = all.filter(({ set }) => set === name);
    const starts = Array.from(
      { length: Math.ceil(elements.length / CHUNK) },
      (_, at) => at * CHUNK,
    );
    return starts.map((at) => ({ set: name, elements: elements.slice(at, at + CHUNK) }));
  });
}
