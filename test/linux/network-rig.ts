import { execFileSync } from "node:child_process";
import type { AddressConfig, RouteConfig, RuleConfig } from "../../agent/config/config.ts";
import type { IpAddress, Prefix } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import { lastErrno, libc } from "../../agent/linux/libc.ts";
import type { AddressRequest, Network, NetworkEvent } from "../../agent/ports/network.ts";
import { PLAIN_ADDRESS, PLAIN_ROUTE, PLAIN_RULE } from "../config/plain.ts";

const CLONE_NEWNET = 0x4000_0000;

const position = { file: "test", line: 1, column: 1 };

/** Why these tests cannot run here; `false` when they can. */
export const skip: string | false =
  process.getuid?.() === 0 ? false : "needs root, for a network namespace";

/**
 * Puts this process, and what it starts, into a network namespace of its own, with a pair of
 * connected interfaces v0 and v1. It vanishes with the process, however that ends.
 */
export function enterNamespace(): void {
  if (libc().unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare: ${lastErrno()}`);
  ip("link set lo up");
  ip("link add v0 type veth peer name v1");
  ip("link set v0 up");
  ip("link set v1 up");
}

/** Runs `ip` with these words. */
export const ip = (words: string): string =>
  execFileSync("ip", words.split(" "), { encoding: "utf8" });

/** Many lines for `ip -batch`. */
export const ipBatch = (lines: readonly string[]): string =>
  execFileSync("ip", ["-force", "-batch", "-"], { input: lines.join("\n"), encoding: "utf8" });

// biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON, of which each test looks at a part.
export const ipJson = (words: string): any[] => JSON.parse(ip(`-d -j ${words}`) || "[]");

export const address = (text: string): IpAddress => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new TypeError(`no address: ${text}`);
  return parsed;
};

/** "192.0.2.0/24" */
export function prefix(text: string): Prefix {
  const [start = "", length = ""] = text.split("/");
  return { address: address(start), length: Number(length) };
}

export function addressConfig(text: string, words: Partial<AddressConfig> = {}): AddressConfig {
  const { address: start, length } = prefix(text);
  return {
    position,
    ...PLAIN_ADDRESS,
    address: start,
    prefixLength: length,
    ...words,
  };
}

export function request(
  network: Network,
  text: string,
  words: Partial<AddressConfig> = {},
  name = "v0",
): AddressRequest {
  return { interfaceIndex: indexOf(network, name), address: addressConfig(text, words) };
}

export function indexOf(network: Network, name: string): number {
  const link = network.linkByName(name);
  if (link === undefined) throw new Error(`no link ${name}`);
  return link.index;
}

export const route = (words: Partial<RouteConfig>): RouteConfig => ({
  position,
  ...PLAIN_ROUTE,
  ...words,
});

export const rule = (words: Partial<RuleConfig>): RuleConfig => ({
  position,
  ...PLAIN_RULE,
  ...words,
});

/** What a network told, and what it is yet to tell. */
export class Hearing {
  readonly events: NetworkEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(network: Network) {
    network.subscribe((event) => {
      this.events.push(event);
      for (const check of this.#waiting) check();
    });
  }

  /** The first event, heard already or yet to come, that fits. */
  first(fits: (event: NetworkEvent) => boolean, what: string): Promise<NetworkEvent> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`never heard: ${what}; heard ${JSON.stringify(this.events)}`));
      }, 5000);
      const check = (): void => {
        const found = this.events.find(fits);
        if (found === undefined) return;
        clearTimeout(limit);
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  forget(): void {
    this.events.length = 0;
  }
}

/** Everything that the kernel has announced so far is heard: it answers this in order. */
export async function settled(network: Network): Promise<void> {
  // Asking for one that was never there makes the network look at the whole host.
  await network.removeAddresses([request(network, "203.0.113.99/32")]);
}

export const allOk = (outcomes: readonly { readonly ok: boolean }[]): boolean =>
  outcomes.every(({ ok }) => ok);
