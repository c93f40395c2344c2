import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { centiseconds, micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import type { Held } from "../../../agent/core/vrrp/held.ts";
import {
  KERNEL_LATENESS,
  leaseOf,
  longestLease,
  shortestCertainInterval,
} from "../../../agent/core/vrrp/lease.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import {
  active,
  advertisement,
  at,
  backup,
  DOWN,
  HIGHER_ADDRESS,
  INITIALIZE,
  ip,
  kinds,
  LOWER_ADDRESS,
  REQUEST,
  router,
  SECOND,
  TICK,
} from "./example.ts";

const FENCED = router({ fenced: true });
const GUARD = 1_000;
/** The longest that a gate may be open after an advertisement, at 1 s and by a clock 1e-3 off. */
const LEASE = 2_772_770;
const THIRD_ADDRESS = ip("192.0.2.9");

const nobody: Held = { by: undefined, until: at(0), othersUntil: at(0) };
const heldBy = (by: typeof HIGHER_ADDRESS | undefined, until: number, others = 0): Held => ({
  by,
  until: at(until),
  othersUntil: at(others),
});

const contested = (held: Held, probing = true, guardUntil = at(GUARD)) =>
  active({ contest: { held, guardUntil, probing }, announceAt: undefined });

describe("a lease", () => {
  test("is half an interval shorter than a backup waits, with a quarter for the kernel", () => {
    const certain = true;
    assert.deepEqual(leaseOf(seconds(1), 3), { length: 2_500_000, margin: 250_000, certain });
    assert.deepEqual(leaseOf(seconds(0.1), 3), { length: 250_000, margin: 25_000, certain });
  });

  test("is shorter at short intervals, as the kernel's lateness is not", () => {
    const certain = true;
    assert.deepEqual(leaseOf(seconds(0.05), 3), { length: 117_739, margin: 12_500, certain });
    assert.deepEqual(leaseOf(seconds(0.02), 3), { length: 35_095, margin: 5_000, certain });
  });

  test("is not certain where it would have to be too short for a late advertisement", () => {
    const certain = false;
    assert.deepEqual(leaseOf(seconds(0.01), 3), { length: 25_000, margin: 2_500, certain });
    assert.deepEqual(leaseOf(seconds(0.05), 2), { length: 75_000, margin: 12_500, certain });
  });

  test("is certain from an interval on that one can ask for", () => {
    assert.deepEqual([2, 3, 4, 100].map(shortestCertainInterval), [80_000, 20_000, 10_000, 10_000]);
    for (let adverts = 2; adverts <= 100; adverts += 1) {
      const shortest = shortestCertainInterval(adverts);
      assert.equal(leaseOf(shortest, adverts)?.certain, true);
      const shorter = micros(shortest - centiseconds(1));
      if (shorter > 0) assert.equal(leaseOf(shorter, adverts)?.certain, false);
    }
  });

  test("does not exist where it would run out between two advertisements", () => {
    assert.equal(leaseOf(seconds(1), 1), undefined);
    assert.notEqual(leaseOf(seconds(1), 2), undefined);
  });

  test("ends before the quickest backup is reachable, at every number of advertisements", () => {
    for (const interval of [0.01, 0.03, 0.06, 0.07, 0.1, 1, 40].map(seconds)) {
      for (let adverts = 2; adverts <= 100; adverts += 1) {
        const lease = leaseOf(interval, adverts);
        assert.ok(lease !== undefined, `${adverts}`);
        assert.ok(lease.length >= 1.5 * interval, `${adverts}`);
        const takeover = (adverts + 2 / 256) * interval * 0.999;
        const shut = lease.length + lease.margin + KERNEL_LATENESS;
        assert.equal(shut <= takeover, lease.certain, `${interval} ${adverts}`);
      }
    }
  });

  test("of somebody else counts with the slower clock, and with a kernel that is late", () => {
    assert.equal(longestLease(seconds(1), 3), LEASE);
    // Not certain: then whoever takes over waits longer than it would for the silence alone.
    assert.equal(longestLease(milliseconds(10), 3), 47_548);
  });
});

