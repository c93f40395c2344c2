import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Encapsulation } from "../../agent/config/config.ts";
import { writeEncapsulation } from "../../agent/linux/netlink/encapsulation.ts";
import { BodyWriter, decodeAttributes } from "../../agent/wire/netlink/attribute.ts";
import { RTA } from "../../agent/wire/netlink/rtnetlink.ts";
import { PLAIN_ENCAPSULATION } from "../config/plain.ts";
import { address } from "./network-rig.ts";

const encapsulation = (words: Partial<Encapsulation>): Encapsulation => ({
  type: "ip",
  ...PLAIN_ENCAPSULATION,
  ...words,
});

/** Attributes of RTA_ENCAP in hexadecimal, by number. */
function encoded(words: Partial<Encapsulation>): Record<number, string> {
  const body = new BodyWriter();
  writeEncapsulation(body, encapsulation(words));
  const inside = decodeAttributes(body.finish(), 0).get(RTA.encap) ?? new Uint8Array();
  return Object.fromEntries(
    Array.from(decodeAttributes(inside, 0), ([type, bytes]) => [
      type,
      Buffer.from(bytes).toString("hex"),
    ]),
  );
}

// The payloads are what iproute2 6.1 sends for the same words, in network byte order. Few kernels have
// the feature: test/guest asks one that does.
describe("encapsulation", () => {
  test("encap mpls 100/200 ttl 7", () => {
    assert.deepEqual(encoded({ type: "mpls", labels: [100, 200], ttl: 7 }), {
      1: "00064000000c8100",
      2: "07",
    });
  });

  test("encap ip id 5 src dst tos 4 ttl 9 key csum", () => {
    const words = {
      id: 5,
      source: address("10.0.0.1"),
      destination: address("10.0.0.9"),
      tos: 4,
      ttl: 9,
      flags: 5,
    };
    assert.deepEqual(encoded(words), {
      1: "0000000000000005",
      2: "0a000009",
      3: "0a000001",
      4: "09",
      5: "04",
      6: "0005",
    });
  });

  test("encap ip6 id 6 src dst tc 3 hoplimit 8 seq", () => {
    const words = {
      type: "ip6" as const,
      id: 6,
      source: address("fd00::1"),
      destination: address("fd00::9"),
      tos: 3,
      ttl: 8,
      flags: 8,
    };
    assert.deepEqual(encoded(words), {
      1: "0000000000000006",
      2: "fd000000000000000000000000000009",
      3: "fd000000000000000000000000000001",
      4: "08",
      5: "03",
      6: "0008",
    });
  });

  test("encap ila 1:2:a:ffff", () => {
    assert.deepEqual(encoded({ type: "ila", locator: "1:2:a:ffff" }), { 1: "00010002000affff" });
  });
});
