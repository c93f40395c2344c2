import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
  CheckerConfig,
  CheckerEffect,
  CheckerEvent,
  CheckerState,
  CheckResult,
} from "../../../agent/core/check/checker.ts";
import { checker } from "../../../agent/core/check/checker.ts";
import { micros, milliseconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

const CONFIG: CheckerConfig = {
  interval: milliseconds(1_000),
  timeout: milliseconds(400),
  rise: 2,
  fall: 3,
  initial: "unknown",
  staleAfter: milliseconds(3_000),
  startDelay: micros(0),
};

const ms = (value: number) => at(value * 1_000);

/** One line of a table: at `at` ms this happens, and these are the effects. */
type Line = readonly [at: number, event: CheckerEvent["kind"] | CheckResult, ...effects: string[]];

const shown = (effect: CheckerEffect): string => {
  if (effect.kind !== "verdict") return `${effect.kind} ${effect.run}`;
  return `${effect.verdict}${effect.stale ? " stale" : ""} (${effect.reason})`;
};

/** A result is the one of the run that is under way, else of the last one. */
function eventOf(word: Line[1], state: CheckerState): CheckerEvent {
  switch (word) {
    case "good":
    case "bad":
    case "skipped":
    case "lost":
      return { kind: "result", run: state.running?.run ?? state.runs, result: word, reason: word };
    case "found":
      return { kind: "found", result: "good", reason: "found" };
    case "result":
      return { kind: "result", run: -1, result: "bad", reason: "stranger" };
    default:
      return { kind: word };
  }
}

function play(config: CheckerConfig, lines: readonly Line[], from = checker.initial): CheckerState {
  let state = from;
  for (const [when, word, ...expected] of lines) {
    const next = checker.step(config, state, eventOf(word, state), ms(when));
    assert.deepEqual(next.effects.map(shown), expected, `${word} at ${when} ms`);
    state = next.state;
  }
  return state;
}

/** Up, with its first run over at 10 ms. */
const UP: readonly Line[] = [
  [0, "start", "run 1"],
  [10, "good", "up (good)"],
];

const TABLES: Readonly<Record<string, readonly [Partial<CheckerConfig>, readonly Line[]]>> = {
  "one good result is enough at the start": [{}, UP],
  "bad ones must be repeated, also at the start": [
    {},
    [
      [0, "start", "run 1"],
      [10, "bad"],
      [1_000, "tick", "run 2"],
      [1_010, "bad"],
      [2_000, "tick", "run 3"],
      [2_010, "bad", "down (bad)"],
    ],
  ],
  "a good one between bad ones begins the count anew": [
    {},
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_010, "bad"],
      [2_000, "tick", "run 3"],
      [2_010, "bad"],
      [3_000, "tick", "run 4"],
      [3_010, "good"],
      [4_000, "tick", "run 5"],
      [4_010, "bad"],
      [5_000, "tick", "run 6"],
      [5_010, "bad"],
      [6_000, "tick", "run 7"],
      [6_010, "bad", "down (bad)"],
    ],
  ],
  "what is down rises after so many good ones": [
    { initial: "down" },
    [
      [0, "start", "run 1"],
      [10, "good"],
      [1_000, "tick", "run 2"],
      [1_010, "good", "up (good)"],
    ],
  ],
  "a skipped one changes no count": [
    { fall: 2 },
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_010, "bad"],
      [2_000, "tick", "run 3"],
      [2_010, "skipped"],
      [3_000, "tick", "run 4"],
      [3_010, "bad", "down (bad)"],
    ],
  ],
  "a run that takes too long is abandoned and counts as bad": [
    { fall: 1 },
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_399, "tick"],
      [1_400, "tick", "abandon 2", "down (timeout)"],
    ],
  ],
  "the late result of an abandoned run counts for nothing": [
    { fall: 1 },
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_400, "tick", "abandon 2", "down (timeout)"],
      [1_500, "good"],
      [1_500, "result"],
    ],
  ],
  "a turn that comes while a run is under way is left out": [
    { timeout: milliseconds(2_500) },
    [
      [0, "start", "run 1"],
      [1_000, "tick"],
      [1_500, "good", "up (good)"],
      [1_999, "tick"],
      [2_000, "tick", "run 2"],
    ],
  ],
  "turns that were slept through are left out, and the grid stays": [
    {},
    [
      ...UP,
      [3_300, "tick", "up stale (no verdict)", "run 2"],
      [3_310, "good", "up (good)"],
      [3_999, "tick"],
      [4_000, "tick", "run 3"],
    ],
  ],
  "a start delay puts the grid off": [
    { startDelay: milliseconds(300) },
    [
      [0, "start"],
      [299, "tick"],
      [300, "tick", "run 1"],
      [310, "good", "up (good)"],
      [1_299, "tick"],
      [1_300, "tick", "run 2"],
    ],
  ],
  "a change makes it run at once, and the grid stays": [
    {},
    [...UP, [500, "hasten", "run 2"], [510, "good"], [999, "tick"], [1_000, "tick", "run 3"]],
  ],
  "a change during a run makes one more follow it": [
    {},
    [
      [0, "start", "run 1"],
      [5, "hasten"],
      [6, "hasten"],
      [10, "good", "up (good)", "run 2"],
      [20, "good"],
    ],
  ],
  "a change during a run that takes too long makes one follow at its end": [
    { fall: 1 },
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_100, "hasten"],
      [1_400, "tick", "abandon 2", "down (timeout)", "run 3"],
    ],
  ],
  "nothing makes it run before it is started": [
    {},
    [
      [0, "hasten"],
      [0, "configured"],
      [9_000, "tick"],
    ],
  ],
  "a lost run counts for nothing, and the verdict grows stale": [
    {},
    [
      ...UP,
      [1_000, "tick", "run 2"],
      [1_000, "lost"],
      [2_000, "tick", "run 3"],
      [2_000, "lost"],
      [3_000, "tick", "run 4"],
      [3_000, "lost"],
      [3_009, "tick"],
      [3_010, "tick", "up stale (no verdict)"],
      [4_000, "tick", "run 5"],
      [4_010, "good", "up (good)"],
    ],
  ],
  "a skipped run is word enough not to be stale": [
    {},
    [...UP, [3_010, "tick", "up stale (no verdict)", "run 2"], [3_020, "skipped", "up (skipped)"]],
  ],
  "what was stale and is judged otherwise says so once": [
    { fall: 1 },
    [...UP, [3_010, "tick", "up stale (no verdict)", "run 2"], [3_020, "bad", "down (bad)"]],
  ],
  "without a time for it nothing grows stale": [
    { staleAfter: undefined, interval: milliseconds(100_000) },
    [...UP, [99_000, "tick"]],
  ],
  "before its first turn nothing is late": [
    { startDelay: milliseconds(5_000) },
    [
      [0, "start"],
      [4_999, "tick"],
      [5_000, "tick", "run 1"],
    ],
  ],
  "a result from outside counts as any other": [
    {},
    [
      [0, "start", "run 1"],
      [5, "found", "up (found)"],
      [10, "good"],
    ],
  ],
  "started anew it begins anew, and gives up what runs": [
    {},
    [...UP, [1_000, "tick", "run 2"], [1_100, "start", "abandon 2", "run 3"], [1_200, "bad"]],
  ],
};

