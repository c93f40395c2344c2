import type { MandateConfig, WitnessSettings } from "../../config/mandates.ts";
import type { Instant } from "../../core/time.ts";
import { since } from "../../core/time.ts";
import { unghosted } from "../../core/witness/ghost.ts";
import type {
  FenceProblem,
  MandateEffect,
  MandateEvent,
  MandateRules,
  MandateState,
} from "../../core/witness/mandate.ts";
import { initialMandate, isAtRest, pauseAfter } from "../../core/witness/mandate.ts";
import type { MandateDelay, MandateNews } from "../../core/witness/mandate-news.ts";
import { mandateDeadline, stepMandate } from "../../core/witness/step-mandate.ts";
import type { LeaseKey } from "../../ports/arbiter.ts";
import type { EventReport, LogLevel } from "../ipc.ts";
import type { SleeplessClock } from "./ports.ts";
import type { Store } from "./store.ts";

/** What a mandate is about; with another lease or store it is another mandate. */
export interface MandatePlan {
  readonly mandate: MandateConfig;
  /** Both where there is a lease, and only there. */
  readonly store: Store | undefined;
  readonly witness: WitnessSettings | undefined;
  readonly holder: string;
}

export interface DriverPorts {
  readonly clock: SleeplessClock;
  readonly seed: number;
  tell(serial: number, news: MandateNews): void;
  /** All of these devices, in their order. Answers why nobody may rely on it; `undefined`: done. */
  fence(devices: readonly string[]): Promise<FenceProblem | undefined>;
  report(report: EventReport): void;
  /** Its deadline may be another one, or it has come to rest. */
  stepped(): void;
}

const OF_STORE: ReadonlySet<MandateDelay> = new Set(["store-unreachable", "store-refused"]);

/** Runs the machine of one mandate: asks the store, runs fence agents, tells what comes of it. */
export class MandateDriver {
  readonly name: string;
  #rules: MandateRules;
  readonly #key: LeaseKey | undefined;
  readonly #store: Store | undefined;
  readonly #ports: DriverPorts;
  #fences: readonly string[];
  #state: MandateState;
  #retired = false;
  #unwatch: (() => void) | undefined;

