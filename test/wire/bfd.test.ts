import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ControlPacket } from "../../agent/core/bfd/packet.ts";
import { DIAGNOSTICS } from "../../agent/core/bfd/packet.ts";
import { micros } from "../../agent/core/time.ts";
import { CONTROL_LENGTH, decodeControl, encodeControl } from "../../agent/wire/bfd.ts";
import { hexOf, octets } from "./samples.ts";

const word = fc.nat({ max: 0xffff_ffff });

const anyPacket: fc.Arbitrary<ControlPacket> = fc.record({
  diagnostic: fc.constantFrom(...DIAGNOSTICS),
  state: fc.constantFrom("admin-down", "down", "init", "up"),
  poll: fc.boolean(),
  final: fc.boolean(),
  controlPlaneIndependent: fc.boolean(),
  demand: fc.boolean(),
  multiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  yourDiscriminator: word,
  desiredMinTx: word.map(micros),
  requiredMinRx: word.map(micros),
  requiredMinEchoRx: word.map(micros),
});

test("what is encoded is decoded", () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      assert.deepEqual(decodeControl(encodeControl(packet)), { ok: true, value: { ...packet } });
    }),
  );
});

/** The layout of RFC 5880 §4.1, octet by octet: Up, polling, 3 × 50 ms, no echoes. */
const POLLING = "20e0031800000007000000090000c3500000c35000000000";

test("the octets of a control packet", () => {
  const decoded = decodeControl(octets(POLLING));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.value, {
    diagnostic: "none",
    state: "up",
    poll: true,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    multiplier: 3,
    myDiscriminator: 7,
    yourDiscriminator: 9,
    desiredMinTx: 50_000,
    requiredMinRx: 50_000,
    requiredMinEchoRx: 0,
  });
  assert.equal(hexOf(encodeControl(decoded.value)), POLLING);
});

const changed = (at: number, value: number): Uint8Array => {
  const bytes = octets(POLLING);
  bytes[at] = value;
  return bytes;
};

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ["nothing", new Uint8Array(), "truncated"],
  ["an octet short", octets(POLLING).subarray(0, 23), "truncated"],
  ["version 0", changed(0, 0x00), "version"],
  ["version 2", changed(0, 0x40), "version"],
  ["a length below the least", changed(3, 23), "length"],
  ["a length beyond the datagram", changed(3, 25), "length"],
  ["authentication in 24 octets", changed(1, 0xc4), "length"],
  ["no multiplier", changed(2, 0), "multiplier-zero"],
  ["multipoint", changed(1, 0xc1), "multipoint"],
  ["no discriminator", changed(7, 0), "discriminator-zero"],
];

for (const [what, bytes, reason] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.deepEqual(decodeControl(bytes), { ok: false, reason });
  });
}

test("a whole authentication section is recognised and refused", () => {
  const bytes = new Uint8Array(CONTROL_LENGTH + 28);
  bytes.set(octets(POLLING));
  bytes[1] = 0xc4;
  bytes[3] = bytes.length;
  assert.deepEqual(decodeControl(bytes), { ok: false, reason: "authentication" });
});

test("octets after the packet's length and reserved diagnostics are nobody's fault", () => {
  const bytes = Uint8Array.of(...octets(POLLING), 1, 2, 3);
  bytes[0] = 0x20 | 31;
  const decoded = decodeControl(bytes);
  assert.ok(decoded.ok);
  assert.equal(decoded.value.diagnostic, "reserved");
});
