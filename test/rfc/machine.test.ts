import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds } from "../../agent/core/time.ts";
import { effectivePriority } from "../../agent/core/track/priority.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../agent/core/vrrp/step.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
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
  LOWER_ADDRESS,
  router,
  SECOND,
  SKEW,
  TICK,
} from "../core/vrrp/example.ts";

const STARTUP: VrrpEvent = { kind: "startup" };
const SHUTDOWN: VrrpEvent = { kind: "shutdown" };
const HALF = SECOND / 2;
const owner = (changes: Partial<VirtualRouter> = {}) => router({ priority: 255, ...changes });
const v2 = (changes: Partial<VirtualRouter> = {}) => router({ version: 2, ...changes });

/** What one event leads to: the state, when it next acts, and what is done. */
function outcome(config: VirtualRouter, state: VrrpState, event: VrrpEvent, now: number) {
  const next = step(config, state, event, at(now));
  return { kind: next.state.kind, due: deadline(next.state), done: kinds(next.effects) };
}

const CLAIM = ["advertise 100", "install", "announce 5"];

describe("priorities", () => {
  test("accepted: an owner advertises 255 [RFC9568-5.2.4/1]", () => {
    assert.deepEqual(outcome(owner(), active(), TICK, SECOND).done, ["advertise 255"]);
  });
  test("rejected: no tracker takes 255 from an owner [RFC9568-5.2.4/1]", () => {
    assert.equal(effectivePriority(255, [{ source: "script", weight: -100 }]), 255);
  });
  test("accepted: a backup's priority follows its trackers [RFC9568-5.2.4/2]", () => {
    assert.equal(effectivePriority(100, [{ source: "script", weight: -20 }]), 80);
  });
  test("rejected: trackers lead a backup neither to 0 nor to 255 [RFC9568-5.2.4/2]", () => {
    assert.equal(effectivePriority(100, [{ source: "script", weight: -200 }]), 1);
    assert.equal(effectivePriority(100, [{ source: "script", weight: 200 }]), 254);
  });
  test("accepted: an owner advertises 255 in v2 [RFC3768-5.3.4/1]", () => {
    const config = owner({ version: 2 });
    assert.deepEqual(outcome(config, active(), TICK, SECOND).done, ["advertise 255"]);
  });
  test("rejected: no tracker takes 255 from an owner in v2 [RFC3768-5.3.4/1]", () => {
    assert.equal(effectivePriority(255, [{ source: "track_interface eth1", weight: -1 }]), 255);
  });
  test("accepted: a backup's priority follows its trackers in v2 [RFC3768-5.3.4/2]", () => {
    assert.equal(effectivePriority(254, [{ source: "track_interface eth1", weight: -253 }]), 1);
  });
  test("rejected: trackers make no owner and no resignation in v2 [RFC3768-5.3.4/2]", () => {
    assert.equal(effectivePriority(254, [{ source: "track_interface eth1", weight: 1 }]), 254);
    assert.equal(effectivePriority(1, [{ source: "track_interface eth1", weight: -1 }]), 1);
  });
});

describe("preemption by the owner", () => {
  test("accepted: an owner without Preempt_Mode preempts [RFC9568-6.1/2]", () => {
    const due = 3 * SECOND + 3_906;
    const config = owner({ preempt: false });
    const state = backup({ activeDownAt: at(due) });
    assert.equal(outcome(config, state, advertisement(254), SECOND).due, due);
  });
  test("rejected: any other without Preempt_Mode does not [RFC9568-6.1/2]", () => {
    const config = router({ preempt: false, priority: 254 });
    assert.notEqual(outcome(config, backup(), advertisement(253), SECOND).due, DOWN);
  });
});

