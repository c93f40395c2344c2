import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlPacket, SessionState } from "../../../agent/core/bfd/packet.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { changes, control, Driven, sent, session } from "./example.ts";

/** What ours becomes of what theirs says. RFC 5880 §6.8.6, the diagram of §6.2. */
const TABLE: readonly (readonly [SessionState, SessionState, SessionState, string | undefined])[] =
  [
    ["down", "admin-down", "down", undefined],
    ["down", "down", "init", "neighbour-heard"],
    ["down", "init", "up", "handshake-complete"],
    ["down", "up", "down", undefined],
    ["init", "admin-down", "down", "neighbour-shut-down"],
    ["init", "down", "init", undefined],
    ["init", "init", "up", "handshake-complete"],
    ["init", "up", "up", "handshake-complete"],
    ["up", "admin-down", "down", "neighbour-shut-down"],
    ["up", "down", "down", "neighbour-signalled-down"],
    ["up", "init", "up", undefined],
    ["up", "up", "up", undefined],
    ["admin-down", "down", "admin-down", undefined],
    ["admin-down", "up", "admin-down", undefined],
  ];

function inState(state: SessionState): Driven {
  const driven = new Driven();
  if (state === "init") driven.hear();
  if (state === "up") driven.up();
  if (state === "admin-down") driven.take({ kind: "shutdown" });
  return driven;
}

for (const [ours, theirs, then, reason] of TABLE) {
  test(`${ours} that hears ${theirs} is ${then}`, () => {
    const driven = inState(ours);
    const effects = driven.hear({ state: theirs, yourDiscriminator: 7 });
    assert.equal(driven.state.session, then);
    assert.deepEqual(changes(effects), reason === undefined ? [] : [`${ours} ${then} ${reason}`]);
    // A change is told at once, and nothing else is.
    assert.deepEqual(
      sent(effects).map(({ state }) => state),
      reason === undefined ? [] : [then],
    );
  });
}

test("the diagnostics of going down, and none when it is up again", () => {
  const driven = new Driven().up();
  driven.hear({ state: "down" });
  assert.equal(driven.state.diagnostic, "neighbour-signalled-down");
  driven.up();
  assert.equal(driven.state.diagnostic, "none");
  driven.now += 1_000_000;
  driven.take({ kind: "tick" });
  assert.equal(driven.state.diagnostic, "detection-time-expired");
  driven.take({ kind: "shutdown" });
  assert.equal(driven.state.diagnostic, "administratively-down");
});

test("a session that is not up sends once a second at most, with its discriminator", () => {
  const driven = new Driven(session({ idleTx: milliseconds(50) }));
  const gaps: number[] = [];
  for (let last = driven.now; gaps.length < 200; last = driven.now) {
    const [packet] = sent(driven.wait());
    assert.ok(packet !== undefined);
    assert.equal(packet.desiredMinTx, 1_000_000);
    assert.equal(packet.yourDiscriminator, 0);
    assert.equal(packet.myDiscriminator, 7);
    gaps.push(driven.now - last);
  }
  assert.ok(Math.min(...gaps) >= 750_000 && Math.min(...gaps) < 770_000, `${Math.min(...gaps)}`);
  assert.ok(Math.max(...gaps) <= 1_000_000 && Math.max(...gaps) > 980_000, `${Math.max(...gaps)}`);
});

test("where one lost packet is a failure, the jitter is 75–90 %", () => {
  const driven = new Driven(session({ multiplier: 1 }));
  const gaps: number[] = [];
  for (let last = driven.now; gaps.length < 200; last = driven.now) {
    driven.wait();
    gaps.push(driven.now - last);
  }
  assert.ok(Math.max(...gaps) <= 900_000 && Math.min(...gaps) >= 750_000);
});

test("sessions of different seeds do not send in step", () => {
  const firsts = [1, 2, 3, 4].map((seed) => new Driven(session({ seed })).state.transmitAt);
  assert.equal(new Set(firsts).size, 4);
});

test("coming up polls for the quicker interval, until the neighbour has answered", () => {
  const driven = new Driven();
  const [first] = sent(driven.hear({ state: "init", yourDiscriminator: 7 }));
  assert.ok(first !== undefined);
  assert.deepEqual(
    [first.state, first.poll, first.desiredMinTx, first.yourDiscriminator],
    ["up", true, 50_000, 9],
  );
  const again = sent(driven.wait());
  assert.equal(again[0]?.poll, true);
  driven.hear({ state: "up", yourDiscriminator: 7, final: true });
  assert.equal(sent(driven.wait())[0]?.poll, false);
});

test("going down slows down at once, and polls nobody", () => {
  const driven = new Driven().up();
  const [word] = sent(driven.hear({ state: "down" }));
  assert.deepEqual([word?.poll, word?.desiredMinTx], [false, 1_000_000]);
  assert.equal(sent(driven.wait())[0]?.poll, false);
});

test("a poll is answered at once, and by something that is no poll", () => {
  const driven = new Driven();
  const fast = milliseconds(50);
  const [change] = sent(driven.hear({ state: "init", yourDiscriminator: 7, poll: true }));
  assert.deepEqual([change?.final, change?.poll], [true, false]);
  const answer = sent(
    driven.hear({ state: "up", yourDiscriminator: 7, poll: true, desiredMinTx: fast }),
  );
  assert.deepEqual(
    answer.map(({ final, poll }) => [final, poll]),
    [[true, false]],
  );
  assert.notEqual(driven.state.polled, undefined);
});

