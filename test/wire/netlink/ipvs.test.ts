import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Destination, Service } from "../../../agent/core/ipvs/service.ts";
import { byteOrder } from "../../../agent/wire/netlink/attribute.ts";
import { decodeFamily, getFamily } from "../../../agent/wire/netlink/generic.ts";
import {
  deleteDaemon,
  encodeCommand,
  getDaemons,
  getDestinations,
  getService,
  getServices,
  getTimeouts,
  newDaemon,
  setTimeouts,
} from "../../../agent/wire/netlink/ipvs.ts";
import { address, destination, persistence, service, target, tunnel } from "../../ipvs/example.ts";
import { messageOf } from "./generic-message.ts";

// What ipvsadm 1.31 sends for the same things, taken with strace: the bodies of its messages.
const little = { skip: byteOrder ? false : "vectors are little-endian" };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

const WEB =
  "06000100" +
  "02000000" + // IPv4
  "06000200" +
  "06000000" + // TCP
  "14000300" +
  "c0000201000000000000000000000000" + // 192.0.2.1
  "06000400" +
  "00500000"; // port 80
const WLC = "08000600" + "776c6300";
const RR = "07000600" + "72720000";
const ALWAYS = "08000900" + "ffffffff";
const NO_TIMEOUT = "08000800" + "00000000";
const flags = (text: string): string => `0c000700${text}ffffffff`;
const nest = (type: string, inside: string): string => {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(4 + inside.length / 2);
  return length.toString("hex") + type + inside;
};
const inService = (inside: string): string => nest("0180", inside);
const inDestination = (inside: string): string => nest("0280", inside);
const inDaemon = (inside: string): string => nest("0380", inside);

const SERVICES: readonly (readonly [string, Service, string])[] = [
  [
    "-A -t 192.0.2.1:80 -s wlc",
    service("tcp 192.0.2.1:80"),
    WEB + WLC + flags("00000000") + NO_TIMEOUT + ALWAYS,
  ],
  [
    "-A -u [2001:db8::1]:53 -s mh -b mh-fallback,mh-port -p 600 -M 64",
    service("udp [2001:db8::1]:53", {
      scheduler: "mh",
      schedulerFlags: [true, true, false],
      persistence: persistence({ timeout: 600, prefixLength: 64 }),
    }),
    "060001000a000000060002001100000014000300" +
      "20010db8000000000000000000000001" +
      "0600040000350000070006006d680000" +
      flags("19000000") +
      "0800080058020000" +
      "0800090040000000",
  ],
  [
    "-A -f 5 -s rr -p 300 -M 255.255.255.0",
    service("fwmark 5 ipv4", {
      scheduler: "rr",
      persistence: persistence({ prefixLength: 24 }),
    }),
    `0600010002000000${"0800050005000000"}${RR}${flags("01000000")}080008002c010000${"08000900ffffff00"}`,
  ],
  [
    "-A -f 5 -6 -s rr",
    service("fwmark 5 ipv6", { scheduler: "rr" }),
    `060001000a000000${"0800050005000000"}${RR}${flags("00000000")}${NO_TIMEOUT}${"0800090080000000"}`,
  ],
  [
    "-A -u 192.0.2.1:5060 -s sh -b sh-port -p 60 --pe sip",
    service("udp 192.0.2.1:5060", {
      scheduler: "sh",
      schedulerFlags: [false, true, false],
      persistence: persistence({ timeout: 60, engine: "sip" }),
    }),
    "0600010002000000060002001100000014000300" +
      "c0000201000000000000000000000000" +
      "0600040013c400000700060073680000" +
      "08000b0073697000" +
      flags("11000000") +
      "080008003c000000" +
      ALWAYS,
  ],
  [
    "-A -u 192.0.2.1:53 -s rr -o",
    service("udp 192.0.2.1:53", { scheduler: "rr", onePacket: true }),
    "0600010002000000060002001100000014000300" +
      "c0000201000000000000000000000000" +
      "0600040000350000" +
      RR +
      flags("04000000") +
      NO_TIMEOUT +
      ALWAYS,
  ],
];

const WORDS = (text: string): string => text.replaceAll(" ", "");

const DESTINATIONS: readonly (readonly [string, Destination, string])[] = [
  [
    "-r 192.0.2.10:8080 -m -w 100 -x 10 -y 5",
    destination("192.0.2.10:8080", { weight: 100, upperThreshold: 10, lowerThreshold: 5 }),
    "06000b0002000000 14000100c000020a000000000000000000000000 060002001f900000 0800030000000000" +
      "0800040064000000 05000d0000000000 06000e0000000000 06000f0000000000 080005000a000000 0800060005000000",
  ],
  [
    "-r 192.0.2.11 -g -w 1",
    destination("192.0.2.11:80", { forwarding: { kind: "dr" } }),
    "06000b0002000000 14000100c000020b000000000000000000000000 0600020000500000 0800030003000000" +
      "0800040001000000 05000d0000000000 06000e0000000000 06000f0000000000 0800050000000000 0800060000000000",
  ],
  [
    "-r 2001:db8::10 -i --tun-type ipip -w 2",
    destination("[2001:db8::10]:80", { ...tunnel(), weight: 2 }),
    "06000b000a000000 1400010020010db8000000000000000000000010 0600020000500000 0800030002000000" +
      "0800040002000000 05000d0000000000 06000e0000000000 06000f0000000000 0800050000000000 0800060000000000",
  ],
  [
    "-r 192.0.2.12 -i --tun-type gue --tun-port 6080 --tun-remcsum -w 3",
    destination("192.0.2.12:80", {
      ...tunnel({ type: "gue", port: 6080, checksum: "remote" }),
      weight: 3,
    }),
    "06000b0002000000 14000100c000020c000000000000000000000000 0600020000500000 0800030002000000" +
      "0800040003000000 05000d0001000000 06000e0017c00000 06000f0002000000 0800050000000000 0800060000000000",
  ],
  [
    "-r 192.0.2.13 -i --tun-type gre --tun-csum -w 4",
    destination("192.0.2.13:80", { ...tunnel({ type: "gre", checksum: "full" }), weight: 4 }),
    "06000b0002000000 14000100c000020d000000000000000000000000 0600020000500000 0800030002000000" +
      "0800040004000000 05000d0002000000 06000e0000000000 06000f0001000000 0800050000000000 0800060000000000",
  ],
];