describe("initialize", () => {
  test("accepted: an owner is active at once [RFC9568-6.4.1/1]", () => {
    assert.deepEqual(outcome(owner(), INITIALIZE, STARTUP, 0), {
      kind: "active",
      due: SECOND,
      done: ["advertise 255", "install", "announce 5", "initialize>active owner-startup"],
    });
  });
  test("rejected: nothing but startup makes it so [RFC9568-6.4.1/1]", () => {
    for (const event of [TICK, advertisement(0), advertisement(1), SHUTDOWN]) {
      assert.deepEqual(outcome(owner(), INITIALIZE, event, 9 * SECOND).done, []);
    }
  });
  test("accepted: any other waits as backup [RFC9568-6.4.1/2]", () => {
    const next = outcome(router({ priority: 254 }), INITIALIZE, STARTUP, 0);
    assert.deepEqual([next.kind, next.due], ["backup", 3 * SECOND + 7_812]);
  });
  test("rejected: it claims nothing before the interval is over [RFC9568-6.4.1/2]", () => {
    const config = router({ priority: 254 });
    const { state } = step(config, INITIALIZE, STARTUP, at(0));
    assert.deepEqual(outcome(config, state, TICK, 3 * SECOND + 7_811).done, []);
  });
  test("accepted: v2 owner and backup likewise [RFC3768-6.4.1/1]", () => {
    assert.equal(outcome(owner({ version: 2 }), INITIALIZE, STARTUP, 0).kind, "active");
    const slow = v2({ advertisementInterval: seconds(10) });
    assert.equal(outcome(slow, INITIALIZE, STARTUP, 0).due, 30 * SECOND + SKEW);
  });
  test("rejected: a v2 backup claims nothing at startup [RFC3768-6.4.1/1]", () => {
    assert.deepEqual(outcome(v2(), INITIALIZE, STARTUP, 0).done, ["initialize>backup startup"]);
  });
});

describe("the addresses", () => {
  test("accepted: they come with becoming active [RFC9568-6.4.2/1]", () => {
    assert.ok(outcome(router(), backup(), TICK, DOWN).done.includes("install"));
  });
  test("rejected: a backup never has them [RFC9568-6.4.2/1]", () => {
    for (const event of [advertisement(200), SHUTDOWN, { kind: "group-backup" } as const]) {
      const { done } = outcome(router(), active(), event, HALF);
      assert.ok(done.includes("remove") && !done.includes("install"));
    }
    for (const event of [advertisement(0), advertisement(50), advertisement(200), STARTUP]) {
      assert.ok(!outcome(router(), backup(), event, HALF).done.includes("install"));
    }
  });
  test("accepted: in v2 they come with becoming active [RFC3768-6.4.2/1]", () => {
    assert.ok(outcome(v2(), backup(), TICK, DOWN).done.includes("install"));
  });
  test("rejected: a v2 backup never has them [RFC3768-6.4.2/1]", () => {
    assert.ok(outcome(v2(), active(), advertisement(200), HALF).done.includes("remove"));
    assert.ok(!outcome(v2(), backup(), advertisement(50), HALF).done.includes("install"));
  });
  test("accepted: an active router has them, owner or not [RFC9568-6.4.3/6]", () => {
    for (const config of [router(), owner()]) {
      assert.ok(outcome(config, backup(), TICK, DOWN).done.includes("install"));
    }
  });
  test("rejected: an active router gives none away while it is active [RFC9568-6.4.3/6]", () => {
    for (const event of [TICK, advertisement(0), advertisement(50)]) {
      assert.ok(!outcome(router(), active(), event, SECOND).done.includes("remove"));
    }
  });
  test("accepted: a v2 owner has them [RFC3768-6.4.3/4]", () => {
    const { done } = outcome(owner({ version: 2 }), INITIALIZE, STARTUP, 0);
    assert.ok(done.includes("install"));
  });
  test("rejected: a v2 owner gives none away while it is active [RFC3768-6.4.3/4]", () => {
    const { done } = outcome(owner({ version: 2 }), active(), advertisement(254), SECOND);
    assert.ok(!done.includes("remove"));
  });
});

