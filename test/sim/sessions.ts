import type { ControlPacket } from "../../agent/core/bfd/packet.ts";
import type { BfdEvent, BfdSession, BfdState } from "../../agent/core/bfd/session.ts";
import { bfdSession } from "../../agent/core/bfd/step.ts";
import type { Micros } from "../../agent/core/time.ts";
import { seconds } from "../../agent/core/time.ts";
import type { Node } from "./node.ts";
import type { World } from "./world.ts";

/** bfd.DetectMult. */
const MULTIPLIER = 3;

/** One host's end of a BFD session: production's machine. */
interface End {
  readonly host: Node;
  readonly peer: Node;
  machine: BfdSession;
  state: BfdState;
  /** Packets that wait in the socket of a process that stands still. */
  readonly inbox: ControlPacket[];
  timer: number;
  /** By when the next packet had to come, in true time. */
  dueAt: number;
}

/** A BFD session between every two hosts, over their first segment; it runs in the vrrp process. */
export class Sessions {
  readonly #world: World;
  readonly #interval: Micros;
  readonly #ends: readonly End[];

  constructor(world: World, hosts: readonly Node[], interval: Micros) {
    this.#world = world;
    this.#interval = interval;
    this.#ends = hosts.flatMap((host) =>
      hosts.flatMap((peer) => (peer === host ? [] : [this.#end(host, peer)])),
    );
  }

  /** As the runtime asks: all that this host has, and there is one. */
  allUp(host: Node): boolean {
    const own = this.#of(host);
    return own.length > 0 && own.every(({ state }) => state.session === "up");
  }

  /** By when the first of its peers had to be heard again, in true time: it counts as gone since. */
  dueAt(host: Node): number {
    return Math.min(...this.#of(host).map(({ dueAt }) => dueAt));
  }

  start(host: Node): void {
    for (const end of this.#of(host)) {
      end.machine = this.#machine(end.host);
      end.state = bfdSession.initial;
      end.inbox.length = 0;
      this.#step(end, { kind: "startup" });
    }
  }

  stop(host: Node): void {
    for (const end of this.#of(host)) this.#step(end, { kind: "shutdown" });
  }

  resume(host: Node): void {
    for (const end of this.#of(host)) {
      for (const packet of end.inbox.splice(0)) this.#hear(end, packet);
      this.#step(end, { kind: "tick" });
    }
  }

  #of(host: Node): readonly End[] {
    return this.#ends.filter((end) => end.host === host);
  }

  #end(host: Node, peer: Node): End {
    const machine = this.#machine(host);
    const state = bfdSession.initial;
    return { host, peer, machine, state, inbox: [], timer: 0, dueAt: 0 };
  }

  /** Each process has discriminators of its own. */
  #machine({ name }: Node): BfdSession {
    const { prng } = this.#world;
    const [minTx, minRx] = [this.#interval, this.#interval];
    return {
      ...{ name, discriminator: prng.whole(1, 0xffff_ffff), seed: prng.whole(0, 0xffff_ffff) },
      ...{ minTx, minRx, idleTx: seconds(1), multiplier: MULTIPLIER, passive: false },
    };
  }

  #step(end: End, event: BfdEvent): void {
    const { host, machine } = end;
    const before = this.allUp(host);
    const { state, effects } = bfdSession.step(
      machine,
      end.state,
      event,
      host.local(this.#world.now),
    );
    end.state = state;
    for (const effect of effects) {
      if (effect.kind === "send-control") this.#send(end, effect.packet);
    }
    this.#schedule(end);
    if (this.allUp(host) !== before) host.coupling?.wishes?.hear({ kind: "tick" });
  }

  #send({ host, peer }: End, packet: ControlPacket): void {
    const other = this.#ends.find((end) => end.host === peer && end.peer === host);
    if (other === undefined) return;
    for (const delay of this.#world.segment.deliveries(host, peer)) {
      this.#world.travel(delay, () => this.#receive(other, packet));
    }
  }

  #receive(end: End, packet: ControlPacket): void {
    const { host, machine } = end;
    if (!host.alive) return;
    const { yourDiscriminator: named, state } = packet;
    const known = named === machine.discriminator;
    if (!known && (named !== 0 || (state !== "down" && state !== "admin-down"))) return;
    if (host.paused) {
      end.inbox.push(packet);
      return;
    }
    this.#hear(end, packet);
  }

  #hear(end: End, packet: ControlPacket): void {
    const { host, machine } = end;
    const detection = packet.multiplier * Math.max(machine.minRx, packet.desiredMinTx);
    end.dueAt = this.#world.now + detection / host.clockRate;
    this.#step(end, { kind: "packet", packet });
  }

  #schedule(end: End): void {
    const { host } = end;
    end.timer += 1;
    const number = end.timer;
    const at = bfdSession.deadline(end.state);
    if (at === undefined) return;
    const due = Math.max(0, host.global(at) - this.#world.now) + this.#world.jitter();
    this.#world.after(due, () => {
      if (number === end.timer && host.running) this.#step(end, { kind: "tick" });
    });
  }
}
