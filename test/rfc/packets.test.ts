import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { micros, seconds } from "../../agent/core/time.ts";
import type { AdmissionPolicy } from "../../agent/core/vrrp/admission.ts";
import { admit } from "../../agent/core/vrrp/admission.ts";
import type { Acceptance } from "../../agent/wire/incoming-packet.ts";
import type { PacketSettings } from "../../agent/wire/outgoing-packet.ts";
import {
  acceptanceOf,
  altered,
  credentialsOf,
  decode,
  encode,
  ip,
  messageAt,
  PASS,
  received,
  resized,
  settingsOf,
} from "../wire/samples.ts";

const V3 = settingsOf("ipv4", 3);
const V3_IPV6 = settingsOf("ipv6", 3);
const V2 = settingsOf("ipv4", 2);
const V2_PASS = settingsOf("ipv4", 2, { credentials: credentialsOf(PASS) });

const bytesOf = (settings: PacketSettings, priority = 200): Uint8Array =>
  encode(settings, priority).packet;

const policyOf = (settings: PacketSettings): AdmissionPolicy => ({
  version: settings.version,
  advertisementInterval: settings.maxAdvertiseInterval,
  priority: 100,
  primaryAddress: ip(settings.family === "ipv4" ? "192.0.2.5" : "fe80::5"),
  loopback: false,
  transport: { mode: "multicast", group: settings.destination },
  addresses: settings.addresses,
  addressListMismatch: "alarm",
  skipAddressListCheck: false,
  strict: false,
  ignoreAll: false,
});

/** What the whole receive ladder says of a packet: "accepted", or the reason why it is dropped. */
function verdict(
  packet: Uint8Array,
  settings: PacketSettings,
  policy: Partial<AdmissionPolicy> = {},
  acceptance: Partial<Acceptance> = {},
): string {
  const decoded = decode(received(packet, settings), { ...acceptanceOf(settings), ...acceptance });
  if (!decoded.ok) return decoded.reason;
  const admitted = admit({ ...policyOf(settings), ...policy }, decoded.value, undefined);
  return admitted.ok ? "accepted" : admitted.reason;
}

/** The packet with its VRRP message changed and its checksum made right again. */
const changed = (settings: PacketSettings, changes: Readonly<Record<number, number>>): string =>
  verdict(altered(bytesOf(settings), settings, changes), settings);

const accepted = (settings: PacketSettings): void =>
  assert.equal(verdict(bytesOf(settings), settings), "accepted");

describe("TTL and hop limit", () => {
  test("accepted: v3 is sent over IPv4 with TTL 255 [RFC9568-5.1.1.3/1]", () => {
    assert.equal(bytesOf(V3)[8], 255);
  });
  test("accepted: TTL 255 [RFC9568-5.1.1.3/2]", () => accepted(V3));
  test("rejected: any other TTL [RFC9568-5.1.1.3/2]", () => {
    for (const ttl of [1, 64, 254]) {
      assert.equal(verdict(bytesOf({ ...V3, ttl }), V3), "ttl");
    }
  });
  test("accepted: v3 is sent over IPv6 with hop limit 255 [RFC9568-5.1.2.3/1]", () => {
    assert.equal(bytesOf(V3_IPV6)[7], 255);
  });
  test("accepted: hop limit 255 [RFC9568-5.1.2.3/2]", () => accepted(V3_IPV6));
  test("rejected: any other hop limit [RFC9568-5.1.2.3/2]", () => {
    for (const ttl of [1, 64, 254]) {
      assert.equal(verdict(bytesOf({ ...V3_IPV6, ttl }), V3_IPV6), "ttl");
    }
  });
  test("accepted: v2 is sent with TTL 255 [RFC3768-5.2.3/1]", () => {
    assert.equal(bytesOf(V2)[8], 255);
  });
  test("accepted: v2 with TTL 255 [RFC3768-5.2.3/2]", () => accepted(V2));
  test("rejected: v2 with any other TTL [RFC3768-5.2.3/2]", () => {
    assert.equal(verdict(bytesOf({ ...V2, ttl: 254 }), V2), "ttl");
  });
  test("accepted: the receive ladder takes v2 with TTL 255 [RFC3768-7.1/1]", () => accepted(V2));
  test("rejected: it asks for the TTL before all else [RFC3768-7.1/1]", () => {
    const wrong = altered(bytesOf({ ...V2, ttl: 1 }), V2, { 0: 0x45, 1: 99 });
    assert.equal(verdict(wrong, V2), "ttl");
  });
});

