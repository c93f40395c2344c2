import type { IpAddress } from "../address.ts";
import { familyOf } from "../address.ts";
import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, earliest } from "../time.ts";

/** Least time between two frames of a kind on an interface, or a group of them; 0: none. */
export interface Pace {
  readonly arpInterval: Micros;
  readonly naInterval: Micros;
}

/** One address that a router wants announced. */
export interface Announcement {
  /** The virtual router's name. */
  readonly owner: string;
  readonly interface: string;
  readonly address: IpAddress;
  /** Frames that are still to be sent. 1 or more. */
  readonly repeat: number;
}

/** Frames of one kind that wait, and when the next may leave. */
export interface Lane {
  readonly waiting: readonly Announcement[];
  readonly nextAt: Instant | undefined;
}

export interface PaceState {
  readonly arp: Lane;
  readonly na: Lane;
}

export type PaceEvent =
  | { readonly kind: "announce"; readonly announcements: readonly Announcement[] }
  /** The router is active no more: nothing of it may leave, as it would draw hosts to us. */
  | { readonly kind: "withdraw"; readonly owner: string }
  | { readonly kind: "tick" };

/** One frame that must leave now. */
export interface PaceEffect {
  readonly kind: "send-announcement";
  readonly owner: string;
  readonly interface: string;
  readonly address: IpAddress;
}

/** Frames that leave in one step even without a pace; the rest is due at once, after what else waits. */
export const BURST_FRAMES = 64;

const IDLE: Lane = { waiting: [], nextAt: undefined };

function step(
  pace: Pace,
  state: PaceState,
  event: PaceEvent,
  now: Instant,
): Transition<PaceState, PaceEffect> {
  switch (event.kind) {
    case "announce": {
      const ofFamily = (family: "ipv4" | "ipv6") =>
        event.announcements.filter(({ address }) => familyOf(address) === family);
      return drain(
        pace,
        { arp: queue(state.arp, ofFamily("ipv4")), na: queue(state.na, ofFamily("ipv6")) },
        now,
      );
    }
    case "withdraw":
      return {
        state: { arp: without(state.arp, event.owner), na: without(state.na, event.owner) },
        effects: [],
      };
    case "tick":
      return drain(pace, state, now);
    default:
      return assertNever(event);
  }
}

/** An address that waits already is not queued twice: so the queue cannot outgrow the addresses. */
function queue(lane: Lane, announcements: readonly Announcement[]): Lane {
  if (announcements.length === 0) return lane;
  const waiting = new Map<string, Announcement>();
  for (const wanted of [...lane.waiting, ...announcements]) {
    const key = `${wanted.owner}\n${wanted.interface}\n${wanted.address}`;
    const repeat = Math.max(wanted.repeat, waiting.get(key)?.repeat ?? 0);
    waiting.set(key, { ...wanted, repeat });
  }
  return { ...lane, waiting: [...waiting.values()] };
}

function without(lane: Lane, owner: string): Lane {
  return { ...lane, waiting: lane.waiting.filter((waiting) => waiting.owner !== owner) };
}

function drain(pace: Pace, state: PaceState, now: Instant): Transition<PaceState, PaceEffect> {
  const effects: PaceEffect[] = [];
  const arp = drainLane(state.arp, pace.arpInterval, now, effects);
  const na = drainLane(state.na, pace.naInterval, now, effects);
  return { state: { arp, na }, effects };
}

/** Every address gets its first frame before any gets its second. */
function drainLane(lane: Lane, interval: Micros, now: Instant, frames: PaceEffect[]): Lane {
  if (lane.waiting.length === 0 || (lane.nextAt !== undefined && now < lane.nextAt)) return lane;
  const waiting = [...lane.waiting];
  const budget = interval === 0 ? BURST_FRAMES : 1;
  let head = 0;
  while (head < waiting.length && head < budget) {
    const next = waiting[head++];
    if (next === undefined) break;
    const { owner, address, repeat } = next;
    frames.push({ kind: "send-announcement", owner, interface: next.interface, address });
    if (repeat > 1) waiting.push({ ...next, repeat: repeat - 1 });
  }
  return { waiting: waiting.slice(head), nextAt: after(now, interval) };
}

// A lane that is empty keeps `nextAt`: the gap also holds towards what is announced later.
const laneDeadline = (lane: Lane): Instant | undefined =>
  lane.waiting.length === 0 ? undefined : lane.nextAt;

/** Spreads announcements as garp_interval and gna_interval want it, without anybody waiting. */
export const announcementPace: Machine<Pace, PaceState, PaceEvent, PaceEffect> = {
  initial: { arp: IDLE, na: IDLE },
  step,
  deadline: (state) => earliest(laneDeadline(state.arp), laneDeadline(state.na)),
};
