import assert from "node:assert/strict";
import { test } from "node:test";
import type { BfdArrival, BfdPeer } from "../../../agent/core/bfd/admission.ts";
import { admitControl, bfdPeers } from "../../../agent/core/bfd/admission.ts";
import type { ControlPacket } from "../../../agent/core/bfd/packet.ts";
import { ip } from "../vrrp/example.ts";
import { control } from "./example.ts";

const PEER: BfdPeer = {
  discriminator: 7,
  hops: "single",
  neighbour: ip("192.0.2.2"),
  source: ip("192.0.2.1"),
  interfaceIndex: undefined,
  leastTtl: 255,
};
const FAR: BfdPeer = {
  ...PEER,
  discriminator: 8,
  hops: "multiple",
  source: undefined,
  leastTtl: 250,
};
const LOCAL: BfdPeer = {
  ...PEER,
  discriminator: 9,
  neighbour: ip("fe80::2"),
  source: undefined,
  interfaceIndex: 3,
};

const ARRIVAL: BfdArrival = {
  hops: "single",
  source: ip("192.0.2.2"),
  destination: ip("192.0.2.1"),
  ttl: 255,
  interfaceIndex: 2,
};

const V6 = { source: ip("fe80::2"), destination: ip("fe80::1") };

const TABLE: readonly (readonly [
  string,
  Partial<BfdArrival>,
  Partial<ControlPacket>,
  number | string,
])[] = [
  ["by discriminator", {}, { yourDiscriminator: 7, state: "up" }, 7],
  ["by address", {}, {}, 7],
  ["by address, administratively down", {}, { state: "admin-down" }, 7],
  ["without a discriminator that it must know", {}, { state: "up" }, "discriminator-missing"],
  ["a discriminator of nobody", {}, { yourDiscriminator: 99 }, "unknown-discriminator"],
  [
    "a discriminator from elsewhere",
    { source: ip("192.0.2.9") },
    { yourDiscriminator: 7 },
    "wrong-neighbour",
  ],
  ["a stranger", { source: ip("192.0.2.9") }, {}, "unknown-neighbour"],
  ["to another address of ours", { destination: ip("192.0.2.77") }, {}, "unknown-neighbour"],
  ["forwarded", { ttl: 254 }, {}, "ttl"],
  ["without a TTL", { ttl: undefined }, {}, "ttl"],
  ["multihop", { hops: "multiple", ttl: 250 }, {}, 8],
  ["too many hops", { hops: "multiple", ttl: 249 }, {}, "ttl"],
  ["on the other port", { hops: "multiple" }, { yourDiscriminator: 7 }, "wrong-neighbour"],
  ["link-local, on its link", { ...V6, interfaceIndex: 3 }, {}, 9],
  ["link-local, on another link", { ...V6, interfaceIndex: 4 }, {}, "unknown-neighbour"],
];

for (const [what, arrival, packet, expected] of TABLE) {
  test(`admission: ${what}`, () => {
    const peers = bfdPeers([PEER, FAR, LOCAL]);
    const answer = admitControl(peers, { ...ARRIVAL, ...arrival }, control(packet));
    assert.equal(answer.ok ? answer.value.discriminator : answer.reason, expected);
  });
}
