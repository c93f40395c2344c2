import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { MandateEvent } from "../../../agent/core/vrrp/mandate.ts";
import { mandateDeadline, mandateEpoch } from "../../../agent/core/vrrp/mandate-step.ts";
import type { MandateNews } from "../../../agent/core/witness/mandate-news.ts";
import {
  ADVISORY,
  FREE,
  granted,
  LAPSED,
  Life,
  leading,
  NO,
  sought,
  TAKEN,
  UNREACHABLE,
  UP,
} from "./mandate-life.ts";

describe("a mandate", () => {
  test("is wanted, granted, renewed, given back when gates are shut", () => {
    const life = sought(true);
    assert.deepEqual(life.take(), ["wanted 10 fence"]);
    assert.equal(life.limit, 0);
    life.hear(granted(100), 20);
    assert.deepEqual(life.take(), ["limit", "mandate-granted"]);
    assert.deepEqual([life.limit, mandateDeadline(life.state)], [100, 100]);
    life.hear(granted(150), 60);
    assert.deepEqual(life.take(), ["limit"]);
    assert.deepEqual([life.limit, mandateDeadline(life.state)], [150, 150]);
    life.step({ kind: "returned" }, 70);
    assert.deepEqual(life.take(), ["await-shut"]);
    assert.equal(life.limit, 0);
    assert.equal(mandateEpoch(life.state), "07");
    life.hear(granted(200), 71);
    assert.equal(life.limit, 0);
    life.step({ kind: "gates-shut", serial: 10 }, 72);
    assert.deepEqual(life.take(), ["unwanted 10"]);
    assert.equal(mandateEpoch(life.state), null);
  });

  test("ends at its deadline, whatever the witness says or does not say", () => {
    const life = leading();
    life.step({ kind: "tick" }, 99);
    assert.deepEqual(life.take(), []);
    life.step({ kind: "tick" }, 100);
    assert.deepEqual(life.take(), ["over: lapsed", "mandate-withdrawn", "await-shut"]);
    life.hear(granted(200), 101);
    assert.deepEqual([life.take(), life.limit], [[], 0]);
  });

  test("a renewal counts whose own deadline is still ahead", () => {
    assert.equal(leading().hear(granted(150), 120).limit, 150);
    const late = leading().hear(granted(119), 120);
    assert.deepEqual(late.take(), []);
    assert.deepEqual(late.step({ kind: "tick" }, 120).take()[0], "over: lapsed");
  });

  for (const news of [TAKEN, LAPSED, { kind: "withdrawn", because: "lost" } as const]) {
    test(`${news.kind} ${"because" in news ? news.because : ""} ends it at once`, () => {
      const life = leading().hear(news, 50);
      assert.equal(life.take()[1], "mandate-withdrawn");
      assert.equal(life.limit, 0);
    });
  }

  test("news of another wish is nobody's", () => {
    const life = sought();
    life.take();
    life.hear(granted(100), 20, 9).hear(TAKEN, 20, 11);
    assert.deepEqual([life.take(), life.limit], [[], 0]);
    const later = leading().hear(TAKEN, 50, 9);
    assert.deepEqual([later.take(), later.limit], [[], 100]);
  });

  test("whoever has it is told each time, and what it waits for is kept", () => {
    const life = sought().hear(TAKEN, 20).hear(TAKEN, 30);
    assert.deepEqual(life.take(), ["wanted 10", "mandate-taken", "mandate-taken"]);
    const { phase } = life.hear(UNREACHABLE, 40).state;
    assert.ok(phase.kind === "sought");
    assert.deepEqual([phase.delay, phase.taken], [UNREACHABLE, undefined]);
  });

  test("given up before it was granted, it needs no gate to be shut", () => {
    assert.deepEqual(sought().step({ kind: "returned" }, 11).take(), ["wanted 10", "unwanted 10"]);
  });

  test("wanted again while gates are being shut, it is another wish, and comes after", () => {
    const life = leading().step({ kind: "returned" }, 50);
    life.step({ kind: "sought", fence: false }, 51).step({ kind: "sought", fence: true }, 52);
    assert.deepEqual(life.take(), ["await-shut"]);
    life.step({ kind: "gates-shut", serial: 9 }, 53);
    assert.deepEqual(life.take(), []);
    life.step({ kind: "gates-shut", serial: 10 }, 54);
    assert.deepEqual(life.take(), ["unwanted 10", "wanted 54 fence"]);
  });

  test("each wish has a number of its own, also within a microsecond", () => {
    const life = sought().step({ kind: "returned" }, 10).step({ kind: "sought", fence: false }, 10);
    assert.deepEqual(life.take(), ["wanted 10", "unwanted 10", "wanted 11"]);
  });

  test("somebody who went silent since is to be fenced after all", () => {
    const life = sought().step({ kind: "sought", fence: true }, 30);
    assert.deepEqual(life.take(), ["wanted 10", "unwanted 10", "wanted 30 fence"]);
    assert.deepEqual(life.step({ kind: "sought", fence: true }, 40).take(), []);
    assert.deepEqual(life.step({ kind: "sought", fence: false }, 50).take(), []);
  });

  test("another witness process is told the wish again; who has it does not fence again", () => {
    const waiting = sought(true);
    waiting.take();
    assert.deepEqual(waiting.step({ kind: "witness-lost" }, 30).take(), ["wanted 10 fence"]);
    const life = leading().step({ kind: "witness-lost" }, 30);
    assert.deepEqual(life.take(), ["wanted 10"]);
    assert.equal(life.limit, 100);
    assert.deepEqual(new Life().step({ kind: "witness-lost" }, 30).take(), []);
  });

  test("without a lease it has no deadline, and no limit", () => {
    const life = leading(null, FREE);
    assert.deepEqual([life.limit, mandateDeadline(life.state)], [undefined, undefined]);
    assert.deepEqual(life.step({ kind: "tick" }, 1_000_000).take(), []);
  });

  test("that takes a lease is not granted without one, whoever says so", () => {
    const life = sought().hear(granted(null), 20);
    assert.deepEqual([life.take(), life.limit], [["wanted 10"], 0]);
    const leads = leading().hear(granted(null), 50);
    assert.deepEqual([leads.take(), leads.limit], [[], 100]);
  });

  test("a group that knows nothing of what was granted begins anew", () => {
    const life = leading().step({ kind: "sought", fence: true }, 50);
    assert.deepEqual([life.take(), life.limit], [["await-shut"], 0]);
    life.step({ kind: "gates-shut", serial: 10 }, 51);
    assert.deepEqual(life.take(), ["unwanted 10", "wanted 51 fence"]);
  });
});

