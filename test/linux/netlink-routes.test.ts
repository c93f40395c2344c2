import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Nexthop } from "../../agent/config/config.ts";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import type { Network, RequestOutcome } from "../../agent/ports/network.ts";
import {
  address,
  allOk,
  enterNamespace,
  Hearing,
  indexOf,
  ip,
  ipJson,
  prefix,
  request,
  route,
  skip,
} from "./network-rig.ts";

const DONE: RequestOutcome = { ok: true, foreign: false };
const gateway = address("192.0.2.9");
const gateway6 = address("2001:db8::9");

const nexthop = (words: Partial<Nexthop>): Nexthop => ({
  gateway: undefined,
  interface: undefined,
  weight: 1,
  onlink: false,
  realms: undefined,
  encapsulation: undefined,
  ...words,
});

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

describe("routes", { skip }, () => {
  const install = (words: Parameters<typeof route>[0]) =>
    network.installRoutes([route(words)], indexOf(network, "v0"));
  const remove = (words: Parameters<typeof route>[0]) =>
    network.removeRoutes([route(words)], indexOf(network, "v0"));

  /** Words of a route and what iproute2 must show of it. */
  const cases: readonly {
    readonly name: string;
    readonly words: Parameters<typeof route>[0];
    readonly list: string;
    readonly shows: object;
  }[] = [
    {
      name: "a network on the default interface",
      words: { destination: prefix("10.1.0.0/16") },
      list: "route show 10.1.0.0/16",
      shows: { dst: "10.1.0.0/16", dev: "v0", scope: "link", protocol: "112" },
    },
    {
      name: "host bits of the destination do not matter",
      words: { destination: prefix("10.1.2.3/16"), gateway },
      list: "route show 10.1.0.0/16",
      shows: { dst: "10.1.0.0/16", gateway: "192.0.2.9", scope: "global" },
    },
    {
      name: "the default route",
      words: { gateway, metric: 50 },
      list: "route show default",
      shows: { dst: "default", gateway: "192.0.2.9", metric: 50 },
    },
    {
      name: "table, source, tos, protocol, realms, onlink",
      words: {
        destination: prefix("10.2.0.0/16"),
        gateway: address("10.77.0.1"),
        interface: "v0",
        onlink: true,
        table: 1000,
        preferredSource: address("192.0.2.1"),
        tos: 16,
        protocol: 4,
        realms: 0x1_0002,
      },
      list: "route show table 1000",
      shows: {
        gateway: "10.77.0.1",
        prefsrc: "192.0.2.1",
        tos: "0x10",
        protocol: "static",
        flags: ["onlink"],
      },
    },
    {
      name: "metrics with locks",
      words: {
        destination: prefix("10.3.0.0/16"),
        gateway,
        metrics: [
          { name: "mtu", value: 1400, lock: true },
          { name: "initcwnd", value: 20, lock: false },
        ],
        congestionControl: { name: "reno", lock: true },
      },
      list: "route show 10.3.0.0/16",
      shows: { metrics: [{ mtu: 1400, initcwnd: 20, congestion: "reno" }] },
    },
    {
      name: "several next hops",
      words: {
        destination: prefix("10.4.0.0/16"),
        nexthops: [
          nexthop({ gateway, interface: "v0", weight: 3 }),
          nexthop({ gateway: address("10.88.0.1"), interface: "v0", onlink: true, realms: 5 }),
        ],
      },
      list: "route show 10.4.0.0/16",
      shows: {
        nexthops: [
          { gateway: "192.0.2.9", dev: "v0", weight: 3, flags: [] },
          { gateway: "10.88.0.1", dev: "v0", weight: 1, flags: ["onlink"] },
        ],
      },
    },
    {
      name: "a blackhole",
      words: { destination: prefix("10.5.0.0/16"), type: "blackhole" },
      list: "route show 10.5.0.0/16",
      shows: { type: "blackhole" },
    },
    {
      name: "throw in a table of its own",
      words: { destination: prefix("10.6.0.0/16"), type: "throw", table: 7 },
      list: "route show table 7",
      shows: { type: "throw" },
    },
    {
      name: "a local route, in the local table",
      words: { destination: prefix("10.6.1.1/32"), type: "local" },
      list: "route show table local 10.6.1.1",
      shows: { type: "local", dev: "v0", scope: "host" },
    },
    {
      name: "IPv4 by an IPv6 gateway",
      words: { destination: prefix("10.7.0.0/16"), gateway: address("fe80::9"), interface: "v0" },
      list: "route show 10.7.0.0/16",
      shows: { via: { family: "inet6", host: "fe80::9" } },
    },
    {
      name: "IPv6 with preference and expiry",
      words: {
        family: "ipv6",
        destination: prefix("2001:db8:1::/48"),
        gateway: gateway6,
        preference: "high",
        expires: 100,
      },
      list: "-6 route show 2001:db8:1::/48",
      shows: { gateway: "2001:db8::9", pref: "high", metric: 1024 },
    },
    {
      name: "IPv6 by source",
      words: {
        family: "ipv6",
        destination: prefix("2001:db8:2::/48"),
        source: prefix("fd01::/64"),
        gateway: gateway6,
      },
      list: "-6 route show 2001:db8:2::/48",
      shows: { from: "fd01::/64" },
    },
    {
      name: "IPv6 unreachable",
      words: { family: "ipv6", destination: prefix("2001:db8:3::/48"), type: "unreachable" },
      list: "-6 route show 2001:db8:3::/48",
      shows: { type: "unreachable", protocol: "112" },
    },
  ];

  for (const { name, words, list, shows } of cases) {
    test(name, async () => {
      assert.deepEqual(await install(words), [DONE]);
      const [found] = ipJson(list);
      assert.partialDeepStrictEqual(found, shows);
      assert.deepEqual(await install(words), [DONE], "a second time");
      assert.deepEqual(await remove(words), [DONE]);
      assert.deepEqual(ipJson(list), []);
      assert.deepEqual(await remove(words), [DONE], "a second time");
    });
  }

  test("locks are set", async () => {
    const words = cases.find(({ name }) => name === "metrics with locks")?.words ?? {};
    await install(words);
    assert.match(ip("route show 10.3.0.0/16"), /mtu lock 1400 initcwnd 20 congctl lock reno/);
    await remove(words);
  });

  test("appended routes live side by side", async () => {
    const both = [gateway, address("192.0.2.8")].map((by) =>
      route({ destination: prefix("10.10.0.0/16"), gateway: by, mode: "append" }),
    );
    assert.ok(allOk(await network.installRoutes(both, undefined)));
    assert.equal(ipJson("route show 10.10.0.0/16").length, 2);
    assert.ok(allOk(await network.removeRoutes(both, undefined)));
  });

  test("a prepended route stands before those to the same destination", async () => {
    const [first, second] = [gateway, address("192.0.2.8")].map((by) =>
      route({ destination: prefix("10.12.0.0/16"), gateway: by, mode: "prepend" }),
    );
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(allOk(await network.installRoutes([first], undefined)));
    assert.ok(allOk(await network.installRoutes([second], undefined)));
    const shown = ipJson("route show 10.12.0.0/16").map((one) => one.gateway);
    assert.deepEqual(shown, [second.gateway, first.gateway]);
    assert.ok(allOk(await network.removeRoutes([first, second], undefined)));
  });

  test("refusals are outcomes that say what to do", async () => {
    const outcomes = await network.installRoutes(
      [
        route({ destination: prefix("10.8.0.0/16"), interface: "nope" }),
        route({ destination: prefix("10.9.0.0/16"), gateway: address("203.0.113.1") }),
        route({ destination: prefix("10.11.0.0/16"), gateway }),
      ],
      undefined,
    );
    const [missing, unreachable, fine] = outcomes;
    assert.ok(missing?.ok === false && missing.errno === "ENODEV");
    assert.match(missing.message, /10\.8\.0\.0\/16 by nope/);
    assert.ok(unreachable?.ok === false && unreachable.errno === "ENETUNREACH");
    assert.match(unreachable.message, /check its address, or add onlink/);
    assert.deepEqual(fine, DONE);
    await network.removeRoutes(
      [route({ destination: prefix("10.11.0.0/16"), gateway })],
      undefined,
    );
  });

  const lost = (text: string) =>
    hearing.first(
      (event) =>
        event.kind === "route-removed" && event.route.destination?.address === text.split("/")[0],
      `the loss of ${text}`,
    );

  test("a removal, a replacement and a lost next hop are told", async () => {
    const hops = [gateway6, address("2001:db8::8")].map((by) => nexthop({ gateway: by }));
    await network.installRoutes(
      [
        route({ destination: prefix("10.20.0.0/16"), gateway }),
        route({ destination: prefix("10.21.0.0/16"), gateway }),
        route({ family: "ipv6", destination: prefix("2001:db8:20::/48"), nexthops: hops }),
        route({ destination: prefix("10.22.0.0/16"), gateway }),
      ],
      undefined,
    );
    ip("route del 10.20.0.0/16");
    await lost("10.20.0.0/16");
    ip("route replace 10.21.0.0/16 via 192.0.2.7");
    await lost("10.21.0.0/16");
    ip("-6 route del 2001:db8:20::/48 via 2001:db8::8");
    await lost("2001:db8:20::/48");
    await network.removeRoutes(
      [route({ destination: prefix("10.22.0.0/16"), gateway })],
      undefined,
    );
    assert.equal(hearing.events.filter(({ kind }) => kind === "route-removed").length, 3);
  });

  test("routes that the kernel drops without a word are told", async () => {
    await network.installRoutes(
      [route({ destination: prefix("10.30.0.0/16"), gateway })],
      undefined,
    );
    ip("link set v0 down");
    await lost("10.30.0.0/16");
    ip("link set v0 up");
    const source = request(network, "198.51.100.1/32");
    await network.installAddresses([source]);
    await network.installRoutes(
      [route({ destination: prefix("10.31.0.0/16"), preferredSource: source.address.address })],
      indexOf(network, "v0"),
    );
    await network.removeAddresses([source]);
    await lost("10.31.0.0/16");
  });
});
