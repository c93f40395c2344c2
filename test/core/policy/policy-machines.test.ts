import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { seedOf, spread } from "../../../agent/core/check/spread.ts";
import type { HeardPeer, HearingState } from "../../../agent/core/policy/hearing.ts";
import { hear, isHeard } from "../../../agent/core/policy/hearing.ts";
import type { LeasesEvent, LeasesState } from "../../../agent/core/policy/leases.ts";
import { leases } from "../../../agent/core/policy/leases.ts";
import { standingOf, trackEffect } from "../../../agent/core/policy/standing.ts";
import type { StrikesEvent, StrikesState } from "../../../agent/core/policy/strikes.ts";
import { STRIKES, strikes } from "../../../agent/core/policy/strikes.ts";
import { seconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

const s = (value: number) => at(value * 1_000_000);

describe("strikes", () => {
  function play(
    lines: readonly (readonly [number, StrikesEvent["kind"], string?])[],
  ): StrikesState {
    let state = strikes.initial;
    for (const [when, kind, expected] of lines) {
      const next = strikes.step(STRIKES, state, { kind }, s(when));
      const effects = next.effects.map((effect) =>
        effect.kind === "quarantine" ? `quarantine ${effect.time / 1_000_000}` : effect.kind,
      );
      assert.deepEqual(effects, expected === undefined ? [] : [expected], `${kind} at ${when}`);
      state = next.state;
    }
    return state;
  }

  test("three within a minute are a quarantine, and not one less", () => {
    play([
      [0, "struck"],
      [30, "struck"],
      [59, "struck", "quarantine 1"],
    ]);
    play([
      [0, "struck"],
      [30, "struck"],
      [60, "struck"],
      [89, "struck", "quarantine 1"],
    ]);
  });

  test("each quarantine is twice as long as the one before, up to five minutes", () => {
    let now = 0;
    let state = strikes.initial;
    const times: number[] = [];
    for (let n = 0; n < 36; n += 1) {
      const next = strikes.step(STRIKES, state, { kind: "struck" }, s(now));
      for (const effect of next.effects) {
        if (effect.kind === "quarantine") times.push(effect.time / 1_000_000);
      }
      state = next.state;
      if (state.until !== undefined) {
        now = state.until / 1_000_000;
        state = strikes.step(STRIKES, state, { kind: "tick" }, s(now)).state;
      }
      now += 1;
    }
    assert.deepEqual(times, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  test("time releases, a new version too, and calm is forgiven", () => {
    const three = [
      [0, "struck"],
      [1, "struck"],
      [2, "struck", "quarantine 1"],
    ] as const;
    play([...three, [2.9, "tick"], [3, "tick", "release"], [3, "tick"]]);
    play([...three, [2.5, "struck"], [2.9, "replaced", "release"], [2.9, "replaced"]]);
    const calm = play([
      ...three,
      [3, "tick", "release"],
      [903, "struck"],
      [904, "struck"],
      [905, "struck", "quarantine 1"],
    ]);
    assert.equal(strikes.deadline(calm), s(906));
  });
});

describe("leases", () => {
  const adjust = (delta: number, time = 30, router = "VI_1"): LeasesEvent => ({
    kind: "adjust",
    router,
    delta,
    time: seconds(time),
  });
  const fault = (reason: string, time = 30): LeasesEvent => ({
    kind: "fault",
    router: "VI_1",
    reason,
    time: seconds(time),
  });

  function play(lines: readonly (readonly [number, LeasesEvent, ...string[]])[]): LeasesState {
    let state = leases.initial;
    for (const [when, event, ...expected] of lines) {
      const next = leases.step(undefined, state, event, s(when));
      const effects = next.effects.map(({ router, effect }) => {
        if (effect.kind === "weight") return `${router} ${effect.weight}`;
        return effect.kind === "fault" ? `${router} ${effect.reason}` : `${router} none`;
      });
      assert.deepEqual(effects, expected, `${event.kind} at ${when}`);
      state = next.state;
    }
    return state;
  }

  test("hold until they lapse, and are renewed without a word", () => {
    const held = play([
      [0, adjust(-20), "VI_1 -20"],
      [20, adjust(-20)],
      [49, { kind: "tick" }],
    ]);
    assert.equal(leases.deadline(held), s(50));
    assert.deepEqual(
      play([
        [0, adjust(-20), "VI_1 -20"],
        [30, { kind: "tick" }, "VI_1 none"],
      ]),
      {},
    );
  });

  test("a fault is stronger than an adjustment, which holds on under it", () => {
    play([
      [0, adjust(-20, 60), "VI_1 -20"],
      [1, fault("disk", 10), "VI_1 disk"],
      [2, adjust(-30, 60)],
      [11, { kind: "tick" }, "VI_1 -30"],
      [12, { kind: "clear", router: "VI_1" }, "VI_1 none"],
      [12, { kind: "clear", router: "VI_1" }],
    ]);
  });

  test("are by router, and end together", () => {
    play([
      [0, adjust(-20), "VI_1 -20"],
      [0, adjust(5, 30, "VI_2"), "VI_2 5"],
      [1, adjust(0, 30, "VI_2"), "VI_2 none"],
      [2, { kind: "clear-all" }, "VI_1 none"],
    ]);
  });

  test("a router named as what every object has is a name as any other", () => {
    play([
      [0, adjust(-1, 30, "constructor"), "constructor -1"],
      [1, { kind: "clear", router: "toString" }],
    ]);
  });

  test("nothing holds past its deadline, whatever was said", () => {
    const event = fc.oneof(
      fc
        .tuple(fc.integer({ min: -253, max: 253 }), fc.integer({ min: 1, max: 3_600 }))
        .map(([delta, time]) => adjust(delta, time)),
      fc.integer({ min: 1, max: 3_600 }).map((time) => fault("x", time)),
      fc.constant<LeasesEvent>({ kind: "tick" }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 600 }), event)), (script) => {
        let state = leases.initial;
        let now = 0;
        for (const [wait, each] of script) {
          now += wait;
          state = leases.step(undefined, state, each, s(now)).state;
          const deadline = leases.deadline(state);
          if (each.kind === "tick" && deadline !== undefined) assert.ok(deadline > s(now));
        }
        assert.deepEqual(leases.step(undefined, state, { kind: "tick" }, s(now + 3_600)).state, {});
      }),
    );
  });
});

