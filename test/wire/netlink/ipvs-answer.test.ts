import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { byteOrder } from "../../../agent/wire/netlink/attribute.ts";
import { encodeCommand } from "../../../agent/wire/netlink/ipvs.ts";
import {
  decodeDaemon,
  decodeDestination,
  decodeService,
  decodeTimeouts,
} from "../../../agent/wire/netlink/ipvs-answer.ts";
import { entries } from "../../ipvs/arbitrary-table.ts";
import { destination, persistence, service, tunnel } from "../../ipvs/example.ts";
import { messageOf } from "./generic-message.ts";

// What Linux 6.1 answers, taken with strace from ipvsadm 1.31.
const little = { skip: byteOrder ? false : "vectors are little-endian" };

const message = (text: string) => messageOf(Uint8Array.from(Buffer.from(text, "hex")));

/** After two connections, of which one is still open. */
const TRAFFIC = {
  service:
    "01010000540101000600010002000000060002000600000014000300c0000201000000000000000000000000" +
    "060004000050000007000600727200000c00070002000000ffffffff080008000000000008000900ffffffff" +
    "60000a000800010002000000080002000a00000008000300070000000c000400220200000000000004000b00" +
    "0c0005004c09000000000000080006000000000008000700010000000800080001000000080009003d000000" +
    "08000a0005010000a0000c000c000100020000000000000004000b000c0002000a0000000000000004000b00" +
    "0c000300070000000000000004000b000c000400220200000000000004000b000c0005004c09000000000000" +
    "04000b000c000600000000000000000004000b000c000700010000000000000004000b000c00080001000000" +
    "0000000004000b000c0009003d0000000000000004000b000c000a000501000000000000",
  destination:
    "050100007c01020014000100c000020a000000000000000000000000060002001f9000000800030000000000" +
    "080004000100000005000d000000000006000e000000000006000f0000000000080005000000000008000600" +
    "0000000008000700010000000800080001000000080009000000000006000b000200000064000a0008000100" +
    "02000000080002000a000000080003000700000004000b000c000400220200000000000004000b000c000500" +
    "4c09000000000000080006000000000008000700010000000800080001000000080009003d00000008000a00" +
    "05010000a0000c000c000100020000000000000004000b000c0002000a0000000000000004000b000c000300" +
    "070000000000000004000b000c000400220200000000000004000b000c0005004c0900000000000004000b00" +
    "0c000600000000000000000004000b000c000700010000000000000004000b000c0008000100000000000000" +
    "04000b000c0009003d0000000000000004000b000c000a000501000000000000",
};

/** The first attributes of each; the counters behind them are left out. */
const SIP =
  "010100005c0001000600010002000000060002001100000014000300c0000201000000000000000000000000" +
  "0600040013c40000070006007368000008000b00736970000c00070013000000ffffffff080008003c000000" +
  "08000900ffff0000";
const GUE =
  "050100007800020014000100c000020c0000000000000000000000000600020013c400000800030002000000" +
  "080004000300000005000d000100000006000e0017c0000006000f0002000000080005000a00000008000600" +
  "0500000008000700000000000800080000000000080009000000000006000b0002000000";

const QUIET = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };

