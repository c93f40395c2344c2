import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { Fault } from "../../../agent/core/vrrp/fault.ts";
import type { VrrpState } from "../../../agent/core/vrrp/state.ts";
import { INITIAL } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import type { SyncGroup, SyncGroupEffect } from "../../../agent/core/vrrp/sync-group.ts";
import { INITIAL_GROUP } from "../../../agent/core/vrrp/sync-group.ts";
import { memberEvent, memberStatus, stepGroup } from "../../../agent/core/vrrp/sync-group-step.ts";
import {
  active,
  advertisement,
  at,
  backup,
  DOWN,
  FAULT,
  INITIALIZE,
  LINK_DOWN,
  REQUEST,
  router,
  TICK,
} from "./example.ts";

const GROUP: SyncGroup = { name: "pair", members: ["inside", "outside"], mandated: false };
const MEMBER = router({ inSyncGroup: true });

/** Two machines and their group, wired as a runtime wires them. */
class Pair {
  readonly routers: Record<string, VrrpState> = { inside: INITIAL, outside: INITIAL };
  group = INITIAL_GROUP;
  readonly told: string[] = [];
  now = at(0);

  send(name: string, event: VrrpEvent): void {
    const before = this.routers[name];
    assert.ok(before !== undefined);
    const next = step(MEMBER, before, event, this.now);
    this.routers[name] = next.state;
    for (const effect of next.effects) {
      if (effect.kind === "transition") this.told.push(`${name} ${effect.to}`);
    }
    const event2 = memberEvent(name, before, next);
    if (event2 === undefined) return;
    const grouped = stepGroup(GROUP, this.group, event2);
    this.group = grouped.state;
    for (const effect of grouped.effects) this.#run(effect);
  }

  #run(effect: SyncGroupEffect): void {
    const fault: Fault = { cause: "sync-group", subject: "pair" };
    if (effect.kind === "promote") this.send(effect.member, { kind: "group-active" });
    else if (effect.kind === "demote") this.send(effect.member, { kind: "group-backup" });
    else if (effect.kind === "raise-fault")
      this.send(effect.member, { kind: "fault-raised", fault });
    else if (effect.kind === "clear-fault") {
      this.send(effect.member, { kind: "fault-cleared", fault });
    } else if (effect.kind === "transition")
      this.told.push(`group ${effect.from}>${effect.to} ${effect.reason}`);
  }

  start(): this {
    this.send("inside", { kind: "startup" });
    this.send("outside", { kind: "startup" });
    return this;
  }

  lead(): this {
    this.start();
    this.now = at(DOWN);
    this.send("inside", TICK);
    this.send("outside", TICK);
    this.told.length = 0;
    return this;
  }

  play(script: readonly (readonly [string, VrrpEvent | "deadline"])[]): void {
    for (const [member, act] of script) {
      const state = this.routers[member];
      assert.ok(state !== undefined);
      if (act === "deadline") this.now = at(Math.max(this.now, deadline(state) ?? 0));
      this.send(member, act === "deadline" ? TICK : act);
      this.check();
    }
  }

  /** None is active or in fault alone, and the group knows of each where it stands. */
  check(): void {
    const states = Object.values(this.routers).map(({ kind }) => kind);
    for (const together of ["active", "fault"]) {
      const sharing = states.filter((kind) => kind === together).length;
      assert.ok(sharing === 0 || sharing === states.length, states.join(" "));
    }
    for (const [member, state] of Object.entries(this.routers)) {
      assert.equal(this.group.members[member], memberStatus(state));
    }
  }

  get kinds(): readonly string[] {
    return [this.group.kind, ...Object.values(this.routers).map(({ kind }) => kind)];
  }
}

