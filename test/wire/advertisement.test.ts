import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Family } from "../../agent/core/address.ts";
import { addressBytes, addressFromBytes } from "../../agent/core/address.ts";
import { centiseconds, seconds } from "../../agent/core/time.ts";
import { peekPacketVrid } from "../../agent/wire/incoming-packet.ts";
import type { AdvertisementMessage } from "../../agent/wire/vrrp.ts";
import {
  addressLength,
  addressList,
  decodeAdvertisement,
  encodeAdvertisement,
  messageLength,
  peekVrid,
} from "../../agent/wire/vrrp.ts";
import {
  AH,
  acceptanceOf,
  altered,
  credentialsOf,
  decode,
  encode,
  FAMILIES,
  hexOf,
  ip,
  octets,
  received,
  resized,
  settingsOf,
  VERSIONS,
  verdict,
} from "./samples.ts";

const cells = FAMILIES.flatMap((family) =>
  VERSIONS.map((version) => ({
    name: `v${version} ${family}`,
    settings: settingsOf(family, version),
  })),
);

for (const { name, settings } of cells) {
  const { family, version } = settings;
  const { packet } = encode(settings);
  const header = family === "ipv4" ? 20 : 40;
  const length = packet.length - header;

  describe(`receive ladder: ${name}`, () => {
    test("a valid packet is accepted [RFC9568-7.1] [RFC3768-7.1]", () => {
      assert.equal(verdict(packet, settings), "accepted");
    });

    test("TTL or hop limit 255 is accepted, 254 is dropped in multicast [RFC9568-5.1.1.3] [RFC9568-5.1.2.3] [RFC9568-7.1] [RFC3768-5.2.3]", () => {
      const at = family === "ipv4" ? 8 : 7;
      for (const [ttl, expected] of [
        [255, "accepted"],
        [254, "ttl"],
        [1, "ttl"],
        [0, "ttl"],
      ] as const) {
        const copy = packet.slice();
        copy[at] = ttl;
        assert.equal(verdict(copy, settings), expected, `${ttl}`);
      }
    });

    test("a unicast peer's TTL counts only within a range that was asked for", () => {
      const far = encode({ ...settings, unicast: true, ttl: 62 }).packet;
      const unicast = { ...settings, unicast: true };
      assert.equal(verdict(far, unicast), "accepted");
      assert.equal(verdict(far, unicast, { ttl: { min: 60, max: 62 } }), "accepted");
      assert.equal(verdict(far, unicast, { ttl: { min: 63, max: 255 } }), "ttl");
      assert.equal(verdict(far, unicast, { ttl: { min: 0, max: 61 } }), "ttl");
    });

    test("another version is dropped [RFC9568-5.2.1] [RFC9568-7.1] [RFC3768-5.3.1]", () => {
      for (const other of [0, 1, 4, 15, version === 2 ? 3 : 2]) {
        const copy = altered(packet, settings, { 0: (other << 4) | 1 });
        assert.equal(verdict(copy, settings), "version", `${other}`);
      }
    });

    test("an unknown type is dropped [RFC9568-5.2.2] [RFC9568-7.1] [RFC3768-5.3.2]", () => {
      for (const type of [0, 2, 3, 15]) {
        const copy = altered(packet, settings, { 0: (version << 4) | type });
        assert.equal(verdict(copy, settings), "type", `${type}`);
      }
    });

    test("an incomplete packet is dropped, whatever is cut off [RFC9568-7.1] [RFC3768-7.1]", () => {
      for (let kept = 0; kept < length; kept += 1) {
        const expected = kept < 8 ? "truncated" : "length";
        assert.equal(verdict(resized(packet, family, kept), settings), expected, `${kept}`);
      }
    });

    test("a packet with more than the count says is dropped", () => {
      for (const more of [1, 4, 8, 27, 29, 100]) {
        assert.equal(verdict(resized(packet, family, length + more), settings), "length");
      }
    });

    test("a wrong checksum is dropped, whichever bit is wrong [RFC9568-5.2.8] [RFC9568-7.1] [RFC3768-5.3.8]", () => {
      for (let bit = 0; bit < length * 8; bit += 1) {
        const copy = packet.slice();
        const at = header + (bit >> 3);
        copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
        const reason = verdict(copy, settings);
        const before = ["version", "type", "length"].includes(reason);
        assert.ok(reason === "checksum" || (before && bit < 32), `bit ${bit}: ${reason}`);
      }
    });

    test("a VRID that is not configured here is dropped [RFC9568-5.2.3] [RFC9568-7.1] [RFC3768-5.3.3]", () => {
      for (const vrid of [0, 9, 11, 255]) {
        const copy = altered(packet, settings, { 1: vrid });
        assert.equal(verdict(copy, settings), "unknown-vrid", `${vrid}`);
      }
      const unknown = decode(received(packet, settings), undefined);
      assert.deepEqual(unknown, { ok: false, reason: "unknown-vrid" });
    });

    test("what is for no router here is dropped for what is wrong with it first", () => {
      const far = packet.slice();
      far[family === "ipv4" ? 8 : 7] = 3;
      const broken = packet.slice();
      broken[header + 6] = (broken[header + 6] ?? 0) ^ 0xff;
      for (const [bytes, reason] of [
        [far, "ttl"],
        [broken, "checksum"],
        [resized(packet, family, 3), "truncated"],
      ] as const) {
        assert.deepEqual(decode(received(bytes, settings), undefined), { ok: false, reason });
      }
    });

    test("a count of zero is ignored, one is accepted [RFC9568-5.2.5]", () => {
      const one = encode({ ...settings, addresses: settings.addresses.slice(0, 1) }).packet;
      assert.equal(verdict(one, settings), "accepted");
      const none = encode({ ...settings, addresses: [] }).packet;
      assert.equal(verdict(none, settings), "no-addresses");
      assert.equal(verdict(none, settings, { withoutAddresses: true }), "accepted");
    });

    test("an interval of zero is dropped, the shortest is accepted [RFC9568-5.2.7]", () => {
      const zero = altered(packet, settings, { 4: 0, 5: 0 });
      assert.equal(verdict(zero, settings), "interval-zero");
      assert.equal(verdict(altered(packet, settings, { 4: 0, 5: 1 }), settings), "accepted");
    });

    test("any priority is a priority: 0 resigns, 255 owns [RFC9568-5.2.4] [RFC3768-5.3.4]", () => {
      for (const priority of [0, 1, 100, 254, 255]) {
        const { packet: sent } = encode(settings, priority);
        const decoded = decode(received(sent, settings), acceptanceOf(settings));
        assert.ok(decoded.ok);
        assert.equal(decoded.value.priority, priority);
      }
      assert.throws(() => encode(settings, 256), /priority/);
      assert.throws(() => encode(settings, -1), /priority/);
    });

    test("as many addresses as the count says are read, in order [RFC9568-5.2.9] [RFC3768-5.3.9]", () => {
      const decoded = decode(received(packet, settings), acceptanceOf(settings));
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.value.addresses, settings.addresses);
    });
  });
}

