import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { BackupState, VrrpState } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import { activeDownInterval } from "../../../agent/core/vrrp/timers.ts";
import type { VirtualRouter } from "../../../agent/core/vrrp/virtual-router.ts";
import {
  active,
  advertisement,
  at,
  backup,
  DOWN,
  HIGHER_ADDRESS,
  kinds,
  LOWER_ADDRESS,
  OURS,
  REQUEST,
  router,
  SECOND,
  SKEW,
  TICK,
} from "./example.ts";

const asBackup = (state: VrrpState): BackupState => {
  assert.equal(state.kind, "backup");
  return state as BackupState;
};

/** Feeds advertisements of `priority`, one per second from 1 s to `until`. */
function hearEverySecond(config: VirtualRouter, priority: number, until: number): BackupState {
  let state: VrrpState = backup();
  for (let second = 1; second <= until; second++) {
    state = step(config, state, advertisement(priority), at(second * SECOND)).state;
  }
  return asBackup(state);
}

describe("the timer", () => {
  test("does nothing before its moment, and claims at it [RFC9568-6.4.2]", () => {
    const early = step(router(), backup(), TICK, at(DOWN - 1));
    assert.deepEqual(early, { state: backup(), effects: [] });
    const due = step(router(), backup(), TICK, at(DOWN));
    assert.equal(due.state.kind, "active");
  });

  test("a tick that comes late is still answered by what was heard meanwhile", () => {
    // The runtime drains what was received before it ticks.
    const heard = step(router(), backup(), advertisement(150), at(60 * SECOND)).state;
    assert.equal(step(router(), heard, TICK, at(60 * SECOND)).state.kind, "backup");
  });
});

describe("an advertisement of a higher or equal priority", () => {
  for (const priority of [100, 101, 255]) {
    for (const source of [LOWER_ADDRESS, HIGHER_ADDRESS]) {
      test(`${priority} from ${source} starts the timer anew [RFC9568-6.4.2]`, () => {
        const event = advertisement(priority, source);
        const next = step(router(), backup(), event, at(SECOND));
        assert.deepEqual(
          next.state,
          backup({ activeDownAt: at(SECOND + DOWN), active: { address: source, priority } }),
        );
        assert.deepEqual(next.effects, []);
      });
    }
  }

  test("takes back a resignation", () => {
    const resigned = backup({ resigned: true, activeDownAt: at(SECOND) });
    const next = asBackup(step(router(), resigned, advertisement(150), at(5)).state);
    assert.deepEqual([next.resigned, next.activeDownAt], [false, 5 + DOWN]);
  });

  test("teaches the interval in v3 [RFC9568-6.4.2]", () => {
    const event = advertisement(150, HIGHER_ADDRESS, seconds(4));
    const next = step(router(), backup(), event, at(0));
    const state = asBackup(next.state);
    assert.equal(state.activeAdverInterval, 4 * SECOND);
    assert.equal(state.activeDownAt, 3 * 4 * SECOND + (156 * 4 * SECOND) / 256);
    assert.deepEqual(kinds(next.effects), [`alarm interval-mismatch ${HIGHER_ADDRESS}`]);
  });

  test("teaches no interval in v2", () => {
    const config = router({ version: 2 });
    const event = advertisement(150, HIGHER_ADDRESS, seconds(4));
    const next = step(config, backup(), event, at(0));
    assert.equal(asBackup(next.state).activeAdverInterval, SECOND);
    assert.deepEqual(next.effects, []);
  });
});

describe("an advertisement of a lower priority", () => {
  test("is discarded while preempting: the timer runs on [RFC9568-6.4.2]", () => {
    const next = step(router(), backup(), advertisement(99), at(SECOND));
    assert.deepEqual(next.state, backup({ active: { address: HIGHER_ADDRESS, priority: 99 } }));
    const claimed = step(router(), next.state, TICK, at(DOWN));
    assert.equal(kinds(claimed.effects).at(-1), "backup>active preemption");
  });

  test("teaches no interval when discarded", () => {
    const event = advertisement(99, HIGHER_ADDRESS, milliseconds(10));
    const next = step(router(), backup(), event, at(SECOND));
    assert.equal(asBackup(next.state).activeAdverInterval, SECOND);
  });

  test("counts without preemption [RFC9568-6.4.2]", () => {
    const config = router({ preempt: false });
    const state = hearEverySecond(config, 50, 10);
    assert.equal(state.activeDownAt, 10 * SECOND + DOWN);
    const claimed = step(config, state, TICK, at(state.activeDownAt));
    assert.equal(kinds(claimed.effects).at(-1), "backup>active active-down-timer");
  });

  test("never stops an owner, even without preemption [RFC9568-6.1]", () => {
    const owner = router({ preempt: false, priority: 255 });
    const next = step(owner, backup(), advertisement(254), at(SECOND));
    assert.equal(asBackup(next.state).activeDownAt, DOWN);
  });
});

