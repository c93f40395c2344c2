import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HmacSequence } from "../../agent/wire/auth-hmac.ts";
import { isAfter, nextHmacSequence } from "../../agent/wire/auth-hmac.ts";
import type { AuthenticationSettings, SequenceState } from "../../agent/wire/authentication.ts";
import {
  acceptanceOf,
  altered,
  credentialsOf,
  decode,
  encode,
  FAMILIES,
  HMAC,
  ip,
  messageAt,
  NO_SEQUENCES,
  NOW,
  octets,
  received,
  settingsOf,
  verdict,
} from "./samples.ts";

const credentials = credentialsOf(HMAC);
const settings = settingsOf("ipv6", 3, { credentials });
const monotonic = credentialsOf({ ...HMAC, antiReplay: "monotonic" });
const plain = { ...settings, credentials: credentialsOf({ kind: "none" }) };

type HmacSettings = Extract<AuthenticationSettings, { readonly kind: "hmac" }>;

const hmacOf = (changes: Partial<HmacSettings>) => {
  const made = credentialsOf({ ...HMAC, ...changes });
  assert.ok(made.kind === "hmac");
  return made;
};

/** What is remembered after the packet, or why it was dropped. */
function hear(
  packet: Uint8Array,
  sequences: SequenceState,
  wallClock = NOW,
  accepted = settings,
): SequenceState | string {
  const decoded = decode(received(packet, accepted), acceptanceOf(accepted), sequences, wallClock);
  return decoded.ok ? decoded.value.sequences : decoded.reason;
}

describe("auth_hmac: appendix mutations of draft-cassen-vrrp-auth-hmac", () => {
  const appendix = settingsOf("ipv6", 3, {
    vrid: 51,
    addresses: [ip("fe80::100")],
    source: ip("fe80::10"),
    destination: ip("fe80::20"),
    unicast: true,
    credentials: credentialsOf({
      ...HMAC,
      keys: [{ id: 1, secret: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }],
      activeKey: 1,
      antiReplay: "monotonic",
    }),
  });
  const { packet } = encode(appendix);
  packet.set(
    octets(
      "3133c8010064a2e9fe800000000000000000000000000100010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78",
    ),
    40,
  );
  const mutations = [
    ["priority", 2, "auth-data"],
    ["interval", 4, "auth-data"],
    ["address", 23, "auth-data"],
    ["extension type", 24, "auth-type"],
    ["key id", 25, "auth-data"],
    ["reserved", 26, "auth-type"],
    ["seconds", 28, "auth-data"],
    ["counter", 34, "auth-data"],
    ["tag", 36, "auth-data"],
  ] as const;

  test("the image is accepted as it is printed", () => {
    assert.equal(verdict(packet, appendix), "accepted");
  });
  for (const [what, at, reason] of mutations) {
    test(`a flipped bit of the ${what}: ${reason}`, () => {
      const octet = (packet[40 + at] ?? 0) ^ 1;
      assert.equal(verdict(altered(packet, appendix, { [at]: octet }), appendix), reason);
    });
  }
  test("the checksum is not signed, the kernel's is taken instead", () => {
    const blind = { ...received(packet, appendix), destination: undefined };
    blind.bytes[6] = (blind.bytes[6] ?? 0) ^ 1;
    assert.ok(decode(blind, acceptanceOf(appendix)).ok);
    blind.bytes[6] = (blind.bytes[6] ?? 0) ^ 1;
  });
  test("the source is signed", () => {
    const other = { ...received(packet, appendix), source: ip("fe80::11"), destination: undefined };
    assert.deepEqual(decode(other, acceptanceOf(appendix)), { ok: false, reason: "auth-data" });
  });
});

