import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { micros, milliseconds } from "../../../agent/core/time.ts";
import type { DebounceEvent, DebounceState } from "../../../agent/core/track/debounce.ts";
import { debounce, debounceFrom } from "../../../agent/core/track/debounce.ts";
import { at, TICK } from "../vrrp/example.ts";

const DELAYS = { down: milliseconds(2_000), up: milliseconds(500) };
const AT_ONCE = { down: micros(0), up: micros(0) };
const link = (up: boolean): DebounceEvent => ({ kind: "link", up });
const tick = TICK as DebounceEvent;

describe("a link", () => {
  test("without delays counts at once", () => {
    const down = debounce.step(AT_ONCE, debounceFrom(true), link(false), at(5));
    assert.deepEqual(down, {
      state: { up: false, changeAt: undefined },
      effects: [{ kind: "settled", up: false }],
    });
  });

  for (const [from, delay] of [
    [true, 2_000_000],
    [false, 500_000],
  ] as const) {
    test(`that was ${from ? "up" : "down"} counts otherwise after its delay`, () => {
      const changed = debounce.step(DELAYS, debounceFrom(from), link(!from), at(5));
      assert.deepEqual(changed.effects, []);
      assert.equal(debounce.deadline(changed.state), 5 + delay);
      const early = debounce.step(DELAYS, changed.state, tick, at(4 + delay));
      assert.deepEqual(early, { state: changed.state, effects: [] });
      const due = debounce.step(DELAYS, changed.state, tick, at(5 + delay));
      assert.deepEqual(due.effects, [{ kind: "settled", up: !from }]);
      assert.equal(debounce.deadline(due.state), undefined);
    });
  }

  test("that comes back in time never went", () => {
    const down = debounce.step(DELAYS, debounceFrom(true), link(false), at(5)).state;
    const back = debounce.step(DELAYS, down, link(true), at(1_000_000));
    assert.deepEqual(back, { state: debounceFrom(true), effects: [] });
  });

  test("told of twice waits from the first time", () => {
    const down = debounce.step(DELAYS, debounceFrom(true), link(false), at(5)).state;
    const again = debounce.step(DELAYS, down, link(false), at(1_000_000));
    assert.deepEqual(again.state, down);
  });

  test("whose delay was switched off meanwhile counts at once when told of again", () => {
    const down = debounce.step(DELAYS, debounceFrom(true), link(false), at(5)).state;
    const again = debounce.step(AT_ONCE, down, link(false), at(6));
    assert.deepEqual(again.effects, [{ kind: "settled", up: false }]);
  });
});

test("settles alternate, and the last word of the kernel is believed in the end", () => {
  const script = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3_000_000 }), fc.option(fc.boolean(), { nil: undefined })),
  );
  fc.assert(
    fc.property(fc.boolean(), script, (first, strides) => {
      let state: DebounceState = debounceFrom(first);
      let believed = first;
      let actual = first;
      let now = 0;
      const take = (event: DebounceEvent) => {
        const next = debounce.step(DELAYS, state, event, at(now));
        for (const { up } of next.effects) {
          assert.notEqual(up, believed);
          believed = up;
        }
        state = next.state;
        assert.equal(state.up, believed);
      };
      for (const [wait, up] of strides) {
        now += wait;
        if (up !== undefined) actual = up;
        take(up === undefined ? tick : link(up));
      }
      now += 3_000_000;
      take(tick);
      assert.equal(believed, actual);
    }),
  );
});
