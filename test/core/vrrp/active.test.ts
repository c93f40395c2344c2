import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IpAddress } from "../../../agent/core/address.ts";
import { micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import type { VrrpEffect } from "../../../agent/core/vrrp/effect.ts";
import type { ActiveState, VrrpState } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import type { AnnouncementPolicy, VirtualRouter } from "../../../agent/core/vrrp/virtual-router.ts";
import {
  active,
  advertisement,
  at,
  backup,
  DOWN,
  HIGHER_ADDRESS,
  kinds,
  LINK_DOWN,
  LOWER_ADDRESS,
  OURS,
  router,
  SECOND,
  TICK,
} from "./example.ts";

const asActive = (state: VrrpState): ActiveState => {
  assert.equal(state.kind, "active");
  return state as ActiveState;
};

const announcing = (changes: Partial<AnnouncementPolicy>): VirtualRouter => {
  const example = router();
  return { ...example, announcement: { ...example.announcement, ...changes } };
};

describe("advertising", () => {
  test("once per interval, anchored to the deadline and not to the lateness [RFC9568-6.4.3]", () => {
    let state: VrrpState = active();
    for (let second = 1; second <= 100; second++) {
      const next = step(router(), state, TICK, at(second * SECOND + 900));
      assert.equal(kinds(next.effects)[0], "advertise 100");
      state = next.state;
      assert.equal(asActive(state).adverAt, (second + 1) * SECOND);
    }
  });

  test("not before its moment", () => {
    assert.deepEqual(step(router(), active(), TICK, at(SECOND - 1)).effects, []);
  });

  test("after a stall once, and not in a burst", () => {
    let state: VrrpState = active({ announceAt: undefined });
    let sent = 0;
    for (
      let due = deadline(state);
      due !== undefined && due <= 10 * SECOND;
      due = deadline(state)
    ) {
      const next = step(router(), state, TICK, at(10 * SECOND));
      sent += next.effects.length;
      state = next.state;
    }
    assert.equal(sent, 1);
    assert.equal(deadline(state), 11 * SECOND);
  });

  test("is never put off by what is received, whatever it is and however often", () => {
    const heard = [advertisement(50), advertisement(100, LOWER_ADDRESS), advertisement(100, OURS)];
    for (const event of heard) {
      let state: VrrpState = active();
      let last = 0;
      for (let now = 0; now <= 5 * SECOND; now += 100) {
        const effects: VrrpEffect[] = [];
        const received = step(router(), state, event, at(now));
        effects.push(...received.effects);
        const ticked = step(router(), received.state, TICK, at(now));
        effects.push(...ticked.effects);
        state = ticked.state;
        if (effects.some(({ kind }) => kind === "send-advertisement")) last = now;
        assert.ok(now - last <= SECOND, `silent from ${last} to ${now}`);
      }
    }
  });
});

describe("a lower priority", () => {
  for (const [name, event] of [
    ["lower", advertisement(99)],
    ["equal from a lower address", advertisement(100, LOWER_ADDRESS)],
  ] as const) {
    test(`${name}: is told at once who is active [RFC9568-6.4.3]`, () => {
      const next = step(router(), active(), event, at(SECOND / 2));
      assert.deepEqual(kinds(next.effects), ["advertise 100"]);
      const state = asActive(next.state);
      assert.deepEqual([state.advertisedAt, state.adverAt], [SECOND / 2, 1.5 * SECOND]);
    });

    test(`${name}: is not told with lower_prio_no_advert`, () => {
      const config = router({ lowerPrioNoAdvert: true });
      const next = step(config, active(), event, at(SECOND / 2));
      assert.deepEqual(next.effects, []);
      assert.equal(asActive(next.state).adverAt, SECOND);
    });
  }

  test("10,000 a second provoke at most one advertisement per 10 ms, and the last is answered", () => {
    for (const event of [advertisement(50), advertisement(0)]) {
      let state: VrrpState = active();
      const sentAt: number[] = [0];
      const count = (now: number, effects: readonly VrrpEffect[]) => {
        if (effects.some(({ kind }) => kind === "send-advertisement")) sentAt.push(now);
      };
      for (let now = 100; now <= SECOND; now += 100) {
        for (const one of [event, TICK]) {
          const next = step(router(), state, one, at(now));
          state = next.state;
          count(now, next.effects);
        }
      }
      for (const [index, now] of sentAt.entries()) {
        const before = sentAt[index - 1];
        assert.ok(before === undefined || now - before >= 10_000);
      }
      assert.equal(sentAt.length, 101);
    }
  });

  test("one that comes too soon after an advertisement is answered a little later", () => {
    const next = step(router(), active(), advertisement(50), at(4_000));
    assert.deepEqual(next.effects, []);
    assert.equal(deadline(next.state), 10_000);
    const due = step(router(), next.state, TICK, at(10_000));
    assert.deepEqual(kinds(due.effects), ["advertise 100"]);
  });

  test("an echo of our own is not answered: it would come back", () => {
    const next = step(router(), active(), advertisement(100, OURS), at(SECOND / 2));
    assert.deepEqual(next.state, active());
    assert.deepEqual(kinds(next.effects), [`alarm own-address-heard ${OURS}`]);
  });
});

describe("a better claim", () => {
  const claims: readonly (readonly [string, number, IpAddress, string])[] = [
    ["a higher priority", 101, LOWER_ADDRESS, "higher-priority"],
    ["an equal one from a higher address", 100, HIGHER_ADDRESS, "equal-priority-higher-address"],
  ];
  for (const [name, priority, source, reason] of claims) {
    for (const preempt of [true, false]) {
      test(`${name} makes it backup, preempt ${preempt} [RFC9568-6.4.3]`, () => {
        const event = advertisement(priority, source, seconds(2));
        const next = step(router({ preempt }), active(), event, at(7));
        assert.deepEqual(
          next.state,
          backup({
            activeAdverInterval: seconds(2),
            activeDownAt: at(7 + 2 * DOWN),
            active: { address: source, priority },
          }),
        );
        assert.deepEqual(kinds(next.effects), [
          `alarm interval-mismatch ${source}`,
          "remove",
          `active>backup ${reason}`,
        ]);
      });
    }
  }

  test("addresses compare as numbers, not as text", () => {
    // "192.0.2.16" < "192.0.2.5" as text.
    assert.equal(step(router(), active(), advertisement(100), at(7)).state.kind, "backup");
  });

  test("higher_prio_send_advert sends one more before it yields", () => {
    const config = router({ higherPrioSendAdvert: true });
    const next = step(config, active(), advertisement(101), at(7));
    assert.deepEqual(kinds(next.effects), [
      "remove",
      "advertise 100",
      "active>backup higher-priority",
    ]);
  });

  test("v2 keeps its own interval", () => {
    const config = router({ version: 2 });
    const next = step(config, active(), advertisement(101, HIGHER_ADDRESS, seconds(2)), at(0));
    assert.deepEqual(next.state, backup({ active: { address: HIGHER_ADDRESS, priority: 101 } }));
  });

  test("without an address of our own, an equal priority wins", () => {
    const config = router({ primaryAddress: undefined });
    const next = step(config, active(), advertisement(100, LOWER_ADDRESS), at(7));
    assert.equal(next.state.kind, "backup");
  });

  test("two owners: the addresses decide, and both are told [RFC9568-E8298]", () => {
    const owner = router({ priority: 255 });
    const yields = step(owner, active(), advertisement(255), at(SECOND / 2));
    assert.deepEqual(kinds(yields.effects), [
      `alarm owner-conflict ${HIGHER_ADDRESS}`,
      "remove",
      "active>backup equal-priority-higher-address",
    ]);
    const stays = step(owner, active(), advertisement(255, LOWER_ADDRESS), at(SECOND / 2));
    assert.deepEqual(kinds(stays.effects), [
      `alarm owner-conflict ${LOWER_ADDRESS}`,
      "advertise 255",
    ]);
    const deaf = router({ priority: 255, ownerIgnoreAdverts: true });
    assert.deepEqual(step(deaf, active(), advertisement(255), at(7)), {
      state: active(),
      effects: [],
    });
  });

  test("owner_ignore_adverts means nothing to others", () => {
    const config = router({ ownerIgnoreAdverts: true });
    assert.equal(step(config, active(), advertisement(200), at(7)).state.kind, "backup");
  });
});

test("a resignation of another is answered, and starts the interval anew [RFC9568-6.4.3]", () => {
  const next = step(router(), active(), advertisement(0), at(SECOND / 2));
  assert.deepEqual(kinds(next.effects), ["advertise 100"]);
  assert.equal(asActive(next.state).adverAt, SECOND / 2 + SECOND);
});

describe("announcements", () => {
  test("a second set after the delay, and none without", () => {
    const set = step(router(), active({ adverAt: at(9 * SECOND) }), TICK, at(5 * SECOND));
    assert.deepEqual(kinds(set.effects), ["announce 5"]);
    assert.equal(asActive(set.state).announceAt, undefined);
    const claimed = step(announcing({ delay: micros(0) }), backup(), TICK, at(DOWN));
    assert.equal(asActive(claimed.state).announceAt, undefined);
  });

  test("refreshes keep to their period, and are not made up for", () => {
    const config = announcing({ refreshInterval: seconds(60), refreshRepeat: 2 });
    const claimed = asActive(step(config, backup(), TICK, at(DOWN)).state);
    assert.equal(claimed.refreshAt, DOWN + 60 * SECOND);
    const quiet = { ...claimed, adverAt: at(Number.MAX_SAFE_INTEGER), announceAt: undefined };
    const late = step(config, quiet, TICK, at(DOWN + 61 * SECOND));
    assert.deepEqual(kinds(late.effects), ["announce 2"]);
    assert.equal(asActive(late.state).refreshAt, DOWN + 120 * SECOND);
    const stalled = step(config, quiet, TICK, at(DOWN + 500 * SECOND));
    assert.equal(asActive(stalled.state).refreshAt, DOWN + 560 * SECOND);
  });

  test("a set and a refresh at one time are one", () => {
    const state = active({ adverAt: at(99 * SECOND), refreshAt: at(5 * SECOND) });
    const config = announcing({ refreshInterval: seconds(60) });
    const next = step(config, state, TICK, at(5 * SECOND));
    assert.deepEqual(kinds(next.effects), ["announce 5"]);
  });

  describe("against a rival", () => {
    const config = announcing({ lowerPriorityRepeat: 3, lowerPriorityDelay: seconds(4) });

    test("at once, and again after the delay", () => {
      const next = step(
        config,
        active({ announceAt: undefined }),
        advertisement(50),
        at(SECOND / 2),
      );
      assert.deepEqual(kinds(next.effects), ["advertise 100", "announce 3"]);
      const state = asActive(next.state);
      assert.deepEqual([state.announceAt, state.announceRepeat], [4.5 * SECOND, 3]);
    });

    test("keeps the frames of a larger set that was to come", () => {
      const next = step(config, active(), advertisement(50), at(SECOND / 2));
      const state = asActive(next.state);
      assert.deepEqual([state.announceAt, state.announceRepeat], [4.5 * SECOND, 5]);
    });

    test("without a delay, what was to come stays", () => {
      const without = announcing({ lowerPriorityRepeat: 3 });
      const next = step(without, active(), advertisement(50), at(SECOND / 2));
      assert.equal(asActive(next.state).announceAt, 5 * SECOND);
    });

    test("soon after another announcement it is put off, not left out", () => {
      const next = step(config, active(), advertisement(50), at(20_000));
      assert.deepEqual(kinds(next.effects), ["advertise 100"]);
      assert.equal(asActive(next.state).announceAt, 100_000);
      const due = step(config, next.state, TICK, at(100_000));
      assert.deepEqual(kinds(due.effects), ["announce 5"]);
    });

    test("what was to come even sooner stays", () => {
      const state = active({ announceAt: at(50_000), announceRepeat: 5 });
      const next = step(config, state, advertisement(50), at(20_000));
      assert.equal(asActive(next.state).announceAt, 50_000);
    });

    test("10,000 rivals a second provoke ten sets", () => {
      let state: VrrpState = active({ announceAt: undefined });
      let sets = 0;
      for (let now = 0; now < SECOND; now += 100) {
        for (const event of [advertisement(50), TICK]) {
          const next = step(config, state, event, at(now));
          state = next.state;
          sets += next.effects.filter(({ kind }) => kind === "announce-addresses").length;
        }
      }
      assert.ok(sets >= 9 && sets <= 10, `${sets} sets`);
    });

    test("by default none", () => {
      const next = step(router(), active(), advertisement(50), at(SECOND / 2));
      assert.deepEqual(kinds(next.effects), ["advertise 100"]);
    });
  });
});

describe("timer_expired_backup", () => {
  const config = router({ preempt: false, timerExpiredBackup: 254 });
  const overtaken = 3 * SECOND + 7_812;

  test("silent for the down interval of such a backup, it yields and resigns", () => {
    const early = step(config, active(), TICK, at(overtaken - 1));
    assert.equal(early.state.kind, "active");
    const late = step(config, active(), TICK, at(overtaken));
    assert.deepEqual(late.state, backup({ activeDownAt: at(overtaken + DOWN) }));
    assert.deepEqual(kinds(late.effects), ["remove", "advertise 0", "active>backup timer-expired"]);
  });

  test("the one who took over is heard first, and keeps what it has", () => {
    const next = step(config, active(), advertisement(50), at(overtaken));
    assert.deepEqual(kinds(next.effects), ["remove", "active>backup timer-expired"]);
    assert.equal(next.state.kind, "backup");
  });

  test("not with preemption, and not unless asked for", () => {
    for (const other of [
      router({ timerExpiredBackup: 254 }),
      router({ preempt: false }),
      router({ preempt: false, timerExpiredBackup: 254, priority: 255 }),
    ]) {
      assert.equal(step(other, active(), TICK, at(60 * SECOND)).state.kind, "active");
    }
  });
});

describe("leaving", () => {
  test("the addresses go before the resignation, which a fault sends twice", () => {
    const fault = { kind: "fault-raised", fault: LINK_DOWN } as const;
    const next = step(router(), active(), fault, at(0));
    assert.deepEqual(next.effects, [
      { kind: "remove-addresses" },
      { kind: "send-advertisement", priority: 0 },
      { kind: "send-advertisement", priority: 0 },
      { kind: "transition", from: "active", to: "fault", reason: "fault", faults: [LINK_DOWN] },
    ]);
  });

  test("shutdown resigns [RFC9568-6.4.3]", () => {
    const next = step(router(), active(), { kind: "shutdown" }, at(0));
    assert.deepEqual(kinds(next.effects), ["remove", "advertise 0", "active>initialize shutdown"]);
  });
});

describe("a new configuration", () => {
  const configured = { kind: "configured", previous: router() } as const;

  test("a shorter interval brings the next advertisement forward", () => {
    const faster = router({ advertisementInterval: milliseconds(100) });
    const next = asActive(step(faster, active(), configured, at(SECOND / 2)).state);
    assert.equal(next.adverAt, SECOND / 2 + 100_000);
  });

  test("nothing puts it off", () => {
    for (const changed of [
      router({ advertisementInterval: seconds(40) }),
      router({ priority: 255 }),
      router({ priority: 1, preempt: false }),
      router({ primaryAddress: HIGHER_ADDRESS }),
      router({ inSyncGroup: true }),
    ]) {
      const next = step(changed, active(), configured, at(SECOND - 1));
      assert.deepEqual(next, { state: active(), effects: [] });
    }
  });

  test("refreshes begin, come sooner, stay and end", () => {
    const every = (period: number) => announcing({ refreshInterval: seconds(period) });
    const refreshAt = (config: VirtualRouter, previous: VirtualRouter, was: number | undefined) => {
      const state = active({ refreshAt: was === undefined ? undefined : at(was) });
      const event = { kind: "configured", previous } as const;
      return asActive(step(config, state, event, at(SECOND)).state).refreshAt;
    };
    assert.equal(refreshAt(every(60), router(), undefined), 61 * SECOND);
    assert.equal(refreshAt(every(10), every(60), 60 * SECOND), 11 * SECOND);
    assert.equal(refreshAt(every(90), every(60), 60 * SECOND), 60 * SECOND);
    assert.equal(refreshAt(every(60), every(60), 60 * SECOND), 60 * SECOND);
    assert.equal(refreshAt(router(), every(60), 60 * SECOND), undefined);
  });
});
