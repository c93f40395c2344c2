import { interfaceSysctl, readSysctl, writeSysctl } from "../sysctl.ts";

/** Settings that were changed, with what they were before. */
class Changes {
  readonly #before: { path: string; value: string; set: string }[] = [];

  /** Sets it when it has one of the values `from` (any, when left out). */
  set(path: string, value: string, from?: readonly string[]): void {
    const before = readSysctl(path);
    if (before === undefined || before === value) return;
    if (from !== undefined && !from.includes(before)) return;
    if (writeSysctl(path, value) === undefined)
      this.#before.push({ path, value: before, set: value });
  }

  /** Puts back what nobody has changed since, the last change first. */
  restore(): void {
    for (const { path, value, set } of this.#before.splice(0).reverse()) {
      if (readSysctl(path) === set) writeSysctl(path, value);
    }
  }
}

/**
 * What Linux must be told so that a virtual link, and not its parent, answers for the addresses on
 * it. The parent's settings are put back when its last virtual link is gone.
 */
export class VirtualLinkSysctls {
  readonly #parents = new Map<number, { readonly users: Set<number>; readonly changes: Changes }>();
  readonly #host = new Changes();

  /** Settings of the virtual link itself, before it is switched on. */
  prepare(name: string): void {
    const set = (family: "ipv4" | "ipv6", key: string, value: string): void => {
      writeSysctl(interfaceSysctl(family, name, key), value);
    };
    set("ipv4", "arp_ignore", "1");
    // Packets for its addresses come from networks that the routing table has on the parent.
    set("ipv4", "rp_filter", "0");
    // The virtual MAC is on every router of the group: an identifier made of it would be, too.
    set("ipv6", "addr_gen_mode", "1");
    set("ipv6", "autoconf", "0");
    set("ipv6", "accept_ra", "0");
    set("ipv6", "accept_dad", "0");
  }

  /** `links`: all interface names of the host. */
  use(parent: { index: number; name: string }, index: number, links: readonly string[]): void {
    if (this.#parents.size === 0) this.#loosenReversePath(links);
    const entry = this.#parents.get(parent.index) ?? { users: new Set(), changes: new Changes() };
    this.#parents.set(parent.index, entry);
    entry.users.add(index);
    // Only what is switched off: a stricter choice of the operator stays.
    for (const key of ["arp_ignore", "arp_filter", "rp_filter"]) {
      entry.changes.set(interfaceSysctl("ipv4", parent.name, key), "1", ["0"]);
    }
    // Answers leave by the parent, where the route is. Its ARP requests must not name the virtual
    // link's address as theirs: they would teach it with the parent's MAC (against RFC 9568 §8.1.2),
    // and an ipvlan would take the reply away from the parent, which waits for it in vain.
    const announce = interfaceSysctl("ipv4", parent.name, "arp_announce");
    entry.changes.set(announce, "2", ["0", "1"]);
  }

  /** The virtual link with this index is gone. */
  release(index: number): void {
    for (const [parentIndex, { users, changes }] of this.#parents) {
      if (!users.delete(index) || users.size > 0) continue;
      changes.restore();
      this.#parents.delete(parentIndex);
      if (this.#parents.size === 0) this.#host.restore();
    }
  }

  /**
   * The kernel takes the greater of the interface's own and all.rp_filter. Where `all` is strict,
   * every other interface gets that value as its own, and `all` lets the virtual links be.
   */
  #loosenReversePath(links: readonly string[]): void {
    const all = interfaceSysctl("ipv4", "all", "rp_filter");
    if (readSysctl(all) !== "1") return;
    for (const name of ["default", ...links]) {
      this.#host.set(interfaceSysctl("ipv4", name, "rp_filter"), "1", ["0"]);
    }
    this.#host.set(all, "0");
  }
}
