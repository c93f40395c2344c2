import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addressBytes } from "../../agent/core/address.ts";
import { checksumOf, foldSum, pseudoHeaderSum, sumOf } from "../../agent/wire/checksum.ts";
import { decodeIpv4, writeIpv4Header } from "../../agent/wire/ipv4.ts";
import { decodeIpv6, writeIpv6Header } from "../../agent/wire/ipv6.ts";
import { encode, hexOf, ip, octets, settingsOf, verdict } from "./samples.ts";

describe("Internet checksum", () => {
  test("the example of RFC 1071 §3", () => {
    const bytes = octets("0001f203f4f5f6f7");
    assert.equal(foldSum(sumOf(bytes)), 0xddf2);
    assert.equal(checksumOf(sumOf(bytes)), 0x220d);
  });

  test("an odd last octet is the high half of a word", () => {
    assert.equal(sumOf(octets("0001f2")), 0xf201);
    assert.equal(sumOf(octets("ffffff")), 0x1feff);
    assert.equal(sumOf(octets("0102ff").subarray(0, 2)), 0x0102);
  });

  test("parts may be summed one after another, the last may be odd", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, half) => {
      const cut = Math.min(half * 2, bytes.length - (bytes.length % 2));
      const whole = checksumOf(sumOf(bytes));
      assert.equal(checksumOf(sumOf(bytes.subarray(cut), sumOf(bytes.subarray(0, cut)))), whole);
      assert.equal(checksumOf(sumOf(bytes, sumOf(bytes, 0, 0, cut), cut)), whole);
    });
    fc.assert(property, { numRuns: 200, seed: 1071 });
  });

  test("bytes with their checksum sum to all ones", () => {
    const property = fc.property(fc.uint8Array({ minLength: 2, maxLength: 100 }), (bytes) => {
      const even = Uint8Array.of(0, 0, ...bytes);
      const checksum = checksumOf(sumOf(even));
      even.set([checksum >> 8, checksum & 0xff], 0);
      assert.equal(foldSum(sumOf(even)), 0xffff);
    });
    fc.assert(property, { numRuns: 200, seed: 1071 });
  });

  test("a length beyond 16 bits has two words in the pseudo-header", () => {
    const zero = new Uint8Array(16);
    assert.equal(pseudoHeaderSum(zero, zero, 0, 0x1_0002), 3);
  });
});

const ipv4 = {
  source: addressBytes(ip("192.0.2.251")),
  destination: addressBytes(ip("224.0.0.18")),
  protocol: 112,
  ttl: 255,
  identification: 1,
};

describe("IPv4 header", () => {
  const packet = new Uint8Array(40);
  packet.fill(0xab, 20);
  writeIpv4Header(packet, ipv4);

  test("is written as keepalived writes it", () => {
    assert.equal(hexOf(packet.subarray(0, 20)), "45c0002800010000ff701797c00002fbe0000012");
  });

  test("is read back", () => {
    const decoded = decodeIpv4(packet);
    assert.ok(decoded.ok);
    const { source, destination, protocol, ttl, payload, header } = decoded.value;
    assert.deepEqual({ source, destination, protocol, ttl, identification: 1 }, ipv4);
    assert.equal(payload.length, 20);
    assert.equal(header.length, 20);
  });

  test("options are stepped over", () => {
    const long = new Uint8Array(60 + 4);
    long.set(packet.subarray(0, 20));
    long[0] = 0x4f;
    long[3] = 64;
    long.set([1, 2, 3, 4], 60);
    const decoded = decodeIpv4(long);
    assert.ok(decoded.ok);
    assert.equal(hexOf(decoded.value.payload), "01020304");
  });

  test("Ethernet padding is cut off, up to the shortest frame", () => {
    for (let length = 40; length <= 46; length += 1) {
      const padded = new Uint8Array(length);
      padded.set(packet);
      const decoded = decodeIpv4(padded);
      assert.ok(decoded.ok);
      assert.equal(decoded.value.payload.length, 20);
    }
    const longer = new Uint8Array(47);
    longer.set(packet);
    assert.deepEqual(decodeIpv4(longer), { ok: false, reason: "length" });
  });

  test("a padded advertisement is accepted, one with a tail is not", () => {
    const settings = settingsOf("ipv4", 3, { addresses: [ip("192.0.2.1")] });
    const sent = encode(settings).packet;
    const padded = new Uint8Array(46);
    padded.set(sent);
    assert.equal(verdict(padded, settings), "accepted");
    const tailed = new Uint8Array(60);
    tailed.set(sent);
    assert.equal(verdict(tailed, settings), "length");
  });

  test("what is wrong is named", () => {
    for (const [at, octet, reason] of [
      [0, 0x65, "ip-header"],
      [0, 0x44, "ip-header"],
      [0, 0x40, "ip-header"],
      [3, 19, "ip-header"],
      [3, 41, "truncated"],
      [2, 0xff, "truncated"],
      [6, 0x20, "ip-header"],
      [7, 1, "ip-header"],
    ] as const) {
      const copy = packet.slice();
      copy[at] = octet;
      assert.deepEqual(decodeIpv4(copy), { ok: false, reason }, `${at} ${octet}`);
    }
    for (let length = 0; length < 40; length += 1) {
      const cut = decodeIpv4(packet.subarray(0, length));
      assert.deepEqual(cut, { ok: false, reason: "truncated" });
    }
  });

  test("another protocol is dropped", () => {
    const settings = settingsOf("ipv4", 3);
    const { packet: sent } = encode(settings);
    sent[9] = 17;
    assert.equal(verdict(sent, settings), "ip-header");
  });

  test("a packet without room is a broken assertion", () => {
    assert.throws(() => writeIpv4Header(new Uint8Array(19), ipv4), /room/);
  });
});

describe("IPv6 header", () => {
  const header = {
    source: addressBytes(ip("fe80::1")),
    destination: addressBytes(ip("ff02::12")),
    nextHeader: 112,
    hopLimit: 255,
  };
  const packet = new Uint8Array(48);
  writeIpv6Header(packet, header);

  test("is written and read back", () => {
    assert.equal(hexOf(packet.subarray(0, 8)), "6c000000000870ff");
    const decoded = decodeIpv6(packet);
    assert.ok(decoded.ok);
    const { payload, ...rest } = decoded.value;
    assert.deepEqual(rest, { ...header, trafficClass: 0xc0 });
    assert.equal(payload.length, 8);
    const marked = packet.slice();
    writeIpv6Header(marked, { ...header, trafficClass: 0xab });
    assert.equal(hexOf(marked.subarray(0, 4)), "6ab00000");
  });

  test("what is wrong is named", () => {
    const foreign = packet.slice();
    foreign[0] = 0x45;
    assert.deepEqual(decodeIpv6(foreign), { ok: false, reason: "ip-header" });
    for (let length = 0; length < 48; length += 1) {
      const cut = decodeIpv6(packet.subarray(0, length));
      assert.deepEqual(cut, { ok: false, reason: "truncated" });
    }
    assert.throws(() => writeIpv6Header(new Uint8Array(39), header), /room/);
  });
});
