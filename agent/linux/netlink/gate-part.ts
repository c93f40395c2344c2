import type { Instant, Micros } from "../../core/time.ts";
import { seconds } from "../../core/time.ts";
import type { GatedAddress, Opening } from "../../ports/gate.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import {
  dropElements,
  elementsOf,
  encodeElement,
  renewElements,
} from "../../wire/netlink/nftables.ts";
import type { FilterPart, ShownKeys } from "./filter-part.ts";
import { addressKey, keyText } from "./filter-part.ts";
import { IP_TABLE } from "./filter-tables.ts";
import { GateRequest, newFuse, TOLERANCE } from "./gate-request.ts";
import { FROM_SET, GATE, GUARDED, OPEN } from "./gate-ruleset.ts";
import type { Lease } from "./gated-element.ts";
import { GatedElement, tablesFor } from "./gated-element.ts";

const GUARD_TOLERANCE = seconds(1);
/** Addresses stay behind the gate while this process runs: after this part of `keep` it is renewed. */
const RENEWAL = 1 / 8;

type Sources = ReadonlyMap<string, Uint8Array>;
const NO_SOURCES: Sources = new Map();
const SOURCE_SETS = [elementsOf(IP_TABLE, FROM_SET)];

/** The addresses behind the gate, and the leases on them. */
export class GatePart implements FilterPart {
  readonly contents = GATE;
  readonly #elements = new Map<string, GatedElement>();
  /** Elements by the lists in which they were asked for, which callers use again. */
  #lists = new WeakMap<readonly GatedAddress[], readonly GatedElement[]>();
  readonly #dirty = new Set<GatedElement>();
  #wantedSources = NO_SOURCES;
  #sentSources = NO_SOURCES;
  #sources = NO_SOURCES;
  readonly #fuse = newFuse();
  #request: GateRequest | undefined;

  guard(addresses: readonly GatedAddress[], keep: Micros): void {
    for (const [at, element] of this.#listed(addresses).entries()) {
      element.holders.add(addresses[at]?.interfaceIndex ?? 0);
      element.keep = keep;
      element.keepAnew = true;
      this.#dirty.add(element);
    }
  }

  open({ addresses, deadline, margin }: Opening): Lease {
    const lease: Lease = { deadline, margin, late: false };
    for (const element of this.#listed(addresses)) {
      element.lease = lease;
      this.#dirty.add(element);
    }
    return lease;
  }

  shut(addresses: readonly GatedAddress[]): void {
    for (const { interfaceIndex, address } of addresses) {
      const element = this.#elements.get(nameOf(interfaceIndex, address));
      if (element === undefined) continue;
      element.lease = undefined;
      this.#dirty.add(element);
    }
  }

  /** One that another interface has behind the gate as well stays there. */
  release(addresses: readonly GatedAddress[]): void {
    for (const { interfaceIndex, address } of addresses) {
      const element = this.#elements.get(nameOf(interfaceIndex, address));
      if (element === undefined) continue;
      element.holders.delete(interfaceIndex);
      if (element.holders.size === 0) element.lease = undefined;
      this.#dirty.add(element);
    }
  }

  passFrom(macs: readonly string[]): void {
    this.#wantedSources = new Map(macs.map((mac) => [mac.toLowerCase(), macBytes(mac)]));
  }

  clear(): void {
    this.#elements.clear();
    this.#lists = new WeakMap();
    this.#dirty.clear();
    this.#wantedSources = NO_SOURCES;
  }

  needed(now: Instant): boolean {
    for (const { holders, lease } of this.#elements.values()) {
      if (holders.size > 0 || (lease !== undefined && lease.deadline > now)) return true;
    }
    return false;
  }

  whole(now: Instant): readonly Command[] {
    this.gone();
    return this.changes(now);
  }