describe("what ip_vs answers", little, () => {
  test("a service and its destination, with what they have counted", () => {
    const counters = { connections: 2, inPackets: 10, outPackets: 7, inBytes: 546, outBytes: 2380 };
    assert.deepEqual(decodeService(message(TRAFFIC.service)), {
      service: service("tcp 192.0.2.1:80", { scheduler: "rr" }),
      counters,
    });
    assert.deepEqual(decodeDestination(message(TRAFFIC.destination), "ipv4"), {
      destination: destination("192.0.2.10:8080"),
      counters: {
        ...counters,
        activeConnections: 1,
        inactiveConnections: 1,
        persistentConnections: 0,
      },
    });
  });

  test("the longer counters count beyond 32 bits; without them the shorter ones are read", () => {
    // Bytes sent, in the last but six of the attributes.
    const outBytes = "0c0005004c09000000000000";
    const at = TRAFFIC.service.lastIndexOf(outBytes);
    const larger = `${TRAFFIC.service.slice(0, at)}0c0005000000000001000000${TRAFFIC.service.slice(at + outBytes.length)}`;
    assert.equal(decodeService(message(larger))?.counters.outBytes, 2 ** 32);
    const older = TRAFFIC.service.replace("a0000c00", "a0003c00");
    assert.equal(decodeService(message(older))?.counters.outBytes, 2380);
  });

  test("persistence, its engine and mask, and a scheduler's flag", () => {
    const kept = persistence({ timeout: 60, prefixLength: 16, engine: "sip" });
    assert.deepEqual(decodeService(message(SIP)), {
      service: service("udp 192.0.2.1:5060", {
        scheduler: "sh",
        schedulerFlags: [false, true, false],
        persistence: kept,
      }),
      counters: QUIET,
    });
  });

  test("a tunnel and thresholds", () => {
    assert.deepEqual(
      decodeDestination(message(GUE), "ipv4")?.destination,
      destination("192.0.2.12:5060", {
        ...tunnel({ type: "gue", port: 6080, checksum: "remote" }),
        weight: 3,
        upperThreshold: 10,
        lowerThreshold: 5,
      }),
    );
  });

  test("a kernel that does not name a destination's family has the service's", () => {
    const older = GUE.replace("06000b000200", "06003b000200");
    assert.equal(decodeDestination(message(older), "ipv4")?.destination.address, "192.0.2.12");
    assert.equal(decodeDestination(message(older), "ipv6")?.destination.address, "c000:20c::");
  });

  test("a way of forwarding that no tool asks for counts as NAT", () => {
    const local = TRAFFIC.destination.replace("0800030000000000", "0800030001000000");
    const report = decodeDestination(message(local), "ipv4");
    assert.deepEqual(report?.destination.forwarding, { kind: "nat" });
  });

  test("timeouts", () => {
    const answer = "0c01000008000400840300000800050078000000080006002c010000";
    assert.deepEqual(decodeTimeouts(message(answer)), { tcp: 900, tcpFin: 120, udp: 300 });
    assert.equal(decodeTimeouts(message("0c0100000800040084030000")), undefined);
  });

  test("sync daemons, with an IPv4 and an IPv6 group", () => {
    const four =
      "090100003c0003000800010001000000070002006c6f0000080003000700000006000400c00500000600070090220000050008000100000008000500e0000051";
    assert.deepEqual(decodeDaemon(message(four)), {
      role: "active",
      interface: "lo",
      syncId: 7,
      maxLength: 1472,
      port: 8848,
      ttl: 1,
      group: "224.0.0.81",
    });
    const six =
      "090100004800030008000100020000000700020076300000080003000800000006000400ac0500000600070090220000050008000100000014000600ff020000000000000000000000000007";
    assert.deepEqual(decodeDaemon(message(six)), {
      role: "backup",
      interface: "v0",
      syncId: 8,
      maxLength: 1452,
      port: 8848,
      ttl: 1,
      group: "ff02::7",
    });
  });

  test("what is asked for is what is read, as the kernel gives the same attributes back", () => {
    fc.assert(
      fc.property(entries, ({ service: one, destinations }) => {
        const asked = messageOf(encodeCommand({ kind: "add-service", service: one }));
        assert.deepEqual(decodeService(asked)?.service, one);
        for (const member of destinations) {
          const { target } = one;
          const command = { kind: "add-destination", target, destination: member } as const;
          const report = decodeDestination(messageOf(encodeCommand(command)), "ipv4");
          assert.deepEqual(report?.destination, member);
        }
      }),
    );
  });

  test("whatever bytes there are, nothing throws", () => {
    const damaged = fc
      .tuple(
        fc.constantFrom(TRAFFIC.service, TRAFFIC.destination, SIP, GUE),
        fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { maxLength: 5 }),
        fc.nat({ max: 400 }),
      )
      .map(([text, changes, length]) => {
        const bytes = Uint8Array.from(Buffer.from(text, "hex"));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.slice(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        decodeService(messageOf(bytes));
        decodeDestination(messageOf(bytes), "ipv6");
        decodeDaemon(messageOf(bytes));
        decodeTimeouts(messageOf(bytes));
      }),
    );
  });
});
