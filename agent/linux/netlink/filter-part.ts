import type { IpAddress } from "../../core/address.ts";
import { addressBytes, familyOf, isLinkLocal } from "../../core/address.ts";
import type { Instant } from "../../core/time.ts";
import { BodyWriter } from "../../wire/netlink/attribute.ts";
import type { Command, Hook, SetSpec, Table } from "../../wire/netlink/nftables.ts";
import { deleteTable, newChain, newRule, newSet, newTable } from "../../wire/netlink/nftables.ts";
import type { Expression } from "../../wire/netlink/nftables-expression.ts";

type Rule = readonly Expression[];

export interface ChainSpec {
  readonly name: string;
  readonly hook: Hook;
  readonly rules: readonly Rule[];
}

/** What one use of the packet filter has in one of our tables. */
export interface Contents {
  readonly table: Table;
  readonly sets: readonly SetSpec[];
  readonly chains: readonly ChainSpec[];
}

/** The keys that a set has in the kernel, each as the text of its bytes. */
export type ShownKeys = (table: Table, set: string) => ReadonlySet<string>;

/** One use of the packet filter: what it wants there, and what it believes to be there. */
export interface FilterPart {
  readonly contents: readonly Contents[];
  /** Whether it has anything to say. Where it has not, the kernel knows nothing of it. */
  needed(now: Instant): boolean;
  /** The elements of sets that were just made. */
  whole(now: Instant): readonly Command[];
  /** From what was carried out last to what is wanted now. */
  changes(now: Instant): readonly Command[];
  /** What was asked for last was carried out by now. Answers whether there are changes again. */
  carriedOut(now: Instant): boolean;
  /**
   * Nothing of what was asked for last has happened, as something was not there any more. Answers
   * whether that may be because time has passed since: then there are the same changes again.
   */
  refused(now: Instant): boolean;
  /** Whether what was asked for last has happened is not known: there are the same changes again. */
  again(): void;
  /** Wants nothing any more. */
  clear(): void;
  /** Nothing of it is in the kernel. */
  gone(): void;
  /** Whether the kernel's sets have what they should. */
  fits(shown: ShownKeys, now: Instant): boolean;
  /** Called now and then while it is in the kernel. Answers whether there are changes. */
  due(now: Instant): boolean;
}

/** The tables of these contents: one of each family. */
export const tablesOf = (contents: readonly Contents[]): readonly Table[] => [
  ...new Map(contents.map(({ table }) => [table.family, table])).values(),
];

/** Makes tables anew, with no elements, whatever was there under their names. */
export function makeTables(contents: readonly Contents[]): readonly Command[] {
  return [
    ...tablesOf(contents).flatMap(replaceTable),
    ...contents.flatMap(({ table, sets, chains }) => [
      ...sets.map((set) => newSet(table, set)),
      ...chains.flatMap(({ name, hook, rules }) => [
        newChain(table, name, hook),
        ...rules.map((rule) => newRule(table, name, rule)),
      ]),
    ]),
  ];
}

/** Removes a table that may be there or not, in a transaction with others. */
export const dropTable = (table: Table): readonly Command[] => [
  newTable(table),
  deleteTable(table),
];

const replaceTable = (table: Table): readonly Command[] => [...dropTable(table), newTable(table)];

/** Which of three sets an address is in: a link-local one counts on its interface alone. */
export type AddressKind = "4" | "6" | "6link";

export interface AddressKey {
  readonly kind: AddressKind;
  readonly bytes: Uint8Array;
}

export function addressKey(interfaceIndex: number, address: IpAddress): AddressKey {
  const bytes = addressBytes(address);
  if (familyOf(address) === "ipv4") return { kind: "4", bytes };
  if (!isLinkLocal(address)) return { kind: "6", bytes };
  // The kernel compares the index in this machine's own order.
  return { kind: "6link", bytes: new BodyWriter().u32(interfaceIndex).bytes(bytes).finish() };
}

/** A key as dumps of sets are compared. */
export const keyText = (bytes: Uint8Array): string => bytes.join();