describe("members", () => {
  test("become active together, when the last one wants to", () => {
    const pair = new Pair().start();
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
    pair.now = at(DOWN);
    pair.send("inside", TICK);
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
    pair.told.length = 0;
    pair.send("outside", TICK);
    assert.deepEqual(pair.kinds, ["active", "active", "active"]);
    assert.deepEqual(pair.told, [
      "inside active",
      "outside active",
      "group backup>active active-down-timer",
    ]);
  });

  test("one that hears an active router takes its request back", () => {
    const pair = new Pair().start();
    pair.now = at(DOWN);
    pair.send("inside", TICK);
    pair.send("inside", advertisement(200));
    pair.send("outside", TICK);
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
    assert.deepEqual(pair.group.members, { inside: "backup", outside: "requesting" });
  });

  test("leave together when one yields", () => {
    const pair = new Pair().lead();
    pair.send("outside", advertisement(200));
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
    assert.deepEqual(pair.told, [
      "outside backup",
      "inside backup",
      "group active>backup higher-priority",
    ]);
  });

  test("one fault takes all out, and all come back as backups when it ends", () => {
    const pair = new Pair().lead();
    pair.send("inside", { kind: "fault-raised", fault: LINK_DOWN });
    assert.deepEqual(pair.kinds, ["fault", "fault", "fault"]);
    assert.deepEqual(pair.group.members, { inside: "fault", outside: "held" });
    const { inside } = pair.routers;
    assert.deepEqual(inside, FAULT);
    pair.send("inside", { kind: "fault-cleared", fault: LINK_DOWN });
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
    assert.equal(pair.told.at(-1), "group fault>backup fault-cleared");
  });

  test("with a fault each, both must end", () => {
    const pair = new Pair().lead();
    const raised: VrrpEvent = { kind: "fault-raised", fault: LINK_DOWN };
    const cleared: VrrpEvent = { kind: "fault-cleared", fault: LINK_DOWN };
    pair.send("inside", raised);
    pair.send("outside", raised);
    assert.deepEqual(pair.group.members, { inside: "fault", outside: "fault" });
    pair.send("inside", cleared);
    assert.deepEqual(pair.group.members, { inside: "held", outside: "fault" });
    pair.send("outside", cleared);
    assert.deepEqual(pair.kinds, ["backup", "backup", "backup"]);
  });

  test("a shutdown is of all: nobody becomes backup on the way", () => {
    const pair = new Pair().lead();
    const told = pair.told.length;
    pair.send("inside", { kind: "shutdown" });
    assert.deepEqual(pair.kinds, ["active", "initialize", "active"]);
    pair.send("outside", { kind: "shutdown" });
    assert.equal(pair.group.kind, "initialize");
    assert.equal(pair.told.length, told + 3);
    assert.equal(pair.told.at(-1), "group active>initialize shutdown");
  });

  test("nor does one that was in fault for another's sake", () => {
    const pair = new Pair().lead();
    pair.send("inside", { kind: "fault-raised", fault: LINK_DOWN });
    pair.send("inside", { kind: "shutdown" });
    assert.deepEqual(pair.kinds, ["fault", "initialize", "fault"]);
    pair.send("outside", { kind: "shutdown" });
    assert.equal(pair.group.kind, "initialize");
  });
});

describe("configured", () => {
  test("members that came in different states become the same", () => {
    const members = { inside: "active", outside: "backup" } as const;
    const next = stepGroup(GROUP, INITIAL_GROUP, { kind: "configured", members, free: false });
    assert.deepEqual(next.effects, [
      { kind: "demote", member: "inside" },
      { kind: "transition", from: "initialize", to: "backup", reason: "reconfigured" },
    ]);
  });

  test("a member that was taken out with its fault frees the others", () => {
    const state = {
      ...INITIAL_GROUP,
      kind: "fault",
      members: { inside: "held", outside: "held", third: "fault" },
    } as const;
    const members = { inside: "held", outside: "held" } as const;
    const next = stepGroup(GROUP, state, { kind: "configured", members, free: false });
    assert.deepEqual(next.effects, [
      { kind: "clear-fault", member: "inside", subject: "pair" },
      { kind: "clear-fault", member: "outside", subject: "pair" },
    ]);
  });

  test("a new member shares the fault", () => {
    const state = { ...INITIAL_GROUP, kind: "fault", members: { inside: "fault" } } as const;
    const members = { inside: "fault", outside: "backup" } as const;
    const next = stepGroup(GROUP, state, { kind: "configured", members, free: false });
    assert.deepEqual(next.effects, [{ kind: "raise-fault", member: "outside", subject: "pair" }]);
  });

  test("members of which nothing is known are at the beginning", () => {
    const next = stepGroup(GROUP, INITIAL_GROUP, { kind: "configured", members: {}, free: false });
    assert.deepEqual(next.state.members, { inside: "initialize", outside: "initialize" });
  });
});