describe("what is sent", () => {
  test("TTL and hop limit 255, protocol 112, to the group [RFC9568-5.1.1.2] [RFC9568-5.1.1.3] [RFC9568-5.1.1.4] [RFC9568-5.1.2.2] [RFC9568-5.1.2.3] [RFC9568-5.1.2.4] [RFC9568-7.2] [RFC3768-7.2]", () => {
    const ipv4 = encode(settingsOf("ipv4", 3)).packet;
    assert.deepEqual([ipv4[8], ipv4[9]], [255, 112]);
    assert.equal(addressFromBytes(ipv4.subarray(16, 20)), "224.0.0.18");
    const ipv6 = encode(settingsOf("ipv6", 3)).packet;
    assert.deepEqual([ipv6[7], ipv6[6]], [255, 112]);
    assert.equal(addressFromBytes(ipv6.subarray(24, 40)), "ff02::12");
  });

  test("version, type and count [RFC9568-5.2.1] [RFC9568-5.2.2] [RFC9568-5.2.5] [RFC9568-7.2]", () => {
    assert.equal(hexOf(encode(settingsOf("ipv4", 3)).packet.subarray(20, 24)), "310ac802");
    assert.equal(hexOf(encode(settingsOf("ipv4", 2)).packet.subarray(20, 24)), "210ac802");
    assert.equal(hexOf(encode(settingsOf("ipv6", 3)).packet.subarray(40, 44)), "310ac802");
  });

  test("the reserved bits are zero, and ignored on receipt [RFC9568-5.2.6]", () => {
    for (const family of FAMILIES) {
      const settings = settingsOf(family, 3, { maxAdvertiseInterval: centiseconds(4095) });
      const { packet } = encode(settings);
      const at = family === "ipv4" ? 24 : 44;
      assert.equal(hexOf(packet.subarray(at, at + 2)), "0fff");
      for (const reserved of [1, 8, 15]) {
        const copy = altered(packet, settings, { 4: (reserved << 4) | 0x0f });
        const decoded = decode(received(copy, settings), acceptanceOf(settings));
        assert.ok(decoded.ok);
        assert.equal(decoded.value.maxAdvertiseInterval, centiseconds(4095));
      }
    }
  });

  test("the interval: 1–4095 cs in v3, 1–255 s in v2 [RFC9568-5.2.7] [RFC3768-5.3.7]", () => {
    for (const bad of [0, 0.5, 4096]) {
      const interval = centiseconds(bad);
      assert.throws(() => encode(settingsOf("ipv4", 3, { maxAdvertiseInterval: interval })));
    }
    for (const bad of [0, 0.5, 1.5, 256]) {
      const interval = seconds(bad);
      assert.throws(() => encode(settingsOf("ipv4", 2, { maxAdvertiseInterval: interval })));
    }
  });

  test("no VRID outside of 1–255 [RFC9568-5.2.3]", () => {
    for (const vrid of [0, 256, -1]) assert.throws(() => encode(settingsOf("ipv4", 3, { vrid })));
  });

  test("no address of the other family [RFC9568-5.2.9]", () => {
    const addresses = [ip("2001:db8::1")];
    assert.throws(() => encode(settingsOf("ipv4", 3, { addresses })), /family/);
  });

  test("a v3 checksum over IPv4 covers the message only unless asked otherwise [RFC9568-5.2.8]", () => {
    const near = encode(settingsOf("ipv4", 3)).packet;
    const far = encode(settingsOf("ipv4", 3, { source: ip("198.51.100.7") })).packet;
    assert.equal(hexOf(near.subarray(20)), hexOf(far.subarray(20)));
    const pseudo = encode(settingsOf("ipv4", 3, { checksum: "pseudo-header" })).packet;
    assert.equal(hexOf(pseudo.subarray(26, 28)), "defb");
  });

  test("a checksum over IPv6 covers the pseudo-header [RFC9568-5.2.8]", () => {
    const one = encode(settingsOf("ipv6", 3)).packet;
    const other = encode(settingsOf("ipv6", 3, { source: ip("fe80::c9") })).packet;
    assert.notEqual(hexOf(one.subarray(46, 48)), hexOf(other.subarray(46, 48)));
  });

  test("v2 ends in authentication data of zeros, which the checksum covers and a receiver ignores [RFC3768-5.3.10] [RFC3768-5.3.6.1]", () => {
    const settings = settingsOf("ipv4", 2);
    const { packet } = encode(settings);
    assert.equal(hexOf(packet.subarray(-8)), "0000000000000000");
    const filled = altered(packet, settings, { 16: 1, 23: 0xff });
    assert.notEqual(hexOf(filled.subarray(26, 28)), hexOf(packet.subarray(26, 28)));
    assert.equal(verdict(filled, settings), "accepted");
  });
});