describe("failsafe", () => {
  function alone(): Life {
    const life = leading();
    life.surroundings = UP;
    life.hear(UNREACHABLE, 50);
    return life;
  }

  test("it goes on without the store while all sessions are up", () => {
    const life = alone();
    assert.deepEqual(life.take(), ["limit", "failsafe true"]);
    assert.deepEqual([life.limit, mandateDeadline(life.state)], [undefined, undefined]);
    assert.deepEqual(life.hear(LAPSED, 100).step({ kind: "tick" }, 10_000).take(), []);
    life.hear(granted(10_200, "08"), 10_100);
    assert.deepEqual(life.take(), ["limit", "failsafe false"]);
    assert.deepEqual([life.limit, mandateEpoch(life.state)], [10_200, "08"]);
  });

  test("a session that is not up any more ends it, at the end of the lease at the earliest", () => {
    const life = alone();
    life.take();
    life.surroundings = NO;
    life.step({ kind: "tick" }, 60);
    assert.deepEqual([life.take(), life.limit], [["limit", "failsafe false"], 100]);
    const later = alone();
    later.take();
    later.step({ kind: "tick" }, 500);
    later.surroundings = NO;
    later.step({ kind: "tick" }, 501);
    assert.deepEqual(later.take(), ["over: session-down", "mandate-withdrawn", "await-shut"]);
  });

  test("a sleep of the machine ends it, although all sessions are up as they were before", () => {
    for (const now of [60, 500]) {
      const life = alone();
      life.take();
      life.step({ kind: "suspended" }, now);
      assert.deepEqual(life.take(), ["over: suspended", "mandate-withdrawn", "await-shut"]);
    }
  });

  test("somebody else who has it ends it, and so does a store that refuses", () => {
    const refused: MandateNews = { ...UNREACHABLE, because: "store-refused" };
    for (const news of [TAKEN, { kind: "withdrawn", because: "lost" } as const, refused]) {
      const life = alone().step({ kind: "tick" }, 500);
      life.take();
      assert.ok(life.hear(news, 501).take().includes("mandate-withdrawn"), news.kind);
    }
  });

  test("who hears of the store's silence when its lease is over has none to go on from", () => {
    const life = leading();
    life.surroundings = UP;
    life.hear(UNREACHABLE, 100);
    assert.deepEqual(life.take(), ["over: lapsed", "mandate-withdrawn", "await-shut"]);
  });

  test("a store that merely is silent does not begin it", () => {
    const life = leading();
    life.surroundings = UP;
    assert.equal(life.step({ kind: "tick" }, 100).take()[0], "over: lapsed");
  });
});