describe("backup", () => {
  test("accepted: shutdown leaves no timer [RFC9568-6.4.2/6]", () => {
    assert.deepEqual(outcome(router(), backup(), SHUTDOWN, 0), {
      kind: "initialize",
      due: undefined,
      done: ["backup>initialize shutdown"],
    });
  });
  test("rejected: one that is shut down does not claim [RFC9568-6.4.2/6]", () => {
    const { state } = step(router(), backup(), SHUTDOWN, at(0));
    assert.deepEqual(outcome(router(), state, TICK, 9 * SECOND).done, []);
  });
  test("accepted: claims when its timer fires [RFC9568-6.4.2/7]", () => {
    assert.deepEqual(outcome(router(), backup(), TICK, DOWN), {
      kind: "active",
      due: DOWN + SECOND,
      done: [...CLAIM, "backup>active active-down-timer"],
    });
  });
  test("rejected: does not before it fires [RFC9568-6.4.2/7]", () => {
    assert.deepEqual(outcome(router(), backup(), TICK, DOWN - 1).done, []);
  });
  test("accepted: priority 0 leaves one skew [RFC9568-6.4.2/8]", () => {
    assert.equal(outcome(router(), backup(), advertisement(0), SECOND).due, SECOND + SKEW);
  });
  test("rejected: priority 1 is no resignation [RFC9568-6.4.2/8]", () => {
    assert.equal(outcome(router(), backup(), advertisement(1), SECOND).due, DOWN);
  });
  test("accepted: an equal priority, or any without preemption, counts [RFC9568-6.4.2/9]", () => {
    const slow = seconds(2);
    const due = SECOND + 2 * DOWN;
    const equal = advertisement(100, LOWER_ADDRESS, slow);
    assert.equal(outcome(router(), backup(), equal, SECOND).due, due);
    const lower = advertisement(1, LOWER_ADDRESS, slow);
    assert.equal(outcome(router({ preempt: false }), backup(), lower, SECOND).due, due);
  });
  test("rejected: a lower priority does not while preempting [RFC9568-6.4.2/9]", () => {
    const lower = advertisement(99, HIGHER_ADDRESS, seconds(2));
    assert.equal(outcome(router(), backup(), lower, SECOND).due, DOWN);
  });
  test("accepted: a lower priority is discarded while preempting [RFC9568-6.4.2/10]", () => {
    const next = outcome(router(), backup(), advertisement(99), SECOND);
    assert.deepEqual([next.due, next.done], [DOWN, []]);
  });
  test("rejected: it is not discarded without preemption [RFC9568-6.4.2/10]", () => {
    const next = outcome(router({ preempt: false }), backup(), advertisement(99), SECOND);
    assert.equal(next.due, SECOND + DOWN);
  });
  test("accepted: v2 claims, shortens and restarts its timer [RFC3768-6.4.2/4]", () => {
    assert.equal(outcome(v2(), backup(), TICK, DOWN).kind, "active");
    assert.equal(outcome(v2(), backup(), advertisement(0), SECOND).due, SECOND + SKEW);
    assert.equal(outcome(v2(), backup(), advertisement(100), SECOND).due, SECOND + DOWN);
    const config = v2({ preempt: false });
    assert.equal(outcome(config, backup(), advertisement(99), SECOND).due, SECOND + DOWN);
  });
  test("rejected: v2 neither claims early nor lets a lower priority hold it [RFC3768-6.4.2/4]", () => {
    assert.deepEqual(outcome(v2(), backup(), TICK, DOWN - 1).done, []);
    assert.equal(outcome(v2(), backup(), advertisement(99), SECOND).due, DOWN);
  });
});