describe("version and type", () => {
  test("accepted: version 3 where 3 is spoken [RFC9568-7.1/1]", () => accepted(V3));
  test("rejected: any other version [RFC9568-7.1/1]", () => {
    for (const version of [0, 1, 2, 4, 15]) {
      assert.equal(changed(V3, { 0: (version << 4) | 1 }), "version");
    }
  });
  test("accepted: type 1 [RFC9568-5.2.2/1]", () => accepted(V3_IPV6));
  test("rejected: any other type [RFC9568-5.2.2/1]", () => {
    for (const type of [0, 2, 15]) assert.equal(changed(V3_IPV6, { 0: 0x30 | type }), "type");
  });
  test("accepted: the receive ladder takes type 1 [RFC9568-7.1/2]", () => accepted(V3));
  test("rejected: it takes no other [RFC9568-7.1/2]", () => {
    assert.equal(changed(V3, { 0: 0x32 }), "type");
  });
  test("accepted: version 2 where 2 is spoken [RFC3768-7.1/2]", () => accepted(V2));
  test("rejected: any other version where 2 is spoken [RFC3768-7.1/2]", () => {
    for (const version of [1, 3]) assert.equal(changed(V2, { 0: (version << 4) | 1 }), "version");
  });
  test("accepted: v2 type 1 [RFC3768-5.3.2/1]", () => accepted(V2));
  test("rejected: any other v2 type [RFC3768-5.3.2/1]", () => {
    for (const type of [0, 2, 15]) assert.equal(changed(V2, { 0: 0x20 | type }), "type");
  });
});

describe("completeness and checksum", () => {
  const cut = (settings: PacketSettings): void => {
    const packet = bytesOf(settings);
    const whole = packet.length - messageAt(settings);
    for (let length = 0; length < whole; length++) {
      const reason = verdict(resized(packet, settings.family, length), settings);
      assert.ok(reason === "truncated" || reason === "length", `${length}: ${reason}`);
    }
  };
  const flipped = (settings: PacketSettings): void => {
    const packet = bytesOf(settings);
    // Past version and type, which are asked for first, and short of what the count counts.
    for (const at of [1, 2, 4, 5, 6, 7, 8, 11]) {
      const broken = packet.slice();
      const place = messageAt(settings) + at;
      broken[place] = (broken[place] ?? 0) ^ 0x40;
      assert.equal(verdict(broken, settings), "checksum");
    }
  };
  test("accepted: a whole v3 packet [RFC9568-7.1/3]", () => accepted(V3));
  test("rejected: a v3 packet, cut anywhere [RFC9568-7.1/3]", () => {
    cut(V3);
    cut(V3_IPV6);
  });
  test("accepted: a v3 packet with the right checksum [RFC9568-7.1/4]", () => accepted(V3_IPV6));
  test("rejected: a v3 packet with a wrong checksum [RFC9568-7.1/4]", () => {
    flipped(V3);
    flipped(V3_IPV6);
    // Right for another source: over IPv6 the pseudo-header counts.
    const packet = bytesOf({ ...V3_IPV6, source: ip("fe80::1") });
    assert.equal(verdict(packet, V3_IPV6), "checksum");
  });
  test("accepted: a whole v2 packet [RFC3768-7.1/3]", () => accepted(V2));
  test("rejected: a v2 packet, cut anywhere, also in its authentication data [RFC3768-7.1/3]", () => {
    cut(V2);
  });
  test("accepted: a v2 packet with the right checksum [RFC3768-7.1/4]", () => accepted(V2));
  test("rejected: a v2 packet with a wrong checksum [RFC3768-7.1/4]", () => flipped(V2));
});

