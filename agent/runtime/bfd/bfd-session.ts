import type { BfdInstanceConfig } from "../../config/bfd-instances.ts";
import type { IpAddress } from "../../core/address.ts";
import { familyOf } from "../../core/address.ts";
import type { BfdPeer, Hops } from "../../core/bfd/admission.ts";
import type { ControlPacket } from "../../core/bfd/packet.ts";
import type { BfdEffect, BfdEvent, BfdSession, BfdState } from "../../core/bfd/session.ts";
import type { BfdSnapshot } from "../../core/bfd/snapshot.ts";
import { bfdSession } from "../../core/bfd/step.ts";
import { detectionTime, transmitInterval } from "../../core/bfd/timing.ts";
import type { Instant } from "../../core/time.ts";
import type { BfdSender, BfdSockets } from "../../ports/bfd.ts";
import type { Clock } from "../../ports/clock.ts";
import { KernelError } from "../../ports/error.ts";
import { encodeControl } from "../../wire/bfd.ts";
import type { Schedule, Slot } from "../schedule.ts";

type BfdChange = Extract<BfdEffect, { readonly kind: "session-changed" }>;

/** What a session needs of the node that it runs in. */
export interface SessionParts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly sockets: BfdSockets;
  readonly interfaceIndex: (name: string) => number | undefined;
  /** Its state, or its verdict. */
  readonly changed: (session: RunningSession) => void;
  /** It cannot send; told once for each new reason. */
  readonly trouble: (session: RunningSession, message: string) => void;
}

/** One session with its clock, its socket and what is counted of it. */
export class RunningSession implements BfdPeer {
  config: BfdInstanceConfig;
  state: BfdState = bfdSession.initial;
  /** Of the port that it listens on; `undefined`: it can. */
  portProblem: string | undefined;
  /** It was up, or has had the time for it. */
  known = false;
  readonly discriminator: number;
  readonly #parts: SessionParts;
  readonly #slot: Slot;
  readonly #counters = { sent: 0, received: 0, sendErrors: 0 };
  #machine: BfdSession;
  #sender: BfdSender | undefined;
  #senderIndex: number | undefined;
  #problem: string | undefined;
  #flaps = 0;
  #lastChange: BfdSnapshot["lastChange"];

  constructor(config: BfdInstanceConfig, discriminator: number, parts: SessionParts) {
    this.config = config;
    this.discriminator = discriminator;
    this.#parts = parts;
    this.#machine = machineOf(config, discriminator);
    this.#slot = parts.schedule.slot((now) => this.deliver({ kind: "tick" }, now));
    const at = parts.clock.wallClock();
    this.#lastChange = { from: "admin-down", to: "admin-down", reason: "startup", at };
  }

  get hops(): Hops {
    return this.config.hops;
  }

  get neighbour(): IpAddress {
    return this.config.neighbour;
  }

  get source(): IpAddress | undefined {
    return this.config.source;
  }

  get leastTtl(): number {
    return this.config.leastTtl;
  }

  get interfaceIndex(): number | undefined {
    const { interface: name } = this.config;
    // One that is not there has no packets either.
    return name === undefined ? undefined : (this.#parts.interfaceIndex(name) ?? -1);
  }

  get verdict(): BfdSnapshot["verdict"] {
    const { session } = this.state;
    if (session === "up") return "up";
    // One that we shut down ourselves says nothing about the way. RFC 5882 §4.1.
    return this.known && session !== "admin-down" ? "down" : "unknown";
  }

  deliver(event: BfdEvent, now: Instant = this.#parts.clock.now()): void {
    if (event.kind === "packet") this.#counters.received += 1;
    const { state, effects } = bfdSession.step(this.#machine, this.state, event, now);
    this.state = state;
    this.#slot.set(bfdSession.deadline(state));
    for (const effect of effects) {
      if (effect.kind === "send-control") this.#send(effect.packet);
      else this.#change(effect);
    }
  }

  /** Only what needs no other socket and no other neighbour is new. */
  configure(config: BfdInstanceConfig): void {
    this.config = config;
    this.#machine = machineOf(config, this.discriminator);
    this.deliver({ kind: "configured" });
  }

  /** Tells the neighbour that it is nobody's failure, and lets go of the socket. */
  close(): void {
    this.deliver({ kind: "shutdown" });
    this.#slot.set(undefined);
    this.#sender?.close();
    this.#sender = undefined;
  }

  snapshot(): BfdSnapshot {
    const { name, neighbour, source, hops, passive, minTx, minRx, multiplier } = this.config;
    const { session, diagnostic, remote, applied } = this.state;
    return {
      name,
      neighbour,
      source: source ?? null,
      interface: this.config.interface ?? null,
      hops,
      passive,
      state: session,
      verdict: this.verdict,
      diagnostic,
      discriminator: this.discriminator,
      local: { minTx, minRx, multiplier },
      remote:
        remote === undefined
          ? null
          : {
              state: remote.state,
              diagnostic: remote.diagnostic,
              discriminator: remote.discriminator,
              minTx: remote.desiredMinTx,
              minRx: remote.requiredMinRx,
              multiplier: remote.multiplier,
            },
      transmitInterval: transmitInterval(this.#machine, this.state) ?? null,
      detectionTime: remote === undefined ? null : detectionTime(applied, remote),
      flaps: this.#flaps,
      lastChange: this.#lastChange,
      problem: this.portProblem ?? this.#problem ?? null,
      counters: { ...this.#counters },
    };
  }

  #change(change: BfdChange): void {
    const { from, to, reason } = change;
    if (from === "up") this.#flaps += 1;
    this.#lastChange = { from, to, reason, at: this.#parts.clock.wallClock() };
    if (to === "up") this.known = true;
    this.#parts.changed(this);
  }

  #send(packet: ControlPacket): void {
    const problem = this.#trySend(encodeControl(packet));
    if (problem === undefined) this.#counters.sent += 1;
    else {
      this.#counters.sendErrors += 1;
      if (problem !== this.#problem) this.#parts.trouble(this, problem);
    }
    this.#problem = problem;
  }

  #trySend(bytes: Uint8Array): string | undefined {
    try {
      const errno = this.#openSender().send(bytes, this.config.neighbour);
      return errno === undefined ? undefined : `a packet was not sent: ${errno}`;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return `${error.message}; ${error.remedy}`;
    }
  }

  /** An interface that was made anew has another index, and needs another socket. */
  #openSender(): BfdSender {
    const { interfaceIndex } = this;
    if (this.#sender !== undefined && interfaceIndex === this.#senderIndex) return this.#sender;
    this.#sender?.close();
    this.#sender = undefined;
    const { neighbour, hops, source, hopLimit: ttl } = this.config;
    if (interfaceIndex === -1) throw interfaceMissing(this.config.interface ?? "");
    const spec = { family: familyOf(neighbour), hops, source, interfaceIndex, ttl };
    this.#sender = this.#parts.sockets.openSender(spec);
    this.#senderIndex = interfaceIndex;
    return this.#sender;
  }
}

function machineOf(config: BfdInstanceConfig, discriminator: number): BfdSession {
  const { name, minTx, minRx, idleTx, multiplier, passive } = config;
  return { name, discriminator, minTx, minRx, idleTx, multiplier, passive, seed: discriminator };
}

const interfaceMissing = (name: string): KernelError =>
  new KernelError(
    "bfd-interface-missing",
    `there is no interface ${name} for BFD`,
    "create it, or correct the name after % in bfd_instance",
  );
