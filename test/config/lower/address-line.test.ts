import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PLAIN_ADDRESS } from "../plain.ts";
import { brief, instanceOf, instanceText, load } from "./lowered.ts";

function addressOf(line: string): unknown {
  const [address] = instanceOf(`virtual_ipaddress {\n${line}\n}`).addresses;
  const { position: _, ...rest } = address ?? assert.fail("no address");
  return rest;
}

const ROWS: readonly (readonly [line: string, wanted: object])[] = [
  ["10.0.0.3", { address: "10.0.0.3" }],
  ["10.0.0.3/24", { address: "10.0.0.3", prefixLength: 24 }],
  ["10.0.0.3/0", { address: "10.0.0.3", prefixLength: 0 }],
  ["2001:DB8:0::1/64", { address: "2001:db8::1", prefixLength: 64 }],
  [
    "2001:db8::1 preferred_lft forever",
    { address: "2001:db8::1", prefixLength: 128, preferredLifetime: undefined },
  ],
  ["fe80::1", { address: "fe80::1", prefixLength: 128, preferredLifetime: 0 }],
  [
    "192.168.1.100/24 dev enp0s3 label enp0s3:8",
    { address: "192.168.1.100", prefixLength: 24, interface: "enp0s3", label: "enp0s3:8" },
  ],
  ["10.0.0.3 brd 10.0.0.255", { address: "10.0.0.3", broadcast: "10.0.0.255" }],
  ["10.0.0.3 broadcast +", { address: "10.0.0.3", broadcast: "+" }],
  ["10.0.0.3 brd -", { address: "10.0.0.3", broadcast: "-" }],
  ["10.0.0.3 scope link", { address: "10.0.0.3", scope: 253 }],
  ["10.0.0.3 scope 7", { address: "10.0.0.3", scope: 7 }],
  ["10.0.0.3 peer 10.0.1.3/24", { address: "10.0.0.3", peer: { address: "10.0.1.3", length: 24 } }],
  [
    "fe80::1 home nodad mngtmpaddr noprefixroute autojoin",
    {
      address: "fe80::1",
      prefixLength: 128,
      preferredLifetime: 0,
      flags: ["home", "mngtmpaddr", "noprefixroute", "autojoin"],
    },
  ],
  ["10.0.0.3 no_track use_vmac", { address: "10.0.0.3", noTrack: true, useVirtualMac: true }],
  ["10.0.0.3 track_group G", { address: "10.0.0.3", trackGroup: "G" }],
  ["10.0.0.3 preferred_lft 0", { address: "10.0.0.3", preferredLifetime: 0 }],
  ["10.0.0.3 preferred_lft forever", { address: "10.0.0.3" }],
];

describe("lines of virtual_ipaddress", () => {
  for (const [line, wanted] of ROWS) {
    test(line, () => assert.deepEqual(addressOf(line), { ...PLAIN_ADDRESS, ...wanted }));
  }

  const FAULTS: readonly (readonly [line: string, finding: string])[] = [
    ["10.0.0.300", "2:1 address-invalid"],
    ["10.0.0.3/33", "2:1 address-invalid"],
    ["eth0 10.0.0.3", "2:1 address-invalid"],
    ["10.0.0.3 10.0.0.4", "2:10 address-second-on-line"],
    ["10.0.0.3 lable x", "2:10 address-option-unknown"],
    ["10.0.0.3 brd ff::1", "2:14 address-option-invalid"],
    ["fe80::3 -nodad", "2:9 address-option-ignored"],
    ["10.0.0.3 dev", "2:10 address-option-invalid"],
    ["10.0.0.3 dev averylonginterfacename", "2:14 interface-name-invalid"],
    ["10.0.0.3 label eth0:this-is-too-long", "2:16 address-option-invalid"],
    ["10.0.0.3 preferred_lft soon", "2:24 address-option-invalid"],
    ["10.0.0.3 scope nowhere-near", "2:16 address-option-invalid"],
  ];
  for (const [line, finding] of FAULTS) {
    test(`${line} is reported in its place`, () => {
      const { diagnostics } = load(
        `vrrp_instance VI { virtual_ipaddress {\n${line}\n}\ninterface eth0\nvirtual_router_id 1\nno_virtual_ipaddress\n}`,
      );
      assert.equal(brief(diagnostics)[0]?.replace(/ addresses-none$/, ""), finding);
    });
  }

  test("a misspelt option names what was meant", () => {
    const { diagnostics } = load(instanceText("virtual_ipaddress {\n10.0.0.3 lable x\n}"));
    assert.equal(diagnostics[0]?.hint, 'did you mean "label"?');
  });

  test("every IPv4 and IPv6 address and length is read back in its one form", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 0, max: 32 }), (address, length) => {
        const wanted = { ...PLAIN_ADDRESS, address, prefixLength: length };
        assert.deepEqual(addressOf(`${address}/${length}`), wanted);
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, length) => {
        const first = instanceOf(`virtual_ipaddress {\n${address}/${length}\n}`).addresses[0];
        const second = instanceOf(`virtual_ipaddress {\n${first?.address}\n}`).addresses[0];
        assert.equal(second?.address, first?.address);
        assert.equal(first?.prefixLength, length);
      }),
    );
  });

  test("no line makes it throw", () => {
    const word = fc.constantFrom(
      "10.0.0.1",
      "dev",
      "eth0",
      "label",
      "brd",
      "+",
      "peer",
      "scope",
      "preferred_lft",
      "track_group",
      "__proto__",
      "constructor",
      "/",
      "::",
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
        load(instanceText(`virtual_ipaddress {\n${words.join(" ")}\n}`));
      }),
    );
  });
});
