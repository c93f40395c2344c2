import type { IpAddress } from "../../agent/core/address.ts";
import type { Instant } from "../../agent/core/time.ts";
import { instant, micros } from "../../agent/core/time.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import { INITIAL } from "../../agent/core/vrrp/state.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";

/**
 * The model's time goes in quarters of an advertisement interval: the margin of a lease, and the skew of
 * the best backup. Every moment of the machines falls on it.
 */
export const TICK = 250_000;
export const INTERVAL = 4 * TICK;

/** All states are kept as seen from this moment: what matters is how far away their moments are. */
export const NOW: Instant = instant(1_000 * TICK);

/** Advertisements in a down interval: the fewest that have a lease, for the fewest worlds. */
export const DOWN_TIMER_ADVERTS = 2;

/** Longer ago than any lease, in ticks: all of it is alike to the machines. */
export const LONG_AGO = 4 * DOWN_TIMER_ADVERTS;

/** An advertisement on its way, or in the socket of a node that does not run. */
export interface Packet {
  readonly from: number;
  readonly priority: number;
}

/** A node: what its agent knows, and what its kernel does whatever becomes of the agent. */
export interface ModelNode {
  readonly alive: boolean;
  readonly state: VrrpState;
  readonly inbox: readonly Packet[];
  /** The kernel has the address. */
  readonly installed: boolean;
  /** Ticks until the kernel shuts the gate; 0: shut. */
  readonly gate: number;
  /** Ends the lease that the agent last asked for, in ticks from now; `null`: none. */
  readonly lease: number | null;
  /** When the last advertisement left, in ticks from now: 0 or less. */
  readonly advertised: number | null;
  /** Questions in a row that nobody answered; `null`: it does not ask. */
  readonly silences: number | null;
}

/** Everything there is. Plain JSON: two worlds that print alike are one. */
export interface ModelWorld {
  readonly nodes: readonly ModelNode[];
  /** Deaths and starts that may still happen. */
  readonly faults: number;
}

export const DEAD: ModelNode = {
  alive: false,
  state: INITIAL,
  inbox: [],
  installed: false,
  gate: 0,
  lease: null,
  advertised: null,
  silences: null,
};

/** Skews of a quarter and of half an interval. RFC 9568 §6.1. */
const PRIORITIES = [192, 128, 64];

export const routers = (count: number, preempt: boolean): readonly VirtualRouter[] =>
  PRIORITIES.slice(0, count).map((priority, at) => ({
    name: `n${at}`,
    vrid: 51,
    family: "ipv4",
    version: 3,
    priority,
    initialActive: false,
    advertisementInterval: micros(INTERVAL),
    downTimerAdverts: DOWN_TIMER_ADVERTS,
    preempt,
    preemptDelay: micros(0),
    startupDelay: micros(0),
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: true,
    ownerIgnoreAdverts: false,
    timerExpiredBackup: undefined,
    inSyncGroup: false,
    primaryAddress: addressOf(at),
    fenced: true,
    announcement: {
      repeat: 1,
      delay: micros(0),
      refreshInterval: micros(0),
      refreshRepeat: 1,
      lowerPriorityRepeat: 0,
      lowerPriorityDelay: micros(0),
    },
  }));

export const addressOf = (node: number): IpAddress => `192.0.2.${node + 1}` as IpAddress;

/** Hosts get an answer from this node. */
export const isReachable = ({ installed, gate }: ModelNode): boolean => installed && gate > 0;

/** The same state, a tick later: every moment in it is a tick nearer. */
export function later(state: VrrpState): VrrpState {
  switch (state.kind) {
    case "backup": {
      const { activeDownAt, preemptAt, held } = state;
      return {
        ...state,
        activeDownAt: nearer(activeDownAt, OVER),
        preemptAt: preemptAt === undefined ? undefined : nearer(preemptAt, OVER),
        held: held === undefined ? undefined : laterHeld(held),
      };
    }
    case "active": {
      const { adverAt, advertisedAt, contest } = state;
      return {
        ...state,
        // The next one keeps to the schedule if this one is late by less than an interval.
        adverAt: nearer(adverAt, INTERVAL / TICK),
        advertisedAt: nearer(advertisedAt, LONG_AGO),
        // These two only pace announcements and alarms.
        announcedAt: instant(NOW - LONG_AGO * TICK),
        rival: undefined,
        contest:
          contest === undefined
            ? undefined
            : {
                ...contest,
                guardUntil: nearer(contest.guardUntil, OVER),
                held: laterHeld(contest.held),
              },
      };
    }
    default:
      return state;
  }
}

const laterHeld = <Held extends { readonly until: Instant; readonly othersUntil: Instant }>(
  held: Held,
): Held => ({
  ...held,
  until: nearer(held.until, OVER),
  othersUntil: nearer(held.othersUntil, OVER),
});

/** How long a deadline has been over does not matter. */
export const OVER = 1;

/** A tick nearer; `memory`: in ticks, further back than that is all alike. */
const nearer = (at: Instant, memory: number): Instant =>
  instant(Math.max(at - TICK, NOW - memory * TICK));

/** The same for spans in ticks. */
export const ticksLater = (span: number | null, memory: number): number | null =>
  span === null ? null : Math.max(span - 1, -memory);
