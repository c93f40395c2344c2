import type { HostAddress, Link, NetworkEvent } from "../../ports/network.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { RTM } from "../../wire/netlink/rtnetlink.ts";
import type { AddressRecord } from "./address-message.ts";
import { decodeAddress } from "./address-message.ts";
import { decodeLink } from "./link-message.ts";

/** What the kernel says of an address, and what is made of it. */
export interface AddressEntry {
  readonly record: AddressRecord;
  readonly host: HostAddress;
}

/**
 * The host's links and addresses as the kernel last told them. Messages keep the view true; a dump
 * mends it where messages were lost. Every change is told once, in the kernel's order.
 */
export class HostView {
  readonly links = new Map<number, Link>();
  readonly #byName = new Map<string, Link>();
  /** By interface, then by key. */
  readonly #addresses = new Map<number, Map<string, AddressEntry>>();
  readonly #isOurs: (record: AddressRecord) => boolean;
  readonly #tell: (event: NetworkEvent) => void;
  /** What messages spoke of since a dump began; the dump's word on it may be older. */
  #touched: Set<string> | undefined;

  constructor(isOurs: (record: AddressRecord) => boolean, tell: (event: NetworkEvent) => void) {
    this.#isOurs = isOurs;
    this.#tell = tell;
  }

  linkByName(name: string): Link | undefined {
    return this.#byName.get(name);
  }

  addresses(interfaceIndex: number): readonly HostAddress[] {
    return Array.from(this.#addresses.get(interfaceIndex)?.values() ?? [], ({ host }) => host);
  }

  /** The address with this key on this interface. */
  address(interfaceIndex: number, key: string): HostAddress | undefined {
    return this.#addresses.get(interfaceIndex)?.get(key)?.host;
  }

  allAddresses(): readonly AddressEntry[] {
    return Array.from(this.#addresses.values(), (byKey) => [...byKey.values()]).flat();
  }

  /** Takes in one multicast message; what is neither link nor address is left alone. */
  apply({ type, body }: NetlinkMessage): void {
    if (type === RTM.newLink || type === RTM.deleteLink) {
      const link = decodeLink(body);
      if (link === undefined) return;
      this.#touched?.add(linkKey(link.index));
      if (type === RTM.newLink) this.#putLink(link);
      else this.#dropLink(link.index);
    } else if (type === RTM.newAddress || type === RTM.deleteAddress) {
      const record = decodeAddress(body);
      if (record === undefined) return;
      this.#touched?.add(record.key);
      if (type === RTM.newAddress) this.#putAddress(record);
      else this.#dropAddress(record.host.interfaceIndex, record.key);
    }
  }

  /** From now on, what messages say counts for more than the dump that is about to be asked for. */
  beginDump(): void {
    this.#touched = new Set();
  }

  abandonDump(): void {
    this.#touched = undefined;
  }

  /** Tells what the dump shows and no message told. Answers how many differences there were. */
  endDump(links: readonly Link[], records: readonly AddressRecord[]): number {
    const touched = this.#touched ?? new Set();
    this.#touched = undefined;
    const seen = new Set([
      ...links.map(({ index }) => linkKey(index)),
      ...records.map((r) => r.key),
    ]);
    const settled = (key: string): boolean => !touched.has(key);
    const gone = (key: string): boolean => settled(key) && !seen.has(key);
    let differences = 0;
    const count = (changed: boolean): void => {
      if (changed) differences += 1;
    };
    for (const [index, byKey] of this.#addresses) {
      for (const key of [...byKey.keys()].filter(gone)) count(this.#dropAddress(index, key));
    }
    for (const index of [...this.links.keys()].filter((at) => gone(linkKey(at)))) {
      count(this.#dropLink(index));
    }
    for (const link of links) if (settled(linkKey(link.index))) count(this.#putLink(link));
    for (const record of records) if (settled(record.key)) count(this.#putAddress(record));
    return differences;
  }

  #putLink(link: Link): boolean {
    const before = this.links.get(link.index);
    if (before !== undefined && sameFields(before, link)) return false;
    if (before !== undefined) this.#dropName(before);
    this.links.set(link.index, link);
    this.#byName.set(link.name, link);
    this.#tell({ kind: "link", link });
    return true;
  }

  #dropLink(index: number): boolean {
    const link = this.links.get(index);
    for (const key of this.#addresses.get(index)?.keys() ?? []) this.#dropAddress(index, key);
    this.#addresses.delete(index);
    if (link === undefined) return false;
    this.links.delete(index);
    this.#dropName(link);
    this.#tell({ kind: "link-removed", index, name: link.name });
    return true;
  }

  /** While two swap their names, the name is that of whoever said so last. */
  #dropName({ name, index }: Link): void {
    if (this.#byName.get(name)?.index === index) this.#byName.delete(name);
  }

  #putAddress(record: AddressRecord): boolean {
    const { interfaceIndex } = record.host;
    const host: HostAddress = { ...record.host, ours: this.#isOurs(record) };
    const byKey = this.#addresses.get(interfaceIndex) ?? new Map<string, AddressEntry>();
    const before = byKey.get(record.key);
    byKey.set(record.key, { record, host });
    this.#addresses.set(interfaceIndex, byKey);
    if (before !== undefined && sameFields(before.host, host)) return false;
    this.#tell({ kind: "address-added", address: host });
    return true;
  }

  #dropAddress(interfaceIndex: number, key: string): boolean {
    const entry = this.#addresses.get(interfaceIndex)?.get(key);
    if (entry === undefined) return false;
    this.#addresses.get(interfaceIndex)?.delete(key);
    this.#tell({ kind: "address-removed", address: entry.host });
    return true;
  }
}

const linkKey = (index: number): string => `link ${index}`;

function sameFields<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((key) => a[key] === b[key]);
}
