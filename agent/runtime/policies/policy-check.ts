import type { CheckStatus } from "../../control/protocol.ts";
import type {
  CheckerConfig,
  CheckerEvent,
  CheckerState,
  Verdict,
} from "../../core/check/checker.ts";
import { checker } from "../../core/check/checker.ts";
import { seedOf, spread } from "../../core/check/spread.ts";
import { sameEffect } from "../../core/policy/leases.ts";
import type { WhenStale } from "../../core/policy/standing.ts";
import { standingOf, trackEffect } from "../../core/policy/standing.ts";
import type { Instant } from "../../core/time.ts";
import { micros, since } from "../../core/time.ts";
import type { Claim } from "../../core/track/tracking.ts";
import type { CheckShape } from "../../policy/check-shape.ts";
import { checkerConfig } from "../../policy/check-shape.ts";
import type { Slot } from "../schedule.ts";
import type { CheckAnswer } from "./check-answer.ts";
import { TIMED_OUT } from "./check-answer.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { ServerTracks } from "./server-tracks.ts";
import { wakeAt } from "./turn-time.ts";

/** A run of the check in the sandbox. */
export interface CheckRun {
  readonly answer: Promise<CheckAnswer>;
  abandon(): void;
}

/** What a check needs of its policy. */
export interface CheckOwner {
  readonly policy: string;
  /** `undefined`: nothing can be run now. */
  run(check: CheckShape): CheckRun | undefined;
  /** What counts of it has changed. */
  changed(check: string, up: boolean, reason: string, lastedMs: number): void;
}

interface Standing {
  readonly verdict: Verdict;
  readonly stale: boolean;
  readonly reason: string;
  /** Wall clock. */
  readonly since: number | null;
}

const UNKNOWN: Standing = { verdict: "unknown", stale: false, reason: "", since: null };

/** One check of a policy: when it runs, what it found, and what that does. It outlives versions. */
export class PolicyCheck {
  readonly name: string;
  readonly #world: PolicyWorld;
  readonly #owner: CheckOwner;
  readonly #slot: Slot;
  readonly #seed: number;
  #shape: CheckShape;
  #config: CheckerConfig;
  #state: CheckerState = checker.initial;
  #standing = UNKNOWN;
  #changedAt: Instant;
  #run: { readonly number: number; readonly run: CheckRun } | undefined;
  readonly #claims = new Map<string, Claim>();
  readonly #servers: ServerTracks;
  /** What the last good answer said of the real servers that it tracks. */
  #weight: number | undefined;
  #toldWeight: number | undefined;
  #runs = 0;
  #failures = 0;
  #lastMs: number | null = null;
  #lastReason = "";
  #lost = false;
  #failing = false;
  #judged: () => void = () => undefined;
  /** Resolves when a run has ended for the first time, however it did. */
  readonly judged: Promise<void> = new Promise((resolve) => {
    this.#judged = resolve;
  });

  constructor(world: PolicyWorld, owner: CheckOwner, shape: CheckShape) {
    this.name = shape.name;
    this.#world = world;
    this.#owner = owner;
    this.#shape = shape;
    this.#servers = new ServerTracks(world.ports.services, `policy ${owner.policy}/${shape.name}`);
    this.#seed = seedOf(`${owner.policy}/${shape.name}`);
    this.#config = this.#configOf(shape);
    this.#changedAt = world.ports.clock.now();
    this.#slot = world.schedule.slot(() => this.#step({ kind: "tick" }));
  }

  /** Its last run did not come to a verdict: it threw, or took too long. */
  get failing(): boolean {
    return this.#failing;
  }

  /** `found`: what a first run of this version came to, before it was its turn. */
  start(found: CheckAnswer | undefined): void {
    this.#step({ kind: "start" });
    if (found !== undefined) this.#found(found);
    // Last, as without a verdict it moves routers.
    this.#tell();
  }

  /** Another version declares it; what was found holds on. */
  configure(shape: CheckShape, found: CheckAnswer | undefined): void {
    this.#shape = shape;
    this.#config = this.#configOf(shape);
    this.#giveUp();
    this.#step({ kind: "configured" });
    if (found !== undefined) this.#found(found);
    // It could not run, or its last verdict is of other code.
    else this.hasten();
    this.#tell();
  }

  /** What it looks at has changed. */
  hasten(): void {
    this.#step({ kind: "hasten" });
  }

  /** Runs that could not be: they can now. */
  retry(): void {
    if (this.#lost) this.hasten();
  }

  /** It runs no more; what it claims stays. */
  stop(): void {
    this.#slot.set(undefined);
    this.#run?.run.abandon();
    this.#run = undefined;
    this.#judged();
  }

  /** It is declared no more: nothing of it holds. */
  close(): void {
    this.stop();
    for (const { router, source } of this.#claims.values()) {
      this.#world.outlet.withdraw(router, source);
    }
    this.#claims.clear();
    this.#servers.clear();
    this.#world.outlet.policyVerdict(this.#owner.policy, this.name, undefined);
  }

  status(): CheckStatus {
    const { verdict, stale, since: at } = this.#standing;
    return {
      name: `policy ${this.#owner.policy}/${this.name}`,
      verdict,
      stale,
      reason: stale ? this.#standing.reason : this.#lastReason,
      since: at,
      runs: this.#runs,
      failures: this.#failures,
      lastMs: this.#lastMs,
    };
  }

  /** What ran belongs to a version that is gone. */
  #giveUp(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    run.run.abandon();
    this.#step({ kind: "result", run: run.number, result: "lost", reason: "" });
  }