describe("a fenced backup", () => {
  test("takes over from a silent router with its gate shut, and opens it after the guard", () => {
    const waiting = backup({ held: heldBy(HIGHER_ADDRESS, LEASE) });
    const taken = step(FENCED, waiting, TICK, at(DOWN));
    assert.deepEqual(kinds(taken.effects), [
      "advertise 100",
      "install",
      "backup>active active-down-timer",
    ]);
    assert.equal(deadline(taken.state), DOWN + GUARD);
    const opened = step(FENCED, taken.state, TICK, at(DOWN + GUARD));
    assert.deepEqual(kinds(opened.effects), ["open", "announce 5"]);
  });

  test("that preempts asks who is reachable, until the other's lease has run out", () => {
    const heard = step(FENCED, backup({ held: nobody }), advertisement(90), at(DOWN - 10));
    const taken = step(FENCED, heard.state, TICK, at(DOWN));
    assert.deepEqual(kinds(taken.effects), [
      "advertise 100",
      "install",
      "probe",
      "backup>active preemption",
    ]);
    // The next advertisement comes first.
    assert.equal(deadline(taken.state), DOWN + SECOND);
    assert.ok(taken.state.kind === "active");
    const advertising = { ...taken.state, advertisedAt: at(DOWN + 2 * SECOND) };
    const opened = step(FENCED, advertising, TICK, at(DOWN - 10 + LEASE));
    assert.deepEqual(kinds(opened.effects), ["open", "announce 5"]);
  });

  test("is not kept waiting by the lease of a router that resigned", () => {
    const heard = step(FENCED, backup({ held: nobody }), advertisement(150), at(0));
    const resigned = step(FENCED, heard.state, advertisement(0), at(500));
    const taken = step(FENCED, resigned.state, TICK, at(DOWN));
    assert.deepEqual(kinds(taken.effects), [
      "advertise 100",
      "install",
      "backup>active active-resigned",
    ]);
  });

  test("believes no resignation of somebody else, nor one that leaves another lease", () => {
    const heard = step(FENCED, backup({ held: nobody }), advertisement(150), at(0));
    const forged = step(FENCED, heard.state, advertisement(0, THIRD_ADDRESS), at(500));
    assert.ok(forged.state.kind === "backup");
    assert.deepEqual(forged.state.held, heldBy(HIGHER_ADDRESS, LEASE));
    const second = step(FENCED, heard.state, advertisement(120, LOWER_ADDRESS), at(600));
    const left = step(FENCED, second.state, advertisement(0, LOWER_ADDRESS), at(700));
    assert.ok(left.state.kind === "backup");
    assert.deepEqual(left.state.held, heldBy(undefined, LEASE, LEASE));
  });

  test("that follows its sync group early is contested too", () => {
    const member = router({ fenced: true, inSyncGroup: true });
    const waiting = backup({ held: heldBy(HIGHER_ADDRESS, LEASE), request: REQUEST });
    const taken = step(member, waiting, { kind: "group-active" }, at(SECOND));
    assert.ok(kinds(taken.effects).includes("probe"));
  });

  test("that is fenced only since a reload counts on nobody's silence before it", () => {
    const preempting = backup({ active: { address: LOWER_ADDRESS, priority: 90 } });
    const reload = { kind: "configured", previous: router() } as const;
    const fenced = step(FENCED, preempting, reload, at(DOWN - 10));
    const taken = step(FENCED, fenced.state, TICK, at(DOWN));
    assert.ok(kinds(taken.effects).includes("probe"));
    const off = { kind: "configured", previous: FENCED } as const;
    assert.deepEqual(step(router(), fenced.state, off, at(DOWN - 5)).state, preempting);
  });

  test("with the short patience of an initial MASTER does not count on silence", () => {
    const member = router({ fenced: true, inSyncGroup: true, initialActive: true });
    const started = step(member, INITIALIZE, { kind: "startup" }, at(0));
    assert.ok(started.state.kind === "backup");
    assert.deepEqual(started.state.held, heldBy(undefined, LEASE));
  });
});

