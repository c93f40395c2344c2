import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addressBytes } from "../../agent/core/address.ts";
import type { AdvertisementFilter } from "../../agent/wire/bpf.ts";
import {
  advertisementFilter,
  DROP_ALL,
  encodeBpf,
  NETWORK_HEADER,
  PASS_ALL,
} from "../../agent/wire/bpf.ts";
import type { PacketSettings } from "../../agent/wire/outgoing-packet.ts";
import { runBpf } from "./bpf-interpreter.ts";
import { AH, credentialsOf, encode, FAMILIES, hexOf, ip, settingsOf } from "./samples.ts";

const GROUP = { ipv4: addressBytes(ip("224.0.0.18")), ipv6: addressBytes(ip("ff02::12")) };
const PEER = { ipv4: ip("192.0.2.252"), ipv6: ip("2001:db8::252") };

/** Does a raw socket with this filter get to see the packet? */
function passes(filter: AdvertisementFilter, packet: Uint8Array): boolean {
  const data = filter.family === "ipv4" ? packet : packet.subarray(40);
  return runBpf(advertisementFilter(filter), { data, network: packet }) > 0;
}

const packetOf = (settings: PacketSettings): Uint8Array => encode(settings).packet;

for (const family of FAMILIES) {
  const multicast = { family, protocol: 112, group: GROUP[family], vrids: new Set([10]) } as const;
  const unicast = { ...multicast, group: undefined };
  const toGroup = settingsOf(family, 3);
  const toPeer = { ...toGroup, unicast: true, destination: PEER[family] };

  describe(`filter: ${family}`, () => {
    test("multicast with TTL or hop limit 255 passes, any other is dropped [RFC9568-5.1.1.3] [RFC9568-5.1.2.3]", () => {
      for (let ttl = 1; ttl <= 255; ttl += 1) {
        assert.equal(passes(multicast, packetOf({ ...toGroup, ttl })), ttl === 255, `${ttl}`);
      }
    });

    test("unicast passes from any distance, but not to a multicast socket", () => {
      assert.ok(passes(unicast, packetOf({ ...toPeer, ttl: 3 })));
      assert.ok(!passes(multicast, packetOf(toPeer)));
      assert.ok(!passes(unicast, packetOf(toGroup)));
    });

    test("another group is dropped, whichever octet differs", () => {
      const packet = packetOf(toGroup);
      const at = family === "ipv4" ? 16 : 24;
      for (let octet = at; octet < at + GROUP[family].length; octet += 1) {
        const copy = packet.slice();
        copy[octet] = (copy[octet] ?? 0) ^ 1;
        assert.ok(!passes(multicast, copy), `${octet}`);
      }
    });

    test("exactly the VRIDs of the set pass", () => {
      const property = fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 255 })), (listed) => {
        const vrids = new Set(listed);
        const program = advertisementFilter({ ...multicast, vrids });
        const packet = packetOf(toGroup);
        for (let vrid = 0; vrid <= 255; vrid += 1) {
          packet[(family === "ipv4" ? 20 : 40) + 1] = vrid;
          const data = family === "ipv4" ? packet : packet.subarray(40);
          const passed = runBpf(program, { data, network: packet }) > 0;
          assert.equal(passed, vrids.has(vrid), `${vrid}`);
        }
      });
      fc.assert(property, { numRuns: 60, seed: 112 });
    });

    test("every VRID passes where all are asked for", () => {
      for (const vrid of [1, 99, 255]) {
        const packet = packetOf({ ...toGroup, vrid });
        assert.ok(passes({ ...multicast, vrids: undefined }, packet));
      }
    });

    test("what is too short to have a VRID is dropped", () => {
      const packet = packetOf(toGroup);
      const header = family === "ipv4" ? 20 : 40;
      for (let length = 0; length < header + 2; length += 1) {
        assert.ok(!passes(multicast, packet.subarray(0, length)), `${length}`);
      }
      assert.ok(passes(multicast, packet.subarray(0, header + 2)));
    });

    test("a program is short, whatever the set", () => {
      const all = new Set(Array.from({ length: 255 }, (_, at) => at + 1));
      const every = [advertisementFilter({ ...multicast, vrids: all }).length];
      assert.ok(Math.max(...every) <= 60, `${every}`);
    });
  });
}

test("the VRID is found behind IPv4 options and behind the authentication header", () => {
  const filter = {
    family: "ipv4",
    protocol: 112,
    group: GROUP.ipv4,
    vrids: new Set([10]),
  } as const;
  const packet = packetOf(settingsOf("ipv4", 3));
  const withOptions = Uint8Array.of(
    ...packet.subarray(0, 20),
    0x94,
    4,
    0,
    0,
    ...packet.subarray(20),
  );
  withOptions[0] = 0x46;
  assert.ok(passes(filter, withOptions));
  assert.ok(!passes({ ...filter, vrids: new Set([11]) }, withOptions));
  const ah = packetOf(settingsOf("ipv4", 2, { credentials: credentialsOf(AH) }));
  assert.ok(passes({ ...filter, protocol: 51 }, ah));
  assert.ok(!passes({ ...filter, protocol: 51, vrids: new Set([11]) }, ah));
});

test("random packets never run off the program", () => {
  const filter = fc.record({
    family: fc.constantFrom(...FAMILIES),
    protocol: fc.constantFrom(112 as const, 51 as const),
    multicast: fc.boolean(),
    vrids: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 255 })), { nil: undefined }),
  });
  const property = fc.property(filter, fc.uint8Array({ maxLength: 80 }), (chosen, packet) => {
    const { family, protocol, multicast, vrids } = chosen;
    passes(
      {
        family,
        protocol,
        group: multicast ? GROUP[family] : undefined,
        vrids: vrids === undefined ? undefined : new Set(vrids),
      },
      packet,
    );
  });
  fc.assert(property, { numRuns: 500, seed: 51 });
});

test("offsets from the network header start where linux/filter.h says", () => {
  assert.equal(NETWORK_HEADER | 0, -0x10_0000);
});

test("instructions are 8 octets in the order of the host", () => {
  assert.equal(hexOf(encodeBpf(PASS_ALL, true)), "06000000ffffffff");
  assert.equal(hexOf(encodeBpf(DROP_ALL, true)), "0600000000000000");
  const step = [{ code: 0x15, jt: 1, jf: 2, k: 0x01020304 }];
  assert.equal(hexOf(encodeBpf(step, true)), "1500010204030201");
  assert.equal(hexOf(encodeBpf(step, false)), "0015010201020304");
});
