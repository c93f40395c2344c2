import assert from "node:assert/strict";
import { isIP } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { IpAddress } from "../../agent/core/address.ts";
import {
  addressBytes,
  addressFromBytes,
  compareAddresses,
  familyOf,
  inPrefix,
  isLinkLocal,
  isMulticast,
  parseAddress,
} from "../../agent/core/address.ts";

const ip = (text: string): IpAddress => {
  const address = parseAddress(text);
  assert.ok(address !== undefined, text);
  return address;
};

describe("parseAddress", () => {
  const canonical: readonly (readonly [string, string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::00A0", "2001:db8::a0"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["fe80::", "fe80::"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"],
    ["ff02::12", "ff02::12"],
  ];
  for (const [text, expected] of canonical) {
    test(`${text} is ${expected}`, () => assert.equal(parseAddress(text), expected));
  }

  const refused = [
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    "01.2.3.4",
    "256.0.0.1",
    "1.2.3.4 ",
    "1.2.3.-4",
    "0x1.2.3.4",
    "1.2.3.4/24",
    ":",
    ":::",
    "::1::",
    "1::2::3",
    ":1",
    "1:",
    ":1::2",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "192.0.2.1::",
    "1:192.0.2.1:2::",
    "1:2:3:4:5:6:7:192.0.2.1",
    "::192.0.2",
    "::192.0.2.256",
    "1:".repeat(1_000_000),
  ];
  for (const text of refused) {
    test(`refuses ${JSON.stringify(text.slice(0, 30))}`, () =>
      assert.equal(parseAddress(text), undefined));
  }

  test("agrees with Node on what is an address", () => {
    const piece = fc.constantFrom(":", "::", ".", "0", "1", "ffff", "255", "256", "a", "192.0.2.1");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 17 }), (pieces) => {
        const text = pieces.join("");
        const family = isIP(text);
        const address = parseAddress(text);
        assert.equal(address === undefined ? 0 : familyOf(address) === "ipv4" ? 4 : 6, family);
      }),
      { numRuns: 5_000 },
    );
  });
});

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Long runs of zeros are where the shortening can go wrong.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map((values) => Uint8Array.from(values)),
);

test("bytes -> address -> bytes is the identity, and the text is canonical", () => {
  fc.assert(
    fc.property(bytes, (value) => {
      const address = addressFromBytes(value);
      assert.deepEqual(addressBytes(address), value);
      assert.equal(parseAddress(address), address);
      assert.equal(parseAddress(address.toUpperCase()), address);
    }),
  );
});

test("compares as unsigned numbers in network order", () => {
  assert.ok(compareAddresses(ip("192.0.2.9"), ip("192.0.2.10")) < 0);
  assert.ok(compareAddresses(ip("200.0.0.0"), ip("100.255.255.255")) > 0);
  assert.ok(compareAddresses(ip("fe80::ff"), ip("fe80::100")) < 0);
  assert.equal(compareAddresses(ip("fe80::1"), ip("fe80:0::1")), 0);
  assert.ok(compareAddresses(ip("255.255.255.255"), ip("::")) < 0);
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const order = Math.sign(compareAddresses(addressFromBytes(a), addressFromBytes(b)));
      const expected =
        a.length === b.length ? Buffer.compare(a, b) : Math.sign(a.length - b.length);
      assert.equal(order, expected);
    }),
  );
});

test("link-local and multicast", () => {
  for (const text of ["169.254.0.1", "fe80::1", "febf::1"]) assert.ok(isLinkLocal(ip(text)), text);
  for (const text of ["169.253.0.1", "fec0::1", "fe00::1", "254.128.0.0"]) {
    assert.ok(!isLinkLocal(ip(text)), text);
  }
  for (const text of ["224.0.0.18", "239.255.255.255", "ff02::12"]) {
    assert.ok(isMulticast(ip(text)), text);
  }
  for (const text of ["223.255.255.255", "240.0.0.0", "fe80::1", "255.0.0.1"]) {
    assert.ok(!isMulticast(ip(text)), text);
  }
});

test("inPrefix", () => {
  const inside = (address: string, network: string, length: number) =>
    inPrefix(ip(address), { address: ip(network), length });
  assert.ok(inside("192.0.2.200", "192.0.2.0", 24));
  assert.ok(inside("192.0.2.127", "192.0.2.1", 25));
  assert.ok(!inside("192.0.2.128", "192.0.2.1", 25));
  assert.ok(inside("1.2.3.4", "200.0.0.0", 0));
  assert.ok(inside("192.0.2.1", "192.0.2.1", 32));
  assert.ok(!inside("192.0.2.2", "192.0.2.1", 32));
  assert.ok(inside("febf::1", "fe80::", 10));
  assert.ok(!inside("fec0::1", "fe80::", 10));
  assert.ok(!inside("::", "0.0.0.0", 0));
});
