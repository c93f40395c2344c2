import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { trackInterfaces } from "../../../agent/core/track/interface.ts";
import { effectivePriority } from "../../../agent/core/track/priority.ts";

const tracked = (weight: number, reverse: boolean, up: boolean, weighted = true) => {
  const { faults, contributions } = trackInterfaces(
    [{ interface: "eth1", weight, reverse }],
    (name) => name === "eth1" && up,
    weighted,
  );
  return [faults.length > 0 ? "fault" : "well", contributions.map((one) => one.weight)];
};

describe("a tracked interface", () => {
  const table: readonly (readonly [number, boolean, boolean, string, readonly number[]])[] = [
    // weight, reverse, up: fault, contribution
    [0, false, true, "well", []],
    [0, false, false, "fault", []],
    [0, true, true, "fault", []],
    [0, true, false, "well", []],
    [20, false, true, "well", [20]],
    [20, false, false, "well", [0]],
    [20, true, true, "well", [-20]],
    [20, true, false, "well", [0]],
    [-20, false, true, "well", [0]],
    [-20, false, false, "well", [-20]],
    [-20, true, true, "well", [0]],
    [-20, true, false, "well", [20]],
  ];
  for (const [weight, reverse, up, fault, contributions] of table) {
    const title = `weight ${weight}${reverse ? " reverse" : ""}, ${up ? "up" : "down"}`;
    test(title, () => assert.deepEqual(tracked(weight, reverse, up), [fault, contributions]));
  }

  test("in a group without weighted tracking only faults count", () => {
    assert.deepEqual(tracked(20, false, true, false), ["well", []]);
    assert.deepEqual(tracked(0, false, false, false), ["fault", []]);
  });

  test("is named", () => {
    const { faults, contributions } = trackInterfaces(
      [
        { interface: "eth1", weight: 0, reverse: false },
        { interface: "eth2", weight: -5, reverse: false },
      ],
      () => false,
      true,
    );
    assert.deepEqual(faults, [{ cause: "tracked-interface-down", subject: "eth1" }]);
    assert.deepEqual(contributions, [{ source: "track_interface eth2", weight: -5 }]);
  });
});

describe("the effective priority", () => {
  const sum = (base: number, ...weights: readonly number[]) =>
    effectivePriority(
      base,
      weights.map((weight) => ({ source: "test", weight })),
    );

  test("is the sum, kept within 1–254", () => {
    assert.equal(sum(100), 100);
    assert.equal(sum(100, 20, -50), 70);
    assert.equal(sum(250, 20), 254);
    assert.equal(sum(10, -20), 1);
    // Only the sum is kept within bounds, not each step to it.
    assert.equal(sum(250, 100, -100), 250);
  });

  test("an owner stays owner, and nobody becomes one", () => {
    assert.equal(sum(255, -254), 255);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 254 }),
        fc.array(fc.integer({ min: -254, max: 254 })),
        (base, weights) => {
          const priority = sum(base, ...weights);
          assert.ok(priority >= 1 && priority <= 254);
        },
      ),
    );
  });
});