describe("VRID, count and interval", () => {
  test("accepted: the VRID that is configured [RFC9568-7.1/5]", () => accepted(V3));
  test("rejected: any other VRID [RFC9568-7.1/5]", () => {
    for (const vrid of [0, 1, 11, 255]) assert.equal(changed(V3, { 1: vrid }), "unknown-vrid");
  });
  test("accepted: one address [RFC9568-5.2.5/1]", () => {
    accepted({ ...V3, addresses: V3.addresses.slice(1) });
  });
  test("rejected: none [RFC9568-5.2.5/1]", () => {
    const none = { ...V3, addresses: [] };
    assert.equal(verdict(bytesOf(none), none), "no-addresses");
  });
  test("accepted: the shortest interval [RFC9568-7.1/7]", () => {
    accepted({ ...V3, maxAdvertiseInterval: micros(10_000) });
  });
  test("rejected: an interval of zero [RFC9568-7.1/7]", () => {
    assert.equal(changed(V3, { 4: 0, 5: 0 }), "interval-zero");
    assert.equal(changed(V3, { 4: 0xf0, 5: 0 }), "interval-zero");
  });
  test("accepted: the v2 VRID that is configured [RFC3768-7.1/5]", () => accepted(V2));
  test("rejected: any other v2 VRID [RFC3768-7.1/5]", () => {
    for (const vrid of [0, 1, 11, 255]) assert.equal(changed(V2, { 1: vrid }), "unknown-vrid");
  });
  test("accepted: the v2 interval that is configured [RFC3768-7.1/9]", () => accepted(V2));
  test("rejected: any other v2 interval [RFC3768-7.1/9]", () => {
    for (const interval of [2, 255])
      assert.equal(changed(V2, { 5: interval }), "interval-mismatch");
  });
});

describe("reserved bits and addresses", () => {
  test("accepted: reserved bits, whatever they are; and zero as we send them [RFC9568-5.2.6/1]", () => {
    for (const bits of [0x10, 0x80, 0xf0]) assert.equal(changed(V3, { 4: bits }), "accepted");
    assert.equal((bytesOf(V3)[messageAt(V3) + 4] ?? 0) >> 4, 0);
  });
  test("rejected: reserved bits do not count as interval [RFC9568-5.2.6/1]", () => {
    const packet = altered(bytesOf(V3), V3, { 4: 0xf0 });
    const decoded = decode(received(packet, V3), acceptanceOf(V3));
    assert.equal(decoded.ok && decoded.value.maxAdvertiseInterval, seconds(1));
  });
  test("accepted: a link-local address first [RFC9568-5.2.9/1]", () => {
    assert.equal(verdict(bytesOf(V3_IPV6), V3_IPV6, { strict: true }), "accepted");
  });
  test("rejected: another address first, in strict mode [RFC9568-5.2.9/1]", () => {
    const global = { ...V3_IPV6, addresses: [...V3_IPV6.addresses].reverse() };
    const reason = verdict(bytesOf(global), global, { strict: true });
    assert.equal(reason, "first-address-not-link-local");
  });
  test("accepted: addresses are read in the family of the packet [RFC9568-5.2.9/2]", () => {
    for (const settings of [V3, V3_IPV6]) {
      const decoded = decode(received(bytesOf(settings), settings), acceptanceOf(settings));
      assert.deepEqual(decoded.ok && decoded.value.addresses, settings.addresses);
    }
  });
  test("rejected: an address of the other family is not sent [RFC9568-5.2.9/2]", () => {
    assert.throws(() => bytesOf({ ...V3, addresses: [ip("2001:db8::1")] }));
    assert.throws(() => bytesOf({ ...V3_IPV6, addresses: [ip("192.0.2.1")] }));
  });
  test("accepted: the same v2 addresses, where they are checked [RFC3768-7.1/8]", () => {
    assert.equal(verdict(bytesOf(V2), V2, { addressListMismatch: "drop" }), "accepted");
  });
  test("rejected: other v2 addresses, where they are checked [RFC3768-7.1/8]", () => {
    const other = { ...V2, addresses: [ip("192.0.2.1")] };
    const reason = verdict(bytesOf(other), V2, { addressListMismatch: "drop" });
    assert.equal(reason, "address-list");
  });
});

