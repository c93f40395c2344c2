import { inPrefix } from "../../core/address.ts";
import type { AddressRequest, HostAddress, RequestOutcome } from "../../ports/network.ts";
import { keyOfRequest } from "./address-message.ts";
import type { HostView } from "./host-view.ts";
import { promotesSecondaries } from "./promotion.ts";

/** The kernel may count a quarter of a second more than has passed. */
const EARLY_MS = 250;

/** The lifetimes that one batch of requests asks for. */
export interface Grants {
  /** The request as it may be asked for: without a lifetime where others would end with the address. */
  grant(request: AddressRequest, shown: HostAddress | undefined): AddressRequest;
  /** Takes note of how it went. */
  conclude(request: AddressRequest, outcome: RequestOutcome): RequestOutcome;
}

/** Which of our addresses the kernel removes by itself, and until when it surely has not. */
export class AddressLifetimes {
  readonly #view: HostView;
  /** By key, of `performance.now()`; what is not here stays. */
  readonly #ends = new Map<string, number>();

  constructor(view: HostView) {
    this.#view = view;
  }

  someMayHaveEnded(keys: readonly string[]): boolean {
    const now = performance.now();
    return keys.some((key) => (this.#ends.get(key) ?? now) < now);
  }

  forget(key: string): void {
    this.#ends.delete(key);
  }

  batch(): Grants {
    const now = performance.now();
    const staying = this.#stayingSecondaries();
    const denied = new Set<AddressRequest>();
    return {
      grant: (request, shown) => {
        if (request.lifetime === undefined || shown === undefined) return request;
        const needed = isPrimary(shown) && staying.some((one) => sameSubnet(shown, one));
        if (!needed && !this.#sharesRoute(request, shown)) return request;
        denied.add(request);
        return { ...request, lifetime: undefined };
      },
      conclude: (request, outcome) => {
        const { lifetime } = request;
        // What got no answer may have been done.
        if (outcome.ok ? outcome.foreign : outcome.errno !== "ETIMEDOUT") return outcome;
        const key = keyOfRequest(request);
        if (lifetime === undefined || denied.has(request)) this.#ends.delete(key);
        else this.#ends.set(key, now + lifetime * 1_000 - EARLY_MS);
        return outcome.ok && denied.has(request) ? { ...outcome, unlimited: true } : outcome;
      },
    };
  }

  /**
   * A lifetime for an IPv6 address that has been there without one becomes that of the route of its
   * prefix, which others may need. One that has it from the beginning leaves a route that is there alone.
   */
  #sharesRoute(request: AddressRequest, { family }: HostAddress): boolean {
    return family === "ipv6" && !this.#ends.has(keyOfRequest(request));
  }

  /** Secondaries that do not end by themselves, and would vanish with their primary. */
  #stayingSecondaries(): readonly HostAddress[] {
    const promotes = new Map<number, boolean>();
    return this.#view.allAddresses().flatMap(({ record, host }) => {
      const { interfaceIndex } = host;
      if (!host.secondary || (host.ours && this.#ends.has(record.key))) return [];
      const name = this.#view.links.get(interfaceIndex)?.name;
      const stays =
        promotes.get(interfaceIndex) ?? (name !== undefined && promotesSecondaries(name));
      promotes.set(interfaceIndex, stays);
      return stays ? [] : [host];
    });
  }
}

export const isPrimary = ({ family, secondary }: HostAddress): boolean =>
  family === "ipv4" && !secondary;

export const sameSubnet = (a: HostAddress, b: HostAddress): boolean =>
  a.interfaceIndex === b.interfaceIndex &&
  a.prefixLength === b.prefixLength &&
  inPrefix(b.address, { address: a.address, length: a.prefixLength });