describe("what is asked of ip_vs", little, () => {
  for (const [words, one, inside] of SERVICES) {
    test(`ipvsadm ${words}`, () => {
      const added = encodeCommand({ kind: "add-service", service: one });
      assert.equal(hex(added), `01010000${inService(inside)}`);
    });
  }

  test("ipvsadm -E -t 192.0.2.1:80 -s rr", () => {
    const one = service("tcp 192.0.2.1:80", { scheduler: "rr" });
    assert.equal(
      hex(encodeCommand({ kind: "edit-service", service: one })),
      `02010000${inService(WEB + RR + flags("00000000") + NO_TIMEOUT + ALWAYS)}`,
    );
  });

  // ipvsadm repeats words of the service here, of which the kernel needs the name alone.
  for (const [words, one, inside] of DESTINATIONS) {
    for (const [letter, kind, number] of [
      ["a", "add-destination", "05"],
      ["e", "edit-destination", "06"],
      ["d", "delete-destination", "07"],
    ] as const) {
      test(`ipvsadm -${letter} -t 192.0.2.1:80 ${words}`, () => {
        const command = { kind, target: target("tcp 192.0.2.1:80"), destination: one };
        assert.equal(
          hex(encodeCommand(command)),
          `${number}010000${inService(WEB)}${inDestination(WORDS(inside))}`,
        );
      });
    }
  }

  test("names alone, to delete and to read", () => {
    const web = target("tcp 192.0.2.1:80");
    const removal = encodeCommand({ kind: "delete-service", target: web });
    assert.equal(hex(removal), `03010000${inService(WEB)}`);
    assert.equal(hex(getServices()), "04010000");
    assert.equal(hex(getService(web)), `04010000${inService(WEB)}`);
    assert.equal(hex(getDestinations(web)), `08010000${inService(WEB)}`);
    // ipvsadm -L -n
    assert.equal(
      hex(getDestinations(target("fwmark 5 ipv6"))),
      "08010000" + "14000180" + "060001000a000000" + "0800050005000000",
    );
  });

  test("every length of an IPv4 mask", () => {
    for (let prefixLength = 0; prefixLength <= 32; prefixLength += 1) {
      const one = service("fwmark 5 ipv4", { persistence: persistence({ prefixLength }) });
      const mask = hex(encodeCommand({ kind: "add-service", service: one })).slice(-8);
      const bits = `${"1".repeat(prefixLength)}${"0".repeat(32 - prefixLength)}`;
      assert.equal(mask, Number.parseInt(bits, 2).toString(16).padStart(8, "0"));
    }
  });

  test("ipvsadm --set 100 20 30", () => {
    assert.equal(
      hex(setTimeouts({ tcp: 100, tcpFin: 20, udp: 30 })),
      "0c010000" + "0800040064000000" + "0800050014000000" + "080006001e000000",
    );
    assert.equal(hex(getTimeouts()), "0d010000");
  });

  test("sync daemons: started with few and many words, stopped, asked for", () => {
    const few = {
      role: "active",
      interface: "lo",
      syncId: 7,
      maxLength: undefined,
      port: undefined,
      ttl: undefined,
      group: undefined,
    } as const;
    const start = (inside: string): string => `09010000${inDaemon(inside)}`;
    assert.equal(hex(newDaemon(few)), start("0800010001000000070002006c6f00000800030007000000"));
    const more = { maxLength: 1400, port: 9000, ttl: 3, group: address("239.1.2.3") };
    assert.equal(
      hex(newDaemon({ ...few, role: "backup", syncId: 8, ...more })),
      start(
        "0800010002000000070002006c6f00000800030008000000" +
          "0600040078050000" +
          "0600070028230000" +
          "0500080003000000" +
          "08000500ef010203",
      ),
    );
    const group6 = { role: "backup", interface: "v0", group: address("ff02::7") } as const;
    assert.equal(
      hex(newDaemon({ ...few, ...group6, syncId: 8 })),
      start(
        "08000100020000000700020076300000080003000800000014000600ff020000000000000000000000000007",
      ),
    );
    assert.equal(
      hex(deleteDaemon("backup")),
      `0a010000${inDaemon("0800010002000000" + "0500020000000000" + "0800030000000000")}`,
    );
    assert.equal(hex(getDaemons()), "0b010000");
  });

  test("the family's number, by its name", () => {
    assert.equal(hex(getFamily("IPVS")), "0301000009000200495056530000" + "0000");
    const answer =
      "01020000" + "090002004950565300000000" + "060001001c000000" + "0800030001000000";
    assert.equal(decodeFamily(messageOf(bytesOf(answer))), 28);
    assert.equal(decodeFamily(messageOf(bytesOf("01020000"))), undefined);
  });
});