  constructor(plan: MandatePlan, ports: DriverPorts) {
    const { mandate, store, witness, holder } = plan;
    const { lease, name, fences } = mandate;
    this.name = name;
    this.#store = store;
    this.#ports = ports;
    this.#fences = fences;
    this.#state = initialMandate(ports.seed);
    const leased = lease !== undefined && witness !== undefined;
    this.#key = leased ? { name: lease.key, holder, ttl: witness.ttl } : undefined;
    this.#rules = {
      lease: leased ? { ...witness, mode: lease.mode, failsafe: lease.failsafe } : undefined,
      fences: fences.length > 0,
    };
  }

  get store(): Store | undefined {
    return this.#store;
  }

  get deadline(): Instant | undefined {
    return mandateDeadline(this.#state);
  }

  get atRest(): boolean {
    return isAtRest(this.#state);
  }

  /** The lease that it is about; `undefined`: none. */
  get key(): LeaseKey | undefined {
    return this.#key;
  }

  /** What is sought, or granted: whoever was to be fenced for that has been. */
  get wanted(): MandateState["wish"] {
    const { grant, wish } = this.#state;
    if (wish === undefined || grant === "spent") return undefined;
    return grant === "granted" ? { ...wish, fence: false } : wish;
  }

  /** Of what is granted; `undefined`: nothing is, or another one has taken its place. */
  get speaksFor(): number | undefined {
    return this.#state.grant === "granted" && !this.#retired ? this.#state.wish?.serial : undefined;
  }

  /** Another one has been granted the same. What it has it keeps, as long as it is wanted. */
  silence(): void {
    this.#retired = true;
  }

  /** By what rules it is held may change meanwhile; not whether there is a lease, nor which. */
  change({ lease: to, fences }: MandateConfig): void {
    const { lease } = this.#rules;
    this.#fences = fences;
    this.#rules = {
      lease: lease && to && { ...lease, mode: to.mode, failsafe: to.failsafe },
      fences: fences.length > 0,
    };
    this.deliver({ kind: "configured" });
  }

  /** Another one takes its place, and nobody goes by what this one has. */
  retire(): void {
    this.#retired = true;
    this.deliver({ kind: "nobody-wants" });
  }

  deliver(event: MandateEvent): void {
    const now = this.#ports.clock.now();
    const { state, effects } = stepMandate(this.#rules, this.#state, event, now);
    this.#state = state;
    for (const effect of effects) this.#execute(effect);
    this.#watch();
    this.#ports.stepped();
  }

  #execute(effect: MandateEffect): void {
    switch (effect.kind) {
      case "acquire":
      case "renew":
      case "release":
        void this.#ask(effect);
        break;
      case "fence":
        void this.#fence(effect.run);
        break;
      case "tell":
        this.#tell(effect.serial, effect.news);
        break;
    }
  }

  async #ask({
    kind,
    id,
    limit,
  }: Extract<MandateEffect, { readonly kind: "acquire" | "renew" | "release" }>): Promise<void> {
    const [key, store] = [this.#key, this.#store];
    if (key === undefined || store === undefined) return;
    if (kind === "release") {
      await store.release(key, limit);
      this.deliver({ kind: "released", id });
    } else {
      const { sentAt, answer } = await store.ask(kind, key, limit);
      this.deliver({ kind: "answer", id, sentAt, answer: unghosted(answer, key.holder) });
    }
  }

  async #fence(run: number): Promise<void> {
    const names = this.#fences.join(", ");
    this.#report("warn", `fencing with ${names} before it becomes active`, { devices: names });
    const startedAt = this.#ports.clock.now();
    const problem = await this.#ports.fence(this.#fences);
    const took = (since(startedAt, this.#ports.clock.now()) / 1_000_000).toFixed(1);
    if (problem === undefined) {
      this.#report("warn", `fenced with ${names} (${took} s)`, { devices: names });
    } else {
      this.#failed(problem);
    }
    this.deliver({ kind: "fenced", run, problem });
  }

  #failed({ reason, remedy }: FenceProblem): void {
    const pause = pauseAfter(this.#state.failures + 1) / 1_000_000;
    const next = remedy === null ? "" : `; ${remedy}`;
    const message = `fencing failed, so it does not become active: ${reason}${next}; next try in ${pause} s`;
    this.#report("error", message, { alarm: "fence-failed", reason });
  }

  #report(level: LogLevel, message: string, detail: EventReport["detail"]): void {
    const at = this.#ports.clock.wallClock();
    this.#ports.report({ at, kind: "alarm", level, subject: this.name, message, detail });
  }

  #tell(serial: number, news: MandateNews): void {
    if (this.#retired) return;
    if (news.kind === "waiting" && OF_STORE.has(news.because) && this.#store !== undefined) {
      this.#ports.tell(serial, { ...news, reason: `${this.#store.name}: ${news.reason}` });
      return;
    }
    const { deadlineAt } = news.kind === "granted" ? news : { deadlineAt: null };
    const onHost = deadlineAt === null ? null : this.#ports.clock.onHost(deadlineAt);
    this.#ports.tell(serial, news.kind === "granted" ? { ...news, deadlineAt: onHost } : news);
  }

  /** While another has it. */
  #watch(): void {
    const { wish, witness } = this.#state;
    const waits = wish !== undefined && witness.answer?.kind === "taken";
    if (!waits) {
      this.#unwatch?.();
      this.#unwatch = undefined;
    } else if (this.#key !== undefined) {
      this.#unwatch ??= this.#store?.watch(this.#key.name, () => this.deliver({ kind: "changed" }));
    }
  }
}
