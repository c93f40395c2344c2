import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeArp, gratuitousArp } from "../../agent/wire/arp.ts";
import { foldSum, pseudoHeaderSum, sumOf } from "../../agent/wire/checksum.ts";
import { decodeIpv6 } from "../../agent/wire/ipv6.ts";
import {
  decodeNeighborAdvertisement,
  unsolicitedNeighborAdvertisement,
} from "../../agent/wire/ndisc.ts";
import {
  formatMac,
  parseMac,
  virtualRouterMac,
  virtualRouterOf,
} from "../../agent/wire/virtual-mac.ts";
import { FAMILIES, hexOf, ip, octets } from "./samples.ts";

describe("virtual router MAC", () => {
  test("ends in the VRID [RFC9568-7.3] [RFC3768-7.3]", () => {
    assert.equal(formatMac(virtualRouterMac(10, "ipv4")), "00:00:5e:00:01:0a");
    assert.equal(formatMac(virtualRouterMac(255, "ipv6")), "00:00:5e:00:02:ff");
    assert.throws(() => virtualRouterMac(0, "ipv4"), /VRID/);
    assert.throws(() => virtualRouterMac(256, "ipv4"), /VRID/);
  });

  test("is told from any other address", () => {
    for (const family of FAMILIES) {
      for (const vrid of [1, 128, 255]) {
        assert.deepEqual(virtualRouterOf(virtualRouterMac(vrid, family)), { vrid, family });
      }
    }
    for (const other of [
      "00005e000100",
      "00005e00030a",
      "00005e01010a",
      "02005e00010a",
      "00005e0001",
    ]) {
      assert.equal(virtualRouterOf(octets(other)), undefined, other);
    }
  });

  test("text comes back as it went", () => {
    for (const text of ["00:00:5e:00:01:0a", "ff:ff:ff:ff:ff:ff"]) {
      const mac = parseMac(text);
      assert.ok(mac !== undefined);
      assert.equal(formatMac(mac), text);
    }
    assert.deepEqual(parseMac("2-0-0-0-0-A"), octets("02000000000a"));
    for (const bad of [
      "",
      "00:00:5e:00:01",
      "00:00:5e:00:01:0a:0b",
      "00:00:5e:00:01:0g",
      "0:0:0:0:0:",
      "000:0:0:0:0:0",
    ]) {
      assert.equal(parseMac(bad), undefined, bad);
    }
  });
});

describe("gratuitous ARP [RFC9568-6.4.1] [RFC9568-8.1.2]", () => {
  const mac = virtualRouterMac(10, "ipv4");

  test("a broadcast request with the virtual MAC, sender and target equal", () => {
    const decoded = decodeArp(gratuitousArp(ip("192.0.2.1"), mac));
    assert.ok(decoded.ok);
    const { value } = decoded;
    assert.equal(value.operation, "request");
    assert.equal(formatMac(value.destinationMac), "ff:ff:ff:ff:ff:ff");
    assert.deepEqual(value.sourceMac, mac);
    assert.deepEqual(value.senderMac, mac);
    assert.equal(value.sender, "192.0.2.1");
    assert.equal(value.target, "192.0.2.1");
    assert.equal(formatMac(value.targetMac), "ff:ff:ff:ff:ff:ff");
  });

  test("a reply where that is asked for", () => {
    const frame = gratuitousArp(ip("192.0.2.1"), mac, "reply");
    const decoded = decodeArp(frame);
    assert.ok(decoded.ok);
    assert.equal(decoded.value.operation, "reply");
    assert.deepEqual(decoded.value.targetMac, mac);
  });

  test("what is not ARP for IPv4 over Ethernet is no ARP", () => {
    const frame = gratuitousArp(ip("192.0.2.1"), mac);
    for (const [at, octet] of [
      [13, 0],
      [15, 6],
      [17, 1],
      [18, 8],
      [19, 16],
      [21, 3],
      [21, 0],
    ] as const) {
      const copy = frame.slice();
      copy[at] = octet;
      assert.deepEqual(decodeArp(copy), { ok: false, reason: "not-arp" }, `${at}`);
    }
    for (let length = 0; length < frame.length; length += 1) {
      const cut = decodeArp(frame.subarray(0, length));
      assert.deepEqual(cut, { ok: false, reason: "truncated" });
    }
  });

  test("not for IPv6", () => assert.throws(() => gratuitousArp(ip("fe80::1"), mac), /IPv4/));
});

describe("unsolicited neighbour advertisement [RFC9568-6.4.1] [RFC9568-8.2.2]", () => {
  const mac = virtualRouterMac(10, "ipv6");
  const frame = unsolicitedNeighborAdvertisement(ip("2001:db8::1"), mac, true);

  test("to all nodes, R=1 S=0 O=1, with the virtual MAC", () => {
    const decoded = decodeNeighborAdvertisement(frame);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, {
      destinationMac: octets("333300000001"),
      sourceMac: mac,
      source: ip("2001:db8::1"),
      destination: ip("ff02::1"),
      target: ip("2001:db8::1"),
      router: true,
      solicited: false,
      override: true,
      targetMac: mac,
    });
  });

  test("R=0 where nothing is forwarded", () => {
    const host = decodeNeighborAdvertisement(
      unsolicitedNeighborAdvertisement(ip("2001:db8::1"), mac, false),
    );
    assert.ok(host.ok);
    assert.deepEqual([host.value.router, host.value.override], [false, true]);
  });

  test("hop limit 255 and a right checksum", () => {
    const packet = decodeIpv6(frame.subarray(14));
    assert.ok(packet.ok);
    const { source, destination, payload, hopLimit } = packet.value;
    assert.equal(hopLimit, 255);
    const cover = pseudoHeaderSum(source, destination, 58, payload.length);
    assert.equal(foldSum(sumOf(payload, cover)), 0xffff);
  });

  test("what is wrong is named", () => {
    for (const [at, octet, reason] of [
      [12, 0, "not-a-neighbor-advertisement"],
      [20, 17, "not-a-neighbor-advertisement"],
      [54, 135, "not-a-neighbor-advertisement"],
      [21, 254, "hop-limit"],
      [57, 0, "checksum"],
      [14, 0x40, "truncated"],
    ] as const) {
      const copy = frame.slice();
      copy[at] = octet;
      assert.deepEqual(decodeNeighborAdvertisement(copy), { ok: false, reason }, `${at}`);
    }
    for (let length = 0; length < frame.length; length += 1) {
      const cut = decodeNeighborAdvertisement(frame.subarray(0, length));
      assert.deepEqual(cut, { ok: false, reason: "truncated" });
    }
  });

  test("an option without length does not hold it up", () => {
    const copy = frame.slice();
    copy[79] = 0;
    copy[57] = (copy[57] ?? 0) + 1;
    const decoded = decodeNeighborAdvertisement(copy);
    assert.ok(decoded.ok, hexOf(copy));
    assert.equal(decoded.value.targetMac, undefined);
  });

  test("not for IPv4", () => {
    assert.throws(() => unsolicitedNeighborAdvertisement(ip("192.0.2.1"), mac, true), /IPv6/);
  });
});
