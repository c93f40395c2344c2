import type { BfdInstanceConfig } from "../../config/bfd-instances.ts";
import { familyOf } from "../../core/address.ts";
import type { BfdPeers } from "../../core/bfd/admission.ts";
import { admitControl, bfdPeers } from "../../core/bfd/admission.ts";
import type { DiscardReason } from "../../core/bfd/packet.ts";
import type { BfdReport, BfdSnapshot } from "../../core/bfd/snapshot.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import { after, micros, seconds } from "../../core/time.ts";
import type { Reading, TrackerId } from "../../core/track/tracking.ts";
import { trackerId } from "../../core/track/tracking.ts";
import type { BfdDatagram, BfdListenSpec } from "../../ports/bfd.ts";
import { KernelError } from "../../ports/error.ts";
import { decodeControl } from "../../wire/bfd.ts";
import type { Slot } from "../schedule.ts";
import type { SessionParts } from "./bfd-session.ts";
import { RunningSession } from "./bfd-session.ts";

export interface SessionsParts extends SessionParts {
  /** What these trackers read is new. */
  readonly read: (trackers: readonly TrackerId[]) => void;
  readonly dropped: (reason: DiscardReason, datagram: BfdDatagram) => void;
  readonly listenTrouble: (message: string) => void;
}

/** Between two tries of a port that another program has. */
const RETRY = seconds(5);

/**
 * How many intervals a session has to come up in before it counts as down. A reload that adds one
 * takes no address from anybody in the meantime.
 */
const GRACE_INTERVALS = 3;

/** Changes of these are told to the neighbour; any other needs a session of its own. */
const NEGOTIABLE: ReadonlySet<string> = new Set([
  ...["position", "minTx", "minRx", "idleTx", "multiplier", "passive", "leastTtl"],
  ...["weight", "reverse"],
]);

interface Running {
  readonly session: RunningSession;
  /** Ends the time in which nothing is known of it. */
  readonly grace: Slot;
}

/** All BFD sessions of this node, beside its virtual routers, on the same timer. */
export class BfdSessions {
  readonly #parts: SessionsParts;
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Map<string, { close(): void }>();
  readonly #dropped: Partial<Record<DiscardReason, number>> = {};
  readonly #retry: Slot;
  #peers: BfdPeers<RunningSession> = bfdPeers([]);

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#retry = parts.schedule.slot(() => this.#listen());
  }

  /** Runs these from now on. What is as before goes on undisturbed. */
  configure(configs: readonly BfdInstanceConfig[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [name, { session, grace }] of [...this.#running]) {
      const config = wanted.get(name);
      if (config !== undefined && plainEqual(config, session.config, NEGOTIABLE)) continue;
      this.#running.delete(name);
      grace.set(undefined);
      session.close();
    }
    const fresh: RunningSession[] = [];
    for (const config of configs) {
      const known = this.#running.get(config.name);
      if (known === undefined) fresh.push(this.#add(config));
      else if (!plainEqual(config, known.session.config, NOTHING)) known.session.configure(config);
    }
    this.#peers = bfdPeers([...this.#running.values()].map(({ session }) => session));
    this.#listen();
    for (const session of fresh) session.deliver({ kind: "startup" });
  }

  /** What track_bfd reads; `undefined`: it is no BFD session. */
  reading(tracker: TrackerId): Reading | undefined {
    const name = nameOf(tracker);
    if (name === undefined) return undefined;
    const running = this.#running.get(name);
    if (running === undefined) return { verdict: "down", value: 0, reason: "no such session" };
    const { state } = running.session;
    const reason = state.diagnostic === "none" ? state.session : state.diagnostic;
    return { verdict: running.session.verdict, value: 0, reason };
  }

  *snapshot(): Generator<BfdSnapshot> {
    for (const { session } of [...this.#running.values()]) yield session.snapshot();
  }

  /** What was received and of no use, by reason. */
  dropped(): BfdReport["dropped"] {
    return { ...this.#dropped };
  }

  /** Every neighbour is told that this is an operator's wish. */
  stop(): void {
    this.configure([]);
  }

  #add(config: BfdInstanceConfig): RunningSession {
    const { clock, schedule } = this.#parts;
    const session = new RunningSession(config, this.#discriminator(), {
      ...this.#parts,
      changed: (of) => this.#changed(of),
    });
    const grace = schedule.slot(() => this.#know(config.name));
    this.#running.set(config.name, { session, grace });
    grace.set(after(clock.now(), micros(GRACE_INTERVALS * config.idleTx)));
    return session;
  }

  #discriminator(): number {
    for (;;) {
      const drawn = this.#parts.sockets.random();
      const taken = [...this.#running.values()].some(
        ({ session }) => session.discriminator === drawn,
      );
      if (!taken) return drawn;
    }
  }

  #changed(session: RunningSession): void {
    const { name } = session.config;
    const running = this.#running.get(name);
    if (session.known) running?.grace.set(undefined);
    this.#parts.changed(session);
    if (running?.session === session) this.#parts.read([trackerOf(name)]);
  }

  /** It has had its time. */
  #know(name: string): void {
    const session = this.#running.get(name)?.session;
    if (session === undefined || session.known) return;
    session.known = true;
    this.#changed(session);
  }

  /** Opens the ports that are needed, and lets go of the others. One that cannot be had is tried again. */
  #listen(): void {
    const needed = new Map<string, BfdListenSpec>();
    for (const { session } of this.#running.values()) {
      const spec = { family: familyOf(session.neighbour), hops: session.hops };
      needed.set(keyOf(spec), spec);
    }
    for (const [key, listener] of [...this.#listeners]) {
      if (needed.has(key)) continue;
      this.#listeners.delete(key);
      listener.close();
    }
    const problems = new Map<string, string>();
    for (const [key, spec] of needed) {
      const problem = this.#open(key, spec);
      if (problem !== undefined) problems.set(key, problem);
    }
    for (const { session } of this.#running.values()) {
      const spec = { family: familyOf(session.neighbour), hops: session.hops };
      session.portProblem = problems.get(keyOf(spec));
    }
    const { clock } = this.#parts;
    this.#retry.set(problems.size === 0 ? undefined : after(clock.now(), RETRY));
  }

  #open(key: string, spec: BfdListenSpec): string | undefined {
    if (this.#listeners.has(key)) return undefined;
    try {
      const listener = this.#parts.sockets.listen(spec, (datagram) => this.#receive(datagram));
      this.#listeners.set(key, listener);
      return undefined;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      const message = `${error.message}; ${error.remedy}`;
      this.#parts.listenTrouble(message);
      return message;
    }
  }

  #receive(datagram: BfdDatagram): void {
    const decoded = decodeControl(datagram.bytes);
    const admitted = decoded.ok ? admitControl(this.#peers, datagram, decoded.value) : decoded;
    if (!admitted.ok) this.#drop(admitted.reason, datagram);
    else if (decoded.ok) admitted.value.deliver({ kind: "packet", packet: decoded.value });
  }

  #drop(reason: DiscardReason, datagram: BfdDatagram): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
    this.#parts.dropped(reason, datagram);
  }
}

const NOTHING: ReadonlySet<string> = new Set(["position"]);

const PREFIX = trackerId("track_bfd", "");

const trackerOf = (name: string): TrackerId => trackerId("track_bfd", name);

const nameOf = (tracker: TrackerId): string | undefined =>
  tracker.startsWith(PREFIX) ? tracker.slice(PREFIX.length) : undefined;

const keyOf = ({ family, hops }: BfdListenSpec): string => `${family} ${hops}`;
