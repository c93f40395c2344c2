import type { Instant, Micros } from "../time.ts";
import { after, micros, milliseconds, seconds } from "../time.ts";

/** Another router on a virtual router's segment, as a snapshot tells of it. */
export interface HeardPeer {
  readonly router: string;
  readonly address: string;
  readonly priority: number;
  /** Its advertisement interval. */
  readonly interval: Micros;
  /** Counts what was received of it. */
  readonly advertisements: number;
  /** How long ago it was heard, milliseconds on the wall clock; believed the first time only. */
  readonly quietMs: number;
}

interface Peer {
  readonly router: string;
  readonly address: string;
  readonly priority: number;
  readonly advertisements: number;
  /** When it counts as silent, unless it is heard before; `undefined`: it is silent. */
  readonly silentAt: Instant | undefined;
}

/** By router and address. `undefined`: nothing is known yet. */
export type HearingState = Readonly<Record<string, Peer>> | undefined;

/** It is heard now, or is not heard any more. */
export interface HearingChange {
  readonly router: string;
  readonly address: string;
  readonly heard: boolean;
  readonly priority: number;
}

export interface Heard {
  readonly state: HearingState;
  readonly changes: readonly HearingChange[];
}

/** Three advertisements, and what a snapshot may be late. */
const patience = (interval: Micros): Micros => micros(3 * interval + seconds(1));

/**
 * Finds out from what snapshots say of peers, now and then, who came or fell silent. It looks at
 * counts rather than at the clock on the wall, which may be set meanwhile.
 */
export function hear(before: HearingState, heard: readonly HeardPeer[], now: Instant): Heard {
  const peers = new Map<string, Peer>();
  const changes: HearingChange[] = [];
  for (const found of heard) {
    const { router, address, priority, advertisements } = found;
    const key = keyOf(found);
    const known = before?.[key];
    const silentAt = silentFrom(found, known, now);
    peers.set(key, { router, address, priority, advertisements, silentAt });
    // The first snapshot tells how things are, not what happened.
    const was = known?.silentAt !== undefined;
    if (before !== undefined && was !== (silentAt !== undefined)) {
      changes.push(told(found, !was));
    }
  }
  for (const [key, peer] of Object.entries(before ?? {})) {
    if (peer.silentAt !== undefined && !peers.has(key)) changes.push(told(peer, false));
  }
  return { state: Object.fromEntries(peers), changes };
}

function silentFrom(
  { interval, advertisements, quietMs }: HeardPeer,
  known: Peer | undefined,
  now: Instant,
): Instant | undefined {
  if (known !== undefined && known.advertisements === advertisements) {
    return known.silentAt !== undefined && now < known.silentAt ? known.silentAt : undefined;
  }
  const quiet = known === undefined ? milliseconds(Math.max(0, quietMs)) : 0;
  const left = micros(patience(interval) - quiet);
  return left > 0 ? after(now, left) : undefined;
}

const told = (
  { router, address, priority }: Pick<Peer, "router" | "address" | "priority">,
  heard: boolean,
): HearingChange => ({ router, address, heard, priority });

const keyOf = ({ router, address }: Pick<Peer, "router" | "address">): string =>
  `${router} ${address}`;

/** Whether a peer counts as heard now. */
export const isHeard = (state: HearingState, router: string, address: string): boolean =>
  state?.[keyOf({ router, address })]?.silentAt !== undefined;
