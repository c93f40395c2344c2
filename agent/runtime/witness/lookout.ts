import type { WitnessSettings } from "../../config/mandates.ts";
import type { Instant } from "../../core/time.ts";
import type { LeaseAnswer } from "../../core/witness/lease-answer.ts";
import type {
  LookoutEffect,
  LookoutEvent,
  LookoutState,
  StoreNews,
} from "../../core/witness/lookout.ts";
import { initialLookout, lookoutDeadline } from "../../core/witness/lookout.ts";
import { stepLookout } from "../../core/witness/step-lookout.ts";
import type { LeaseReport, StoreReport } from "../../core/witness/store-report.ts";
import { remedyOf } from "../../core/witness/store-view.ts";
import type { LeaseKey } from "../../ports/arbiter.ts";
import type { LogLevel } from "../ipc.ts";
import type { SleeplessClock } from "./ports.ts";
import type { Store } from "./store.ts";

/** A mandate that needs a lease. */
export interface LeasedMandate {
  readonly name: string;
  readonly key: LeaseKey;
  /** Nobody here seeks the lease or has it. */
  readonly idle: boolean;
}

export interface LookoutPorts {
  readonly clock: SleeplessClock;
  readonly seed: number;
  /** It takes the place of one that did not serve. */
  readonly isMending: boolean;
  mandates(): readonly LeasedMandate[];
  log(level: LogLevel, message: string): void;
  report(report: StoreReport): void;
  /** Its deadline may be another one. */
  stepped(): void;
}

/** Runs the machine that looks at one store while nobody here wants anything of it. */
export class Lookout {
  readonly #store: Store;
  readonly #settings: WitnessSettings;
  readonly #ports: LookoutPorts;
  #state: LookoutState;
  /** Names of leases that somebody sought or had. */
  #busy: ReadonlySet<string> = new Set();
  #since: number | null = null;
  #reported = "";
  #retired = false;

  constructor(store: Store, settings: WitnessSettings, ports: LookoutPorts) {
    this.#store = store;
    this.#settings = settings;
    this.#ports = ports;
    this.#state = initialLookout(ports.seed, ports.isMending);
  }

  get deadline(): Instant | undefined {
    return this.#retired ? undefined : lookoutDeadline(this.#state);
  }

  /** The log knows that the store does not serve. */
  get isTrouble(): boolean {
    return this.#state.told !== undefined || this.#state.isMending;
  }

  /** Another store has taken its place: what is heard of it is still told. */
  retire(): void {
    this.#retired = true;
  }

  /** What a request for a lease came to. */
  note(name: string, answer: LeaseAnswer): void {
    this.deliver({ kind: "answered", name, answer });
  }

  deliver(event: LookoutEvent): void {
    const idle = this.#retired ? [] : this.#idle();
    const { requestTime } = this.#settings;
    const now = this.#ports.clock.now();
    const before = this.#state.since;
    const { state, effects } = stepLookout({ idle, requestTime }, this.#state, event, now);
    this.#state = state;
    if (state.since !== before) this.#since = this.#ports.clock.wallClock();
    for (const effect of effects) this.#execute(effect);
    this.report();
    this.#ports.stepped();
  }

  /** Mandates have changed, or what is wanted has. */
  settle(): void {
    if (this.#retired) return;
    const busy = this.#ports.mandates().filter(({ idle }) => !idle);
    const before = this.#busy;
    this.#busy = new Set(busy.map(({ key }) => key.name));
    for (const name of before) {
      if (!this.#busy.has(name)) this.deliver({ kind: "rested", name });
    }
  }

  /** Where it differs from what was reported last. */
  report(): void {
    if (this.#retired) return;
    const report = this.#report();
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#ports.report(report);
  }

  #idle(): readonly string[] {
    return this.#ports.mandates().flatMap(({ key, idle }) => (idle ? [key.name] : []));
  }

  #execute(effect: LookoutEffect): void {
    if (effect.kind === "say") this.#say(effect.news);
    else void this.#look(effect);
  }

  async #look({
    id,
    name,
    limit,
  }: Extract<LookoutEffect, { readonly kind: "look" }>): Promise<void> {
    const mandate = this.#ports.mandates().find(({ key }) => key.name === name);
    if (mandate === undefined) return;
    const view = await this.#store.look(mandate.key, limit);
    this.deliver({ kind: "looked", id, view });
  }

  #say(news: StoreNews): void {
    const about = "the store of leases";
    const { name } = this.#store;
    if (news.kind === "serves-again") {
      this.#ports.log("info", `${about} serves again: ${name}`);
      return;
    }
    const { failure, urgent } = news;
    const how = failure.kind === "refused" ? "refuses" : "does not answer";
    const message = `${about} ${how}: ${name}: ${failure.reason}; ${remedyOf(failure)}`;
    this.#ports.log(urgent ? "error" : "warn", message);
  }

  #report(): StoreReport {
    const { condition } = this.#state;
    const { store, endpoints } = this.#settings;
    return {
      store,
      endpoints,
      condition: condition.kind,
      reason: "reason" in condition ? condition.reason : null,
      remedy: "reason" in condition ? remedyOf(condition) : null,
      since: this.#since,
      leases: this.#ports.mandates().map((mandate) => this.#leaseOf(mandate)),
    };
  }

  #leaseOf({ name: group, key: { name: lease } }: LeasedMandate): LeaseReport {
    const sight = this.#state.leases[lease];
    const holder = sight?.kind === "taken" ? sight.holder : null;
    return { group, lease, state: sight?.kind ?? "unknown", holder };
  }
}
