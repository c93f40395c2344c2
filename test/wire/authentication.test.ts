import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { micros } from "../../agent/core/time.ts";
import type { AuthenticationSettings, SequenceState } from "../../agent/wire/authentication.ts";
import { passwordKey } from "../../agent/wire/authentication.ts";
import { equalInConstantTime } from "../../agent/wire/octets.ts";
import {
  AH,
  acceptanceOf,
  altered,
  credentialsOf,
  decode,
  encode,
  FAMILIES,
  HMAC,
  hexOf,
  ip,
  NO_SEQUENCES,
  NONE,
  NOW,
  octets,
  PASS,
  received,
  settingsOf,
  VERSIONS,
  verdict,
} from "./samples.ts";

const credentials = {
  none: credentialsOf(NONE),
  pass: credentialsOf(PASS),
  ah: credentialsOf(AH),
  hmac: credentialsOf(HMAC),
};

describe("the type must be the configured one [RFC3768-5.3.6] [RFC3768-7.1]", () => {
  const kinds = ["none", "pass", "ah", "hmac"] as const;
  for (const sent of kinds) {
    for (const wanted of kinds) {
      const expected = sent === wanted ? "accepted" : "auth-type";
      test(`v2 with ${sent} to a router with ${wanted}: ${expected}`, () => {
        const settings = settingsOf("ipv4", 2, { credentials: credentials[sent] });
        const { packet } = encode(settings);
        assert.equal(verdict(packet, settings, { credentials: credentials[wanted] }), expected);
      });
    }
  }

  test("an unknown type is dropped", () => {
    const settings = settingsOf("ipv4", 2);
    for (const type of [3, 4, 255]) {
      const copy = altered(encode(settings).packet, settings, { 4: type });
      assert.equal(verdict(copy, settings), "auth-type");
    }
  });
});

describe("PASS", () => {
  const settings = settingsOf("ipv4", 2, { credentials: credentials.pass });

  test("the password travels in 8 octets, cut or filled with zeros", () => {
    assert.equal(hexOf(encode(settings).packet.subarray(-8)), hexOf(Buffer.from("secret\0\0")));
    assert.equal(hexOf(passwordKey("1234567890")), hexOf(Buffer.from("12345678")));
    assert.equal(hexOf(passwordKey("")), "0000000000000000");
    for (const text of ["pä$$wörd", "鍵", "🔑🔑🔑", "\u{10ffff}"]) {
      const expected = Buffer.alloc(8);
      Buffer.from(text).copy(expected);
      assert.equal(hexOf(passwordKey(text)), hexOf(expected));
    }
  });

  test("another password is dropped, whichever octet differs", () => {
    for (let at = 16; at < 24; at += 1) {
      const copy = altered(encode(settings).packet, settings, { [at]: 0x7f });
      assert.equal(verdict(copy, settings), "auth-data");
    }
  });

  test("PASS is not for v3", () => {
    const v3 = settingsOf("ipv4", 3, { credentials: credentials.pass });
    assert.throws(() => encode(v3), /PASS/);
  });

  test("comparison minds lengths", () => {
    assert.ok(equalInConstantTime(octets("0102"), octets("0102")));
    assert.ok(!equalInConstantTime(octets("0102"), octets("0103")));
    assert.ok(!equalInConstantTime(octets("0102"), octets("01")));
    assert.ok(!equalInConstantTime(octets("01"), octets("0100")));
  });
});

