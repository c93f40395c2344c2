import type { Instant } from "../../../agent/core/time.ts";
import { instant } from "../../../agent/core/time.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import { stepWitness, witnessDeadline } from "../../../agent/core/witness/step.ts";
import type {
  WitnessConfig,
  WitnessEffect,
  WitnessEvent,
  WitnessState,
} from "../../../agent/core/witness/witness.ts";
import { initialWitness } from "../../../agent/core/witness/witness.ts";

/** What becomes of a request, in microseconds of true time; `undefined`: lost on its way. */
export interface Fate {
  readonly there: number | undefined;
  readonly back: number | undefined;
}

/** What happens to a host. `stall`: nothing of it runs for that long; its gate does. */
export type Deed =
  | { readonly kind: "wanted" | "not-wanted" | "changed" | "crash" }
  | { readonly kind: "stall"; readonly time: number };

export interface Act {
  readonly after: number;
  readonly host: number;
  readonly deed: Deed;
}

interface Flying {
  readonly at: number;
  readonly arrive: () => void;
}

interface Kept {
  readonly token: number;
  readonly epoch: string;
  readonly endsAt: number;
}

/** A time in which a host's gate was open by a lease, in true time. */
export interface Span {
  readonly host: number;
  readonly from: number;
  to: number;
  readonly epoch: string;
}

/** One host: a clock, a machine, and a client of the store, which has a token for each holding. */
class Host {
  state: WitnessState;
  token: number | undefined;
  stalledUntil = 0;
  open: Span | undefined;
  withoutLease = false;
  readonly inbox: WitnessEvent[] = [];
  readonly effects: WitnessEffect[] = [];
  readonly #rate: number;
  readonly #start: number;

  /** @param rate of its clock; 1 runs true. */
  constructor(index: number, rate: number) {
    this.state = initialWitness(index * 7_919 + 1);
    this.#rate = rate;
    this.#start = (index + 1) * 1e9;
  }

  read = (trueTime: number): Instant => instant(this.#start + trueTime * this.#rate);
  trueTimeOf = (time: Instant): number => (time - this.#start) / this.#rate;
}

/** Hosts and a store, each with a clock of its own, and messages that are late or lost. */
export class World {
  now = 0;
  readonly hosts: readonly Host[];
  readonly spans: Span[] = [];
  /** Until when the store kept each holding, in true time: from then on it is anybody's. */
  readonly keptUntil = new Map<string, number>();
  readonly #config: WitnessConfig;
  readonly #storeRate: number;
  readonly #fates: () => Fate;
  #flying: Flying[] = [];
  #kept: Kept | undefined;
  #tokens = 0;
  #epochs = 0;

  constructor(
    config: WitnessConfig,
    rates: readonly number[],
    storeRate: number,
    fates: () => Fate,
  ) {
    this.#config = config;
    this.hosts = rates.map((rate, index) => new Host(index, rate));
    this.#storeRate = storeRate;
    this.#fates = fates;
  }

  act(index: number, deed: Deed): void {
    const host = this.#host(index);
    if (deed.kind === "stall") {
      host.stalledUntil = Math.max(host.stalledUntil, this.now + deed.time);
    } else if (deed.kind === "crash") {
      // Its gate stays, its process and its token go.
      host.state = { ...initialWitness(host.state.seed), nextId: host.state.nextId };
      host.token = undefined;
      host.open = undefined;
      host.inbox.length = 0;
    } else {
      this.#give(index, { kind: deed.kind });
    }
  }

  /** Lets true time go by. */
  run(time: number): void {
    const end = this.now + time;
    for (let turns = 0; turns < 100_000; turns++) {
      const next = Math.min(this.#nextTime(), end);
      this.now = Math.max(this.now, next);
      const due = this.#flying.filter(({ at }) => at <= this.now);
      this.#flying = this.#flying.filter(({ at }) => at > this.now);
      for (const { arrive } of due) arrive();
      for (const index of this.hosts.keys()) this.#wake(index);
      if (next >= end) return;
    }
    throw new Error("the machine asks for ticks without end");
  }

  #nextTime(): number {
    const wakes = this.hosts.map((host) => {
      const deadline = witnessDeadline(host.state);
      // A clock of whole microseconds: no earlier than the deadline by it.
      const due = deadline === undefined ? Infinity : host.trueTimeOf(deadline) + 1;
      const isWaiting = host.inbox.length > 0;
      return Math.max(isWaiting ? this.now : due, host.stalledUntil);
    });
    return Math.min(...wakes, ...this.#flying.map(({ at }) => at));
  }

  #give(index: number, event: WitnessEvent): void {
    this.#host(index).inbox.push(event);
    this.#wake(index);
  }

  #wake(index: number): void {
    const host = this.#host(index);
    if (this.now < host.stalledUntil) return;
    for (const event of host.inbox.splice(0)) this.#step(index, event);
    const deadline = witnessDeadline(host.state);
    if (deadline !== undefined && host.read(this.now) >= deadline) {
      this.#step(index, { kind: "tick" });
    }
  }

  #step(index: number, event: WitnessEvent): void {
    const host = this.#host(index);
    const { state, effects } = stepWitness(this.#config, host.state, event, host.read(this.now));
    host.state = state;
    for (const effect of effects) this.#do(index, effect);
  }

  #do(index: number, effect: WitnessEffect): void {
    const host = this.#host(index);
    host.effects.push(effect);
    if (effect.kind === "grant") {
      const to = host.trueTimeOf(effect.deadlineAt);
      if (host.open !== undefined && host.open.to >= this.now && host.open.epoch === effect.epoch) {
        host.open.to = to;
        return;
      }
      host.open = { host: index, from: this.now, to, epoch: effect.epoch };
      this.spans.push(host.open);
    } else if (effect.kind === "revoke") {
      if (host.open !== undefined) host.open.to = Math.min(host.open.to, this.now);
      host.open = undefined;
      host.withoutLease = false;
    } else if (effect.kind === "grant-without-lease") {
      host.withoutLease = true;
    } else {
      this.#send(index, effect);
    }
  }