test("whoever is no member is not heard", () => {
  const event = { kind: "member", member: "x", status: "fault", reason: "fault" } as const;
  assert.deepEqual(stepGroup(GROUP, INITIAL_GROUP, event), { state: INITIAL_GROUP, effects: [] });
});

test("a fault demotes nobody besides: it takes the others out by itself", () => {
  const members = { inside: "active", outside: "active" } as const;
  const event = { kind: "member", member: "inside", status: "fault", reason: "fault" } as const;
  assert.deepEqual(stepGroup(GROUP, { ...INITIAL_GROUP, kind: "active", members }, event).effects, [
    { kind: "raise-fault", member: "outside", subject: "pair" },
    { kind: "transition", from: "active", to: "fault", reason: "fault" },
  ]);
});

test("leave is given once: the first to be active does not renew the others'", () => {
  const members = { inside: "requesting", outside: "requesting" } as const;
  const event = {
    kind: "member",
    member: "inside",
    status: "active",
    reason: "active-down-timer",
  } as const;
  assert.deepEqual(
    stepGroup(GROUP, { ...INITIAL_GROUP, kind: "backup", members }, event).effects,
    [],
  );
});

test("a repeated request is answered to the one who repeats it", () => {
  const members = { inside: "requesting", outside: "active" } as const;
  const state = { ...INITIAL_GROUP, kind: "backup", members } as const;
  const event = {
    kind: "member",
    member: "inside",
    status: "requesting",
    reason: "active-down-timer",
  } as const;
  const next = stepGroup(GROUP, state, event);
  assert.deepEqual(next.effects, [{ kind: "promote", member: "inside" }]);
});

test("memberStatus", () => {
  const held: Fault = { cause: "sync-group", subject: "pair" };
  assert.equal(memberStatus(INITIALIZE), "initialize");
  assert.equal(memberStatus(backup()), "backup");
  assert.equal(memberStatus(backup({ request: REQUEST })), "requesting");
  assert.equal(memberStatus(active()), "active");
  assert.equal(memberStatus(FAULT), "fault");
  assert.equal(memberStatus({ kind: "fault", faults: [held] }), "held");
  assert.equal(memberStatus({ kind: "fault", faults: [held, LINK_DOWN] }), "fault");
});

test("whatever happens, no member is active while another one is not, and none is stuck", () => {
  const name = fc.constantFrom("inside", "outside");
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constant<"deadline">("deadline") },
    {
      weight: 3,
      arbitrary: fc.constantFrom<VrrpEvent>(
        advertisement(200),
        advertisement(50),
        advertisement(0),
        { kind: "fault-raised", fault: LINK_DOWN },
        { kind: "fault-cleared", fault: LINK_DOWN },
        { kind: "startup" },
      ),
    },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, event), { maxLength: 30 }), (script) => {
      const pair = new Pair().start();
      pair.play(script);
      for (const member of GROUP.members) {
        pair.send(member, { kind: "fault-cleared", fault: LINK_DOWN });
      }
      for (let round = 0; round < 2; round++) {
        pair.now = at(pair.now + 2 * DOWN);
        for (const member of GROUP.members) pair.send(member, TICK);
      }
      assert.deepEqual(pair.kinds, ["active", "active", "active"]);
    }),
    { numRuns: 1_000 },
  );
});
