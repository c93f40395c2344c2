import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { addressBytes, parseAddress } from "../../agent/core/address.ts";
import { arpRequest, decodeArp } from "../../agent/wire/arp.ts";
import { checksumOf, foldSum, pseudoHeaderSum, sumOf } from "../../agent/wire/checksum.ts";
import { decodeEchoReply, encodeEchoRequest } from "../../agent/wire/icmp-echo.ts";
import { addressProbe, neighborSolicitation } from "../../agent/wire/ndisc.ts";
import { writeUint16 } from "../../agent/wire/octets.ts";

const ip = (text: string): IpAddress => parseAddress(text) ?? assert.fail(text);
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("an ARP request is broadcast and leaves the target's hardware address open", () => {
  const decoded = decodeArp(arpRequest(ip("192.0.2.254"), ip("192.0.2.1"), MAC));
  assert.ok(decoded.ok);
  const { operation, sender, target, targetMac, destinationMac, sourceMac } = decoded.value;
  assert.deepEqual([operation, sender, target], ["request", "192.0.2.1", "192.0.2.254"]);
  assert.deepEqual([hex(destinationMac), hex(sourceMac)], ["ff".repeat(6), hex(MAC)]);
  assert.equal(hex(targetMac), "00".repeat(6));
});

test("a neighbour solicitation goes to the solicited-node group, with hop limit 255", () => {
  const target = ip("2001:db8::12:3456");
  const frame = neighborSolicitation(target, ip("2001:db8::1"), MAC);
  assert.equal(hex(frame.subarray(0, 14)), "3333ff12345602000000000186dd");
  assert.equal(frame[14 + 7], 255);
  assert.equal(hex(frame.subarray(14 + 24, 14 + 40)), "ff0200000000000000000001ff123456");
  const message = frame.subarray(54);
  assert.deepEqual([message[0], hex(message.subarray(8, 24))], [135, hex(addressBytes(target))]);
  assert.equal(hex(message.subarray(24)), `0101${hex(MAC)}`);
  const cover = pseudoHeaderSum(frame.subarray(22, 38), frame.subarray(38, 54), 58, message.length);
  assert.equal(foldSum(sumOf(message, cover)), 0xffff);
});

test("an address probe has no source, and says not whom to answer to", () => {
  const target = ip("2001:db8::12:3456");
  const frame = addressProbe(target, MAC);
  assert.equal(hex(frame.subarray(0, 14)), `3333ff123456${hex(MAC)}86dd`);
  assert.deepEqual([frame.length, frame[14 + 5], frame[14 + 7]], [78, 24, 255]);
  assert.equal(hex(frame.subarray(22, 38)), "00".repeat(16));
  assert.equal(hex(frame.subarray(38, 54)), "ff0200000000000000000001ff123456");
  const message = frame.subarray(54);
  assert.deepEqual([message[0], hex(message.subarray(8))], [135, hex(addressBytes(target))]);
  const cover = pseudoHeaderSum(frame.subarray(22, 38), frame.subarray(38, 54), 58, message.length);
  assert.equal(foldSum(sumOf(message, cover)), 0xffff);
});

test("an echo comes back as it was sent", () => {
  for (const [family, reply] of [
    ["ipv4", 0],
    ["ipv6", 129],
  ] as const) {
    const echo = { identifier: 0x1234, sequence: 65_535, payload: Uint8Array.of(1, 2, 3) };
    const message = encodeEchoRequest(family, echo);
    if (family === "ipv4") assert.equal(foldSum(sumOf(message)), 0xffff);
    assert.deepEqual(decodeEchoReply(family, message), { ok: false, reason: "not-an-echo-reply" });
    message[0] = reply;
    writeUint16(message, 2, 0);
    writeUint16(message, 2, checksumOf(sumOf(message)));
    assert.deepEqual(decodeEchoReply(family, message), { ok: true, value: echo });
    for (let length = 0; length < 8; length += 1) {
      const cut = decodeEchoReply(family, message.subarray(0, length));
      assert.deepEqual(cut, { ok: false, reason: "truncated" });
    }
  }
});
