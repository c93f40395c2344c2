import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, earliest, micros } from "../time.ts";
import type { ControlPacket, Diagnostic, SessionState } from "./packet.ts";
import type { BfdEffect, BfdEvent, BfdReason, BfdSession, BfdState, Remote } from "./session.ts";
import {
  cautious,
  detectionTime,
  isSilent,
  sameIntervals,
  scheduled,
  transmitInterval,
  wantedIntervals,
} from "./timing.ts";

type Step = Transition<BfdState, BfdEffect>;

const NO_ECHO = micros(0);

const INITIAL: BfdState = {
  session: "admin-down",
  diagnostic: "none",
  remote: undefined,
  applied: { minTx: micros(0), minRx: micros(0) },
  polled: undefined,
  sentAt: undefined,
  transmitAt: undefined,
  detectAt: undefined,
  random: 0,
};

/** What one event does to one BFD session in asynchronous mode. Total; see {@link Machine}. */
export function step(session: BfdSession, state: BfdState, event: BfdEvent, now: Instant): Step {
  switch (event.kind) {
    case "startup":
      return startup(session, state, now);
    case "shutdown":
      return shutdown(session, state, now);
    case "packet":
      return packet(session, state, event.packet, now);
    case "configured":
      return configured(session, state, now);
    case "tick":
      return tick(session, state, now);
    default:
      return assertNever(event);
  }
}

/** When this session next needs a `tick`; `undefined` when no timer runs. */
export const deadline = ({ transmitAt, detectAt }: BfdState): Instant | undefined =>
  earliest(transmitAt, detectAt);

export const bfdSession: Machine<BfdSession, BfdState, BfdEvent, BfdEffect> = {
  initial: INITIAL,
  step,
  deadline,
};

function startup(session: BfdSession, state: BfdState, now: Instant): Step {
  if (state.session !== "admin-down") return { state, effects: [] };
  const random = session.seed >>> 0;
  const began = { ...INITIAL, session: "down" as const, random };
  const ready = { ...began, applied: wantedIntervals(session, false) };
  return {
    // The first packet is jittered like the others: sessions that start together do not send so.
    state: scheduled(session, ready, now),
    effects: [changed("admin-down", "down", "startup")],
  };
}

/** RFC 5880 §6.8.16: the neighbour is told that this is nobody's failure. */
function shutdown(session: BfdSession, state: BfdState, now: Instant): Step {
  if (state.session === "admin-down") return { state, effects: [] };
  const down: BfdState = {
    ...state,
    session: "admin-down",
    diagnostic: "administratively-down",
    polled: undefined,
    transmitAt: undefined,
    detectAt: undefined,
  };
  const effects: BfdEffect[] = [changed(state.session, "admin-down", "shutdown")];
  if (isSilent(session, state)) return { state: down, effects };
  const last = { ...down, sentAt: now };
  return { state: last, effects: [control(session, last), ...effects] };
}

/** RFC 5880 §6.8.6, from where the session is known. */
function packet(
  session: BfdSession,
  before: BfdState,
  received: ControlPacket,
  now: Instant,
): Step {
  if (before.session === "admin-down") return { state: before, effects: [] };
  const heard = hear(session, before, received);
  const next = after(now, detectionTime(heard.applied, heard.remote));
  const verdict = received.state === "admin-down" ? closing(heard) : handshake(heard, received);
  if (verdict !== undefined) {
    const moved = { ...move(session, { ...heard, detectAt: next }, verdict), sentAt: now };
    return {
      state: scheduled(session, moved, now),
      effects: [
        control(session, moved, received.poll),
        changed(before.session, moved.session, verdict.reason),
      ],
    };
  }
  const state = rescheduled(session, before, { ...heard, detectAt: next }, now);
  return { state, effects: received.poll ? [control(session, state, true)] : [] };
}

/** What the packet says of the neighbour, and the end of our poll sequence. */
function hear(
  session: BfdSession,
  state: BfdState,
  received: ControlPacket,
): BfdState & { readonly remote: Remote } {
  const remote: Remote = {
    state: received.state,
    discriminator: received.myDiscriminator,
    diagnostic: received.diagnostic,
    desiredMinTx: received.desiredMinTx,
    requiredMinRx: received.requiredMinRx,
    multiplier: received.multiplier,
    demand: received.demand,
  };
  if (state.polled === undefined || !received.final) return { ...state, remote };
  // The neighbour knows what was polled; what was configured since needs a poll of its own.
  const wanted = wantedIntervals(session, state.session === "up");
  const polled = sameIntervals(state.polled, wanted) ? undefined : wanted;
  return { ...state, remote, applied: cautious(state.polled, wanted), polled };
}