for (const family of FAMILIES) {
  test(`auth_hmac over ${family}: every bit of message and trailer counts`, () => {
    const signed = settingsOf(family, 3, { credentials: monotonic });
    const { packet } = encode(signed);
    const start = messageAt(signed);
    for (let bit = 0; bit < (packet.length - start) * 8; bit += 1) {
      const at = bit >> 3;
      if (at === 6 || at === 7) continue;
      const octet = (packet[start + at] ?? 0) ^ (1 << (bit & 7));
      const copy = altered(packet, signed, { [at]: octet });
      assert.notEqual(verdict(copy, signed), "accepted", `bit ${bit}`);
    }
  });
}

describe("auth_hmac: modes", () => {
  const signed = encode(settings).packet;
  const unsigned = encode(plain).packet;
  const forged = altered(signed, settings, { 2: 250 });
  const cases = [
    ["enforce", "accepted", "auth-type", "auth-data", 28],
    ["permissive", "accepted", "accepted", "auth-data", 28],
    ["receive-only", "accepted", "accepted", "auth-data", 0],
  ] as const;
  for (const [mode, valid, missing, wrong, trailer] of cases) {
    const own = { ...settings, credentials: hmacOf({ mode }) };
    test(`${mode}: signed ${valid}, unsigned ${missing}, forged ${wrong}`, () => {
      assert.equal(verdict(signed, own), valid);
      assert.equal(verdict(unsigned, own), missing);
      assert.equal(verdict(forged, own), wrong);
    });
    test(`${mode}: sends ${trailer} octets more`, () => {
      assert.equal(encode(own).packet.length - unsigned.length, trailer);
    });
  }
  test("any known key is accepted, so that keys can be changed one node after the other", () => {
    const old = { ...settings, credentials: hmacOf({ activeKey: 1 }) };
    assert.equal(verdict(encode(old).packet, settings), "accepted");
  });
});

describe("auth_hmac: replay", () => {
  const first = encode(settings);

  test("the same packet counts once", () => {
    const state = hear(first.packet, NO_SEQUENCES);
    assert.ok(typeof state !== "string");
    assert.equal(hear(first.packet, state), "auth-replay");
    const next = encode(settings, 200, first.sequences).packet;
    assert.ok(typeof hear(next, state) !== "string");
  });

  test("what is remembered is the number that was sent", () => {
    const next = encode(settings, 200, first.sequences);
    const state = hear(next.packet, NO_SEQUENCES);
    assert.ok(typeof state !== "string");
    const heard = [{ source: settings.source, sequence: next.sequences.hmacSent }];
    assert.deepEqual(state.hmacHeard, heard);
  });

  test("an older packet does not count after a newer one", () => {
    const next = encode(settings, 200, first.sequences).packet;
    const state = hear(next, NO_SEQUENCES);
    assert.ok(typeof state !== "string");
    assert.equal(hear(first.packet, state), "auth-replay");
  });

  test("each sender counts by itself, and the one longest silent is forgotten first", () => {
    let state: SequenceState = NO_SEQUENCES;
    const from = (sender: number) => ({
      ...settings,
      source: ip(`fe80::1:${sender.toString(16)}`),
    });
    for (let sender = 1; sender <= 20; sender += 1) {
      const heard = hear(encode(from(sender)).packet, state, NOW, from(sender));
      assert.ok(typeof heard !== "string");
      state = heard;
    }
    assert.equal(state.hmacHeard.length, 16);
    assert.equal(state.hmacHeard.at(-1)?.source, "fe80::1:14");
    assert.equal(hear(encode(from(20)).packet, state, NOW, from(20)), "auth-replay");
    assert.equal(hear(encode(from(5)).packet, state, NOW, from(5)), "auth-replay");
  });

  test("a forged packet leaves no mark", () => {
    const forged = altered(first.packet, settings, { 2: 7 });
    assert.equal(hear(forged, NO_SEQUENCES), "auth-data");
    assert.ok(typeof hear(first.packet, NO_SEQUENCES) !== "string");
  });
});

