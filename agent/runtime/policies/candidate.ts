import type { Json } from "../../../sdk/index.ts";
import type { BuiltPolicy } from "../../policy/build-policy.ts";
import type { CheckShape } from "../../policy/check-shape.ts";
import { compareGrants } from "../../policy/grants.ts";
import { hasErrors } from "../../policy/problem.ts";
import type { EntryOutcome, RealmEffect, SavedState } from "../../sandbox/sandbox.ts";
import type { CheckAnswer } from "./check-answer.ts";
import { checkAnswer, TIMED_OUT } from "./check-answer.ts";
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
   * Runs each check once. Answers what speaks against this version: a check that fails here and does
   * not where it decides today (`failsToday`), unless a call of it failed or is not done in time.
   */
  async try(failsToday: (check: string) => boolean): Promise<readonly string[]> {
    const faults: string[] = [];
    const runs = this.version.shape.checks.map(async (check) => {
      const { answer, excused } = await this.#runOnce(check);
      this.found.set(check.name, answer);
      if (!answer.failed || excused || failsToday(check.name)) return;
      faults.push(`the first run of the check ${check.name} failed: ${answer.reason}`);
    });
    await Promise.all(runs);
    return faults;
  }

  /** `excused`: it is the world that failed, or did not answer in time. */
  async #runOnce(
    check: CheckShape,
  ): Promise<{ readonly answer: CheckAnswer; readonly excused: boolean }> {
    const { schedule, ports } = this.#world;
    const entry = { kind: "check", name: check.name } as const;
    const running = this.version.enter(entry, check.timeout);
    const places = { clock: ports.clock, schedule };
    let waited = false;
    const outcome = await timeLimit<EntryOutcome | undefined>(
      places,
      check.timeout,
      running,
      () => {
        waited = this.version.waits(entry);
        this.version.abandon(entry);
        return undefined;
      },
    );
    if (outcome === undefined) {
      const seconds = check.timeout / 1_000_000;
      return { answer: { ...TIMED_OUT, reason: `timeout after ${seconds} s` }, excused: waited };
    }
    if (outcome.ok) this.state = outcome.state ?? this.state;
    const excused = !outcome.ok && this.version.worldFailed(outcome.failure.message);
    return { answer: checkAnswer(outcome), excused };
  }
}
