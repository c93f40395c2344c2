import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { decodeArp, gratuitousArp } from "../../agent/wire/arp.ts";
import type { AuthenticationSettings } from "../../agent/wire/authentication.ts";
import {
  decodeNeighborAdvertisement,
  unsolicitedNeighborAdvertisement,
} from "../../agent/wire/ndisc.ts";
import type { PacketSettings } from "../../agent/wire/outgoing-packet.ts";
import { formatMac, parseMac } from "../../agent/wire/virtual-mac.ts";
import {
  acceptanceOf,
  credentialsOf,
  decode,
  encode,
  hexOf,
  ip,
  messageAt,
  NO_SEQUENCES,
  octets,
  received,
} from "./samples.ts";

type VectorSettings = Omit<PacketSettings, "credentials"> & {
  readonly authentication: AuthenticationSettings;
};

interface Vector {
  readonly from: string;
  readonly settings: VectorSettings;
  readonly priority: number;
  readonly sequences?: { readonly identification: number; readonly ah: number };
  readonly wallClock: number;
  /** A complete IP packet. */
  readonly packet?: string;
  /** What follows the IP header. */
  readonly message?: string;
}

function vectorsIn<Kind>(folder: string): readonly (readonly [string, Kind])[] {
  const base = new URL(`../vectors/wire/${folder}/`, import.meta.url);
  return readdirSync(base).map((name) => [
    name.replace(".json", ""),
    JSON.parse(readFileSync(new URL(name, base), "utf8")) as Kind,
  ]);
}

const settingsIn = ({ settings: { authentication, ...settings } }: Vector): PacketSettings => ({
  ...settings,
  credentials: credentialsOf(authentication),
});

/** The flow label is the sender's kernel's choice. */
function withoutFlowLabel(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  if ((copy[0] ?? 0) >> 4 === 6) copy.set([(copy[1] ?? 0) & 0xf0, 0, 0], 1);
  return copy;
}

for (const folder of ["packet", "message"]) {
  describe(`vectors: ${folder}`, () => {
    for (const [name, vector] of vectorsIn<Vector>(folder)) {
      const settings = settingsIn(vector);
      const before = { ...NO_SEQUENCES, ...vector.sequences };
      const sent = encode(settings, vector.priority, before, vector.wallClock).packet;

      test(`${name} is encoded octet for octet`, () => {
        if (vector.packet !== undefined) {
          assert.equal(hexOf(sent), hexOf(withoutFlowLabel(octets(vector.packet))));
        } else {
          assert.equal(hexOf(sent.subarray(messageAt(settings))), vector.message);
        }
      });

      test(`${name} is decoded`, () => {
        const packet = vector.packet === undefined ? sent : octets(vector.packet);
        if (vector.message !== undefined) packet.set(octets(vector.message), messageAt(settings));
        const decoded = decode(
          received(packet, settings),
          acceptanceOf(settings),
          before,
          vector.wallClock,
        );
        assert.ok(decoded.ok, decoded.ok ? "" : decoded.reason);
        const { value } = decoded;
        assert.equal(value.version, settings.version);
        assert.equal(value.vrid, settings.vrid);
        assert.equal(value.priority, vector.priority);
        assert.equal(value.maxAdvertiseInterval, settings.maxAdvertiseInterval);
        assert.deepEqual(value.addresses, settings.addresses);
        assert.equal(value.source, settings.source);
        assert.equal(value.destination, settings.destination);
        assert.equal(value.ttl, settings.ttl);
        const named = settings.family === "ipv4" && settings.version === 3;
        assert.equal(value.checksum, named ? settings.checksum : undefined);
      });
    }
  });
}

interface Announcement {
  readonly kind: "arp" | "na";
  readonly address: string;
  readonly mac: string;
  readonly router?: boolean;
  readonly frame: string;
}

describe("vectors: announcement", () => {
  for (const [name, vector] of vectorsIn<Announcement>("announcement")) {
    const mac = parseMac(vector.mac);
    assert.ok(mac !== undefined);
    test(`${name} is encoded octet for octet`, () => {
      const frame =
        vector.kind === "arp"
          ? gratuitousArp(ip(vector.address), mac)
          : unsolicitedNeighborAdvertisement(ip(vector.address), mac, vector.router === true);
      assert.equal(hexOf(frame), vector.frame);
    });
    test(`${name} is decoded`, () => {
      const frame = octets(vector.frame);
      const decoded = vector.kind === "arp" ? decodeArp(frame) : decodeNeighborAdvertisement(frame);
      assert.ok(decoded.ok);
      assert.equal(decoded.value.target, vector.address);
      assert.equal(formatMac(decoded.value.sourceMac), vector.mac);
    });
  }
});
