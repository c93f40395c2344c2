import type { VirtualLink } from "../../agent/config/config.ts";
import type { Family, IpAddress } from "../../agent/core/address.ts";
import { familyOf } from "../../agent/core/address.ts";
import type {
  AddressRequest,
  HostAddress,
  Leftovers,
  Link,
  Network,
  NetworkEvent,
  RequestOutcome,
} from "../../agent/ports/network.ts";

export interface Batch {
  readonly verb: string;
  readonly what: readonly string[];
}

/** A host's interfaces and addresses in memory; it does what the kernel would do, and tells. */
export class FakeNetwork implements Network {
  readonly batches: Batch[] = [];
  /** As "address lifetime", and "preferred" if that is limited. */
  readonly refreshes: Batch[] = [];
  refuseRefresh: ((request: AddressRequest) => string | undefined) | undefined;
  /** Lifetimes are not granted. */
  unlimited = false;
  readonly sysctls = new Map<string, string>();
  /** While set, requests wait for `answer`. */
  hold = false;
  /** What an earlier run left may be there still. */
  keepsLeftovers = false;
  refuse: ((request: AddressRequest) => string | undefined) | undefined;
  refuseRemoval: string | undefined;
  readonly #links = new Map<number, Link>();
  readonly #addresses: HostAddress[] = [];
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  readonly #held: (() => void)[] = [];
  #nextIndex = 2;

  addLink(name: string, options: Partial<Link> = {}): Link {
    const index = options.index ?? this.#nextIndex;
    this.#nextIndex = Math.max(this.#nextIndex, index) + 1;
    const link: Link = {
      index,
      name,
      mac: `02:00:00:00:00:${index.toString(16).padStart(2, "0")}`,
      up: true,
      running: true,
      mtu: 1500,
      kind: undefined,
      parentIndex: undefined,
      arp: true,
      ours: false,
      ...options,
    };
    this.#links.set(index, link);
    this.tell({ kind: "link", link });
    return link;
  }

  setLink(name: string, change: Partial<Link>): void {
    const link = this.linkByName(name);
    if (link !== undefined) this.addLink(name, { ...link, ...change });
  }

  removeLink(name: string): void {
    const link = this.linkByName(name);
    if (link === undefined) return;
    this.#links.delete(link.index);
    for (const address of this.addresses(link.index)) this.dropAddress(address);
    this.tell({ kind: "link-removed", index: link.index, name });
  }

  addAddress(name: string, text: string, ours = false): HostAddress {
    const [address = "", length = "32"] = text.split("/");
    const interfaceIndex = this.linkByName(name)?.index ?? 0;
    const added: HostAddress = {
      interfaceIndex,
      family: familyOf(address as IpAddress),
      address: address as IpAddress,
      prefixLength: Number(length),
      scope: 0,
      secondary: false,
      tentative: false,
      ours,
    };
    this.#addresses.push(added);
    this.tell({ kind: "address-added", address: added });
    return added;
  }

  /** Somebody removes it. */
  dropAddress(address: HostAddress): void {
    const at = this.#addresses.indexOf(address);
    if (at < 0) return;
    this.#addresses.splice(at, 1);
    this.tell({ kind: "address-removed", address });
  }

  /** All addresses of the host, as text. */
  get present(): readonly string[] {
    return this.#addresses.map((one) => `${one.address}/${one.prefixLength}`);
  }

  find(address: string): HostAddress | undefined {
    return this.#addresses.find((one) => one.address === address);
  }