type Act = (life: Life, now: number) => void;

const step =
  (event: MandateEvent): Act =>
  (life, now) =>
    life.step(event, now);

const hear =
  (news: MandateNews): Act =>
  (life, now) =>
    life.hear(news, now);

const ACT = fc.oneof(
  fc.constantFrom<Act>(
    step({ kind: "returned" }),
    step({ kind: "witness-lost" }),
    step({ kind: "configured" }),
    step({ kind: "tick" }),
    step({ kind: "sought", fence: false }),
    step({ kind: "sought", fence: true }),
    step({ kind: "kept" }),
    hear(granted(null)),
    hear(TAKEN),
    hear(LAPSED),
    hear(UNREACHABLE),
    (life, now) => life.step({ kind: "gates-shut", serial: life.state.serial }, now),
  ),
  fc.nat(60).map(
    (ahead): Act =>
      (life, now) =>
        life.hear(granted(now + ahead), now),
  ),
);

const SURROUNDINGS = fc.constantFrom(UP, NO, ADVISORY, FREE);

/** One wish at a time; the same one only ever again to another witness process. */
function wishAfter(wish: string | undefined, done: readonly string[]): string | undefined {
  let wanted = wish;
  for (const line of done) {
    const [word, serial] = line.split(" ");
    if (word === "wanted") assert.ok(wanted === undefined || wanted === serial);
    if (word === "unwanted") assert.equal(wanted, serial);
    if (word === "wanted" || word === "unwanted") wanted = word === "wanted" ? serial : undefined;
  }
  return wanted;
}

describe("advisory", () => {
  function advised(): Life {
    const life = leading();
    life.surroundings = ADVISORY;
    return life;
  }

  test("a store that says nothing takes nothing", () => {
    const life = advised().step({ kind: "tick" }, 100);
    assert.deepEqual([life.take(), life.limit], [["limit"], undefined]);
    life.hear(granted(300), 200);
    assert.equal(life.limit, 300);
    for (const because of ["store-unreachable", "store-refused"] as const) {
      const waits = advised().hear({ ...UNREACHABLE, because }, 50);
      assert.deepEqual([waits.take(), waits.limit], [["limit"], undefined]);
      assert.deepEqual(waits.step({ kind: "tick" }, 1_000).take(), []);
    }
  });

  test("what it says counts", () => {
    for (const news of [TAKEN, { kind: "withdrawn", because: "lost" } as const]) {
      assert.ok(advised().hear(news, 50).take().includes("mandate-withdrawn"));
    }
  });
});

test("whatever happens, nothing is open before it is granted, nor after it is over", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(ACT, fc.nat(30), SURROUNDINGS)), (script) => {
      const life = new Life();
      let now = 1;
      let wish: string | undefined;
      for (const [act, pause, surroundings] of script) {
        now += pause;
        life.surroundings = surroundings;
        act(life, now);
        wish = wishAfter(wish, life.take());
        const { phase } = life.state;
        assert.ok(life.limit === 0 || phase.kind === "granted");
        assert.equal(wish === undefined, phase.kind === "none");
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a grant that came too late to count is sought anew", () => {
  const life = new Life();
  life.step({ kind: "sought", fence: true }, 10);
  const { serial } = life.state;
  life.take();
  assert.deepEqual(life.hear(granted(20), 30).take(), []);
  const said = life.hear(LAPSED, 30).take();
  assert.deepEqual(said, [`unwanted ${serial}`, `wanted ${life.state.serial} fence`]);
  assert.notEqual(life.state.serial, serial);
});