test("the slower of both decides: sending", () => {
  const driven = new Driven().up();
  driven.hear({ state: "up", yourDiscriminator: 7, requiredMinRx: milliseconds(400) });
  driven.wait();
  const before = driven.now;
  driven.hear({
    state: "up",
    yourDiscriminator: 7,
    requiredMinRx: milliseconds(400),
    desiredMinTx: seconds(9),
  });
  driven.wait();
  const gap = driven.now - before;
  assert.ok(gap >= 300_000 && gap <= 400_000, `${gap}`);
});

const DETECTION: readonly (readonly [string, Partial<ControlPacket>, number])[] = [
  ["ours is slower", { desiredMinTx: milliseconds(10), multiplier: 3 }, 150_000],
  ["theirs is slower", { desiredMinTx: milliseconds(200), multiplier: 3 }, 600_000],
  ["their multiplier counts", { desiredMinTx: milliseconds(50), multiplier: 5 }, 250_000],
];

for (const [what, packet, time] of DETECTION) {
  test(`the detection time: ${what}`, () => {
    const driven = new Driven().up();
    driven.hear({ state: "up", yourDiscriminator: 7, ...packet });
    const heard = driven.now;
    driven.now = heard + time - 1;
    assert.deepEqual(changes(driven.take({ kind: "tick" })), []);
    driven.now = heard + time;
    const effects = driven.take({ kind: "tick" });
    assert.deepEqual(changes(effects), ["up down detection-time-expired"]);
    const [word] = sent(effects);
    assert.deepEqual([word?.diagnostic, word?.yourDiscriminator], ["detection-time-expired", 0]);
    assert.equal(driven.state.remote, undefined);
  });
}

test("a passive session is silent until it is spoken to, and again when the neighbour is gone", () => {
  const driven = new Driven(session({ passive: true }));
  assert.equal(driven.state.transmitAt, undefined);
  driven.up();
  assert.equal(driven.state.session, "up");
  assert.notEqual(driven.state.transmitAt, undefined);
  while (driven.state.session === "up") driven.wait();
  assert.equal(driven.state.transmitAt, undefined);
});

test("a neighbour that wants no periodic packets gets none", () => {
  const driven = new Driven().up();
  const word = { state: "up", yourDiscriminator: 7, desiredMinTx: milliseconds(50) } as const;
  driven.hear({ ...word, requiredMinRx: milliseconds(0) });
  assert.equal(driven.state.transmitAt, undefined);
  driven.hear({ ...word, demand: true });
  assert.equal(driven.state.transmitAt, undefined);
  driven.hear(word);
  assert.notEqual(driven.state.transmitAt, undefined);
});

test("slower sending and quicker detection wait for the end of the poll sequence", () => {
  const driven = new Driven().up();
  driven.configure(session({ minTx: milliseconds(500), minRx: milliseconds(20) }));
  assert.deepEqual(driven.state.applied, { minTx: 50_000, minRx: 50_000 });
  const [packet] = sent(driven.wait());
  assert.deepEqual(
    [packet?.poll, packet?.desiredMinTx, packet?.requiredMinRx],
    [true, 500_000, 20_000],
  );
  driven.hear({ state: "up", yourDiscriminator: 7, final: true, desiredMinTx: milliseconds(50) });
  assert.deepEqual(driven.state.applied, { minTx: 500_000, minRx: 20_000 });
  assert.equal(driven.state.polled, undefined);
});

test("quicker sending and slower detection begin at once", () => {
  const driven = new Driven().up();
  driven.configure(session({ minTx: milliseconds(20), minRx: milliseconds(500) }));
  assert.deepEqual(driven.state.applied, { minTx: 20_000, minRx: 500_000 });
  assert.notEqual(driven.state.polled, undefined);
});

test("a change during a poll sequence needs another one", () => {
  const driven = new Driven().up();
  const final = { state: "up", yourDiscriminator: 7, final: true } as const;
  driven.configure(session({ minTx: milliseconds(500) }));
  driven.configure(session({ minTx: milliseconds(900) }));
  driven.hear(final);
  assert.equal(driven.state.applied.minTx, 500_000);
  assert.equal(driven.state.polled?.minTx, 900_000);
  driven.hear(final);
  assert.deepEqual([driven.state.applied.minTx, driven.state.polled], [900_000, undefined]);
});

test("shutting down says so, and a session that was shut down starts anew", () => {
  const driven = new Driven().up();
  const effects = driven.take({ kind: "shutdown" });
  assert.deepEqual(
    sent(effects).map(({ state, diagnostic }) => [state, diagnostic]),
    [["admin-down", "administratively-down"]],
  );
  assert.deepEqual(driven.take({ kind: "shutdown" }), []);
  assert.deepEqual(driven.take({ kind: "tick" }), []);
  assert.deepEqual(changes(driven.take({ kind: "startup" })), ["admin-down down startup"]);
});

test("a neighbour's final that nobody asked for changes nothing", () => {
  const driven = new Driven().up();
  const word = control({ state: "up", yourDiscriminator: 7, desiredMinTx: milliseconds(50) });
  driven.take({ kind: "packet", packet: word });
  const before = driven.state;
  driven.take({ kind: "packet", packet: { ...word, final: true } });
  assert.deepEqual(driven.state, before);
});