describe("preempt_delay", () => {
  const config = router({ preemptDelay: seconds(10) });

  test("begins with the first lower priority, and holds until it is over", () => {
    const first = hearEverySecond(config, 50, 1);
    assert.deepEqual([first.preemptAt, first.activeDownAt], [11 * SECOND, SECOND + DOWN]);
    const last = hearEverySecond(config, 50, 10);
    assert.deepEqual([last.preemptAt, last.activeDownAt], [11 * SECOND, 10 * SECOND + DOWN]);
    const over = hearEverySecond(config, 50, 13);
    assert.deepEqual([over.preemptAt, over.activeDownAt], [11 * SECOND, 10 * SECOND + DOWN]);
    const claimed = step(config, over, TICK, at(10 * SECOND + DOWN));
    assert.equal(kinds(claimed.effects).at(-1), "backup>active preemption");
  });

  test("is forgotten when a priority that is not lower is heard", () => {
    const begun = hearEverySecond(config, 50, 2);
    const better = step(config, begun, advertisement(100), at(3 * SECOND)).state;
    assert.equal(asBackup(better).preemptAt, undefined);
  });

  test("does not hold when the active router dies meanwhile", () => {
    const begun = hearEverySecond(config, 50, 2);
    const claimed = step(config, begun, TICK, at(2 * SECOND + DOWN));
    assert.equal(kinds(claimed.effects).at(-1), "backup>active active-down-timer");
  });

  test("means nothing without preemption", () => {
    const state = hearEverySecond({ ...config, preempt: false }, 50, 20);
    assert.deepEqual([state.preemptAt, state.activeDownAt], [undefined, 20 * SECOND + DOWN]);
  });

  test("moves with a reload that changes it, and ends with one that ends it", () => {
    const begun = hearEverySecond(config, 50, 1);
    const configured = { kind: "configured", previous: config } as const;
    const longer = step(router({ preemptDelay: seconds(12) }), begun, configured, at(2 * SECOND));
    assert.equal(asBackup(longer.state).preemptAt, 13 * SECOND);
    for (const without of [router(), router({ preempt: false, preemptDelay: seconds(10) })]) {
      const ended = step(without, begun, configured, at(2 * SECOND));
      assert.equal(asBackup(ended.state).preemptAt, undefined);
    }
  });
});

describe("a resignation (priority 0)", () => {
  test("leaves one skew [RFC9568-6.4.2]", () => {
    const next = step(router(), backup(), advertisement(0), at(SECOND));
    assert.deepEqual(next.state, backup({ activeDownAt: at(SECOND + SKEW), resigned: true }));
    const claimed = step(router(), next.state, TICK, at(SECOND + SKEW));
    assert.equal(kinds(claimed.effects).at(-1), "backup>active active-resigned");
  });

  test("somebody else's resignation says nothing of the router that was heard last", () => {
    const member = router({ inSyncGroup: true });
    const watching = backup({ active: { address: HIGHER_ADDRESS, priority: 150 } });
    const heard = step(member, watching, advertisement(0, LOWER_ADDRESS), at(SECOND));
    const asked = step(member, heard.state, TICK, at(SECOND + SKEW));
    assert.deepEqual(kinds(asked.effects), ["request active-down-timer"]);
  });

  test("leaves a skew of the learned interval", () => {
    const slow = backup({ activeAdverInterval: seconds(4), activeDownAt: at(100 * SECOND) });
    const next = step(router(), slow, advertisement(0, HIGHER_ADDRESS, seconds(4)), at(0));
    assert.equal(asBackup(next.state).activeDownAt, 4 * SKEW);
  });

  test("a storm of them does not put the take-over off", () => {
    let state: VrrpState = backup();
    for (let now = 0; now <= SKEW; now += 1_000) {
      state = step(router(), state, advertisement(0), at(now)).state;
    }
    assert.equal(asBackup(state).activeDownAt, SKEW);
  });
});