  #found(answer: CheckAnswer): void {
    this.#count(answer);
    this.#step({ kind: "found", result: answer.result, reason: answer.reason });
    this.#tellWeight();
  }

  #step(event: CheckerEvent): void {
    const now = this.#world.ports.clock.now();
    const { state, effects } = checker.step(this.#config, this.#state, event, now);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === "run") this.#begin(effect.run);
      else if (effect.kind === "abandon") this.#abandon();
      else this.#judge(effect.verdict, effect.stale, effect.reason);
    }
    this.#slot.set(wakeAt(state, this.#shape.every));
  }

  #begin(number: number): void {
    const startedAt = this.#world.ports.clock.now();
    const run = this.#owner.run(this.#shape);
    if (run === undefined) {
      this.#lost = true;
      this.#step({ kind: "result", run: number, result: "lost", reason: "" });
      return;
    }
    this.#run = { number, run };
    void run.answer.then((answer) => {
      if (this.#run?.run !== run) return;
      this.#run = undefined;
      this.#lastMs = since(startedAt, this.#world.ports.clock.now()) / 1_000;
      this.#count(answer);
      const { result, reason } = answer;
      this.#step({ kind: "result", run: number, result, reason });
      this.#tellWeight();
    });
  }

  /** It took too long. */
  #abandon(): void {
    this.#run?.run.abandon();
    this.#run = undefined;
    this.#lastMs = this.#config.timeout / 1_000;
    this.#count(TIMED_OUT);
  }

  #count({ result, weight, failed, reason }: CheckAnswer): void {
    this.#lost = result === "lost";
    if (this.#lost) return;
    this.#lastReason = reason;
    this.#runs += 1;
    this.#failing = failed;
    if (result === "bad") this.#failures += 1;
    if (result === "good") this.#weight = weight;
    this.#judged();
  }

  #judge(found: Verdict, stale: boolean, why: string): void {
    const before = this.#standing;
    const verdict = standingOf({ verdict: found, stale }, this.#whenStale());
    const changed = verdict !== before.verdict;
    const reason = stale ? "no verdict for too long" : why;
    const { clock } = this.#world.ports;
    this.#standing = {
      verdict,
      stale,
      reason,
      since: changed ? clock.wallClock() : before.since,
    };
    this.#tell();
    if (!changed) return;
    const now = clock.now();
    const lastedMs = Math.round(since(this.#changedAt, now) / 1_000);
    this.#changedAt = now;
    const text = reason === "" ? verdict : `${verdict}: ${reason}`;
    this.#world.outlet.event({
      at: clock.wallClock(),
      kind: "check",
      level: verdict === "down" ? "warn" : "info",
      subject: `policy ${this.#owner.policy}/${this.name}`,
      message: text,
      detail: { policy: this.#owner.policy, check: this.name, verdict, stale, reason, lastedMs },
    });
    // That all is well from the start is no change.
    if (before.verdict === "unknown" && verdict === "up") return;
    this.#owner.changed(this.name, verdict === "up", reason, lastedMs);
  }

  /** Says what holds of it to those who go by it. */
  #tell(): void {
    const { outlet } = this.#world;
    const { policy } = this.#owner;
    const { verdict, reason } = this.#standing;
    const reading = { verdict, value: 0, reason } as const;
    const weight = verdict === "up" ? this.#weight : undefined;
    this.#toldWeight = weight;
    outlet.policyVerdict(
      policy,
      this.name,
      weight === undefined ? reading : { ...reading, weight },
    );
    const { routers } = this.#shape.track;
    this.#tellServers();
    const source = `policy ${policy}/${this.name}`;
    for (const [router, { source: known }] of this.#claims) {
      if (routers.has(router)) continue;
      this.#claims.delete(router);
      outlet.withdraw(router, known);
    }
    for (const [router, track] of routers) {
      const why = reason === "" ? "down" : reason;
      const effect = trackEffect(track, verdict, why);
      const otherwise = trackEffect(track, this.#whenStale(), "policies do not run");
      const before = this.#claims.get(router);
      const same =
        before !== undefined &&
        sameEffect(before.effect, effect) &&
        sameEffect(before.otherwise, otherwise);
      if (same) continue;
      const claim: Claim = { router, source, effect, otherwise };
      this.#claims.set(router, claim);
      outlet.claim(claim);
    }
  }

  /** A good answer may come with another weight, and be no other verdict. */
  #tellWeight(): void {
    const { verdict } = this.#standing;
    if (verdict === "up" && this.#weight !== this.#toldWeight) this.#tell();
  }

  #tellServers(): void {
    const { verdict, reason } = this.#standing;
    const why = reason === "" ? "down" : reason;
    this.#servers.tell(this.#shape.track.realServers, verdict, why, this.#weight);
  }

  #whenStale(): WhenStale {
    return this.#shape.onStale.kind === "up" ? "up" : "down";
  }

  #configOf(shape: CheckShape): CheckerConfig {
    const span = Math.min(shape.every, this.#world.startSpan());
    return checkerConfig(shape, micros(span * spread(this.#seed, 0)), this.#seed);
  }
}
