import type { BalancedService } from "../../../sdk/index.ts";
import type { CheckStatus } from "../../control/protocol.ts";
import type { CheckerEvent, CheckerState, CheckResult } from "../../core/check/checker.ts";
import { checker } from "../../core/check/checker.ts";
import { seedOf, spread } from "../../core/check/spread.ts";
import type { ServerWeightsEvent, ServerWeightsState } from "../../core/policy/server-weights.ts";
import { serverWeights } from "../../core/policy/server-weights.ts";
import type { Instant } from "../../core/time.ts";
import { after, micros, milliseconds, since } from "../../core/time.ts";
import type { BalanceShape } from "../../policy/balance-shape.ts";
import { balancerConfig } from "../../policy/balance-shape.ts";
import type { LogLevel } from "../ipc.ts";
import type { Slot } from "../schedule.ts";
import type { BalanceAnswer } from "./balance-answer.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { wakeAt } from "./turn-time.ts";

/** A run of `balance` in the sandbox. */
export interface BalanceRun {
  readonly answer: Promise<BalanceAnswer>;
  abandon(): void;
}

/** What it needs of its policy. */
export interface BalanceOwner {
  readonly policy: string;
  /** `undefined`: nothing can be run now. */
  balance(shape: BalanceShape, service: BalancedService): BalanceRun | undefined;
  tell(level: LogLevel, message: string, detail: Readonly<Record<string, unknown>>): void;
}

/** Real servers that fall together are one change. */
const HASTE = milliseconds(10);

/** One service that a policy balances: when it is asked, and what its last answer does. It outlives versions. */
export class ServiceBalance {
  readonly service: string;
  readonly #world: PolicyWorld;
  readonly #owner: BalanceOwner;
  readonly #turn: Slot;
  readonly #lease: Slot;
  readonly #haste: Slot;
  readonly #source: string;
  readonly #startDelay;
  #shape: BalanceShape;
  #state: CheckerState = checker.initial;
  #weights: ServerWeightsState = serverWeights.initial;
  /** Counts what is under way; what another one has replaced is not heard. */
  #run: { readonly number: number; abandon: () => void } | undefined;
  #changedAt: number | null = null;
  #runs = 0;
  #failures = 0;
  #lastMs: number | null = null;
  /** Why the last run failed; empty when it did not. */
  #reason = "";
  #lost = false;

  constructor(world: PolicyWorld, owner: BalanceOwner, shape: BalanceShape, service: string) {
    this.service = service;
    this.#world = world;
    this.#owner = owner;
    this.#shape = shape;
    this.#source = `policy ${owner.policy} balance`;
    const span = Math.min(shape.every, world.startSpan());
    this.#startDelay = micros(span * spread(seedOf(`${owner.policy} ${service}`), 0));
    this.#turn = world.schedule.slot(() => this.#step({ kind: "tick" }));
    this.#lease = world.schedule.slot(() => this.#say({ kind: "tick" }));
    this.#haste = world.schedule.slot(() => this.#step({ kind: "hasten" }));
  }

  get failing(): boolean {
    return this.#reason !== "";
  }

  /** `found`: what a first run came to, before it was its turn. */
  start(found: BalanceAnswer | undefined): void {
    this.#step({ kind: "start" });
    if (found !== undefined) this.#found(found);
  }

  /** Another version decides; what the one before said holds until this one has answered. */
  configure(shape: BalanceShape, found: BalanceAnswer | undefined): void {
    this.#shape = shape;
    this.#giveUp();
    this.#step({ kind: "configured" });
    if (found === undefined) this.#step({ kind: "hasten" });
    else this.#found(found);
  }

