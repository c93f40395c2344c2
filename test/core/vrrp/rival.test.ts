import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { centiseconds, micros, seconds } from "../../../agent/core/time.ts";
import type { ActiveState, VrrpState } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import type { AnnouncementPolicy, VirtualRouter } from "../../../agent/core/vrrp/virtual-router.ts";
import {
  active,
  advertisement,
  at,
  HIGHER_ADDRESS,
  kinds,
  LINK_DOWN,
  LOWER_ADDRESS,
  router,
  SECOND,
  TICK,
} from "./example.ts";

const QUIET: Partial<ActiveState> = { announceAt: undefined };
const CLAIM = { kind: "foreign-claim", from: LOWER_ADDRESS } as const;
const BEGUN = `alarm rival-heard ${HIGHER_ADDRESS}`;
const OVER = `over rival-heard ${HIGHER_ADDRESS}`;

const RIVAL = {
  from: HIGHER_ADDRESS,
  since: at(0),
  quietAt: at(9 * SECOND),
  endsAt: at(9 * SECOND),
  alarmed: true,
};

const announcing = (changes: Partial<AnnouncementPolicy>): VirtualRouter => {
  const example = router();
  return { ...example, announcement: { ...example.announcement, ...changes } };
};

const rivalOf = (state: VrrpState) => (state.kind === "active" ? state.rival : undefined);

const CENTISECOND = SECOND / 100;
const quick = (changes: Partial<AnnouncementPolicy> = {}): VirtualRouter => ({
  ...announcing(changes),
  advertisementInterval: centiseconds(1),
});

/** A rival advertises at each of these moments; what is told between, and when, with every timer run. */
function tellings(config: VirtualRouter, heardAt: readonly number[], until: number): string[] {
  const told: string[] = [];
  let state: VrrpState = active(QUIET);
  const packets = [...heardAt];
  for (;;) {
    const due = deadline(state) ?? Number.POSITIVE_INFINITY;
    const next = Math.min(due, packets[0] ?? Number.POSITIVE_INFINITY);
    if (next > until) return told;
    // What has come is heard before any timer.
    const interval = config.advertisementInterval;
    const event = next === packets[0] ? advertisement(50, HIGHER_ADDRESS, interval) : TICK;
    if (event !== TICK) packets.shift();
    const moved = step(config, state, event, at(next));
    state = moved.state;
    for (const effect of kinds(moved.effects)) {
      if (!effect.startsWith("advertise")) told.push(`${next / SECOND} ${effect}`);
    }
  }
}

const every = (gap: number, until: number): readonly number[] =>
  Array.from({ length: until / gap }, (_, nth) => (nth + 1) * gap);

describe("a rival that does not hear us", () => {
  test("is told of once, after three intervals, and once more when it has fallen silent", () => {
    assert.deepEqual(tellings(router(), every(SECOND, 20 * SECOND), 60 * SECOND), [
      `5 ${BEGUN}`,
      `23.5 ${OVER}`,
    ]);
  });

  test("one that yields in time is not told of", () => {
    assert.deepEqual(tellings(router(), every(SECOND, 4 * SECOND), 60 * SECOND), []);
    // Now and then is another rival each time.
    assert.deepEqual(tellings(router(), every(4 * SECOND, 40 * SECOND), 60 * SECOND), []);
  });

  test("a second one is told of again", () => {
    const first = every(SECOND, 6 * SECOND);
    const second = first.map((time) => time + 20 * SECOND);
    assert.deepEqual(tellings(router(), [...first, ...second], 60 * SECOND), [
      `5 ${BEGUN}`,
      `9.5 ${OVER}`,
      `25 ${BEGUN}`,
      `29.5 ${OVER}`,
    ]);
  });

  test("ends with our own leaving, and with its resignation", () => {
    const rival = RIVAL;
    const left = step(
      router(),
      active({ rival }),
      { kind: "fault-raised", fault: LINK_DOWN },
      at(SECOND),
    );
    assert.deepEqual(kinds(left.effects).slice(0, 2), [OVER, "remove"]);
    const resigned = step(router(), active({ rival }), advertisement(0), at(SECOND / 2));
    assert.deepEqual(kinds(resigned.effects), ["advertise 100", OVER]);
    assert.equal(rivalOf(resigned.state), undefined);
    const another = step(
      router(),
      active({ rival }),
      advertisement(0, LOWER_ADDRESS),
      at(SECOND / 2),
    );
    assert.deepEqual(rivalOf(another.state), rival);
  });

  test("a stall of ours that outlasts it is its end, told after our advertisement", () => {
    const rival = RIVAL;
    const woken = step(router(), active({ ...QUIET, rival }), TICK, at(30 * SECOND));
    assert.deepEqual(kinds(woken.effects), ["advertise 100", OVER]);
  });
});

