import type { Instant } from "../../agent/core/time.ts";
import { unghosted } from "../../agent/core/witness/ghost.ts";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type {
  MandateEffect,
  MandateEvent,
  MandateRules,
  MandateState,
} from "../../agent/core/witness/mandate.ts";
import { initialMandate, isAtRest } from "../../agent/core/witness/mandate.ts";
import type { MandateNews } from "../../agent/core/witness/mandate-news.ts";
import { mandateDeadline } from "../../agent/core/witness/step-mandate.ts";
import type { RequestKind } from "../../agent/core/witness/witness.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { Node } from "./node.ts";
import type { Store } from "./store.ts";
import type { World } from "./world.ts";

/** What a witness process has around it. */
export interface WitnessParts {
  readonly world: World;
  readonly machine: SimulatedMachine;
  readonly host: Node;
  readonly store: Store;
  /** At first. */
  readonly rules: MandateRules;
  /** To the vrrp process. */
  readonly tell: (serial: number, news: MandateNews) => void;
}

/** The process of a host that asks the store: production's machine, and what drives it. */
export class WitnessProcess {
  alive = false;
  paused = false;
  state: MandateState = initialMandate(1);
  /** Which reloads change, a little later than those of the vrrp process. */
  rules: MandateRules;
  readonly #parts: WitnessParts;
  /** Counts its lives: what was asked in another one is not answered in this. */
  #life = 0;
  /** Of one holding; there is none before the first request, and after a release. */
  #token: string | undefined;
  #tokens = 0;
  /** True times: of the last request, of the last answer in time, and since when it has run. */
  askedAt = Number.NEGATIVE_INFINITY;
  answeredAt = Number.NEGATIVE_INFINITY;
  #runsSince = 0;
  #timer = 0;
  #timerAt: Instant | undefined;
  readonly #mail: MandateEvent[] = [];

  constructor(parts: WitnessParts) {
    this.#parts = parts;
    this.rules = parts.rules;
    parts.store.watch(() => this.hear({ kind: "changed" }));
  }

  /** Infinite while it does not. */
  get runsSince(): number {
    return this.alive && !this.paused ? this.#runsSince : Number.POSITIVE_INFINITY;
  }

  start(): void {
    if (this.alive) return;
    this.alive = true;
    this.#runsSince = this.#parts.world.now;
    this.#life += 1;
    this.#token = undefined;
    this.#timerAt = undefined;
    this.state = initialMandate(Math.floor(this.#parts.world.prng.next() * 2 ** 32));
  }

  die(): void {
    this.alive = false;
    this.paused = false;
    this.#life += 1;
    this.#timer += 1;
    this.#mail.length = 0;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#runsSince = this.#parts.world.now;
    for (const event of this.#mail.splice(0)) this.#step(event);
    this.#step({ kind: "tick" });
  }

  hear(event: MandateEvent): void {
    if (!this.alive) return;
    if (this.paused) this.#mail.push(event);
    else this.#step(event);
  }

  /** It holds the lease, or has nothing to do with it; nothing else is under way. */
  isSteady(holds: boolean): boolean {
    const { wish, grant, witness } = this.state;
    if (!this.alive || this.paused) return false;
    if (!holds) return wish === undefined && isAtRest(this.state);
    return grant === "granted" && witness.grant.kind === "leased" && witness.failures === 0;
  }

  #step(event: MandateEvent, now: Instant = this.#now()): void {
    const { machine } = this.#parts;
    const { state, effects } = machine.witness(this.rules, this.state, event, now);
    this.state = state;
    for (const effect of effects) this.#execute(effect, now);
    this.#schedule();
  }

  #execute(effect: MandateEffect, now: Instant): void {
    if (effect.kind === "tell") this.#parts.tell(effect.serial, effect.news);
    else if (effect.kind === "fence") {
      const { run } = effect;
      const life = this.#life;
      this.#parts.world.fences?.run(this.#parts.host, (problem) => {
        if (life === this.#life) this.hear({ kind: "fenced", run, problem });
      });
    } else this.#ask(effect.kind, effect.id, now);
  }

  #ask(kind: RequestKind, id: number, sentAt: Instant): void {
    const { host, store } = this.#parts;
    if (kind === "acquire" && this.#token === undefined) {
      this.#tokens += 1;
      this.#token = `${host.name}/${this.#life}/${this.#tokens}`;
    }
    const token = this.#token ?? "none";
    const life = this.#life;
    if (kind === "release") this.#token = undefined;
    const asked = this.#parts.world.now;
    this.askedAt = asked;
    store.ask({
      kind,
      host,
      token,
      ttl: this.rules.lease?.ttl ?? 0,
      answered: (answer) => {
        if (life !== this.#life) return;
        // After a loss it asks at once who has it now.
        if (answer.kind !== "lost") this.#noteAnswer(asked);
        const meant = unghosted(ownHolder(answer, host), host.name);
        this.hear(
          kind === "release"
            ? { kind: "released", id }
            : { kind: "answer", id, sentAt, answer: meant },
        );
      },
    });
  }

  #noteAnswer(asked: number): void {
    const { world, host } = this.#parts;
    const took = (world.now - asked) * host.clockRate;
    if (!this.paused && took < (this.rules.lease?.requestTime ?? 0)) this.answeredAt = world.now;
  }

  #schedule(): void {
    const at = mandateDeadline(this.state);
    if (at === this.#timerAt) return;
    this.#setTimer(at);
  }

  #setTimer(at: Instant | undefined): void {
    const { world, host } = this.#parts;
    this.#timerAt = at;
    this.#timer += 1;
    const number = this.#timer;
    if (at === undefined) return;
    const due = Math.max(0, host.global(at) - world.now) + world.jitter();
    world.after(due, () => {
      if (number !== this.#timer || !this.alive || this.paused) return;
      this.#timerAt = undefined;
      this.#step({ kind: "tick" }, world.calm ? at : this.#now());
    });
  }

  #now(): Instant {
    return this.#parts.host.local(this.#parts.world.now);
  }
}

/** Tokens name their holder first. */
const ownHolder = (answer: LeaseAnswer, { name }: Node): LeaseAnswer =>
  answer.kind === "taken" && answer.holder?.startsWith(`${name}/`) === true
    ? { kind: "taken", holder: name }
    : answer;
