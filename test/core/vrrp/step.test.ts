import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import {
  active,
  advertisement,
  at,
  backup,
  DOWN,
  FAULT,
  HIGHER_ADDRESS,
  INITIALIZE,
  kinds,
  LINK_DOWN,
  router,
  SECOND,
  TICK,
} from "./example.ts";

type StateKind = VrrpState["kind"];
type EventKind = VrrpEvent["kind"];

const STATES: Readonly<Record<StateKind, VrrpState>> = {
  initialize: INITIALIZE,
  backup: backup(),
  active: active(),
  fault: FAULT,
};

const EVENTS: Readonly<Record<EventKind, VrrpEvent>> = {
  startup: { kind: "startup" },
  shutdown: { kind: "shutdown" },
  advertisement: advertisement(150),
  "foreign-claim": { kind: "foreign-claim", from: HIGHER_ADDRESS },
  tick: TICK,
  "fault-raised": { kind: "fault-raised", fault: { cause: "tracker", subject: "script" } },
  "fault-cleared": { kind: "fault-cleared", fault: LINK_DOWN },
  configured: { kind: "configured", previous: router() },
  "group-active": { kind: "group-active" },
  "group-backup": { kind: "group-backup" },
  "mandate-lost": { kind: "mandate-lost" },
  "holder-elsewhere": { kind: "holder-elsewhere" },
  "holder-silent": { kind: "holder-silent" },
  "lease-lapsed": { kind: "lease-lapsed" },
  suspended: { kind: "suspended" },
};

/** At the moment when every timer of the example states has run out. */
const NOW = at(10 * SECOND);

/** Every pair of state and event: where it leads, and what is done. "=": it stays as it is. */
const TABLE: Readonly<Record<StateKind, Readonly<Record<EventKind, readonly string[]>>>> = {
  initialize: {
    startup: ["backup", "initialize>backup startup"],
    shutdown: ["="],
    advertisement: ["="],
    "foreign-claim": ["="],
    tick: ["="],
    "fault-raised": ["initialize"],
    "fault-cleared": ["="],
    configured: ["="],
    "group-active": ["="],
    "group-backup": ["="],
    "mandate-lost": ["="],
    "holder-elsewhere": ["="],
    "holder-silent": ["="],
    "lease-lapsed": ["="],
    suspended: ["="],
  },
  backup: {
    startup: ["="],
    shutdown: ["initialize", "backup>initialize shutdown"],
    advertisement: ["backup"],
    "foreign-claim": ["="],
    tick: ["active", "advertise 100", "install", "announce 5", "backup>active active-down-timer"],
    "fault-raised": ["fault", "backup>fault fault"],
    "fault-cleared": ["="],
    configured: ["="],
    "group-active": ["="],
    "group-backup": ["="],
    "mandate-lost": ["="],
    "holder-elsewhere": ["="],
    "holder-silent": ["="],
    "lease-lapsed": ["="],
    suspended: ["backup"],
  },
  active: {
    startup: ["="],
    shutdown: ["initialize", "remove", "advertise 0", "active>initialize shutdown"],
    advertisement: ["backup", "remove", "active>backup higher-priority"],
    "foreign-claim": ["active"],
    tick: ["active", "advertise 100", "announce 5"],
    "fault-raised": ["fault", "remove", "advertise 0", "advertise 0", "active>fault fault"],
    "fault-cleared": ["="],
    configured: ["="],
    "group-active": ["="],
    "group-backup": ["backup", "remove", "advertise 0", "active>backup sync-group"],
    "mandate-lost": ["backup", "remove", "advertise 0", "active>backup mandate-lost"],
    "holder-elsewhere": ["="],
    "holder-silent": ["="],
    "lease-lapsed": ["="],
    suspended: ["="],
  },
  fault: {
    startup: ["="],
    shutdown: ["initialize", "fault>initialize shutdown"],
    advertisement: ["="],
    "foreign-claim": ["="],
    tick: ["="],
    "fault-raised": ["fault"],
    "fault-cleared": ["backup", "fault>backup fault-cleared"],
    configured: ["="],
    "group-active": ["="],
    "group-backup": ["="],
    "mandate-lost": ["="],
    "holder-elsewhere": ["="],
    "holder-silent": ["="],
    "lease-lapsed": ["="],
    suspended: ["="],
  },
};

describe("every state and every event", () => {
  for (const [kind, row] of Object.entries(TABLE)) {
    for (const [name, [to, ...effects]] of Object.entries(row)) {
      test(`${kind}, ${name}`, () => {
        const state = STATES[kind as StateKind];
        const next = step(router(), state, EVENTS[name as EventKind], NOW);
        if (to === "=") assert.deepEqual(next.state, state);
        else {
          assert.equal(next.state.kind, to);
          assert.notDeepEqual(next.state, state);
        }
        assert.deepEqual(kinds(next.effects), effects);
      });
    }
  }
});

test("deadline is the earliest timer of a state", () => {
  assert.equal(deadline(INITIALIZE), undefined);
  assert.equal(deadline({ ...INITIALIZE, startAt: at(7) }), 7);
  assert.equal(deadline(backup()), DOWN);
  assert.equal(deadline(active()), SECOND);
  assert.equal(deadline(active({ announceAt: at(3) })), 3);
  assert.equal(deadline(active({ refreshAt: at(2) })), 2);
  assert.equal(deadline(FAULT), undefined);
});