  #send(
    index: number,
    { kind, id }: Extract<WitnessEffect, { kind: "acquire" | "renew" | "release" }>,
  ): void {
    const host = this.#host(index);
    const { there, back } = this.#fates();
    const sentAt = host.read(this.now);
    if (kind === "acquire") host.token ??= ++this.#tokens;
    const { token } = host;
    if (kind === "release") host.token = undefined;
    if (there === undefined) return;
    this.#flying.push({
      at: this.now + there,
      arrive: () => {
        const answer = this.#serve(kind, token);
        if (back === undefined) return;
        const arrive = (): void => {
          if (answer.kind === "lost" && host.token === token) host.token = undefined;
          this.#give(
            index,
            kind === "release" ? { kind: "released", id } : { kind: "answer", id, sentAt, answer },
          );
        };
        this.#flying.push({ at: this.now + back, arrive });
      },
    });
  }

  #serve(kind: "acquire" | "renew" | "release", token: number | undefined): LeaseAnswer {
    const time = this.now * this.#storeRate;
    if (this.#kept !== undefined && this.#kept.endsAt <= time) this.#kept = undefined;
    const kept = this.#kept?.token === token ? this.#kept : undefined;
    if (kind === "release") return this.#free(kept);
    if (this.#kept !== undefined && kept === undefined && kind === "acquire") {
      return { kind: "taken", holder: "other" };
    }
    if (token === undefined || (kind === "renew" && kept === undefined)) return { kind: "lost" };
    const epoch = kept?.epoch ?? String(++this.#epochs).padStart(8, "0");
    const endsAt = time + this.#config.ttl;
    this.#kept = { token, epoch, endsAt };
    this.keptUntil.set(epoch, endsAt / this.#storeRate);
    return { kind: "held", epoch };
  }

  #free(kept: Kept | undefined): LeaseAnswer {
    if (kept !== undefined) {
      this.keptUntil.set(kept.epoch, this.now);
      this.#kept = undefined;
    }
    return { kind: "lost" };
  }

  #host(index: number): Host {
    const host = this.hosts[index % this.hosts.length];
    if (host === undefined) throw new Error("no host");
    return host;
  }
}