describe("auth_hmac: the window of time", () => {
  const { packet } = encode(settings);
  for (const [seconds, expected] of [
    [0, "accepted"],
    [5, "accepted"],
    [-5, "accepted"],
    [6, "auth-stale"],
    [-6, "auth-stale"],
    [3600, "auth-stale"],
  ] as const) {
    test(`our clock ${seconds} s ahead: ${expected}`, () => {
      assert.equal(verdict(packet, settings, {}, NO_SEQUENCES, NOW + seconds * 1000), expected);
      const timeless = { credentials: monotonic };
      const at = NOW + seconds * 1000;
      assert.equal(verdict(packet, settings, timeless, NO_SEQUENCES, at), "accepted");
    });
  }

  test("the skew is told", () => {
    const decoded = decode(
      received(packet, settings),
      acceptanceOf(settings),
      NO_SEQUENCES,
      NOW + 4000,
    );
    assert.ok(decoded.ok);
    assert.equal(decoded.value.clockSkew, 4);
  });

  test("a mark from a clock that was wrong does not outlive its correction", () => {
    const ahead = { seconds: Math.floor(NOW / 1000) + 3600, fraction: 0 };
    const marked = { ...NO_SEQUENCES, hmacHeard: [{ source: settings.source, sequence: ahead }] };
    const state = hear(packet, marked);
    assert.ok(typeof state !== "string");
    assert.equal(hear(packet, state), "auth-replay");
    const timeless = { credentials: monotonic };
    assert.equal(verdict(packet, settings, timeless, marked), "auth-replay");
    const within = { ...ahead, seconds: Math.floor(NOW / 1000) + 5 };
    const near = { ...NO_SEQUENCES, hmacHeard: [{ source: settings.source, sequence: within }] };
    assert.equal(hear(packet, near), "auth-replay");
  });
});

describe("auth_hmac: sequences", () => {
  const timed = hmacOf({});
  const clock = { seconds: Math.floor(NOW / 1000), fraction: 0x4000_0000 };

  test("the clock: seconds, then 1/65536 s, then a counter of zero", () => {
    assert.deepEqual(nextHmacSequence(undefined, NOW, timed), clock);
  });

  test("one more where the clock has not moved on, with carry", () => {
    const one = { ...clock, fraction: clock.fraction + 1 };
    assert.deepEqual(nextHmacSequence(clock, NOW, timed), one);
    assert.deepEqual(nextHmacSequence(one, NOW - 2000, timed), {
      ...one,
      fraction: one.fraction + 1,
    });
    const last = { seconds: clock.seconds, fraction: 0xffff_ffff };
    assert.deepEqual(nextHmacSequence(last, NOW, timed), {
      seconds: clock.seconds + 1,
      fraction: 0,
    });
  });

  test("a clock set back by more than the window starts anew, unless growth is all there is", () => {
    const ahead = { seconds: clock.seconds + 3600, fraction: 0 };
    assert.deepEqual(nextHmacSequence(ahead, NOW, timed), clock);
    const grown = { ...ahead, fraction: 1 };
    assert.deepEqual(nextHmacSequence(ahead, NOW, hmacOf({ antiReplay: "monotonic" })), grown);
  });

  test("order survives the wrap of the seconds", () => {
    const order: readonly HmacSequence[] = [
      { seconds: 0xffff_fffe, fraction: 0 },
      { seconds: 0xffff_ffff, fraction: 0 },
      { seconds: 0xffff_ffff, fraction: 0xffff_ffff },
      { seconds: 0, fraction: 0 },
      { seconds: 0, fraction: 1 },
      { seconds: 0x7000_0000, fraction: 0 },
    ];
    for (const [at, one] of order.entries()) {
      assert.ok(!isAfter(one, one));
      for (const later of order.slice(at + 1)) {
        assert.ok(isAfter(later, one));
        assert.ok(!isAfter(one, later));
      }
    }
    const wrapping = { seconds: 0xffff_ffff, fraction: 0xffff_ffff };
    const wrapped = nextHmacSequence(wrapping, 0xffff_ffff * 1000, timed);
    assert.deepEqual(wrapped, { seconds: 0, fraction: 0 });
  });
});