  changes(now: Instant): readonly Command[] {
    const request = new GateRequest(now, this.#fuse);
    for (const element of this.#dirty) request.add(element);
    this.#dirty.clear();
    this.#request = request;
    this.#sentSources = this.#wantedSources;
    return [...this.#sourceChanges(), ...request.commands()];
  }

  carriedOut(now: Instant): boolean {
    const request = this.#request;
    const again = request?.carriedOut(now) ?? [];
    this.#request = undefined;
    this.#sources = this.#sentSources;
    for (const element of again) this.#dirty.add(element);
    for (const element of request?.elements ?? []) this.#forgetIfIdle(element);
    return again.length > 0;
  }

  refused(now: Instant): boolean {
    const request = this.#request;
    if (request === undefined || !request.ranOut(now)) return false;
    this.again();
    return true;
  }

  again(): void {
    this.#request?.renewGuards();
    for (const element of this.#request?.elements ?? []) this.#dirty.add(element);
  }

  gone(): void {
    this.#request = undefined;
    this.#sources = NO_SOURCES;
    this.#fuse.opened = undefined;
    for (const element of this.#elements.values()) {
      element.guardedUntil = undefined;
      element.opened = undefined;
      this.#dirty.add(element);
    }
  }

  fits(shown: ShownKeys, now: Instant): boolean {
    const passing = shown(IP_TABLE, FROM_SET);
    return (
      [...this.#sources.values()].every((mac) => passing.has(keyText(mac))) &&
      [...this.#elements.values()].every((element) => elementFits(element, shown, now))
    );
  }

  due(now: Instant): boolean {
    for (const element of this.#elements.values()) {
      const { guardedUntil, keep, lease } = element;
      if (guardedUntil !== undefined && guardedUntil - now < keep * (1 - RENEWAL)) {
        element.keepAnew = true;
        this.#dirty.add(element);
      }
      if (lease !== undefined && lease.deadline <= now) this.#dirty.add(element);
    }
    return this.#dirty.size > 0;
  }

  #sourceChanges(): readonly Command[] {
    if (this.#sources === this.#wantedSources) return [];
    const encoded = (macs: Sources, without: Sources) =>
      [...macs].flatMap(([mac, key]) => (without.has(mac) ? [] : [encodeElement({ key })]));
    return [
      ...dropElements(SOURCE_SETS, encoded(this.#sources, this.#wantedSources)),
      ...renewElements(SOURCE_SETS, encoded(this.#wantedSources, this.#sources)),
    ];
  }

  /** What is neither behind the gate nor open is known no more, once the kernel has forgotten it. */
  #forgetIfIdle(element: GatedElement): void {
    if (element.holders.size > 0 || element.lease !== undefined || this.#dirty.has(element)) return;
    this.#elements.delete(textOf(element));
    this.#lists = new WeakMap();
  }

  #listed(addresses: readonly GatedAddress[]): readonly GatedElement[] {
    const listed = this.#lists.get(addresses);
    if (listed !== undefined) return listed;
    const elements = addresses.map(({ interfaceIndex, address }) => {
      const fresh = new GatedElement(addressKey(interfaceIndex, address));
      const element = this.#elements.get(textOf(fresh)) ?? fresh;
      this.#elements.set(textOf(element), element);
      return element;
    });
    this.#lists.set(addresses, elements);
    return elements;
  }
}

/** Whether the kernel shows the element where it should, but for what is about to run out. */
function elementFits(element: GatedElement, shown: ShownKeys, now: Instant): boolean {
  const { kind, key, opened, guardedUntil } = element;
  const left = opened === undefined ? -Infinity : opened.deadline - now;
  const behind = guardedUntil !== undefined && guardedUntil - now > GUARD_TOLERANCE;
  return tablesFor(kind).every((table) => {
    const isOpen = shown(table, OPEN[kind]).has(key);
    const openFits = isOpen ? left > -TOLERANCE : left < TOLERANCE;
    return openFits && (!behind || shown(table, GUARDED[kind]).has(key));
  });
}

/** The same address on several interfaces is one element, unless it is link-local. */
const textOf = ({ kind, key }: Pick<GatedElement, "kind" | "key">): string => `${kind} ${key}`;

function nameOf(interfaceIndex: number, address: GatedAddress["address"]): string {
  const { kind, bytes } = addressKey(interfaceIndex, address);
  return textOf({ kind, key: keyText(bytes) });
}

const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(":"), (octet) => Number.parseInt(octet, 16));