describe("forms of the checksum over IPv4", () => {
  const unicast = { unicast: true, destination: ip("192.0.2.252") };
  const form = (changes: Parameters<typeof settingsOf>[2], refuse = false) => {
    const settings = settingsOf("ipv4", 3, changes);
    const acceptance = { ...acceptanceOf(settings), refuseOldUnicastChecksum: refuse };
    const decoded = decode(received(encode(settings).packet, settings), acceptance);
    if (!decoded.ok) return decoded.reason;
    return [decoded.value.checksum, decoded.value.oldUnicastChecksum];
  };

  test("each is accepted and named", () => {
    assert.deepEqual(form({}), ["message", false]);
    assert.deepEqual(form({ checksum: "pseudo-header" }), ["pseudo-header", false]);
    assert.deepEqual(form({ ...unicast }), ["message", false]);
    assert.deepEqual(form({ ...unicast, checksum: "pseudo-header" }), ["pseudo-header", false]);
    assert.deepEqual(form({ ...unicast, checksum: "old-unicast" }), ["pseudo-header", true]);
  });

  test("that of old unicast is the one that multicast would have", () => {
    const old = encode(settingsOf("ipv4", 3, { ...unicast, checksum: "old-unicast" })).packet;
    const multicast = encode(settingsOf("ipv4", 3, { checksum: "pseudo-header" })).packet;
    assert.equal(hexOf(old.subarray(20)), hexOf(multicast.subarray(20)));
  });

  test("that of old unicast can be refused, and is not for multicast to another group", () => {
    assert.equal(form({ ...unicast, checksum: "old-unicast" }, true), "checksum");
    assert.equal(form({ destination: ip("224.0.0.99"), checksum: "old-unicast" }), "checksum");
  });

  test("a pseudo-header with another source does not fit", () => {
    const settings = settingsOf("ipv4", 3, { checksum: "pseudo-header" });
    const { packet } = encode(settings);
    packet[15] = 1;
    assert.equal(verdict(packet, settings), "checksum");
  });

  test("over IPv6, an unknown destination means that the kernel has verified it", () => {
    const settings = settingsOf("ipv6", 3);
    const { packet } = encode(settings);
    packet[46] = (packet[46] ?? 0) ^ 1;
    const blind = { ...received(packet, settings), destination: undefined, ttl: undefined };
    assert.ok(decode(blind, acceptanceOf(settings)).ok);
  });
});