describe("what a check does to a router", () => {
  for (const [track, unknown, up, down] of [
    [-30, -30, "none", -30],
    [20, "none", 20, "none"],
    [0, "none", "none", "none"],
    ["fault", "no verdict yet", "none", "why"],
  ] as const) {
    test(`by a track of ${track}`, () => {
      const effects = (["unknown", "up", "down"] as const).map((verdict) => {
        const effect = trackEffect(track, verdict, "why");
        if (effect.kind === "weight") return effect.weight;
        return effect.kind === "fault" ? effect.reason : effect.kind;
      });
      assert.deepEqual(effects, [unknown, up, down]);
    });
  }

  test("is its verdict, or what was declared for a stale one", () => {
    assert.equal(standingOf({ verdict: "up", stale: false }, "down"), "up");
    assert.equal(standingOf({ verdict: "up", stale: true }, "down"), "down");
    assert.equal(standingOf({ verdict: "down", stale: true }, "up"), "up");
  });
});

describe("peers", () => {
  const peer = (advertisements: number, quietMs = 0, interval = 1): HeardPeer => ({
    router: "VI_1",
    address: "192.0.2.9",
    priority: 100,
    interval: seconds(interval),
    advertisements,
    quietMs,
  });

  function play(
    lines: readonly (readonly [number, readonly HeardPeer[], ...boolean[]])[],
  ): HearingState {
    let state: HearingState;
    for (const [when, peers, ...expected] of lines) {
      const next = hear(state, peers, s(when));
      assert.deepEqual(
        next.changes.map(({ heard }) => heard),
        expected,
        `at ${when}`,
      );
      state = next.state;
    }
    return state;
  }

  test("of the first snapshot are as they are", () => {
    const state = play([
      [0, [peer(5)]],
      [1, [peer(6)]],
    ]);
    assert.equal(isHeard(state, "VI_1", "192.0.2.9"), true);
    assert.equal(isHeard(play([[0, [peer(5, 60_000)]]]), "VI_1", "192.0.2.9"), false);
  });

  test("come, fall silent after three intervals and a second, and come back", () => {
    play([
      [0, []],
      [1, [peer(1)], true],
      [4, [peer(1)]],
      [4.9, [peer(1)]],
      [5, [peer(1)], false],
      [6, [peer(1)]],
      [7, [peer(2)], true],
    ]);
  });

  test("that a snapshot knows no more fall silent", () => {
    play([
      [0, [peer(1)]],
      [1, [], false],
      [2, []],
    ]);
  });

  test("seen every ten seconds are heard all the while they count", () => {
    play([
      [0, [peer(1)]],
      [10, [peer(11)]],
      [20, [peer(21)]],
      [30, [peer(21)], false],
    ]);
  });
});

describe("spreading", () => {
  test("is even enough, the same each time, and another for another name", () => {
    const found = Array.from({ length: 1_000 }, (_, n) => spread(seedOf(`policy${n}/alive`), 0));
    assert.ok(found.every((value) => value >= 0 && value < 1));
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const inTenth = found.filter((value) => Math.floor(value * 10) === tenth).length;
      assert.ok(inTenth > 60 && inTenth < 140, `${inTenth} of 1000 in tenth ${tenth}`);
    }
    assert.equal(spread(seedOf("a"), 3), spread(seedOf("a"), 3));
    assert.notEqual(spread(seedOf("a"), 3), spread(seedOf("a"), 4));
  });
});