describe("a rival at an interval of 10 ms", () => {
  const heard = (gap: number, from: number, to: number): readonly number[] =>
    every(gap, to - from).map((time) => Math.round(from + time));

  test("one that yields within a second, as busy hosts do, is not told of", () => {
    const handover = every(CENTISECOND, SECOND);
    assert.deepEqual(tellings(quick(), handover, 10 * SECOND), []);
    // One second's gap begins another one.
    const another = heard(CENTISECOND, 2.1 * SECOND, 3.1 * SECOND);
    assert.deepEqual(tellings(quick(), [...handover, ...another], 10 * SECOND), []);
  });

  test("a one-way link is told of after a second, and its end after a second of silence", () => {
    assert.deepEqual(tellings(quick(), every(CENTISECOND, 5 * SECOND), 10 * SECOND), [
      `1.02 ${BEGUN}`,
      `6 ${OVER}`,
    ]);
  });

  test("what a busy host sends or hears late hides none, and makes no second one", () => {
    // So many intervals of silence, again and again.
    const bursts = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((nth) =>
      heard(CENTISECOND, nth * 0.6 * SECOND, (nth * 0.6 + 0.1) * SECOND),
    );
    assert.deepEqual(tellings(quick(), bursts, 10 * SECOND), [`1.21 ${BEGUN}`, `5.3 ${OVER}`]);
  });

  test("hosts are told anew 3.5 intervals after it was last heard, not a second later", () => {
    const config = quick({ lowerPriorityRepeat: 3 });
    const told = tellings(config, [SECOND], 10 * SECOND);
    // No sooner than the spacing of announcements that others provoke.
    assert.deepEqual(told, ["1 announce 3", "1.1 announce 3"]);
    const slower = { ...config, advertisementInterval: centiseconds(5) };
    assert.deepEqual(tellings(slower, [SECOND], 10 * SECOND), ["1 announce 3", "1.175 announce 3"]);
  });
});

describe("announcements after a rival", () => {
  const config = announcing({ lowerPriorityRepeat: 3 });
  const announced = (lines: readonly string[]) => lines.filter((line) => line.includes("announce"));

  test("without a second set of its own, one comes when the rival has ended", () => {
    const told = tellings(config, [SECOND, 2 * SECOND], 60 * SECOND);
    assert.deepEqual(told, ["1 announce 3", "2 announce 3", "5.5 announce 3"]);
  });

  test("a second set that comes later than its end is that one", () => {
    const delayed = announcing({ lowerPriorityRepeat: 3, lowerPriorityDelay: seconds(5) });
    const told = tellings(delayed, [SECOND], 60 * SECOND);
    assert.deepEqual(told, ["1 announce 3", "6 announce 3"]);
    const early = announcing({ lowerPriorityRepeat: 3, lowerPriorityDelay: seconds(1) });
    assert.deepEqual(tellings(early, [SECOND], 60 * SECOND), [
      "1 announce 3",
      "2 announce 3",
      "4.5 announce 3",
    ]);
  });

  test("garp_lower_prio_repeat 0 asks for none", () => {
    assert.deepEqual(announced(tellings(router(), [SECOND], 60 * SECOND)), []);
  });

  test("a claim that was refused is not announced against, but after", () => {
    let state: VrrpState = active({ ...QUIET, adverAt: at(99 * SECOND) });
    for (const second of [1, 2, 3]) {
      const next = step(config, state, CLAIM, at(second * SECOND));
      assert.deepEqual(next.effects, []);
      state = next.state;
    }
    assert.equal(deadline(state), 6.5 * SECOND);
    const ended = step(config, state, TICK, at(6.5 * SECOND));
    assert.deepEqual(kinds(ended.effects), ["announce 3"]);
    assert.equal(rivalOf(ended.state), undefined);
  });

  test("a refused claim prolongs what is known of a rival, and no more", () => {
    const heard = step(config, active(QUIET), advertisement(50), at(SECOND));
    const next = step(config, heard.state, CLAIM, at(2 * SECOND));
    assert.deepEqual(rivalOf(next.state), {
      from: HIGHER_ADDRESS,
      since: SECOND,
      quietAt: 5.5 * SECOND,
      endsAt: 5.5 * SECOND,
      alarmed: false,
    });
  });

  test("while the addresses are still contested, it opens with its own announcements", () => {
    const held = { by: undefined, until: at(20 * SECOND), othersUntil: at(0) };
    const contest = { held, guardUntil: at(0), probing: true };
    const fenced: VirtualRouter = { ...config, fenced: true, advertisementInterval: seconds(10) };
    const state = active({ ...QUIET, contest, adverAt: at(99 * SECOND) });
    const heard = step(fenced, state, CLAIM, at(0));
    const ended = step(fenced, heard.state, TICK, at(35 * SECOND - 1));
    assert.deepEqual(kinds(ended.effects).includes("announce 3"), false);
  });

  test("the interval of the slower of the two counts", () => {
    const slow = step(
      config,
      active(QUIET),
      advertisement(50, HIGHER_ADDRESS, micros(4 * SECOND)),
      at(0),
    );
    assert.equal(rivalOf(slow.state)?.endsAt, 14 * SECOND);
  });
});