for (const [name, [part, lines]] of Object.entries(TABLES)) {
  test(name, () => {
    play({ ...CONFIG, ...part }, lines);
  });
}

describe("another configuration", () => {
  const shorter = { ...CONFIG, interval: milliseconds(100) };

  test("with a shorter interval is followed soon", () => {
    const state = play(shorter, [[20, "configured"]], play(CONFIG, UP));
    assert.equal(checker.deadline(state), ms(120));
    play(
      shorter,
      [
        [120, "tick", "run 2"],
        [130, "good"],
        [220, "tick", "run 3"],
      ],
      state,
    );
  });

  test("with a longer one keeps the turn that is near", () => {
    const longer = { ...CONFIG, interval: milliseconds(60_000) };
    const state = play(longer, [[20, "configured"]], play(CONFIG, UP));
    assert.equal(checker.deadline(state), ms(1_000));
  });

  test("does not make fresh what is stale, unless nothing can be stale", () => {
    const stale = play(CONFIG, [...UP, [3_010, "tick", "up stale (no verdict)", "run 2"]]);
    assert.equal(play(CONFIG, [[3_020, "configured"]], stale).stale, true);
    const never = { ...CONFIG, staleAfter: undefined };
    play(never, [[3_020, "configured", "up (configured)"]], stale);
  });
});

