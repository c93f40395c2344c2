import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { trackChecks, trackClaims, trackedByMember } from "../../../agent/core/track/check.ts";
import { effectivePriority } from "../../../agent/core/track/priority.ts";
import type { Reading, TrackedCheck, TrackerId } from "../../../agent/core/track/tracking.ts";

type Verdict = Reading["verdict"];

const reading = (verdict: Verdict, value = 0): Reading => ({ verdict, value, reason: "test" });

function outcome(tracked: TrackedCheck, found: Reading): number | "fault" | "waits" | undefined {
  const { faults, contributions, unknown } = trackChecks([tracked], () => found);
  if (faults.length > 0) {
    assert.deepEqual(faults, [{ cause: "tracker", subject: tracked.tracker }]);
    return "fault";
  }
  return unknown.length > 0 ? "waits" : contributions[0]?.weight;
}

describe("a tracked script or process", () => {
  // keepalived 2.2.7 was measured; what could not be looked at counts against the router here.
  const table: readonly (readonly [number, boolean, ...(readonly unknown[])])[] = [
    // weight, reverse: up, down, unknown, failed
    [0, false, undefined, "fault", "waits", "fault"],
    [0, true, "fault", undefined, "waits", "fault"],
    [20, false, 20, 0, 0, 0],
    [20, true, -20, 0, 0, -20],
    [-20, false, 0, -20, 0, -20],
    [-20, true, 0, 20, 0, 0],
    [253, false, 253, 0, 0, 0],
    [-254, false, 0, -254, 0, -254],
  ];
  for (const [weight, reverse, ...wanted] of table) {
    test(`weight ${weight}${reverse ? " reverse" : ""}`, () => {
      const verdicts: readonly Verdict[] = ["up", "down", "unknown", "failed"];
      const check: TrackedCheck = { tracker: "script chk", weight, reverse };
      assert.deepEqual(
        verdicts.map((verdict) => outcome(check, reading(verdict))),
        wanted,
      );
    });
  }
});

describe("a tracked file", () => {
  const table: readonly (readonly [number, boolean, number, number | "fault" | undefined])[] = [
    // weight, reverse, the file's number, contribution
    [0, false, 0, undefined],
    [0, false, 1, "fault"],
    [0, true, 0, "fault"],
    [0, true, 1, undefined],
    [2, false, 5, 10],
    [2, true, 5, -10],
    [2, false, -3, -6],
    [1, false, 300, 253],
    [1, false, -253, -253],
    [1, false, -254, "fault"],
    [2, false, -127, "fault"],
    [-20, false, 20, "fault"],
    [-1, true, -254, "fault"],
  ];
  for (const [weight, reverse, value, wanted] of table) {
    test(`${value} × ${weight}${reverse ? " reverse" : ""}`, () => {
      const check: TrackedCheck = { tracker: "file f", weight, reverse };
      assert.deepEqual(outcome(check, reading("up", value)), wanted);
    });
  }

  test("that nobody watches is worth no more, and costs what it cost", () => {
    const weighted: TrackedCheck = { tracker: "file f", weight: 2, reverse: false };
    assert.equal(outcome(weighted, reading("failed", 5)), 0);
    assert.equal(outcome(weighted, reading("failed", -5)), -10);
    assert.equal(outcome({ ...weighted, weight: 0 }, reading("failed", 0)), "fault");
    assert.equal(outcome({ ...weighted, weight: 0, reverse: true }, reading("failed", 1)), "fault");
  });
});

describe("a member of a sync group", () => {
  const check = (tracker: TrackerId, weight: number): TrackedCheck => ({
    tracker,
    weight,
    reverse: false,
  });
  const own = [check("script a", 5), check("script b", 0), check("file c", 3), check("file d", 3)];
  const shared = [check("file d", 7), check("process e", -4)];
  const weights = (weightedTracking: boolean) =>
    trackedByMember(own, { trackers: shared, weightedTracking }).map(
      ({ tracker, weight }) => `${tracker} ${weight}`,
    );

  test("has what its group tracks, and own weights only where they are asked for", () => {
    assert.deepEqual(weights(true), [
      "file d 7",
      "process e -4",
      "script a 5",
      "script b 0",
      "file c 3",
    ]);
    assert.deepEqual(weights(false), ["file d 7", "process e -4", "script b 0"]);
  });
});

test("claims are named after their policy, and may be nothing at all", () => {
  const { faults, contributions } = trackClaims([
    { source: "policy a/b", effect: { kind: "weight", weight: -50 } },
    { source: "policy c", effect: { kind: "fault", reason: "test" } },
    { source: "policy d", effect: { kind: "none" } },
  ]);
  assert.deepEqual(contributions, [{ source: "policy a/b", weight: -50 }]);
  assert.deepEqual(faults, [{ cause: "tracker", subject: "policy c" }]);
});

test("failing is never worth more than any other result", () => {
  const weight = fc.integer({ min: -254, max: 254 });
  const value = fc.integer({ min: -1_000, max: 1_000 });
  const kind = fc.constantFrom<TrackerId>("script s", "file f", "process p");
  fc.assert(
    fc.property(kind, weight, fc.boolean(), value, (tracker, by, reverse, number) => {
      const worth = (verdict: Verdict): number => {
        const { faults, contributions } = trackChecks([{ tracker, weight: by, reverse }], () =>
          reading(verdict, tracker === "file f" ? number : 0),
        );
        return faults.length > 0 ? 0 : effectivePriority(100, contributions);
      };
      const failed = worth("failed");
      assert.ok(failed <= worth("up") && (tracker === "file f" || failed <= worth("down")));
    }),
  );
});
