import type { Instant, Micros } from "../../core/time.ts";
import type { Command, Table } from "../../wire/netlink/nftables.ts";
import {
  dropElements,
  encodeElement,
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

  constructor({ kind, bytes }: AddressKey) {
    this.kind = kind;
    this.key = keyText(bytes);
    this.inGuarded = encodeElement({ key: bytes, timeoutMs: 0 });
    this.inOpen = this.inGuarded.slice();
  }
}

const KINDS = ["4", "6", "6link"] as const;

/** Addresses of IPv4 are in both tables. */
export const tablesFor = (kind: AddressKind): readonly Table[] =>
  kind === "4" ? [IP_TABLE, ARP_TABLE] : [IP_TABLE];

/** Elements that are about to be changed, in the set of each kind of address. */
export class SetChanges {
  readonly #names: Readonly<Record<AddressKind, string>>;
  readonly #renewed: Record<AddressKind, Uint8Array[]> = { "4": [], "6": [], "6link": [] };
  readonly #dropped: Record<AddressKind, Uint8Array[]> = { "4": [], "6": [], "6link": [] };

  constructor(names: Readonly<Record<AddressKind, string>>) {
    this.#names = names;
  }

  renew(kind: AddressKind, encoded: Uint8Array, timeoutMs: number): void {
    setTimeoutIn(encoded, timeoutMs);
    this.#renewed[kind].push(encoded);
  }

  drop(kind: AddressKind, encoded: Uint8Array): void {
    this.#dropped[kind].push(encoded);
  }

  commands(): readonly Command[] {
    return KINDS.flatMap((kind) => {
      const tables = tablesFor(kind);
      const set = this.#names[kind];
      return [
        ...dropElements(tables, set, this.#dropped[kind]),
        ...renewElements(tables, set, this.#renewed[kind]),
      ];
    });
  }
}
