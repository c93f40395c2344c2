import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { TransitionReason } from "../../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../../agent/core/vrrp/state.ts";
import { INITIAL } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import type {
  MemberStatus,
  SyncGroup,
  SyncGroupEffect,
  SyncGroupEvent,
  SyncGroupState,
} from "../../../agent/core/vrrp/sync-group.ts";
import { INITIAL_GROUP } from "../../../agent/core/vrrp/sync-group.ts";
import { memberEvent, stepGroup } from "../../../agent/core/vrrp/sync-group-step.ts";
import { advertisement, at, DOWN, LINK_DOWN, router, TICK } from "./example.ts";

const GROUP: SyncGroup = { name: "pair", members: ["inside", "outside"], mandated: true };

const GRANTED: SyncGroupEvent = { kind: "mandate-granted" };
const WITHDRAWN: SyncGroupEvent = { kind: "mandate-withdrawn" };
const TAKEN: SyncGroupEvent = { kind: "mandate-taken" };
const RETURN: SyncGroupEffect = { kind: "return-mandate" };

const becomes = (
  member: string,
  status: MemberStatus,
  reason: TransitionReason = "active-down-timer",
): SyncGroupEvent => ({ kind: "member", member, status, reason });

/** Both members have asked, for these reasons. */
function asked(inside: TransitionReason, outside: TransitionReason) {
  const first = stepGroup(GROUP, INITIAL_GROUP, becomes("inside", "requesting", inside));
  assert.deepEqual(
    first.effects.filter(({ kind }) => kind !== "transition"),
    [],
  );
  return stepGroup(GROUP, first.state, becomes("outside", "requesting", outside));
}

const SOUGHT = asked("preemption", "active-down-timer").state;
const HELD = stepGroup(GROUP, SOUGHT, GRANTED).state;
const LEADING: SyncGroupState = {
  kind: "active",
  members: { inside: "active", outside: "active" },
  requests: {},
  mandate: "granted",
};

