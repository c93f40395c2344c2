import type { Instant, Micros } from "../../core/time.ts";
import type { Command, Table } from "../../wire/netlink/nftables.ts";
import {
  dropElements,
  elementsOf,
  encodeElement,
  extendElements,
  renewElements,
  setTimeoutIn,
} from "../../wire/netlink/nftables.ts";
import type { AddressKey, AddressKind } from "./filter-part.ts";
import { keyText } from "./filter-part.ts";
import { ARP_TABLE, IP_TABLE } from "./filter-tables.ts";

/** What one opening asked for, and what became of it. */
export interface Lease {
  readonly deadline: Instant;
  readonly margin: Micros;
  late: boolean;
}

/** An address that is behind the gate, or was opened: what is wanted, and what the kernel was told. */
export class GatedElement {
  readonly kind: AddressKind;
  readonly key: string;
  /** As it stands in the set of what is behind the gate, and in that of what is open. */
  readonly inGuarded: Uint8Array;
  readonly inOpen: Uint8Array;
  /** Interfaces on which it is behind the gate. */
  readonly holders = new Set<number>();
  keep = 0 as Micros;
  /** Its time behind the gate is to begin anew. */
  keepAnew = false;
  lease: Lease | undefined;
  /** Until when the kernel has it behind the gate; `undefined`: it has not. */
  guardedUntil: Instant | undefined;
  /** What the kernel has it open for, until the deadline of that at least. */
  opened: Lease | undefined;
  /** The kernel may have shut it already: that cannot be extended any more. */
  mayBeOver = false;

  constructor({ kind, bytes }: AddressKey) {
    this.kind = kind;
    this.key = keyText(bytes);
    this.inGuarded = encodeElement({ key: bytes, timeoutMs: 0 });
    this.inOpen = this.inGuarded.slice();
  }
}

/** Addresses of IPv4 are in both tables. */
export const tablesFor = (kind: AddressKind): readonly Table[] =>
  kind === "4" ? [IP_TABLE, ARP_TABLE] : [IP_TABLE];

type ElementChange = typeof renewElements;

/** The sets of each kind of address, as messages about their elements begin. */
export type TimedSets = Readonly<Record<AddressKind, readonly Uint8Array[]>>;

export function timedSets(names: Readonly<Record<AddressKind, string>>): TimedSets {
  const ofKind = (kind: AddressKind): readonly Uint8Array[] =>
    tablesFor(kind).map((table) => elementsOf(table, names[kind]));
  return { "4": ofKind("4"), "6": ofKind("6"), "6link": ofKind("6link") };
}

/** One change of elements of one kind. */
interface Listed {
  readonly change: ElementChange;
  readonly kind: AddressKind;
  readonly encoded: Uint8Array[];
}

/** Elements that are about to be changed, in the sets of their kind of address. */
export class SetChanges {
  readonly #sets: TimedSets;
  /** Mostly one: extensions of IPv4 addresses. */
  readonly #lists: Listed[] = [];

  constructor(sets: TimedSets) {
    this.#sets = sets;
  }

  /** Whether it is there or not. */
  renew(kind: AddressKind, encoded: Uint8Array, timeoutMs: number): void {
    setTimeoutIn(encoded, timeoutMs);
    this.#add(renewElements, kind, encoded);
  }

  /** If it is still there; otherwise the kernel refuses all that goes with it. */
  extend(kind: AddressKind, encoded: Uint8Array, timeoutMs: number): void {
    setTimeoutIn(encoded, timeoutMs);
    this.#add(extendElements, kind, encoded);
  }

  drop(kind: AddressKind, encoded: Uint8Array): void {
    this.#add(dropElements, kind, encoded);
  }

  commands(): readonly Command[] {
    return this.#lists.flatMap(({ change, kind, encoded }) => change(this.#sets[kind], encoded));
  }

  #add(change: ElementChange, kind: AddressKind, encoded: Uint8Array): void {
    for (const listed of this.#lists) {
      if (listed.change !== change || listed.kind !== kind) continue;
      listed.encoded.push(encoded);
      return;
    }
    this.#lists.push({ change, kind, encoded: [encoded] });
  }
}
