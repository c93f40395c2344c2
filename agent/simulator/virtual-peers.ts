import type { IpAddress } from "../core/address.ts";
import { parseAddress } from "../core/address.ts";
import type { Micros } from "../core/time.ts";
import { seconds } from "../core/time.ts";
import type { PeerSnapshot } from "../core/vrrp/snapshot.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Another router, as a test has it. */
export interface VirtualPeer {
  readonly address: string;
  readonly priority: number;
  readonly heard: boolean;
}

interface Heard {
  address: IpAddress;
  priority: number;
  /** Wall-clock milliseconds; `undefined`: it is heard each second. */
  silentSince: number | undefined;
  /** Wall-clock milliseconds of the first advertisement. */
  readonly since: number;
}

/** The routers of others: each advertises once a second until it falls silent. */
export class VirtualPeers {
  readonly interval: Micros = seconds(1);
  readonly #clock: VirtualClock;
  readonly #peers = new Map<string, Map<IpAddress, Heard>>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Throws a TypeError for what is no address. */
  set(router: string, { address: text, priority, heard }: VirtualPeer): void {
    const address = parseAddress(text);
    if (address === undefined) throw new TypeError(`${text} is no address of a peer`);
    const peers = this.#peers.get(router) ?? new Map<IpAddress, Heard>();
    this.#peers.set(router, peers);
    const now = this.#clock.wallClock();
    const known = peers.get(address);
    if (!heard) {
      if (known !== undefined) known.silentSince ??= now;
      return;
    }
    const again = known?.silentSince !== undefined;
    const since = known === undefined || again ? now : known.since;
    peers.set(address, { address, priority, since, silentSince: undefined });
  }

  snapshots(router: string): readonly PeerSnapshot[] {
    const now = this.#clock.wallClock();
    return [...(this.#peers.get(router)?.values() ?? [])].map((peer) => {
      const last = peer.silentSince ?? now;
      const count = Math.floor((last - peer.since) / 1_000) + 1;
      return {
        address: peer.address,
        priority: peer.priority,
        advertisementInterval: this.interval,
        checksum: "message",
        sameAddresses: true,
        // Another number for each second, also after a pause.
        advertisements: Math.floor(peer.since / 1_000) + count,
        lastHeardAt: peer.since + (count - 1) * 1_000,
      };
    });
  }

  get any(): boolean {
    return this.#peers.size > 0;
  }
}