describe("initialize", () => {
  test("an owner advertises, installs and announces at once [RFC9568-6.4.1]", () => {
    const next = step(router({ priority: 255 }), INITIALIZE, { kind: "startup" }, at(0));
    assert.deepEqual(next.state, active());
    assert.deepEqual(kinds(next.effects), [
      "advertise 255",
      "install",
      "announce 5",
      "initialize>active owner-startup",
    ]);
  });

  test("any other waits as backup at its own interval [RFC9568-6.4.1]", () => {
    const next = step(router(), INITIALIZE, { kind: "startup" }, at(0));
    assert.deepEqual(next.state, backup());
  });

  test("a startup delay is waited out deaf, then begins", () => {
    const delayed = router({ startupDelay: seconds(10) });
    const waiting = step(delayed, INITIALIZE, { kind: "startup" }, at(5));
    assert.deepEqual(waiting, { state: { ...INITIALIZE, startAt: at(10_000_005) }, effects: [] });
    const again = step(delayed, waiting.state, { kind: "startup" }, at(6));
    assert.equal(again.state, waiting.state);
    const heard = step(delayed, waiting.state, advertisement(200), at(6));
    assert.deepEqual(heard, waiting);
    assert.deepEqual(step(delayed, waiting.state, TICK, at(10_000_004)), waiting);
    const begun = step(delayed, waiting.state, TICK, at(10_000_005));
    assert.deepEqual(begun.state, backup({ activeDownAt: at(10_000_005 + DOWN) }));
    const stopped = step(delayed, waiting.state, { kind: "shutdown" }, at(6));
    assert.deepEqual(stopped.state, INITIALIZE);
  });

  test("faults known before the start lead to fault, once each", () => {
    let state: VrrpState = INITIALIZE;
    for (let repeat = 0; repeat < 2; repeat++) {
      state = step(router(), state, { kind: "fault-raised", fault: LINK_DOWN }, at(0)).state;
    }
    const next = step(router(), state, { kind: "startup" }, at(0));
    assert.deepEqual(next.state, FAULT);
    assert.deepEqual(next.effects, [
      {
        kind: "transition",
        from: "initialize",
        to: "fault",
        reason: "fault",
        faults: [LINK_DOWN],
      },
    ]);
    const cleared = step(router(), state, { kind: "fault-cleared", fault: LINK_DOWN }, at(0));
    assert.deepEqual(cleared.state, INITIALIZE);
  });

  test("state MASTER in a sync group waits one interval and the shortest skew", () => {
    const downAt = (changes: Parameters<typeof router>[0]): number | undefined => {
      const { state } = step(router(changes), INITIALIZE, { kind: "startup" }, at(0));
      return state.kind === "backup" ? state.activeDownAt : undefined;
    };
    assert.equal(downAt({ initialActive: true, inSyncGroup: true }), 1_003_906);
    assert.equal(downAt({ initialActive: false, inSyncGroup: true }), DOWN);
    assert.equal(downAt({ initialActive: true, inSyncGroup: false }), DOWN);
  });

  test("an owner in a sync group asks its group before it claims", () => {
    const owner = router({ priority: 255, inSyncGroup: true });
    const next = step(owner, INITIALIZE, { kind: "startup" }, at(0));
    assert.deepEqual(kinds(next.effects), ["initialize>backup startup", "request owner-startup"]);
    const granted = step(owner, next.state, { kind: "group-active" }, at(1));
    assert.equal(kinds(granted.effects).at(-1), "backup>active owner-startup");
  });
});

describe("fault", () => {
  const script = { cause: "tracker", subject: "script" } as const;

  test("ends with the last fault, as a backup that listens for a whole interval", () => {
    const both = step(router(), FAULT, { kind: "fault-raised", fault: script }, at(1)).state;
    assert.deepEqual(both, { kind: "fault", faults: [LINK_DOWN, script] });
    const one = step(router(), both, { kind: "fault-cleared", fault: LINK_DOWN }, at(2));
    assert.deepEqual(one, { state: { kind: "fault", faults: [script] }, effects: [] });
    const none = step(router(), one.state, { kind: "fault-cleared", fault: script }, at(3));
    assert.deepEqual(none.state, backup({ activeDownAt: at(3 + DOWN) }));
  });

  test("the same fault twice is one", () => {
    const twice = step(router(), FAULT, { kind: "fault-raised", fault: LINK_DOWN }, at(1));
    assert.deepEqual(twice.state, FAULT);
  });

  test("an owner also listens first", () => {
    const event: VrrpEvent = { kind: "fault-cleared", fault: LINK_DOWN };
    assert.equal(step(router({ priority: 255 }), FAULT, event, at(0)).state.kind, "backup");
  });

  test("faults outlive a shutdown, for the next start", () => {
    const stopped = step(router(), FAULT, { kind: "shutdown" }, at(0));
    assert.deepEqual(stopped.state, { ...INITIALIZE, faults: [LINK_DOWN] });
  });
});