describe("a group that needs a mandate", () => {
  test("seeks it when the last member wants to be active, and nobody is promoted", () => {
    const { state, effects } = asked("active-down-timer", "active-down-timer");
    assert.deepEqual(effects, [{ kind: "seek-mandate", fence: true }]);
    assert.equal(state.mandate, "sought");
  });

  for (const [inside, outside, fence] of [
    ["preemption", "active-resigned", false],
    ["preemption", "preemption", false],
    ["preemption", "active-down-timer", true],
    ["owner-startup", "active-resigned", true],
    ["reconfigured", "preemption", true],
  ] as const) {
    test(`asked for as ${inside} and ${outside}, it ${fence ? "is" : "is not"} to fence`, () => {
      assert.deepEqual(asked(inside, outside).effects, [{ kind: "seek-mandate", fence }]);
    });
  }

  test("asks again as its members do: for somebody who went silent since", () => {
    const { state } = asked("preemption", "preemption");
    const again = stepGroup(GROUP, state, becomes("inside", "requesting", "active-down-timer"));
    assert.deepEqual(again.effects, [{ kind: "seek-mandate", fence: true }]);
  });

  test("becomes active when it is granted, and not before", () => {
    const granted = stepGroup(GROUP, SOUGHT, GRANTED);
    assert.deepEqual(granted.effects, [
      { kind: "promote", member: "inside" },
      { kind: "promote", member: "outside" },
    ]);
    assert.equal(granted.state.mandate, "granted");
    const first = stepGroup(GROUP, granted.state, becomes("inside", "active", "preemption"));
    const second = stepGroup(GROUP, first.state, becomes("outside", "active", "preemption"));
    assert.deepEqual(second.state, LEADING);
    assert.deepEqual(
      second.effects.map(({ kind }) => kind),
      ["transition"],
    );
  });

  test("a grant that nobody waits for promotes nobody", () => {
    for (const state of [INITIAL_GROUP, HELD, LEADING]) {
      assert.deepEqual(stepGroup(GROUP, state, GRANTED), { state, effects: [] });
    }
  });

  test("a request that is repeated with the mandate is promoted", () => {
    const again = stepGroup(GROUP, HELD, becomes("inside", "requesting"));
    assert.deepEqual(again.effects, [{ kind: "promote", member: "inside" }]);
  });

  test("gives it back as soon as one of them hears an active router", () => {
    for (const state of [SOUGHT, HELD]) {
      const heard = stepGroup(GROUP, state, becomes("inside", "backup", "sync-group"));
      assert.deepEqual(heard.effects, [RETURN]);
      assert.equal(heard.state.mandate, "none");
    }
  });

  test("gives it back when one yields: the others leave first", () => {
    const yields = stepGroup(GROUP, LEADING, becomes("inside", "backup", "higher-priority"));
    assert.deepEqual(yields.effects.slice(0, 2), [{ kind: "demote", member: "outside" }, RETURN]);
  });

  test("gives it back when one is in fault, and when it stops", () => {
    const fault = stepGroup(GROUP, LEADING, becomes("inside", "fault", "fault"));
    assert.deepEqual(fault.effects.slice(0, 2), [
      { kind: "raise-fault", member: "outside", subject: "pair" },
      RETURN,
    ]);
    const stops = stepGroup(GROUP, LEADING, becomes("inside", "initialize", "shutdown"));
    assert.deepEqual(stops.effects, [RETURN]);
    const rest = stepGroup(GROUP, stops.state, becomes("outside", "initialize", "shutdown"));
    assert.deepEqual(
      rest.effects.map(({ kind }) => kind),
      ["transition"],
    );
  });

  test("whose mandate is withdrawn leaves as a whole, and seeks it with the next requests", () => {
    const lost = stepGroup(GROUP, LEADING, WITHDRAWN);
    assert.deepEqual(lost.effects, [
      { kind: "withdraw", member: "inside" },
      { kind: "withdraw", member: "outside" },
      RETURN,
    ]);
    // The first that leaves takes the other one along: for the same reason.
    const first = stepGroup(GROUP, lost.state, becomes("inside", "backup", "mandate-lost"));
    assert.deepEqual(first.effects[0], { kind: "withdraw", member: "outside" });
    assert.ok(!first.effects.some(({ kind }) => kind === "return-mandate"));
    const second = stepGroup(GROUP, first.state, becomes("outside", "backup", "mandate-lost"));
    const third = stepGroup(GROUP, second.state, becomes("inside", "requesting"));
    const fourth = stepGroup(GROUP, third.state, becomes("outside", "requesting"));
    assert.deepEqual(fourth.effects, [{ kind: "seek-mandate", fence: true }]);
    assert.deepEqual(stepGroup(GROUP, lost.state, WITHDRAWN), { state: lost.state, effects: [] });
  });

  test("has only those call the holder who are about to preempt it", () => {
    assert.deepEqual(stepGroup(GROUP, SOUGHT, TAKEN).effects, [{ kind: "call", member: "inside" }]);
    for (const state of [INITIAL_GROUP, HELD, LEADING]) {
      assert.deepEqual(stepGroup(GROUP, state, TAKEN).effects, []);
    }
  });

  test("a reload that asks an active group for its first mandate leaves it active while it is sought", () => {
    const { members } = LEADING;
    const before = { ...LEADING, mandate: "none" } as const;
    const next = stepGroup(GROUP, before, { kind: "configured", members, free: true });
    assert.deepEqual(next, { state: LEADING, effects: [{ kind: "keep-mandate" }] });
    assert.deepEqual(stepGroup(GROUP, next.state, WITHDRAWN).effects, [
      { kind: "withdraw", member: "inside" },
      { kind: "withdraw", member: "outside" },
      RETURN,
    ]);
    const half = { inside: "active", outside: "requesting" } as const;
    const part = stepGroup(GROUP, before, { kind: "configured", members: half, free: true });
    assert.ok(part.effects.every(({ kind }) => kind !== "keep-mandate"));
  });

  test("a reload that asks an active group for another mandate has it leave", () => {
    const { members } = LEADING;
    const before = { ...LEADING, mandate: "none" } as const;
    const next = stepGroup(GROUP, before, { kind: "configured", members, free: false });
    assert.deepEqual(next.effects, [
      { kind: "withdraw", member: "inside" },
      { kind: "withdraw", member: "outside" },
    ]);
    const goesOn = stepGroup(GROUP, LEADING, { kind: "configured", members, free: false });
    assert.deepEqual(goesOn, { state: LEADING, effects: [] });
  });

  test("a reload that asks for none any more leaves it active", () => {
    const { members } = LEADING;
    const free = { ...GROUP, mandated: false };
    const next = stepGroup(free, LEADING, { kind: "configured", members, free: false });
    assert.deepEqual(next, { state: { ...LEADING, mandate: "none" }, effects: [] });
  });

  test("a reload that asks for none any more has all become active who wait for it", () => {
    const free = { ...GROUP, mandated: false };
    const { members } = SOUGHT;
    const next = stepGroup(free, SOUGHT, { kind: "configured", members, free: false });
    assert.deepEqual(next.effects, [
      { kind: "promote", member: "inside" },
      { kind: "promote", member: "outside" },
    ]);
  });

  test("a new member that is no backup yet ends it", () => {
    const wider = { ...GROUP, members: [...GROUP.members, "third"] };
    const next = stepGroup(wider, LEADING, {
      kind: "configured",
      members: LEADING.members,
      free: false,
    });
    assert.ok(next.effects.some(({ kind }) => kind === "return-mandate"));
    assert.ok(next.effects.some((effect) => effect.kind === "demote"));
  });
});

