import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  CheckerConfig,
  CheckerEffect,
  CheckerEvent,
  CheckerState,
  CheckResult,
  Verdict,
} from "../../../agent/core/check/checker.ts";
import { checker } from "../../../agent/core/check/checker.ts";
import { micros } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

const RESULTS = ["good", "bad", "skipped", "lost"] as const;
const OTHERS = ["tick", "hasten", "configured", "start"] as const;
type Word = CheckResult | (typeof OTHERS)[number] | "found";

const script = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 4_000_000 }),
    fc.constantFrom<Word>(...RESULTS, ...OTHERS, "found"),
  ),
  { maxLength: 60 },
);

const configs: fc.Arbitrary<CheckerConfig> = fc.record({
  interval: fc.integer({ min: 1, max: 3_000_000 }).map(micros),
  timeout: fc.integer({ min: 1, max: 5_000_000 }).map(micros),
  rise: fc.integer({ min: 1, max: 4 }),
  fall: fc.integer({ min: 1, max: 4 }),
  initial: fc.constantFrom("unknown", "down", "up"),
  staleAfter: fc.option(fc.integer({ min: 1, max: 9_000_000 }).map(micros), { nil: undefined }),
  startDelay: fc.integer({ min: 0, max: 2_000_000 }).map(micros),
  retryInterval: fc.integer({ min: 0, max: 2_000_000 }).map(micros),
});

const isResult = (word: Word): word is CheckResult => RESULTS.some((result) => result === word);

/** A result is the one of the run that is under way, else of the last one. */
function eventOf(word: Word, state: CheckerState): CheckerEvent {
  if (word === "found") return { kind: "found", result: "good", reason: "" };
  if (!isResult(word)) return { kind: word };
  return { kind: "result", run: state.running?.run ?? state.runs, result: word, reason: "" };
}

/** Follows a machine from outside, by its effects alone. */
class Follower {
  state = checker.initial;
  readonly #config: CheckerConfig;
  #running: number | undefined;
  #lastRun = 0;
  #told = "";

  constructor(config: CheckerConfig) {
    this.#config = config;
  }

  take(word: Word, now: number): void {
    const { state, effects } = checker.step(
      this.#config,
      this.state,
      eventOf(word, this.state),
      at(now),
    );
    this.state = state;
    if (isResult(word)) this.#running = undefined;
    if (word === "start") this.#told = `${this.#config.initial} false`;
    for (const effect of effects) this.#hear(effect);
    assert.equal(state.running?.run, this.#running);
    assert.equal(`${state.verdict} ${state.stale}`, this.#told);
    const deadline = checker.deadline(state);
    assert.ok(deadline !== undefined);
    if (word === "tick") assert.ok(deadline > now, "a deadline that has passed");
  }

  #hear(effect: CheckerEffect): void {
    if (effect.kind === "abandon") {
      assert.equal(effect.run, this.#running);
      this.#running = undefined;
    } else if (effect.kind === "run") {
      assert.equal(this.#running, undefined, "two runs at once");
      assert.ok(effect.run > this.#lastRun, "a number that was used before");
      this.#running = effect.run;
      this.#lastRun = effect.run;
    } else {
      const said = `${effect.verdict} ${effect.stale}`;
      assert.notEqual(said, this.#told, "a verdict that was told before");
      this.#told = said;
    }
  }
}

test("there is always a deadline ahead, one run at a time, and a verdict is told when it changes", () => {
  fc.assert(
    fc.property(configs, script, (config, lines) => {
      const follower = new Follower(config);
      follower.take("start", 0);
      let now = 0;
      for (const [wait, word] of lines) {
        now += wait;
        follower.take(word, now);
      }
    }),
    { numRuns: 500 },
  );
});

/** The verdict after these results, found by looking back rather than by counting. */
function verdictOf({ initial, rise, fall }: CheckerConfig, results: readonly boolean[]): Verdict {
  let verdict: Verdict = initial;
  for (let end = 1; end <= results.length; end += 1) {
    const good = results[end - 1] === true;
    const up = verdict === "unknown" ? 1 : rise;
    const needed = good ? up : fall;
    const last = results.slice(Math.max(0, end - needed), end);
    if (last.length === needed && last.every((each) => each === good)) {
      verdict = good ? "up" : "down";
    }
  }
  return verdict;
}

test("a verdict needs as many results in a row as rise and fall say", () => {
  fc.assert(
    fc.property(configs, fc.array(fc.boolean(), { maxLength: 40 }), (config, results) => {
      let state = checker.step(config, checker.initial, { kind: "start" }, at(0)).state;
      for (const good of results) {
        const result = good ? "good" : "bad";
        state = checker.step(config, state, { kind: "found", result, reason: "" }, at(0)).state;
      }
      assert.equal(state.verdict, verdictOf(config, results));
    }),
    { numRuns: 500 },
  );
});

test("a check that answers in time is never stale, and runs once an interval", () => {
  fc.assert(
    fc.property(configs, fc.integer({ min: 1, max: 50 }), (config, turns) => {
      const patient = { ...config, staleAfter: micros(config.interval + config.timeout) };
      let state = checker.step(patient, checker.initial, { kind: "start" }, at(0)).state;
      for (let turn = 0; turn < turns; turn += 1) {
        if (state.running === undefined) {
          const now = checker.deadline(state) ?? at(0);
          assert.equal(now, config.startDelay + turn * config.interval);
          state = checker.step(patient, state, { kind: "tick" }, now).state;
        }
        const now = at(config.startDelay + turn * config.interval);
        assert.equal(state.running?.run, turn + 1);
        const ended = eventOf("good", state);
        state = checker.step(patient, state, ended, now).state;
        assert.equal(state.stale, false);
      }
    }),
  );
});