interface Verdict {
  readonly to: SessionState;
  readonly reason: BfdReason;
  readonly diagnostic: Diagnostic;
}

function closing(state: BfdState): Verdict | undefined {
  if (state.session === "down") return undefined;
  const diagnostic = "neighbour-signalled-down";
  return { to: "down", reason: "neighbour-shut-down", diagnostic };
}

/** The three-way handshake. RFC 5880 §6.2, §6.8.6. */
function handshake(state: BfdState, { state: theirs }: ControlPacket): Verdict | undefined {
  const { session, diagnostic } = state;
  const up: Verdict = { to: "up", reason: "handshake-complete", diagnostic: "none" };
  if (session === "down" && theirs === "down") {
    return { to: "init", reason: "neighbour-heard", diagnostic };
  }
  if (session === "down" && theirs === "init") return up;
  if (session === "init" && (theirs === "init" || theirs === "up")) return up;
  if (session === "up" && theirs === "down") {
    const reason = "neighbour-signalled-down";
    return { to: "down", reason, diagnostic: reason };
  }
  return undefined;
}

/** Coming up changes our intervals, and that needs a poll; going down is news in itself. */
function move(session: BfdSession, state: BfdState, { to, diagnostic }: Verdict): BfdState {
  const up = to === "up";
  const wanted = wantedIntervals(session, up);
  const poll = up && !sameIntervals(state.applied, wanted);
  return {
    ...state,
    session: to,
    diagnostic,
    applied: up ? cautious(state.applied, wanted) : wanted,
    polled: poll ? wanted : undefined,
  };
}

function configured(session: BfdSession, state: BfdState, now: Instant): Step {
  if (state.session === "admin-down") return { state, effects: [] };
  const up = state.session === "up";
  const wanted = wantedIntervals(session, up);
  if (!up) {
    const idle = { ...state, applied: wanted };
    return { state: scheduled(session, idle, now), effects: [] };
  }
  // While a poll is under way, its answer may be about the older intervals: another one follows.
  const polled = state.polled ?? (sameIntervals(state.applied, wanted) ? undefined : wanted);
  const careful = { ...state, applied: cautious(state.applied, wanted), polled };
  return { state: scheduled(session, careful, now), effects: [] };
}

function tick(session: BfdSession, state: BfdState, now: Instant): Step {
  if (state.detectAt !== undefined && now >= state.detectAt) return expired(session, state, now);
  if (state.transmitAt === undefined || now < state.transmitAt) return { state, effects: [] };
  const sent = { ...state, sentAt: now };
  return { state: scheduled(session, sent, now), effects: [control(session, sent)] };
}

/** A detection time without a word: RFC 5880 §6.8.4, and §6.8.1 on bfd.RemoteDiscr. */
function expired(session: BfdSession, state: BfdState, now: Instant): Step {
  const forgotten = { ...state, remote: undefined, detectAt: undefined };
  if (state.session === "down" || state.session === "admin-down") {
    return { state: scheduled(session, forgotten, now), effects: [] };
  }
  const reason = "detection-time-expired";
  const down = move(session, forgotten, { to: "down", reason, diagnostic: reason });
  const sent = { ...down, sentAt: now };
  return {
    state: scheduled(session, sent, now),
    // At once, as the neighbour may hear us all the same.
    effects: [control(session, sent), changed(state.session, "down", reason)],
  };
}

/** The neighbour's word may change when we send next; if it does not, the deadline stays. */
function rescheduled(
  session: BfdSession,
  before: BfdState,
  state: BfdState,
  now: Instant,
): BfdState {
  const interval = transmitInterval(session, state);
  const same = interval === transmitInterval(session, before);
  return same ? state : scheduled(session, state, now);
}

const changed = (from: SessionState, to: SessionState, reason: BfdReason): BfdEffect => ({
  kind: "session-changed",
  from,
  to,
  reason,
});

/** RFC 5880 §6.8.7. An answer to a poll is not a poll itself. */
function control(session: BfdSession, state: BfdState, final = false): BfdEffect {
  const wanted = wantedIntervals(session, state.session === "up");
  return {
    kind: "send-control",
    packet: {
      diagnostic: state.diagnostic,
      state: state.session,
      poll: !final && state.polled !== undefined,
      final,
      controlPlaneIndependent: false,
      demand: false,
      multiplier: session.multiplier,
      myDiscriminator: session.discriminator,
      yourDiscriminator: state.remote?.discriminator ?? 0,
      desiredMinTx: wanted.minTx,
      requiredMinRx: wanted.minRx,
      requiredMinEchoRx: NO_ECHO,
    },
  };
}