describe("alarms", () => {
  test("two owners", () => {
    const owner = router({ priority: 255 });
    const next = step(owner, backup(), advertisement(255), at(0));
    assert.deepEqual(kinds(next.effects), [`alarm owner-conflict ${HIGHER_ADDRESS}`]);
    assert.deepEqual(
      step(
        router({ priority: 255, ownerIgnoreAdverts: true }),
        backup(),
        advertisement(255),
        at(0),
      ),
      { state: backup(), effects: [] },
    );
  });

  test("none about who resigns", () => {
    const event = advertisement(0, OURS, seconds(4));
    assert.deepEqual(step(router(), backup(), event, at(0)).effects, []);
  });

  test("our own address", () => {
    const next = step(router(), backup(), advertisement(150, OURS), at(0));
    assert.deepEqual(kinds(next.effects), [`alarm own-address-heard ${OURS}`]);
    assert.equal(asBackup(next.state).activeDownAt, DOWN);
  });
});

describe("in a sync group", () => {
  const member = router({ inSyncGroup: true });

  test("the timer asks, and asks again after another interval", () => {
    const asked = step(member, backup(), TICK, at(DOWN));
    assert.deepEqual(asked.state, backup({ request: REQUEST, activeDownAt: at(2 * DOWN) }));
    assert.deepEqual(kinds(asked.effects), ["request active-down-timer"]);
    const again = step(member, asked.state, TICK, at(2 * DOWN));
    assert.deepEqual(kinds(again.effects), ["request active-down-timer"]);
    const granted = step(member, asked.state, { kind: "group-active" }, at(DOWN + 1));
    assert.deepEqual(kinds(granted.effects), [
      "advertise 100",
      "install",
      "announce 5",
      "backup>active active-down-timer",
    ]);
  });

  test("hearing the active router takes the request back; leave that comes then is stale", () => {
    const asked = step(member, backup(), TICK, at(DOWN)).state;
    const heard = step(member, asked, advertisement(150), at(DOWN + 1)).state;
    assert.equal(asBackup(heard).request, undefined);
    assert.equal(step(member, heard, { kind: "group-active" }, at(DOWN + 2)).state, heard);
  });

  test("leaving the group by a reload takes the request back", () => {
    const asked = step(member, backup(), TICK, at(DOWN)).state;
    const left = step(router(), asked, { kind: "configured", previous: member }, at(DOWN + 1));
    assert.equal(asBackup(left.state).request, undefined);
  });
});

test("a request to preempt is taken back by a reload that makes us the worse one", () => {
  const member = router({ inSyncGroup: true });
  const lower = backup({ active: { address: HIGHER_ADDRESS, priority: 50 } });
  const asked = step(member, lower, TICK, at(DOWN)).state;
  const configured = { kind: "configured", previous: member } as const;
  const worse = step(router({ inSyncGroup: true, priority: 40 }), asked, configured, at(DOWN + 1));
  assert.equal(asBackup(worse.state).request, undefined);
  const better = step(router({ inSyncGroup: true, priority: 60 }), asked, configured, at(DOWN + 1));
  assert.deepEqual(asBackup(better.state).request, asBackup(asked).request);
});

