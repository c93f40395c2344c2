import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import type { Network, RequestOutcome } from "../../agent/ports/network.ts";
import {
  address,
  enterNamespace,
  Hearing,
  ip,
  ipJson,
  prefix,
  route,
  rule,
  skip,
} from "./network-rig.ts";

const DONE: RequestOutcome = { ok: true, foreign: false };
const gateway = address("192.0.2.9");

let network: Network;
let hearing: Hearing;
before(async () => {
  if (skip !== false) return;
  enterNamespace();
  ip("addr add 192.0.2.1/24 dev v0");
  ip("addr add 2001:db8::1/64 dev v0 nodad");
  // No audit: what is told must have been noticed.
  network = await openNetwork({ auditInterval: 60_000 });
  hearing = new Hearing(network);
});
beforeEach(() => hearing?.forget());
after(() => network?.close());

describe("rules", { skip }, () => {
  const cases: readonly {
    readonly name: string;
    readonly words: Parameters<typeof rule>[0];
    readonly shows: object;
  }[] = [
    {
      name: "from a network to a table, without priority",
      words: { from: prefix("10.0.0.0/8"), table: 1000 },
      shows: { src: "10.0.0.0", srclen: 8, table: "1000", protocol: "112" },
    },
    {
      name: "all selectors",
      words: {
        priority: 100,
        not: true,
        from: prefix("10.0.0.0/8"),
        to: prefix("11.0.0.0/8"),
        tos: 8,
        mark: { value: 5, mask: 0xff },
        inputInterface: "v0",
        outputInterface: "v1",
        suppressPrefixLength: 0,
        table: 7,
      },
      shows: {
        priority: 100,
        not: null,
        dst: "11.0.0.0",
        tos: "0x08",
        fwmark: "0x5",
        fwmask: "0xff",
        iif: "v0",
        oif: "v1",
        suppress_prefixlen: 0,
        table: "7",
      },
    },
    {
      name: "ports, protocol, users and tunnel",
      words: {
        priority: 101,
        ipProtocol: 6,
        sourcePorts: [10, 20],
        destinationPorts: [80, 80],
        uidRange: [5, 10],
        tunnelId: "77",
        action: "blackhole",
      },
      shows: {
        ipproto: "tcp",
        sport_start: 10,
        sport_end: 20,
        dport: 80,
        uid_start: 5,
        uid_end: 10,
        tun_id: 77,
        action: "blackhole",
      },
    },
    {
      name: "goto",
      words: { priority: 102, action: "goto", goto: 32766 },
      shows: { goto: 32766 },
    },
    {
      name: "l3mdev",
      words: { priority: 103, l3mdev: true },
      shows: { priority: 103, l3mdev: null },
    },
    {
      name: "IPv6 prohibit",
      words: { family: "ipv6", priority: 104, from: prefix("fd00::/64"), action: "prohibit" },
      shows: { src: "fd00::", srclen: 64, action: "prohibit" },
    },
  ];

  for (const { name, words, shows } of cases) {
    test(name, async () => {
      const list = words.family === "ipv6" ? "-6 rule" : "rule";
      const before = ipJson(list).length;
      assert.deepEqual(await network.installRules([rule(words)]), [DONE]);
      const found = ipJson(list).find(({ protocol }) => protocol === "112");
      assert.partialDeepStrictEqual(found, shows);
      assert.deepEqual(await network.installRules([rule(words)]), [DONE], "a second time");
      assert.equal(ipJson(list).length, before + 1);
      assert.deepEqual(await network.removeRules([rule(words)]), [DONE]);
      assert.equal(ipJson(list).length, before);
      assert.deepEqual(await network.removeRules([rule(words)]), [DONE], "a second time");
    });
  }

  test("a removal by somebody else is told once, ours is not", async () => {
    const two = [rule({ priority: 200, table: 5 }), rule({ priority: 201, table: 5 })];
    await network.installRules(two);
    ip("rule del priority 200");
    const event = await hearing.first(({ kind }) => kind === "rule-removed", "the loss");
    assert.ok(event.kind === "rule-removed" && event.rule.priority === 200);
    await network.removeRules(two);
    assert.equal(hearing.events.filter(({ kind }) => kind === "rule-removed").length, 1);
  });

  test("a later run clears routes and rules away, and only ours", async () => {
    const destination = prefix("10.40.0.0/16");
    await network.installRules([rule({ priority: 300, table: 5 })]);
    ip("addr replace 192.0.2.1/24 dev v0");
    await network.installRoutes(
      [route({ destination, gateway }), route({ destination, gateway, table: 9 })],
      1,
    );
    ip("route add 10.41.0.0/16 via 192.0.2.9");
    ip("rule add priority 301 table 5");
    const later = await openNetwork();
    await later.removeLeftovers();
    later.close();
    assert.deepEqual(ipJson("route show table all proto 112"), []);
    assert.equal(ipJson("route show 10.41.0.0/16").length, 1);
    assert.deepEqual(
      ipJson("rule").map(({ priority }) => priority),
      [0, 301, 32766, 32767],
    );
  });
});