describe("active", () => {
  test("accepted: shutdown resigns [RFC9568-6.4.3/8]", () => {
    assert.deepEqual(outcome(router(), active(), SHUTDOWN, HALF), {
      kind: "initialize",
      due: undefined,
      done: ["remove", "advertise 0", "active>initialize shutdown"],
    });
  });
  test("rejected: yielding is no resignation [RFC9568-6.4.3/8]", () => {
    const { done } = outcome(router(), active(), advertisement(200), HALF);
    assert.ok(!done.includes("advertise 0"));
  });
  test("accepted: advertises when its timer fires [RFC9568-6.4.3/9]", () => {
    const next = outcome(router(), active(), TICK, SECOND);
    assert.deepEqual([next.done, next.due], [["advertise 100"], 2 * SECOND]);
  });
  test("rejected: not before [RFC9568-6.4.3/9]", () => {
    assert.deepEqual(outcome(router(), active(), TICK, SECOND - 1).done, []);
  });
  test("accepted: answers priority 0, and starts its interval anew [RFC9568-6.4.3/10]", () => {
    const next = outcome(router(), active(), advertisement(0), HALF);
    assert.deepEqual([next.done, next.due], [["advertise 100"], HALF + SECOND]);
  });
  test("rejected: priority 0 makes nobody backup, whatever its source [RFC9568-6.4.3/10]", () => {
    for (const source of [LOWER_ADDRESS, HIGHER_ADDRESS]) {
      assert.equal(outcome(router(), active(), advertisement(0, source), HALF).kind, "active");
    }
  });
  test("accepted: yields to a better claim at its interval [RFC9568-6.4.3/11]", () => {
    for (const [priority, source] of [
      [101, LOWER_ADDRESS],
      [100, HIGHER_ADDRESS],
    ] as const) {
      const next = outcome(router(), active(), advertisement(priority, source, seconds(2)), 0);
      assert.deepEqual([next.kind, next.due], ["backup", 2 * DOWN]);
    }
  });
  test("rejected: does not yield to a worse one [RFC9568-6.4.3/11]", () => {
    for (const [priority, source] of [
      [99, HIGHER_ADDRESS],
      [100, LOWER_ADDRESS],
    ] as const) {
      assert.equal(outcome(router(), active(), advertisement(priority, source), 0).kind, "active");
    }
  });
  test("accepted: answers a worse claim at once [RFC9568-6.4.3/12]", () => {
    for (const [priority, source] of [
      [99, HIGHER_ADDRESS],
      [100, LOWER_ADDRESS],
    ] as const) {
      const next = outcome(router(), active(), advertisement(priority, source), HALF);
      assert.deepEqual(next.done, ["advertise 100"]);
    }
  });
  test("rejected: learns nothing from a worse claim [RFC9568-6.4.3/12]", () => {
    const worse = advertisement(99, HIGHER_ADDRESS, seconds(40));
    const { state } = step(router(), active(), worse, at(HALF));
    assert.equal(deadline(state), HALF + SECOND);
  });
  test("accepted: v2 advertises, answers, yields and resigns [RFC3768-6.4.3/5]", () => {
    assert.deepEqual(outcome(v2(), active(), TICK, SECOND).done, ["advertise 100"]);
    assert.deepEqual(outcome(v2(), active(), advertisement(0), HALF).done, ["advertise 100"]);
    assert.equal(outcome(v2(), active(), advertisement(101), HALF).kind, "backup");
    assert.equal(outcome(v2(), active(), advertisement(100, HIGHER_ADDRESS), HALF).kind, "backup");
    assert.ok(outcome(v2(), active(), SHUTDOWN, HALF).done.includes("advertise 0"));
  });
  test("rejected: v2 stays when the claim is worse, silently if so told [RFC3768-6.4.3/5]", () => {
    assert.equal(outcome(v2(), active(), advertisement(99), HALF).kind, "active");
    assert.equal(outcome(v2(), active(), advertisement(100, LOWER_ADDRESS), HALF).kind, "active");
    const silent = v2({ lowerPrioNoAdvert: true });
    assert.deepEqual(outcome(silent, active(), advertisement(99), HALF).done, []);
  });
});

describe("an owner that hears others", () => {
  test("accepted: is told of another owner [RFC9568-7.1/6]", () => {
    const { done } = outcome(owner(), active(), advertisement(255, LOWER_ADDRESS), HALF);
    assert.deepEqual(done, [`alarm owner-conflict ${LOWER_ADDRESS}`, "advertise 255"]);
  });
  test("rejected: is not told of a router that is none [RFC9568-7.1/6]", () => {
    const { done } = outcome(owner(), active(), advertisement(254), HALF);
    assert.deepEqual(done, ["advertise 255"]);
  });
  test("accepted: in v2 a router that is no owner listens [RFC3768-7.1/6]", () => {
    const config = v2({ ownerIgnoreAdverts: true });
    assert.equal(outcome(config, active(), advertisement(255), HALF).kind, "backup");
  });
  test("rejected: in v2 an owner that is told to ignore does [RFC3768-7.1/6]", () => {
    const config = owner({ version: 2, ownerIgnoreAdverts: true });
    const next = outcome(config, active(), advertisement(255), HALF);
    assert.deepEqual([next.kind, next.done], ["active", []]);
  });
});

describe("announcements", () => {
  test("accepted: gratuitous ARP follows the addresses [RFC9568-8.1.2/2]", () => {
    const { done } = outcome(router(), backup(), TICK, DOWN);
    assert.ok(done.indexOf("install") < done.indexOf("announce 5"));
  });
  test("rejected: a router whose interface is not there announces nothing [RFC9568-8.1.2/2]", () => {
    const waiting: VrrpState = { ...INITIALIZE, faults: [LINK_DOWN] };
    const next = outcome(owner(), waiting, STARTUP, 0);
    assert.deepEqual([next.kind, next.done], ["fault", ["initialize>fault fault"]]);
  });
  test("accepted: neighbour advertisements follow the addresses [RFC9568-8.2.2/4]", () => {
    const { done } = outcome(owner({ family: "ipv6" }), INITIALIZE, STARTUP, 0);
    assert.ok(done.indexOf("install") < done.indexOf("announce 5"));
  });
  test("rejected: a router in fault announces nothing [RFC9568-8.2.2/4]", () => {
    for (const event of [TICK, advertisement(0), advertisement(50), STARTUP]) {
      assert.deepEqual(outcome(router({ family: "ipv6" }), FAULT, event, 9 * SECOND).done, []);
    }
  });
});