describe("preempting in a group that needs a mandate", () => {
  const member = router({ inSyncGroup: true });
  const lower = backup({ active: { address: HIGHER_ADDRESS, priority: 50 } });
  const ELSEWHERE: VrrpEvent = { kind: "holder-elsewhere" };
  const asked = step(member, lower, TICK, at(DOWN)).state;

  test("it calls the holder once an interval, for 5 s, and stays a backup", () => {
    const called = step(member, asked, ELSEWHERE, at(DOWN));
    assert.deepEqual(kinds(called.effects), ["advertise 100"]);
    const calls = { at: at(DOWN + SECOND), until: at(DOWN + 5 * SECOND) };
    assert.deepEqual(asBackup(called.state), {
      ...asBackup(asked),
      request: { unheard: true, calls, elsewhere: { since: at(DOWN), until: at(DOWN) } },
    });
    let { state } = called;
    const sent: number[] = [];
    for (let now = deadline(state); now !== undefined && sent.length < 9; now = deadline(state)) {
      if (now >= 3 * DOWN) break;
      const next = step(member, state, TICK, now);
      if (kinds(next.effects).includes("advertise 100")) sent.push(now - DOWN);
      state = next.state;
    }
    assert.deepEqual(sent, [SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND]);
    assert.equal(asBackup(state).request?.calls, undefined);
  });

  test("each answer that somebody has it prolongs the calls, and makes none sooner", () => {
    const called = step(member, asked, ELSEWHERE, at(DOWN));
    const soon = step(member, called.state, ELSEWHERE, at(DOWN + SECOND / 2));
    assert.deepEqual(soon.effects, []);
    const until = at(DOWN + 5.5 * SECOND);
    assert.deepEqual(asBackup(soon.state).request?.calls, { at: at(DOWN + SECOND), until });
  });

  test("whoever yields to a call falls silent, and is not to be fenced for that", () => {
    const called = step(member, asked, ELSEWHERE, at(DOWN)).state;
    const again = step(member, called, TICK, at(2 * DOWN));
    assert.deepEqual(kinds(again.effects), ["request preemption"]);
    const ended = step(member, again.state, TICK, at(DOWN + 5 * SECOND)).state;
    const last = step(member, ended, TICK, at(3 * DOWN));
    assert.deepEqual(kinds(last.effects), ["request active-down-timer"]);
  });

  test("nobody else calls", () => {
    const silent = step(member, backup(), TICK, at(DOWN)).state;
    const tame = router({ inSyncGroup: true, preempt: false });
    const states: readonly (readonly [VirtualRouter, VrrpState])[] = [
      [member, lower],
      [member, silent],
      [tame, asked],
      [member, active()],
    ];
    for (const [who, state] of states) {
      const told = step(who, state, ELSEWHERE, at(DOWN + 1));
      assert.deepEqual(told.effects, []);
      const request = told.state.kind === "backup" ? told.state.request : undefined;
      assert.equal(request?.calls, undefined);
    }
  });

  for (const [what, before] of [
    ["who was to be preempted", lower],
    ["who resigned", backup({ resigned: true })],
  ] as const) {
    const first = step(member, before, TICK, at(DOWN));
    const reasonAfter = (words: readonly number[], heard?: VrrpEvent): readonly string[] => {
      let { state } = first;
      for (const word of words) state = step(member, state, ELSEWHERE, at(DOWN + word)).state;
      if (heard !== undefined) state = step(member, state, heard, at(1.9 * DOWN)).state;
      return kinds(step(member, state, TICK, at(2 * DOWN)).effects);
    };

    test(`whoever has it after ${what}, and is heard no more, is silent`, () => {
      assert.deepEqual(reasonAfter([1, 499_999]), kinds(first.effects));
      assert.deepEqual(reasonAfter([1, 500_001]), ["request active-down-timer"]);
      assert.deepEqual(reasonAfter([1, 1.2 * SECOND, 2.6 * SECOND]), ["request active-down-timer"]);
      assert.deepEqual(reasonAfter([1, 2.6 * SECOND], advertisement(50)), ["request preemption"]);
      const resigned = advertisement(0);
      assert.deepEqual(reasonAfter([1, 2.6 * SECOND], resigned), ["request active-resigned"]);
    });
  }

  test("a rival that was not heard for a whole wait is silent like any other", () => {
    const heard = step(member, asked, advertisement(50), at(DOWN + SECOND)).state;
    const again = step(member, heard, TICK, at(2 * DOWN));
    assert.deepEqual(kinds(again.effects), ["request preemption"]);
    const silent = step(member, again.state, TICK, at(3 * DOWN));
    assert.deepEqual(kinds(silent.effects), ["request active-down-timer"]);
  });

  test("a rival after a resignation is one that was heard", () => {
    const resigned = backup({ resigned: true, request: REQUEST });
    const heard = step(member, resigned, advertisement(50), at(1)).state;
    assert.deepEqual(kinds(step(member, heard, TICK, at(DOWN)).effects), ["request preemption"]);
  });

  test("leave that comes at once is given for what it was asked for", () => {
    const promoted = step(member, asked, { kind: "group-active" }, at(DOWN));
    assert.equal(kinds(promoted.effects).at(-1), "backup>active preemption");
  });
});