describe("a contest", () => {
  test("ends when nobody answers for the addresses", () => {
    const next = step(
      FENCED,
      contested(heldBy(HIGHER_ADDRESS, LEASE)),
      { kind: "holder-silent" },
      at(50),
    );
    assert.deepEqual(kinds(next.effects), ["open", "announce 5"]);
    assert.deepEqual(next.state, active({ announcedAt: at(50), announceAt: at(5 * SECOND + 50) }));
  });

  test("goes on while somebody else advertises, and begins to ask", () => {
    const next = step(FENCED, contested(nobody, false), advertisement(90), at(20));
    assert.deepEqual(kinds(next.effects), ["probe"]);
    assert.ok(next.state.kind === "active");
    assert.deepEqual(next.state.contest?.held, heldBy(HIGHER_ADDRESS, LEASE + 20));
  });

  test("announces nothing: hosts would be drawn to a gate that is shut", () => {
    const fenced = router({
      fenced: true,
      announcement: { ...FENCED.announcement, lowerPriorityRepeat: 3, refreshInterval: seconds(1) },
    });
    const state = contested(heldBy(HIGHER_ADDRESS, 10 * SECOND));
    const told = step(fenced, state, advertisement(90), at(20));
    assert.deepEqual(kinds(told.effects), []);
    const ticked = step(fenced, { ...state, refreshAt: at(SECOND) }, TICK, at(SECOND));
    assert.deepEqual(kinds(ticked.effects), ["advertise 100"]);
  });

  test("is lost to a higher priority like any other claim", () => {
    const state = contested(heldBy(HIGHER_ADDRESS, LEASE));
    const next = step(FENCED, state, advertisement(150), at(20));
    assert.deepEqual(kinds(next.effects), ["remove", "active>backup higher-priority"]);
  });

  test("begins anew when no advertisement left for a whole lease", () => {
    const next = step(FENCED, active(), { kind: "lease-lapsed" }, at(2_600_000));
    assert.deepEqual(kinds(next.effects), ["probe"]);
    assert.equal(deadline(step(FENCED, active(), { kind: "lease-lapsed" }, at(0)).state), SECOND);
    assert.ok(next.state.kind === "active" && next.state.contest?.probing);
  });

  test("begins anew after a stall: nobody was listening when its time ran out", () => {
    const state = contested(heldBy(HIGHER_ADDRESS, LEASE));
    const next = step(FENCED, state, TICK, at(10 * SECOND));
    assert.deepEqual(kinds(next.effects), ["advertise 100", "probe"]);
    assert.ok(next.state.kind === "active");
    assert.deepEqual(next.state.contest?.held, heldBy(undefined, 10 * SECOND + LEASE));
  });

  test("ends with the holder's resignation, and not with another's", () => {
    const state = contested(heldBy(HIGHER_ADDRESS, LEASE));
    const other = step(FENCED, state, advertisement(0, THIRD_ADDRESS), at(500));
    assert.ok(other.state.kind === "active");
    assert.deepEqual(other.state.contest?.held, heldBy(HIGHER_ADDRESS, LEASE));
    const own = step(FENCED, state, advertisement(0), at(500));
    assert.equal(deadline(own.state), GUARD);
  });
});

describe("a reload of an active router", () => {
  test("that fences it opens the gate at once: the addresses are in use", () => {
    const next = step(FENCED, active(), { kind: "configured", previous: router() }, at(10));
    assert.deepEqual(kinds(next.effects), ["open"]);
  });

  test("that ends the fencing ends a contest", () => {
    const state = contested(heldBy(HIGHER_ADDRESS, LEASE));
    const next = step(router(), state, { kind: "configured", previous: FENCED }, at(10));
    assert.deepEqual(kinds(next.effects), ["announce 5"]);
  });
});