describe("authentication of v2", () => {
  test("accepted: the type that is configured [RFC3768-5.3.6/1]", () => {
    accepted(V2);
    accepted(V2_PASS);
  });
  test("rejected: another type, and an unknown one [RFC3768-5.3.6/1]", () => {
    assert.equal(verdict(bytesOf(V2_PASS), V2), "auth-type");
    assert.equal(verdict(bytesOf(V2), V2_PASS), "auth-type");
    for (const type of [2, 3, 255]) assert.equal(changed(V2, { 4: type }), "auth-type");
  });
  test("accepted: the password that is configured [RFC3768-7.1/7]", () => accepted(V2_PASS));
  test("rejected: another password [RFC3768-7.1/7]", () => {
    const credentials = credentialsOf({ kind: "pass", password: "secreT" });
    assert.equal(verdict(bytesOf({ ...V2, credentials }), V2_PASS), "auth-data");
  });
});

describe("what is sent", () => {
  const header = (settings: PacketSettings) => {
    const packet = bytesOf(settings, 77);
    const decoded = decode(received(packet, settings), acceptanceOf(settings));
    assert.ok(decoded.ok);
    return { packet, message: decoded.value };
  };
  test("accepted: the fields of a v3 router, and a checksum that fits [RFC9568-7.2/1]", () => {
    for (const settings of [V3, V3_IPV6]) {
      const { message } = header(settings);
      assert.deepEqual(
        [message.version, message.vrid, message.priority, message.maxAdvertiseInterval],
        [3, 10, 77, SECOND],
      );
      assert.deepEqual(message.addresses, settings.addresses);
    }
  });
  test("accepted: the source that the router was given [RFC9568-7.2/3]", () => {
    assert.deepEqual([...header(V3).packet.subarray(12, 16)], [192, 0, 2, 251]);
    assert.equal(header(V3_IPV6).packet[8 + 15], 0xc8);
  });
  test("accepted: protocol 112, to 224.0.0.18 or ff02::12 [RFC9568-7.2/4]", () => {
    const { packet } = header(V3);
    assert.deepEqual([packet[9], ...packet.subarray(16, 20)], [112, 224, 0, 0, 18]);
    const six = header(V3_IPV6).packet;
    assert.deepEqual([six[6], six[24], six[25], six[39]], [112, 0xff, 0x02, 0x12]);
  });
  test("accepted: the fields of a v2 router, and a checksum that fits [RFC3768-7.2/1]", () => {
    const { message } = header(V2);
    assert.deepEqual(
      [message.version, message.vrid, message.priority, message.maxAdvertiseInterval],
      [2, 10, 77, SECOND],
    );
    assert.deepEqual(message.addresses, V2.addresses);
  });
  test("accepted: v2 from the source that the router was given [RFC3768-7.2/3]", () => {
    assert.deepEqual([...header(V2).packet.subarray(12, 16)], [192, 0, 2, 251]);
  });
  test("accepted: v2 by protocol 112 to 224.0.0.18 [RFC3768-7.2/4]", () => {
    const { packet } = header(V2);
    assert.deepEqual([packet[9], ...packet.subarray(16, 20)], [112, 224, 0, 0, 18]);
  });
});

const SECOND = seconds(1);