describe("a new configuration", () => {
  const configured = { kind: "configured", previous: router() } as const;
  const known = backup({ active: { address: HIGHER_ADDRESS, priority: 150 } });

  test("a priority moves the running timer by the difference of the skews", () => {
    const raised = step(router({ priority: 200 }), known, configured, at(SECOND));
    assert.equal(asBackup(raised.state).activeDownAt, 3 * SECOND + (56 * SECOND) / 256);
    const lowered = step(router({ priority: 1 }), known, configured, at(SECOND));
    assert.equal(asBackup(lowered.state).activeDownAt, 3 * SECOND + 996_093);
  });

  test("a priority also moves a timer that a resignation set", () => {
    const resigned = backup({ resigned: true, activeDownAt: at(SKEW) });
    const next = step(router({ priority: 254 }), resigned, configured, at(0));
    assert.equal(asBackup(next.state).activeDownAt, 7_812);
  });

  test("a preemption that is called off leaves a whole interval to hear the active router", () => {
    const preempting = backup({ active: { address: HIGHER_ADDRESS, priority: 50 } });
    const now = at(DOWN - 1);
    for (const changed of [router({ preempt: false }), router({ priority: 40 })]) {
      const { state } = step(changed, preempting, configured, now);
      assert.equal(asBackup(state).activeDownAt, now + activeDownInterval(changed, seconds(1)));
    }
    const other = step(router({ priority: 60 }), preempting, configured, now);
    assert.ok(asBackup(other.state).activeDownAt < now + SECOND);
  });

  test("there and back is where it was", () => {
    const other = router({ priority: 37 });
    const there = step(other, known, configured, at(1)).state;
    const back = step(router(), there, { kind: "configured", previous: other }, at(2)).state;
    assert.deepEqual(back, known);
  });

  test("becoming owner claims at once; in a group it asks", () => {
    const owner = step(router({ priority: 255 }), known, configured, at(1));
    assert.equal(kinds(owner.effects).at(-1), "backup>active reconfigured");
    const member = router({ priority: 255, inSyncGroup: true });
    const asked = step(member, known, configured, at(1));
    assert.deepEqual(kinds(asked.effects), ["request reconfigured"]);
    assert.deepEqual(asBackup(asked.state).request, REQUEST);
  });

  test("being owner no more waits a longer skew", () => {
    const owner = router({ priority: 255 });
    const state = backup({ activeDownAt: at(3_003_906) });
    const next = step(router(), state, { kind: "configured", previous: owner }, at(1));
    assert.equal(asBackup(next.state).activeDownAt, DOWN);
  });

  test("another interval of our own starts the timer anew, unless one was learned", () => {
    const faster = router({ advertisementInterval: milliseconds(100) });
    const alone = asBackup(step(faster, backup(), configured, at(SECOND)).state);
    assert.deepEqual([alone.activeAdverInterval, alone.activeDownAt], [100_000, 1_360_937]);
    assert.deepEqual(step(faster, known, configured, at(SECOND)).state, known);
  });

  test("v2 has but its own interval", () => {
    const slower = router({ version: 2, advertisementInterval: seconds(2) });
    const previous = router({ version: 2 });
    const next = step(slower, known, { kind: "configured", previous }, at(SECOND));
    assert.equal(asBackup(next.state).activeDownAt, SECOND + 6 * SECOND + SKEW);
  });

  test("another number of advertisements starts the timer anew", () => {
    const next = step(router({ downTimerAdverts: 5 }), known, configured, at(SECOND));
    assert.equal(asBackup(next.state).activeDownAt, 6 * SECOND + SKEW);
  });

  test("preempt mode and source address leave the timer alone", () => {
    const changed = router({ preempt: false, primaryAddress: LOWER_ADDRESS });
    assert.deepEqual(step(changed, known, configured, at(1)), { state: known, effects: [] });
  });
});
