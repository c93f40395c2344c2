import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { IpAddress } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import type { Host } from "../permission/host-pattern.ts";

/** getaddrinfo blocks a thread of four, for seconds when no name server answers: files need some. */
const MOST_AT_ONCE = 2;

/** getaddrinfo, or a test's own. */
export type SystemLookup = (
  name: string,
  options: { readonly all: true },
  found: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

type Found = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/**
 * Resolves names as the system does (/etc/hosts included), when a connection is made. Asking twice
 * for a name at the same time is asking once, and no more than two names are asked for at once.
 */
export class Lookups {
  readonly #system: SystemLookup;
  readonly #waiting = new Map<string, Found[]>();
  readonly #queue: string[] = [];
  #running = 0;

  constructor(system: SystemLookup = systemLookup) {
    this.#system = system;
  }

  /** For `net.connect`, `tls.connect` and undici. */
  readonly lookup: LookupFunction = (name, options, callback) => {
    this.resolve(name, (error, addresses) => {
      const fitting = ofFamily(addresses, options.family);
      const [first] = fitting;
      const failure = error ?? (first === undefined ? notFound(name) : null);
      if (failure !== null) callback(failure, "", 0);
      else if (options.all === true) callback(null, [...fitting]);
      else callback(null, first?.address ?? "", first?.family);
    });
  };

  resolve(name: string, found: Found): void {
    const others = this.#waiting.get(name);
    if (others !== undefined) {
      others.push(found);
      return;
    }
    this.#waiting.set(name, [found]);
    this.#queue.push(name);
    this.#next();
  }

  /** The address, or the first one of a name. Rejects with the resolver's error. */
  addressOf(host: Host): Promise<IpAddress> {
    if (host.kind === "address") return Promise.resolve(host.address);
    return new Promise((resolve, reject) => {
      this.resolve(host.name, (error, [first]) => {
        const address = first === undefined ? undefined : parseAddress(first.address);
        if (address === undefined) reject(error ?? notFound(host.name));
        else resolve(address);
      });
    });
  }

  #next(): void {
    if (this.#running >= MOST_AT_ONCE) return;
    const name = this.#queue.shift();
    if (name === undefined) return;
    this.#running += 1;
    this.#system(name, { all: true }, (error, addresses) => {
      this.#running -= 1;
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.delete(name);
      for (const found of waiting) found(error, addresses ?? []);
      this.#next();
    });
  }
}

function ofFamily(
  addresses: readonly LookupAddress[],
  family: LookupOptions["family"],
): readonly LookupAddress[] {
  const wanted = family === "IPv4" ? 4 : family === "IPv6" ? 6 : (family ?? 0);
  return wanted === 0 ? addresses : addresses.filter((found) => found.family === wanted);
}

function notFound(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address of that family for ${name}`), { code: "ENOTFOUND" });
}
