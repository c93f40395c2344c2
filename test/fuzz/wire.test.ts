import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeArp, gratuitousArp } from "../../agent/wire/arp.ts";
import type { Hmac } from "../../agent/wire/hmac.ts";
import type { Acceptance, IncomingPacket } from "../../agent/wire/incoming-packet.ts";
import { decodePacket, peekPacketVrid } from "../../agent/wire/incoming-packet.ts";
import { decodeIpv4 } from "../../agent/wire/ipv4.ts";
import { decodeIpv6 } from "../../agent/wire/ipv6.ts";
import {
  decodeNeighborAdvertisement,
  unsolicitedNeighborAdvertisement,
} from "../../agent/wire/ndisc.ts";
import type { PacketSettings } from "../../agent/wire/outgoing-packet.ts";
import { encodePacket, packetTemplate } from "../../agent/wire/outgoing-packet.ts";
import {
  AH,
  acceptanceOf,
  altered,
  credentialsOf,
  FAMILIES,
  HMAC,
  hexOf,
  ip,
  messageAt,
  NO_SEQUENCES,
  NONE,
  NOW,
  PASS,
  received,
  settingsOf,
  VERSIONS,
} from "../wire/samples.ts";

/** How many inputs: FUZZ_RUNS sets it for a longer run, FUZZ_SEED another start. */
const { FUZZ_RUNS = "200000", FUZZ_SEED = "9568" } = process.env;
const RUNS = Number(FUZZ_RUNS);
const SEED = Number(FUZZ_SEED);

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Not a real hash, but one that is right by chance often enough to get behind it, and fast. */
const weakHmac: Hmac = (algorithm, key, data) => {
  const digest = new Uint8Array(algorithm === "md5" ? 16 : 32);
  digest[0] = ((data[data.length - 1] ?? 0) + (key[0] ?? 0)) & 1;
  return digest;
};

const REASONS = new Set(
  "truncated ip-header ttl version type length checksum unknown-vrid no-addresses interval-zero auth-type auth-data auth-stale auth-replay".split(
    " ",
  ),
);

const settings: readonly PacketSettings[] = FAMILIES.flatMap((family) =>
  VERSIONS.flatMap((version) =>
    [NONE, PASS, AH, HMAC]
      .filter(({ kind }) => kind !== "pass" || version === 2)
      .filter(({ kind }) => kind !== "ah" || (version === 2 && family === "ipv4"))
      .flatMap((authentication) => {
        const credentials = credentialsOf(authentication);
        const multicast = settingsOf(family, version, { credentials });
        const destination = ip(family === "ipv4" ? "192.0.2.252" : "2001:db8::252");
        return [
          multicast,
          { ...multicast, unicast: true, destination },
          { ...multicast, checksum: "pseudo-header" as const },
          { ...multicast, addresses: [] },
        ];
      }),
  ),
);

const seeds = settings.map((each) => ({
  settings: each,
  acceptance: acceptanceOf(each),
  packet: encodePacket(packetTemplate(each), 100, NO_SEQUENCES, NOW, weakHmac).packet,
}));

/** The input with octets replaced, bits flipped, cut, lengthened or spliced with another. */
function mutated(input: Uint8Array, other: Uint8Array, random: (below: number) => number) {
  let bytes = input.slice();
  for (let rounds = 1 + random(4); rounds > 0; rounds -= 1) {
    const at = random(Math.max(1, bytes.length));
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = Uint8Array.of(...bytes, ...other.subarray(0, random(other.length)));
        break;
      case 4:
        bytes.set(other.subarray(at, Math.min(bytes.length, at + random(16))), at);
        break;
      default:
        bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0;
    }
  }
  return bytes;
}

/** Throws if a decoder does, or answers outside of what it may. */
function exercise(packet: IncomingPacket, acceptance: Acceptance | undefined): string {
  peekPacketVrid(packet.bytes, packet.source.includes(":") ? "ipv6" : "ipv4");
  const decoded = decodePacket(packet, acceptance, NO_SEQUENCES, NOW, weakHmac);
  if (!decoded.ok) {
    assert.ok(REASONS.has(decoded.reason), decoded.reason);
    return decoded.reason;
  }
  const { value } = decoded;
  assert.ok(acceptance !== undefined && value.vrid === acceptance.vrid);
  assert.equal(value.version, acceptance.version);
  assert.ok(value.maxAdvertiseInterval > 0 && value.maxAdvertiseInterval <= 255_000_000);
  assert.ok(value.addresses.length >= 1 && value.addresses.length <= 255);
  return "accepted";
}

test(`advertisement decoders never throw: ${RUNS} inputs`, () => {
  const random = randomFrom(SEED);
  const seen = new Map<string, number>();
  for (let run = 0; run < RUNS; run += 1) {
    const seed = seeds[random(seeds.length)];
    const other = seeds[random(seeds.length)];
    assert.ok(seed !== undefined && other !== undefined);
    const kind = random(8);
    const raw =
      kind === 0
        ? Uint8Array.from({ length: random(120) }, () => random(256))
        : mutated(seed.packet, other.packet, random);
    // A right checksum gets half of them past it.
    const repairable = kind < 4 && raw.length >= messageAt(seed.settings) + 8;
    const bytes = repairable ? altered(raw, seed.settings, {}) : raw;
    const acceptance = random(10) === 0 ? undefined : seed.acceptance;
    const packet = received(bytes, seed.settings);
    try {
      const verdict = exercise(packet, acceptance);
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`seed ${SEED}, run ${run}: ${hexOf(bytes)}`, { cause });
    }
  }
  // A fuzzer that gets nowhere finds nothing: every rung of the ladder must have been reached.
  if (RUNS >= 200_000) {
    const unseen = [...REASONS].filter((reason) => !seen.has(reason));
    assert.deepEqual(unseen, [], JSON.stringify([...seen]));
    assert.ok(seen.has("accepted"));
  }
});

test("frame decoders never throw", () => {
  const random = randomFrom(SEED);
  const mac = Uint8Array.of(0, 0, 0x5e, 0, 1, 10);
  const frames = [
    gratuitousArp(ip("192.0.2.1"), mac),
    unsolicitedNeighborAdvertisement(ip("2001:db8::1"), mac, true),
  ];
  for (let run = 0; run < RUNS / 10; run += 1) {
    const frame = frames[random(2)];
    assert.ok(frame !== undefined);
    const bytes = mutated(frame, frames[0] ?? frame, random);
    decodeArp(bytes);
    decodeNeighborAdvertisement(bytes);
    decodeIpv4(bytes.subarray(14));
    decodeIpv6(bytes.subarray(14));
  }
});
