import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { micros, milliseconds } from "../../../agent/core/time.ts";
import type {
  Announcement,
  Pace,
  PaceEvent,
  PaceState,
} from "../../../agent/core/vrrp/announcement-pace.ts";
import { announcementPace, BURST_FRAMES } from "../../../agent/core/vrrp/announcement-pace.ts";
import { at, ip } from "./example.ts";

const { step, deadline, initial } = announcementPace;
const AT_ONCE: Pace = { arpInterval: micros(0), naInterval: micros(0) };
const SLOW: Pace = { arpInterval: milliseconds(10), naInterval: milliseconds(3) };

const announcement = (address: string, repeat = 1, owner = "web"): Announcement => ({
  owner,
  interface: "eth0",
  address: ip(address),
  repeat,
});

const announce = (...announcements: readonly Announcement[]): PaceEvent => ({
  kind: "announce",
  announcements,
});

/** What leaves until nothing waits, and when. */
function drain(pace: Pace, state: PaceState, now: number): readonly (readonly [number, string])[] {
  const sent: (readonly [number, string])[] = [];
  let current = state;
  let clock = now;
  for (let due = deadline(current); due !== undefined; due = deadline(current)) {
    clock = Math.max(clock, due);
    const next = step(pace, current, { kind: "tick" }, at(clock));
    for (const { address } of next.effects) sent.push([clock, address]);
    current = next.state;
  }
  return sent;
}

test("without a pace everything leaves at once, one frame of each address before the second", () => {
  const next = step(
    AT_ONCE,
    initial,
    announce(announcement("192.0.2.1", 2), announcement("192.0.2.2", 3), announcement("fe80::1")),
    at(0),
  );
  assert.deepEqual(
    next.effects.map(({ address }) => address),
    ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.2", "fe80::1"],
  );
  assert.equal(deadline(next.state), undefined);
  assert.deepEqual(next.effects[0], {
    kind: "send-announcement",
    owner: "web",
    interface: "eth0",
    address: "192.0.2.1",
  });
});

test("a large burst leaves in parts, so that other work comes between", () => {
  const many = Array.from({ length: 255 }, (_, n) => announcement(`192.0.2.${n}`, 5));
  let next = step(AT_ONCE, initial, announce(...many), at(7));
  let parts = 1;
  let frames = next.effects.length;
  while (deadline(next.state) !== undefined) {
    assert.equal(deadline(next.state), 7);
    assert.ok(next.effects.length <= BURST_FRAMES);
    next = step(AT_ONCE, next.state, { kind: "tick" }, at(7));
    frames += next.effects.length;
    parts++;
  }
  assert.deepEqual([frames, parts], [255 * 5, Math.ceil((255 * 5) / BURST_FRAMES)]);
});

describe("with a pace", () => {
  test("frames keep the gap of their kind", () => {
    const first = step(
      SLOW,
      initial,
      announce(announcement("192.0.2.1", 3), announcement("fe80::1", 3)),
      at(0),
    );
    assert.deepEqual(
      first.effects.map(({ address }) => address),
      ["192.0.2.1", "fe80::1"],
    );
    assert.deepEqual(drain(SLOW, first.state, 0), [
      [3_000, "fe80::1"],
      [6_000, "fe80::1"],
      [10_000, "192.0.2.1"],
      [20_000, "192.0.2.1"],
    ]);
  });

  test("the gap also holds towards what is announced when nothing waits any more", () => {
    const first = step(SLOW, initial, announce(announcement("192.0.2.1")), at(0));
    assert.equal(deadline(first.state), undefined);
    const second = step(SLOW, first.state, announce(announcement("192.0.2.2")), at(4_000));
    assert.deepEqual(second.effects, []);
    assert.deepEqual(drain(SLOW, second.state, 4_000), [[10_000, "192.0.2.2"]]);
    const later = step(SLOW, first.state, announce(announcement("192.0.2.2")), at(10_000));
    assert.equal(later.effects.length, 1);
  });

  test("a late tick sends one frame, not all that it missed", () => {
    const first = step(SLOW, initial, announce(announcement("192.0.2.1", 9)), at(0));
    const late = step(SLOW, first.state, { kind: "tick" }, at(500_000));
    assert.equal(late.effects.length, 1);
    assert.equal(deadline(late.state), 510_000);
  });

  test("an address that waits already is not queued twice", () => {
    let state = initial;
    for (let n = 0; n < 100; n++) {
      state = step(SLOW, state, announce(announcement("192.0.2.1", 5)), at(0)).state;
    }
    assert.equal(state.arp.waiting.length, 1);
    assert.equal(drain(SLOW, state, 0).length, 5);
  });

  test("a faster pace counts from the next frame on", () => {
    const first = step(SLOW, initial, announce(announcement("192.0.2.1", 3)), at(0));
    assert.deepEqual(drain(AT_ONCE, first.state, 0), [
      [10_000, "192.0.2.1"],
      [10_000, "192.0.2.1"],
    ]);
  });
});

test("nothing of a router that is active no more leaves", () => {
  const first = step(
    SLOW,
    initial,
    announce(
      announcement("192.0.2.1", 3, "web"),
      announcement("192.0.2.2", 2, "mail"),
      announcement("fe80::1", 3, "web"),
    ),
    at(0),
  );
  const withdrawn = step(SLOW, first.state, { kind: "withdraw", owner: "web" }, at(1));
  assert.deepEqual(withdrawn.effects, []);
  assert.deepEqual(drain(SLOW, withdrawn.state, 1), [
    [10_000, "192.0.2.2"],
    [20_000, "192.0.2.2"],
  ]);
});

test("whatever is announced leaves in full, spaced, and plain JSON all the way", () => {
  const anyAnnouncement = fc.record({
    owner: fc.constantFrom("web", "mail"),
    interface: fc.constantFrom("eth0", "eth1"),
    address: fc.constantFrom(ip("192.0.2.1"), ip("192.0.2.2"), ip("fe80::1")),
    repeat: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyAnnouncement, { selector: (a) => `${a.owner}${a.interface}${a.address}` }),
      (all) => {
        const first = step(SLOW, initial, announce(...all), at(0));
        assert.deepEqual(structuredClone(first), first);
        const sent = first.effects.length + drain(SLOW, first.state, 0).length;
        assert.equal(
          sent,
          all.reduce((sum, { repeat }) => sum + repeat, 0),
        );
      },
    ),
  );
});