type Act = "deadline" | VrrpEvent | SyncGroupEvent;

/** Two machines and their group, wired as a runtime wires them. */
class Pair {
  readonly routers: Record<string, VrrpState> = { inside: INITIAL, outside: INITIAL };
  group = INITIAL_GROUP;
  /** As the witness has it, which hears of wishes and returns only. */
  wanted = false;
  now = at(0);

  send(name: string, event: VrrpEvent): void {
    const before = this.routers[name];
    assert.ok(before !== undefined);
    const next = step(router({ inSyncGroup: true }), before, event, this.now);
    this.routers[name] = next.state;
    const told = memberEvent(name, before, next);
    if (told !== undefined) this.tell(told);
  }

  tell(event: SyncGroupEvent): void {
    const { state, effects } = stepGroup(GROUP, this.group, event);
    this.group = state;
    for (const effect of effects) this.#run(effect);
  }

  play(script: readonly (readonly [string, Act])[]): void {
    for (const [name, act] of script) {
      const state = this.routers[name];
      assert.ok(state !== undefined);
      if (act === "deadline") {
        this.now = at(Math.max(this.now, deadline(state) ?? 0));
        this.send(name, TICK);
      } else if (act === GRANTED || act === WITHDRAWN || act === TAKEN) {
        this.tell(act);
      } else {
        this.send(name, act as VrrpEvent);
      }
      this.check();
    }
  }

  check(): void {
    const active = this.kinds.includes("active");
    assert.ok(!active || this.group.mandate === "granted");
    assert.equal(this.group.mandate !== "none", this.wanted);
  }

  get kinds(): readonly string[] {
    return Object.values(this.routers).map(({ kind }) => kind);
  }

  #run(effect: SyncGroupEffect): void {
    const fault = { cause: "sync-group", subject: "pair" } as const;
    if (effect.kind === "promote") this.send(effect.member, { kind: "group-active" });
    if (effect.kind === "demote") this.send(effect.member, { kind: "group-backup" });
    if (effect.kind === "withdraw") this.send(effect.member, { kind: "mandate-lost" });
    if (effect.kind === "call") this.send(effect.member, { kind: "holder-elsewhere" });
    if (effect.kind === "raise-fault") this.send(effect.member, { kind: "fault-raised", fault });
    if (effect.kind === "clear-fault") this.send(effect.member, { kind: "fault-cleared", fault });
    if (effect.kind === "seek-mandate") this.wanted = true;
    if (effect.kind === "return-mandate") this.wanted = false;
  }
}

test("whatever happens, nobody is active without the mandate, and with it nobody is stuck", () => {
  const member = fc.constantFrom("inside", "outside");
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Act>("deadline") },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Act>(
        advertisement(200),
        advertisement(50),
        advertisement(0),
        { kind: "fault-raised", fault: LINK_DOWN },
        { kind: "fault-cleared", fault: LINK_DOWN },
        { kind: "startup" },
        GRANTED,
        WITHDRAWN,
        TAKEN,
      ),
    },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(member, act), { maxLength: 40 }), (script) => {
      const pair = new Pair();
      for (const name of GROUP.members) pair.send(name, { kind: "startup" });
      pair.play(script);
      for (const name of GROUP.members) {
        pair.send(name, { kind: "fault-cleared", fault: LINK_DOWN });
      }
      for (let round = 0; round < 2; round++) {
        pair.now = at(pair.now + 2 * DOWN);
        for (const name of GROUP.members) pair.send(name, TICK);
      }
      pair.tell(GRANTED);
      pair.check();
      assert.deepEqual(pair.kinds, ["active", "active"]);
    }),
    { numRuns: 1_000 },
  );
});