  tell(event: NetworkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Lets held requests be answered. */
  answer(): void {
    this.hold = false;
    for (const resume of this.#held.splice(0)) resume();
  }

  links(): ReadonlyMap<number, Link> {
    return this.#links;
  }

  linkByName(name: string): Link | undefined {
    return [...this.#links.values()].find((link) => link.name === name);
  }

  addresses(interfaceIndex: number): readonly HostAddress[] {
    return this.#addresses.filter((one) => one.interfaceIndex === interfaceIndex);
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  installAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    return this.#run("install addresses", requests.map(textOf), () =>
      requests.map((request): RequestOutcome => {
        const errno = this.refuse?.(request);
        if (errno !== undefined) return { ok: false, errno, message: `refused: ${errno}` };
        const { address, prefixLength } = request.address;
        const link = this.#links.get(request.interfaceIndex);
        const known = this.#addresses.find(
          (one) => one.address === address && one.interfaceIndex === request.interfaceIndex,
        );
        if (known === undefined)
          this.addAddress(link?.name ?? "", `${address}/${prefixLength}`, true);
        return { ok: true, foreign: known !== undefined && !known.ours };
      }),
    );
  }

  refreshAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    this.refreshes.push({ verb: "refresh addresses", what: requests.map(lifeOf) });
    const outcomes = requests.map((request): RequestOutcome => {
      const errno = this.refuseRefresh?.(request);
      if (errno !== undefined) return { ok: false, errno, message: `refused: ${errno}` };
      const known = this.find(request.address.address);
      if (known !== undefined) return { ok: true, foreign: !known.ours, unlimited: this.unlimited };
      return { ok: false, errno: "EADDRNOTAVAIL", message: "it is gone" };
    });
    return Promise.resolve(outcomes);
  }

  removeAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    return this.#run("remove addresses", requests.map(textOf), () =>
      requests.map(({ address }): RequestOutcome => {
        const errno = this.refuseRemoval;
        if (errno !== undefined) return { ok: false, errno, message: `not removed: ${errno}` };
        const known = this.find(address.address);
        if (known !== undefined) this.dropAddress(known);
        return { ok: true, foreign: false };
      }),
    );
  }

  installRoutes(routes: readonly unknown[]): Promise<readonly RequestOutcome[]> {
    return this.#run("install routes", routes.map(String), () => allWell(routes));
  }

  removeRoutes(routes: readonly unknown[]): Promise<readonly RequestOutcome[]> {
    return this.#run("remove routes", routes.map(String), () => allWell(routes));
  }

  installRules(rules: readonly unknown[]): Promise<readonly RequestOutcome[]> {
    return this.#run("install rules", rules.map(String), () => allWell(rules));
  }

  removeRules(rules: readonly unknown[]): Promise<readonly RequestOutcome[]> {
    return this.#run("remove rules", rules.map(String), () => allWell(rules));
  }

  createVirtualLink(
    spec: VirtualLink,
    parentIndex: number,
    _family: Family,
    mac: string | undefined,
  ): Promise<Link> {
    const options = {
      kind: spec.kind,
      parentIndex,
      ours: true,
      ...(mac === undefined ? {} : { mac }),
    };
    return Promise.resolve(this.linkByName(spec.name) ?? this.addLink(spec.name, options));
  }

  removeVirtualLink(index: number): Promise<RequestOutcome> {
    this.removeLink(this.#links.get(index)?.name ?? "");
    return Promise.resolve({ ok: true, foreign: false });
  }

  removeLeftovers(): Promise<Leftovers> {
    const ours = this.#addresses.filter((one) => one.ours);
    for (const address of ours) this.dropAddress(address);
    return Promise.resolve({ addresses: ours.length, links: 0, left: this.keepsLeftovers });
  }

  readSysctl(path: string): string | undefined {
    return this.sysctls.get(path);
  }

  writeSysctl(path: string, value: string): string | undefined {
    this.sysctls.set(path, value);
    return undefined;
  }

  close(): void {
    this.#listeners.clear();
  }

  async #run(
    verb: string,
    what: readonly string[],
    act: () => readonly RequestOutcome[],
  ): Promise<readonly RequestOutcome[]> {
    this.batches.push({ verb, what });
    if (this.hold) await new Promise<void>((resolve) => this.#held.push(resolve));
    return act();
  }
}

const textOf = ({ address }: AddressRequest): string =>
  `${address.address}/${address.prefixLength}`;

const lifeOf = ({ address, lifetime }: AddressRequest): string =>
  `${address.address} ${lifetime ?? "for ever"} ${address.preferredLifetime ?? ""}`.trimEnd();

const allWell = (items: readonly unknown[]): readonly RequestOutcome[] =>
  items.map(() => ({ ok: true, foreign: false }));
