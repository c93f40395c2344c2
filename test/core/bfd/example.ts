import type { ControlPacket } from "../../../agent/core/bfd/packet.ts";
import type { BfdEffect, BfdSession, BfdState } from "../../../agent/core/bfd/session.ts";
import { bfdSession } from "../../../agent/core/bfd/step.ts";
import { micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

export const session = (changes: Partial<BfdSession> = {}): BfdSession => ({
  name: "peer",
  discriminator: 7,
  minTx: milliseconds(50),
  minRx: milliseconds(50),
  idleTx: seconds(1),
  multiplier: 3,
  passive: false,
  seed: 1,
  ...changes,
});

/** What a neighbour with the same settings sends. */
export const control = (changes: Partial<ControlPacket> = {}): ControlPacket => ({
  diagnostic: "none",
  state: "down",
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 9,
  yourDiscriminator: 0,
  desiredMinTx: seconds(1),
  requiredMinRx: milliseconds(50),
  requiredMinEchoRx: micros(0),
  ...changes,
});

/** A session with its clock, driven by hand. */
export class Driven {
  session: BfdSession;
  state: BfdState = bfdSession.initial;
  now = 1_000_000;

  constructor(of: BfdSession = session()) {
    this.session = of;
    this.take({ kind: "startup" });
  }

  take(event: Parameters<typeof bfdSession.step>[2]): readonly BfdEffect[] {
    const next = bfdSession.step(this.session, this.state, event, at(this.now));
    this.state = next.state;
    return next.effects;
  }

  hear(changes: Partial<ControlPacket> = {}): readonly BfdEffect[] {
    return this.take({ kind: "packet", packet: control(changes) });
  }

  /** Waits for the next deadline. */
  wait(): readonly BfdEffect[] {
    this.now = Math.max(this.now, bfdSession.deadline(this.state) ?? this.now);
    return this.take({ kind: "tick" });
  }

  configure(of: BfdSession): readonly BfdEffect[] {
    this.session = of;
    return this.take({ kind: "configured" });
  }

  /** Up, with the poll sequence of coming up behind it. */
  up(): this {
    this.hear({ state: "init", yourDiscriminator: 7 });
    this.hear({ state: "up", yourDiscriminator: 7, final: true, desiredMinTx: milliseconds(50) });
    return this;
  }
}

export const sent = (effects: readonly BfdEffect[]): readonly ControlPacket[] =>
  effects.flatMap((effect) => (effect.kind === "send-control" ? [effect.packet] : []));

export const changes = (effects: readonly BfdEffect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === "session-changed" ? [`${effect.from} ${effect.to} ${effect.reason}`] : [],
  );
