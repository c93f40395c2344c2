import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MandateSurroundings } from "../../../agent/core/vrrp/mandate.ts";
import { GRACE } from "../../../agent/core/vrrp/mandate.ts";
import { mandateDeadline } from "../../../agent/core/vrrp/mandate-step.ts";
import {
  ADVISORY,
  FREE,
  granted,
  Life,
  leading,
  NO,
  sought,
  TAKEN,
  UNREACHABLE,
  UP,
} from "./mandate-life.ts";

const kept = (surroundings = NO): Life => {
  const life = new Life();
  life.surroundings = surroundings;
  return life.step({ kind: "kept" }, 10);
};

const reloaded = (life: Life, surroundings: MandateSurroundings, now: number): Life => {
  life.take();
  life.surroundings = surroundings;
  return life.step({ kind: "configured" }, now);
};

const END = 10 + GRACE;

describe("a mandate that a reload asks of active members", () => {
  test("lets them be active for a time of grace, and from its grant on by its deadline", () => {
    const life = kept();
    assert.deepEqual(life.take(), ["wanted 10", "limit", "grace true"]);
    assert.deepEqual([life.limit, mandateDeadline(life.state)], [END, END]);
    life.hear(granted(100), 30);
    assert.deepEqual([life.take(), life.limit], [["limit", "grace false"], 100]);
    assert.equal(life.step({ kind: "tick" }, 100).take()[0], "over: lapsed");
  });

  test("is over with its grace, whatever else was said and asked meanwhile", () => {
    const life = kept();
    life.hear(UNREACHABLE, 20).hear(granted(null), 30).step({ kind: "witness-lost" }, 40);
    life.step({ kind: "configured" }, 50).step({ kind: "kept" }, 60);
    assert.equal(life.limit, END);
    life.take();
    life.step({ kind: "tick" }, END);
    assert.deepEqual(life.take(), ["over: unanswered", "mandate-withdrawn", "await-shut"]);
    assert.equal(life.limit, 0);
  });

  for (const news of [TAKEN, { kind: "withdrawn", because: "taken" } as const]) {
    test(`is over at once where somebody else has it: ${news.kind}`, () => {
      for (const surroundings of [NO, ADVISORY, UP]) {
        const life = kept(surroundings);
        life.take();
        assert.deepEqual(life.hear(news, 20).take().slice(0, 2), [
          "over: taken",
          "mandate-withdrawn",
        ]);
        assert.equal(life.limit, 0);
      }
    });
  }

  test("does not go on without the store by failsafe: there was no lease to go on from", () => {
    const life = kept(UP).hear(UNREACHABLE, 20);
    assert.deepEqual([life.take().includes("failsafe true"), life.limit], [false, END]);
    assert.equal(life.step({ kind: "tick" }, END).take()[0], "over: unanswered");
  });

  test("ends by no time where it is advisory, or takes no lease", () => {
    for (const surroundings of [ADVISORY, FREE]) {
      const life = kept(surroundings);
      assert.deepEqual([life.limit, mandateDeadline(life.state)], [undefined, undefined]);
      life.hear(UNREACHABLE, 20).step({ kind: "tick" }, 2 * END);
      assert.equal(life.limit, undefined);
    }
  });

  test("for members of a group whose gates are being shut is none", () => {
    const life = leading().step({ kind: "returned" }, 50);
    life.take();
    assert.deepEqual(life.step({ kind: "kept" }, 51).take(), ["mandate-withdrawn"]);
  });

  test("that was sought before is wanted anew, and nobody is fenced", () => {
    const life = sought(true).step({ kind: "kept" }, 20);
    assert.deepEqual(life.take(), [
      "wanted 10 fence",
      "unwanted 10",
      "wanted 20",
      "limit",
      "grace true",
    ]);
  });
});

describe("a reload that changes what a mandate takes", () => {
  test("from a lease of the one kind to the other changes nothing of it", () => {
    const life = reloaded(leading(), ADVISORY, 50);
    assert.deepEqual([life.take(), life.limit], [[], 100]);
    assert.deepEqual([reloaded(life, NO, 60).take(), life.limit], [[], 100]);
  });

  test("to a lease from none gives it the time of grace", () => {
    for (const before of [ADVISORY, FREE]) {
      const life = reloaded(leading(null, before), NO, 10);
      assert.deepEqual([life.take(), life.limit], [["limit", "grace true"], END]);
      assert.equal(life.step({ kind: "tick" }, END).take()[0], "over: unanswered");
    }
  });

  test("to none from a lease, or from grace, frees it", () => {
    for (const life of [leading(), kept()]) {
      reloaded(life, FREE, 50);
      assert.deepEqual([life.limit, mandateDeadline(life.state)], [undefined, undefined]);
    }
    const life = reloaded(kept(), ADVISORY, 50);
    assert.deepEqual([life.take(), life.limit], [["limit", "grace false"], undefined]);
  });

  test("has who is failsafe leave when it may not be it any more", () => {
    const life = leading(100, UP).hear(UNREACHABLE, 50).step({ kind: "tick" }, 200);
    assert.equal(life.limit, undefined);
    assert.equal(reloaded(life, NO, 300).take()[0], "over: session-down");
  });

  test("leaves alone what is sought, and what nobody wants", () => {
    assert.deepEqual(reloaded(sought(true), ADVISORY, 50).take(), []);
    assert.deepEqual(reloaded(new Life(), NO, 50).take(), []);
  });
});