describe("AH", () => {
  const settings = settingsOf("ipv4", 2, { credentials: credentials.ah });
  const unicast = { ...settings, unicast: true, destination: ip("192.0.2.252") };
  const first = encode(settings);

  const accept = (packet: Uint8Array, sequences: SequenceState): SequenceState | string => {
    const decoded = decode(received(packet, settings), acceptanceOf(settings), sequences);
    return decoded.ok ? decoded.value.sequences : decoded.reason;
  };

  test("sequence numbers count on, over what was sent and what was accepted", () => {
    assert.equal(first.sequences.ah, 1);
    assert.equal(encode(settings, 200, first.sequences).sequences.ah, 2);
    const ahead = encode(settings, 200, { ...NO_SEQUENCES, ah: 41 });
    const heard = accept(ahead.packet, NO_SEQUENCES);
    assert.ok(typeof heard !== "string");
    assert.equal(heard.ah, 42);
    assert.equal(encode(settings, 200, heard).sequences.ah, 43);
  });

  test("a number at most as high as the highest is a replay", () => {
    assert.equal(accept(first.packet, { ...NO_SEQUENCES, ah: 1 }), "auth-replay");
    assert.equal(accept(first.packet, { ...NO_SEQUENCES, ah: 1000 }), "auth-replay");
  });

  test("the last number is not passed", () => {
    const last = encode(settings, 200, { ...NO_SEQUENCES, ah: 0xffff_ffff });
    assert.equal(last.sequences.ah, 0xffff_ffff);
    const before = { ...NO_SEQUENCES, ah: 0xffff_fffe };
    assert.ok(typeof accept(last.packet, before) !== "string");
  });

  test("whatever bit is changed, but for those that may change on the way, it is dropped", () => {
    const mutable = new Set([1, 6, 7, 10, 11]);
    for (let bit = 0; bit < first.packet.length * 8; bit += 1) {
      const copy = first.packet.slice();
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const expected = mutable.has(bit >> 3) && !isFragment(copy) ? "accepted" : "dropped";
      const got = verdict(copy, settings) === "accepted" ? "accepted" : "dropped";
      assert.equal(got, expected, `bit ${bit}`);
    }
  });

  test("in unicast a router on the way may lower the TTL", () => {
    const { packet } = encode(unicast);
    packet[8] = 60;
    assert.equal(verdict(packet, unicast), "accepted");
    assert.equal(verdict(packet, unicast, { unicast: false }), "auth-data");
  });

  test("another SPI than the source address is dropped", () => {
    const forged = { ...settings, source: ip("192.0.2.250") };
    const { packet } = encode(forged);
    packet.set([192, 0, 2, 251], 24);
    assert.equal(verdict(packet, forged), "auth-data");
  });

  test("another key is dropped", () => {
    const other = credentialsOf({ kind: "ah", password: "s3cr3T" });
    assert.equal(verdict(first.packet, settings, { credentials: other }), "auth-data");
  });

  test("a header of another kind, or cut off, is dropped", () => {
    for (const [at, octet] of [
      [20, 6],
      [21, 5],
    ] as const) {
      const copy = first.packet.slice();
      copy[at] = octet;
      assert.equal(verdict(copy, settings), "ip-header");
    }
    for (let length = 20; length < 44 + 8; length += 1) {
      const copy = first.packet.slice(0, length);
      copy[3] = length;
      assert.equal(verdict(copy, settings), "truncated", `${length}`);
    }
  });

  test("AH is for v2 over IPv4", () => {
    assert.throws(() => encode(settingsOf("ipv4", 3, { credentials: credentials.ah })), /AH/);
    assert.throws(() => encode(settingsOf("ipv6", 2, { credentials: credentials.ah })), /AH/);
  });
});

const isFragment = (packet: Uint8Array): boolean =>
  ((packet[6] ?? 0) & 0x3f) !== 0 || packet[7] !== 0;

describe("state", () => {
  test("is plain JSON and loses nothing on its way", () => {
    const settings = settingsOf("ipv6", 3, { credentials: credentials.hmac });
    const sent = encode(settings).sequences;
    const decoded = decode(
      received(encode(settings).packet, settings),
      acceptanceOf(settings),
      sent,
    );
    assert.ok(decoded.ok);
    const { sequences } = decoded.value;
    assert.deepEqual(JSON.parse(JSON.stringify(sequences)), sequences);
  });

  test("identifications count on and leave out zero", () => {
    const settings = settingsOf("ipv4", 3);
    const at = (identification: number) =>
      encode(settings, 200, { ...NO_SEQUENCES, identification }).sequences.identification;
    assert.deepEqual([at(0), at(1), at(65534), at(65535)], [1, 2, 65535, 1]);
  });

  test("without authentication, receiving remembers nothing", () => {
    const settings = settingsOf("ipv4", 3);
    const decoded = decode(received(encode(settings).packet, settings), acceptanceOf(settings));
    assert.ok(decoded.ok);
    assert.equal(decoded.value.sequences, NO_SEQUENCES);
  });
});

describe("credentials", () => {
  test("an active key that is none of the keys is a broken assertion", () => {
    assert.throws(() => credentialsOf({ ...HMAC, activeKey: 2 }), /active key/);
  });

  test("a key is whole octets in hexadecimal", () => {
    for (const secret of ["", "0", "0g", "00 "]) {
      const broken: AuthenticationSettings = { ...HMAC, keys: [{ id: 7, secret }] };
      assert.throws(() => credentialsOf(broken), /hexadecimal/);
    }
  });

  test("the window is in seconds", () => {
    const made = credentialsOf({ ...HMAC, timeWindow: micros(7_000_000) });
    assert.ok(made.kind === "hmac");
    assert.equal(made.timeWindow, 7);
  });

  for (const family of FAMILIES) {
    for (const version of VERSIONS) {
      test(`auth_hmac works for v${version} over ${family}`, () => {
        const settings = settingsOf(family, version, { credentials: credentials.hmac });
        const { packet } = encode(settings);
        assert.equal(verdict(packet, settings, {}, NO_SEQUENCES, NOW), "accepted");
        const plain = encode({ ...settings, credentials: credentials.none }).packet;
        assert.equal(packet.length, plain.length + 28);
      });
    }
  }
});
