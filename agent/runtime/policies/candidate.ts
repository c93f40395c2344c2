import type { Json } from "../../../sdk/index.ts";
import type { Micros } from "../../core/time.ts";
import type { BuiltPolicy } from "../../policy/build-policy.ts";
import { compareGrants } from "../../policy/grants.ts";
import { hasErrors } from "../../policy/problem.ts";
import type { Entry, EntryOutcome, RealmEffect, SavedState } from "../../sandbox/sandbox.ts";
import type { BalanceAnswer } from "./balance-answer.ts";
import { balanceAnswer } from "./balance-answer.ts";
import type { BalanceSet } from "./balance-set.ts";
import type { CheckAnswer } from "./check-answer.ts";
import { checkAnswer } from "./check-answer.ts";
import type { CheckSet } from "./check-set.ts";
import type { PolicyVersion } from "./policy-version.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { problemText } from "./refusal.ts";
import { timeLimit } from "./time-limit.ts";

export type GrantOutcome =
  | { readonly ok: true; readonly permissions: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What a policy may do by holdfast.conf as it is now, or why it may not run. */
export function grantsOf(
  { manifest, bundle }: BuiltPolicy,
  { settings, capabilities }: PolicyWorld,
): GrantOutcome {
  const { plugins } = capabilities;
  const compared = compareGrants(bundle.name, manifest, settings().settings, plugins);
  const { effective, problems } = compared;
  if (!hasErrors(problems)) return { ok: true, permissions: effective };
  return { ok: false, problems: problems.map(problemText) };
}

/** Effects of a candidate that wait for its acceptance. */
const MOST_EFFECTS = 256;

/** A version that is tried beside the one that decides. */
export class Candidate {
  readonly version: PolicyVersion;
  state: SavedState;
  /** What it wanted done: done if it is accepted. */
  readonly effects: RealmEffect[] = [];
  /** What its first runs came to, by check. */
  readonly found = new Map<string, CheckAnswer>();
  /** What its first words on weights came to, by service. */
  readonly balanced = new Map<string, BalanceAnswer>();
  readonly #world: PolicyWorld;

  constructor(world: PolicyWorld, version: PolicyVersion, state: SavedState) {
    this.#world = world;
    this.version = version;
    this.state = state;
  }

  effect(effect: RealmEffect): void {
    if (this.effects.length < MOST_EFFECTS) this.effects.push(effect);
  }

  /**
   * Runs each check once, and `balance` once for each service that it would have. Answers what speaks
   * against this version: what fails here and does not where it decides today, unless a call of it
   * failed or is not done in time.
   */
  async try(checks: CheckSet, balances: BalanceSet): Promise<readonly string[]> {
    const faults: string[] = [];
    await Promise.all([this.#tryChecks(checks, faults), this.#tryBalance(balances, faults)]);
    return faults;
  }

  async #tryChecks(today: CheckSet, faults: string[]): Promise<void> {
    const runs = this.version.shape.checks.map(async ({ name, timeout }) => {
      const { outcome, excused } = await this.#runOnce({ kind: "check", name }, timeout);
      const answer = checkAnswer(outcome);
      this.found.set(name, answer);
      if (!answer.failed || excused || today.failing(name)) return;
      faults.push(`the first run of the check ${name} failed: ${answer.reason}`);
    });
    await Promise.all(runs);
  }

  async #tryBalance(today: BalanceSet, faults: string[]): Promise<void> {
    const { balance } = this.version.shape;
    if (balance === undefined) return;
    const runs = today.servicesOf(balance).map(async (name) => {
      const service = await this.#world.ports.services?.look(name);
      if (service === undefined) return;
      const entry = { kind: "balance", name, event: JSON.stringify(service) } as const;
      const { outcome, excused } = await this.#runOnce(entry, balance.timeout);
      const answer = balanceAnswer(outcome, service);
      this.balanced.set(name, answer);
      if (answer.kind !== "failed" || excused || today.failing(name)) return;
      faults.push(`its first answer to balance ${name} failed: ${answer.reason}`);
    });
    await Promise.all(runs);
  }

  /** `excused`: it is the world that failed, or did not answer in time. */
  async #runOnce(
    entry: Entry,
    timeout: Micros,
  ): Promise<{ readonly outcome: EntryOutcome; readonly excused: boolean }> {
    const { schedule, ports } = this.#world;
    const running = this.version.enter(entry, timeout);
    const places = { clock: ports.clock, schedule };
    let waited = false;
    const outcome = await timeLimit<EntryOutcome | undefined>(places, timeout, running, () => {
      waited = this.version.waits(entry);
      this.version.abandon(entry);
      return undefined;
    });
    if (outcome === undefined) {
      const message = `timeout after ${timeout / 1_000_000} s`;
      const failure = { kind: "exception", message, stack: [] } as const;
      return { outcome: { ok: false, failure }, excused: waited };
    }
    if (outcome.ok) this.state = outcome.state ?? this.state;
    const excused = !outcome.ok && this.version.worldFailed(outcome.failure.message);
    return { outcome, excused };
  }
}