test("jitter puts each run off, by less than its span, and never the grid", () => {
  const config = { ...CONFIG, jitter: { span: milliseconds(500), seed: 7 } };
  const delays = new Set<number>();
  let state = checker.step(config, checker.initial, { kind: "start" }, ms(0)).state;
  for (let turn = 0; turn < 50; turn += 1) {
    const now = checker.deadline(state) ?? ms(0);
    const ticked = checker.step(config, state, { kind: "tick" }, now);
    const [run] = ticked.effects;
    assert.equal(run?.kind, "run");
    const delay = now - turn * 1_000_000;
    assert.ok(delay >= 0 && delay < 500_000, `run ${turn} is ${delay} late`);
    delays.add(delay);
    const result = { kind: "result", run: turn + 1, result: "good", reason: "" } as const;
    state = checker.step(config, ticked.state, result, at(now + 1)).state;
  }
  assert.ok(delays.size > 45);
});

test("jitter before the turn: once in each period, never late, and in the mean the interval", () => {
  const config = { ...CONFIG, jitter: { span: milliseconds(50), seed: 7, early: true as const } };
  const begun: number[] = [];
  let state = checker.step(config, checker.initial, { kind: "start" }, ms(0)).state;
  for (let turn = 0; turn < 100; turn += 1) {
    // The first one has no time before it.
    const now = state.running === undefined ? (checker.deadline(state) ?? ms(0)) : ms(0);
    if (state.running === undefined)
      state = checker.step(config, state, { kind: "tick" }, now).state;
    assert.equal(state.running?.run, turn + 1);
    begun.push(now);
    const result = { kind: "result", run: turn + 1, result: "good", reason: "" } as const;
    state = checker.step(config, state, result, now).state;
  }
  const early = begun.map((at, turn) => turn * 1_000_000 - at);
  assert.ok(
    early.every((aside) => aside >= 0 && aside < 50_000),
    early.join(),
  );
  assert.ok(new Set(early).size > 95);
});

describe("a gap of its own before what failed is looked at again", () => {
  const RETRYING = { ...CONFIG, rise: 1, retryInterval: milliseconds(100) };

  test("while it is not down yet; then it is looked at as usual, counted from the last look", () => {
    play(RETRYING, [
      [0, "start", "run 1"],
      [10, "good", "up (good)"],
      [1_000, "tick", "run 2"],
      [1_020, "bad"],
      [1_119, "tick"],
      [1_120, "tick", "run 3"],
      [1_130, "bad"],
      [1_230, "tick", "run 4"],
      [1_240, "bad", "down (bad)"],
      [2_229, "tick"],
      [2_230, "tick", "run 5"],
      [2_240, "bad"],
      [3_230, "tick", "run 6"],
      [3_240, "good", "up (good)"],
    ]);
  });

  test("after a timeout too, and before the first verdict", () => {
    play(RETRYING, [
      [0, "start", "run 1"],
      [400, "tick", "abandon 1"],
      [500, "tick", "run 2"],
      [510, "bad"],
      [610, "tick", "run 3"],
      [620, "good", "up (good)"],
      [1_610, "tick", "run 4"],
    ]);
  });
});