const bytesOf = (family: Family) => {
  const length = family === "ipv4" ? 4 : 16;
  return fc.uint8Array({ minLength: length, maxLength: length });
};

const anyMessage = (family: Family): fc.Arbitrary<AdvertisementMessage> =>
  fc
    .record({ version: fc.constantFrom(...VERSIONS), interval: fc.integer({ min: 1, max: 255 }) })
    .chain(({ version, interval }) =>
      fc.record({
        version: fc.constant(version),
        vrid: fc.integer({ min: 1, max: 255 }),
        priority: fc.integer({ min: 0, max: 255 }),
        maxAdvertiseInterval:
          version === 2
            ? fc.constant(seconds(interval))
            : fc.integer({ min: 1, max: 4095 }).map(centiseconds),
        addresses: fc.array(bytesOf(family).map(addressFromBytes), {
          minLength: 1,
          maxLength: 255,
        }),
      }),
    );

for (const family of FAMILIES) {
  test(`every advertisement comes back as it was sent: ${family}`, () => {
    const property = fc.property(
      anyMessage(family),
      bytesOf(family),
      bytesOf(family),
      fc.constantFrom("message", "pseudo-header"),
      (message, source, destination, checksum) => {
        const context = { family, source, destination, checksum } as const;
        const bytes = encodeAdvertisement(message, context);
        assert.equal(peekVrid(bytes), message.vrid);
        assert.equal(
          bytes.length,
          messageLength(message.version, family, message.addresses.length),
        );
        const decoded = decodeAdvertisement(bytes, { family, source, destination });
        assert.ok(decoded.ok);
        const { version, vrid, priority, maxAdvertiseInterval, addresses } = decoded.value;
        const named = family === "ipv4" && version === 3;
        assert.equal(decoded.value.checksum, named ? checksum : undefined);
        assert.deepEqual(
          { version, vrid, priority, maxAdvertiseInterval, addresses },
          { ...message },
        );
      },
    );
    fc.assert(property, { numRuns: 200, seed: 9568 });
  });
}

test("a router's own list comes back as the array that it is, any other is read", () => {
  for (const family of FAMILIES) {
    const settings = settingsOf(family, 3);
    const list = (packet: Uint8Array) => {
      const known = addressList(settings.addresses);
      const decoded = decode(received(packet, settings), { ...acceptanceOf(settings), known });
      return decoded.ok ? decoded.value.addresses : undefined;
    };
    assert.equal(list(encode(settings).packet), settings.addresses);
    const reversed = settings.addresses.toReversed();
    assert.deepEqual(list(encode({ ...settings, addresses: reversed }).packet), reversed);
    for (let at = 0; at < addressLength(family); at += 1) {
      const copy = altered(encode(settings).packet, settings, { [8 + at]: 0x55 });
      assert.notDeepEqual(list(copy), settings.addresses);
    }
    const fewer = settings.addresses.slice(1);
    assert.deepEqual(list(encode({ ...settings, addresses: fewer }).packet), fewer);
  }
});

test("the VRID is to be seen in a packet, behind options and the authentication header too", () => {
  for (const { settings } of cells) {
    const { packet } = encode(settings);
    assert.equal(peekPacketVrid(received(packet, settings).bytes, settings.family), 10);
  }
  const withAh = settingsOf("ipv4", 2, { credentials: credentialsOf(AH) });
  assert.equal(peekPacketVrid(encode(withAh).packet, "ipv4"), 10);
  const { packet } = encode(settingsOf("ipv4", 3));
  const long = Uint8Array.of(0x46, ...packet.subarray(1, 20), 1, 1, 1, 0, ...packet.subarray(20));
  assert.equal(peekPacketVrid(long, "ipv4"), 10);
  for (const family of FAMILIES) assert.equal(peekPacketVrid(octets(""), family), undefined);
});

test("nothing is to be seen of an empty message", () => {
  assert.equal(peekVrid(octets("31")), undefined);
  const context = {
    family: "ipv4",
    source: addressBytes(ip("192.0.2.1")),
    destination: undefined,
  } as const;
  assert.deepEqual(decodeAdvertisement(octets(""), context), { ok: false, reason: "truncated" });
});