  /** The service has changed. */
  hasten(): void {
    if (this.#haste.at === undefined) this.#haste.set(after(this.#world.ports.clock.now(), HASTE));
  }

  /** A run that could not be: it can now. */
  retry(): void {
    if (this.#lost) this.#step({ kind: "hasten" });
  }

  /** It is asked no more; what holds stays. */
  stop(): void {
    for (const slot of [this.#turn, this.#lease, this.#haste]) slot.set(undefined);
    this.#run?.abandon();
    this.#run = undefined;
  }

  /** It balances the service no more. */
  close(): void {
    this.stop();
    this.#say({ kind: "clear" });
  }

  status(): CheckStatus {
    return {
      name: `${this.#source} ${this.service}`,
      verdict: this.#state.verdict,
      stale: false,
      reason: this.#reason,
      since: this.#changedAt,
      runs: this.#runs,
      failures: this.#failures,
      lastMs: this.#lastMs,
    };
  }

  #step(event: CheckerEvent): void {
    const now = this.#world.ports.clock.now();
    const config = balancerConfig(this.#shape, this.#startDelay);
    const { state, effects } = checker.step(config, this.#state, event, now);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === "run") void this.#begin(effect.run);
      else if (effect.kind === "abandon") this.#late();
      else this.#changedAt = this.#world.ports.clock.wallClock();
    }
    this.#turn.set(wakeAt(state, this.#shape.every));
  }

  async #begin(number: number): Promise<void> {
    const { services, clock } = this.#world.ports;
    const startedAt = clock.now();
    const run = { number, abandon: (): void => undefined };
    this.#run = run;
    const service = await services?.look(this.service);
    if (this.#run !== run) return;
    const running = service === undefined ? undefined : this.#owner.balance(this.#shape, service);
    if (running !== undefined) run.abandon = () => running.abandon();
    const answer = await (running?.answer ?? LOST);
    if (this.#run !== run) return;
    this.#run = undefined;
    if (running !== undefined) this.#lastMs = since(startedAt, clock.now()) / 1_000;
    this.#step({ kind: "result", run: number, result: this.#take(answer), reason: "" });
  }

  #found(answer: BalanceAnswer): void {
    this.#step({ kind: "found", result: this.#take(answer), reason: "" });
  }

  /** It took too long. */
  #late(): void {
    this.#run?.abandon();
    this.#run = undefined;
    this.#lastMs = this.#shape.timeout / 1_000;
    this.#take({ kind: "failed", reason: "timeout" });
  }

  /** What ran belongs to a version that is gone. */
  #giveUp(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    run.abandon();
    this.#step({ kind: "result", run: run.number, result: "lost", reason: "" });
  }

  #take(answer: BalanceAnswer): CheckResult {
    this.#lost = answer.kind === "lost";
    if (answer.kind === "lost") return "lost";
    this.#runs += 1;
    if (answer.kind === "failed") {
      this.#failures += 1;
      this.#complain(answer.reason);
      return "bad";
    }
    if (this.#reason !== "") this.#tell("info", `balances ${this.service} again`);
    this.#reason = "";
    this.#say({ kind: "answer", weights: answer.weights, time: this.#shape.ttl });
    return "good";
  }

  /** The same complaint is said once, until it is over. */
  #complain(reason: string): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#tell(
      "warn",
      `balance of ${this.service} failed, its weights stay as they are: ${reason}`,
    );
  }

  #say(event: ServerWeightsEvent): void {
    const { services, clock } = this.#world.ports;
    const now: Instant = clock.now();
    const { state, effects } = serverWeights.step(undefined, this.#weights, event, now);
    this.#weights = state;
    this.#lease.set(serverWeights.deadline(state));
    for (const { weights, lapsed } of effects) {
      services?.balance(this.service, this.#source, weights);
      if (!lapsed) continue;
      const time = this.#shape.ttl / 1_000_000;
      this.#tell(
        "warn",
        `gave ${this.service} no weights for ${time} s: those before hold no more`,
      );
    }
  }

  #tell(level: LogLevel, message: string): void {
    this.#owner.tell(level, message, { service: this.service });
  }
}

const LOST: Promise<BalanceAnswer> = Promise.resolve({ kind: "lost" });
