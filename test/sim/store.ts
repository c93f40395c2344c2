import { instant } from "../../agent/core/time.ts";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { RequestKind } from "../../agent/core/witness/witness.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

/** One request. The answer may come late, or never. */
export interface StoreRequest {
  readonly kind: RequestKind;
  /** On which host the witness is that asks. */
  readonly host: Node;
  /** Of one holding: what is released is this one, never the next. */
  readonly token: string;
  readonly ttl: number;
  readonly answered: (answer: LeaseAnswer) => void;
}

/** One way to the store or back, in microseconds, while all is well. */
const LATENCY = 2_000;
const UNLUCKY = 700_000;

/** A store that gives a lease to one holder at a time, by its own clock. */
export class Store {
  /** It answers nobody. */
  down = false;
  /** The last trouble is over. */
  sound = false;
  /** Hosts that do not reach it. */
  readonly cut = new Set<Node>();
  /** The longest way to it or back, microseconds. */
  latencyMax = LATENCY;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #clockRate: number;
  readonly #watchers: (() => void)[] = [];
  #held:
    | { readonly token: string; readonly host: Node; until: number; readonly epoch: number }
    | undefined;
  #epoch = 0;
  #expiring = false;

  constructor(world: World, clockRate: number) {
    this.#world = world;
    this.#prng = world.prng;
    this.#clockRate = clockRate;
  }

  get healthy(): boolean {
    return !this.down && this.cut.size === 0 && this.latencyMax === LATENCY;
  }

  /** It has a lease that runs. */
  holds(host: Node): boolean {
    return this.#held?.host === host && this.#held.until > this.#world.now * this.#clockRate;
  }

  heal(): void {
    this.down = false;
    this.cut.clear();
    this.latencyMax = LATENCY;
  }

  watch(changed: () => void): void {
    this.#watchers.push(changed);
  }

  ask(request: StoreRequest): void {
    this.#travel(request.host, () => {
      const answer = this.#answer(request);
      this.#travel(request.host, () => request.answered(answer));
    });
  }

  #travel(host: Node, arrive: () => void): void {
    if (this.#lost(host)) return;
    const delay = this.#world.calm ? LATENCY / 2 : 100 + this.#prng.next() * this.#latency();
    this.#world.travel(delay, () => {
      if (!this.#lost(host)) arrive();
    });
  }

  /** In trouble some take long for no reason that anybody sees. */
  #latency(): number {
    const unlucky = !this.sound && this.#world.pending > 0 && this.#prng.chance(1 / 4);
    return unlucky ? Math.max(UNLUCKY, this.latencyMax) : this.latencyMax;
  }

  #lost(host: Node): boolean {
    return this.down || this.cut.has(host) || this.cut.has(host.mates[0] ?? host);
  }

  #answer({ kind, host, token, ttl }: StoreRequest): LeaseAnswer {
    const now = instant(this.#world.now * this.#clockRate);
    if (this.#held !== undefined && this.#held.until <= now) this.#free();
    const held = this.#held;
    if (kind === "release") {
      if (held?.token === token) this.#free();
      return { kind: "lost" };
    }
    if (held?.token === token) {
      held.until = now + ttl;
      this.#expire();
      return { kind: "held", epoch: `${held.epoch}` };
    }
    if (kind === "renew") return { kind: "lost" };
    if (held !== undefined) return { kind: "taken", holder: held.token };
    this.#epoch += 1;
    this.#held = { token, host, until: now + ttl, epoch: this.#epoch };
    this.#expire();
    return { kind: "held", epoch: `${this.#epoch}` };
  }

  /** Ends a lease in time, so that those who wait hear of it. */
  #expire(): void {
    const held = this.#held;
    if (this.#expiring || held === undefined) return;
    this.#expiring = true;
    const left = held.until / this.#clockRate - this.#world.now;
    this.#world.after(Math.max(0, left) + 1, () => {
      this.#expiring = false;
      const now = instant(this.#world.now * this.#clockRate);
      if (this.#held !== undefined && this.#held.until <= now) this.#free();
      else this.#expire();
    });
  }

  /** Those who watch are told, but in trouble: it is no more than a hint. */
  #free(): void {
    this.#held = undefined;
    for (const changed of this.#watchers) {
      if (this.healthy || this.#prng.chance(0.5))
        this.#world.after(this.#prng.next() * this.latencyMax, changed);
    }
  }
}
