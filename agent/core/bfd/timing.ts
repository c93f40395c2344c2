import type { Instant, Micros } from "../time.ts";
import { after, micros, seconds } from "../time.ts";
import type { BfdSession, BfdState, Intervals, Remote } from "./session.ts";

/** Nobody sends faster while a session is not up. RFC 5880 §6.8.3. */
const SLOW = seconds(1);

/** bfd.RemoteMinRxInterval before anything was heard. RFC 5880 §6.8.1. */
const UNHEARD_MIN_RX = micros(1);

/** The intervals that packets carry in this state. */
export function wantedIntervals(session: BfdSession, up: boolean): Intervals {
  const minTx = up ? session.minTx : (Math.max(SLOW, session.idleTx) as Micros);
  return { minTx, minRx: session.minRx };
}

export const sameIntervals = (a: Intervals, b: Intervals): boolean =>
  a.minTx === b.minTx && a.minRx === b.minRx;

/**
 * What counts while a poll sequence for `wanted` is not over: sending faster and waiting longer harm
 * nobody, and begin at once; the rest waits for the neighbour. RFC 5880 §6.8.3.
 */
export const cautious = (known: Intervals, wanted: Intervals): Intervals => ({
  minTx: Math.min(known.minTx, wanted.minTx) as Micros,
  minRx: Math.max(known.minRx, wanted.minRx) as Micros,
});

/** RFC 5880 §6.8.7: a passive session waits to be spoken to. */
export const isSilent = (session: BfdSession, { session: state, remote }: BfdState): boolean =>
  state === "admin-down" || (session.passive && remote === undefined);

/**
 * Between two periodic packets, before jitter. `undefined`: there are none, as nobody was heard yet
 * (passive), or the neighbour wants none. RFC 5880 §6.8.7.
 */
export function transmitInterval(session: BfdSession, state: BfdState): Micros | undefined {
  const { remote, applied, polled } = state;
  if (isSilent(session, state)) return undefined;
  if (remote === undefined) return Math.max(applied.minTx, UNHEARD_MIN_RX) as Micros;
  const bothUp = state.session === "up" && remote.state === "up";
  if (remote.demand && bothUp && polled === undefined) return undefined;
  if (remote.requiredMinRx === 0) return undefined;
  return Math.max(applied.minTx, remote.requiredMinRx) as Micros;
}

/** In asynchronous mode: their multiplier times the interval that was agreed. RFC 5880 §6.8.4. */
export const detectionTime = (applied: Intervals, remote: Remote): Micros =>
  micros(remote.multiplier * Math.max(applied.minRx, remote.desiredMinTx));

/**
 * Sets `transmitAt`, an interval with jitter after the last packet: 75–100 % of it, and no more than
 * 90 % where one lost packet is a failure. RFC 5880 §6.8.7.
 */
export function scheduled(session: BfdSession, state: BfdState, now: Instant): BfdState {
  const interval = transmitInterval(session, state);
  if (interval === undefined) {
    return state.transmitAt === undefined ? state : { ...state, transmitAt: undefined };
  }
  const random = (state.random + 0x6d2b79f5) >>> 0;
  const most = session.multiplier === 1 ? 0.9 : 1;
  const span = micros(interval * (0.75 + (most - 0.75) * fraction(random)));
  const at = after(state.sentAt ?? now, span);
  return { ...state, random, transmitAt: at < now ? now : at };
}

/** mulberry32, 0–1: the same everywhere, and plain JSON between two calls. */
function fraction(random: number): number {
  let mixed = Math.imul(random ^ (random >>> 15), random | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
}
