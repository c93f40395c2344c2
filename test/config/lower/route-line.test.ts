import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PLAIN_ENCAPSULATION, PLAIN_ROUTE } from "../plain.ts";
import { brief, configOf, load } from "./lowered.ts";

const FILES = {
  "/etc/iproute2/rt_tables": "254 main\n#7 no\n100 blue # the blue one\n0x65 green\n",
  "/etc/iproute2/rt_protos": "200 ours\n",
  "/etc/iproute2/rt_protos.d/more.conf": "201 theirs\n",
  "/etc/iproute2/rt_dsfield": "0x48 AF21\n",
  "/etc/iproute2/rt_realms": "3 inside\n4 outside\n",
  "/usr/share/iproute2/rt_scopes": "42 nearby\n",
};

function routeOf(line: string): unknown {
  const [route] = configOf(`static_routes {\n${line}\n}`, FILES).staticRoutes;
  const { position: _, ...rest } = route ?? assert.fail("no route");
  return rest;
}

const TEN = { address: "10.0.0.0", length: 8 };
const VIA = { destination: TEN, gateway: "192.0.2.1", interface: "eth0" };
const HOP = {
  gateway: "192.0.2.1",
  interface: undefined,
  weight: 1,
  onlink: false,
  realms: undefined,
  encapsulation: undefined,
};
const metric = (name: string, value: number, lock = false) => ({
  ...VIA,
  metrics: [{ name, value, lock }],
});

/** Words after `10.0.0.0/8 via 192.0.2.1 dev eth0`. */
const OPTIONS: readonly (readonly [words: string, wanted: object])[] = [
  ["", VIA],
  ["table 100", { ...VIA, table: 100 }],
  ["table blue", { ...VIA, table: 100 }],
  ["table green", { ...VIA, table: 101 }],
  ["table main", { ...VIA, table: 254 }],
  ["metric 5", { ...VIA, metric: 5 }],
  ["priority 5", { ...VIA, metric: 5 }],
  ["preference 5", { ...VIA, metric: 5 }],
  ["scope link", { ...VIA, scope: 253 }],
  ["scope nearby", { ...VIA, scope: 42 }],
  ["tos 0x10", { ...VIA, tos: 16 }],
  ["dsfield AF21", { ...VIA, tos: 0x48 }],
  ["src 192.0.2.9", { ...VIA, preferredSource: "192.0.2.9" }],
  ["protocol ours no_track", { ...VIA, protocol: 200, noTrack: true }],
  ["protocol theirs no_track", { ...VIA, protocol: 201, noTrack: true }],
  ["protocol static", VIA],
  ["onlink", { ...VIA, onlink: true }],
  ["append", { ...VIA, mode: "append" }],
  ["prepend", { ...VIA, mode: "prepend" }],
  ["add", VIA],
  ["realms 3/4", { ...VIA, realms: 0x3_0004 }],
  ["realms inside/outside", { ...VIA, realms: 0x3_0004 }],
  ["realms 3", { ...VIA, realms: 3 }],
  ["mtu 1400", metric("mtu", 1400)],
  ["mtu lock 1400", metric("mtu", 1400, true)],
  ["hoplimit 12", metric("hoplimit", 12)],
  ["advmss 1300", metric("advmss", 1300)],
  ["reordering 4", metric("reordering", 4)],
  ["window 9", metric("window", 9)],
  ["cwnd lock 9", metric("cwnd", 9, true)],
  ["ssthresh 9", metric("ssthresh", 9)],
  ["initcwnd 9", metric("initcwnd", 9)],
  ["initrwnd 9", metric("initrwnd", 9)],
  ["quickack 1", metric("quickack", 1)],
  ["fastopen_no_cookie 1", metric("fastopen_no_cookie", 1)],
  ["features ecn", metric("features", 1)],
  ["rtt 100", metric("rtt", 800)],
  ["rtt 100ms", metric("rtt", 800)],
  ["rttvar 1s", metric("rttvar", 4000)],
  ["rto_min 1.5s", metric("rto_min", 1500)],
  ["congctl lock bbr", { ...VIA, congestionControl: { name: "bbr", lock: true } }],
  ["ttl-propagate disabled", { ...VIA, ttlPropagate: false }],
  ["track_group G", { ...VIA, trackGroup: "G" }],
  [
    "encap mpls 100/200",
    { ...VIA, encapsulation: { ...PLAIN_ENCAPSULATION, type: "mpls", labels: [100, 200] } },
  ],
  [
    "encap ip id 7 dst 198.51.100.1 src 198.51.100.2 tos 4 ttl 9 metric 3",
    {
      ...VIA,
      metric: 3,
      encapsulation: {
        ...PLAIN_ENCAPSULATION,
        type: "ip",
        id: 7,
        destination: "198.51.100.1",
        source: "198.51.100.2",
        tos: 4,
        ttl: 9,
      },
    },
  ],
  [
    "encap ip6 dst 2001:db8::9 hoplimit 3 flags 0x4",
    {
      ...VIA,
      encapsulation: {
        ...PLAIN_ENCAPSULATION,
        type: "ip6",
        destination: "2001:db8::9",
        ttl: 3,
        flags: 4,
      },
    },
  ],
  [
    "encap ila 2001:DB8:0:1",
    { ...VIA, encapsulation: { ...PLAIN_ENCAPSULATION, type: "ila", locator: "2001:db8:0:1" } },
  ],
];

const LINES: readonly (readonly [line: string, wanted: object])[] = [
  ["default via 192.0.2.1 dev eth0", { gateway: "192.0.2.1", interface: "eth0" }],
  ["0.0.0.0/0 dev eth0", { interface: "eth0" }],
  ["::/0 dev eth0", { family: "ipv6", interface: "eth0" }],
  ["to 10.0.0.0/8 dev eth0", { destination: TEN, interface: "eth0" }],
  ["dev eth0 10.0.0.0/8", { destination: TEN, interface: "eth0" }],
  ["blackhole 10.0.0.0/8", { type: "blackhole", destination: TEN, noTrack: true }],
  ["prohibit default", { type: "prohibit", noTrack: true }],
  ["inet6 unreachable default", { family: "ipv6", type: "unreachable", noTrack: true }],
  ["10.0.0.0/8 gw 192.0.2.1 dev eth0", VIA],
  ["10.0.0.0/8 via inet 192.0.2.1 oif eth0", VIA],
  [
    "2001:db8::/32 via fe80::1 dev eth0 from 2001:db8:1::/48 pref high expires 60",
    {
      family: "ipv6",
      destination: { address: "2001:db8::", length: 32 },
      gateway: "fe80::1",
      interface: "eth0",
      source: { address: "2001:db8:1::", length: 48 },
      preference: "high",
      expires: 60,
    },
  ],
  [
    "10.0.0.0/8 nexthop via 192.0.2.1 dev eth0 weight 3 nexthop via 192.0.2.2 onlink realms 4",
    {
      destination: TEN,
      noTrack: true,
      nexthops: [
        { ...HOP, interface: "eth0", weight: 3 },
        { ...HOP, gateway: "192.0.2.2", onlink: true, realms: 4 },
      ],
    },
  ],
  [
    "10.0.0.0/8 via 192.0.2.1 or 192.0.2.2 dev eth0",
    { destination: TEN, interface: "eth0", nexthops: [HOP, { ...HOP, gateway: "192.0.2.2" }] },
  ],
];

describe("lines of virtual_routes and static_routes", () => {
  for (const [words, wanted] of OPTIONS) {
    test(words || "via and dev", () => {
      const around = words.includes("track_group") ? "\n}\ntrack_group G {\ngroup {\n}" : "";
      const line = `10.0.0.0/8 via 192.0.2.1 dev eth0 ${words}${around}`;
      assert.deepEqual(routeOf(line), { ...PLAIN_ROUTE, ...wanted });
    });
  }
  for (const [line, wanted] of LINES) {
    test(line, () => assert.deepEqual(routeOf(line), { ...PLAIN_ROUTE, ...wanted }));
  }

  const FAULTS: readonly (readonly [line: string, column: number])[] = [
    ["10.0.0.0/8 via nowhere", 16],
    ["10.0.0.0/8 metrik 5", 12],
    ["via 192.0.2.1 dev eth0", 1],
    ["10.0.0.0/8 via 2001:db8::1", 16],
    ["10.0.0.0/8 pref high", 12],
    ["2001:db8::/32 realms 3", 15],
    ["10.0.0.0/8 table nosuch", 18],
    ["10.0.0.0/8 metric 0x10", 19],
    ["10.0.0.0/8 metric", 12],
    ["10.0.0.0/8 mtu lock", 12],
    ["10.0.0.0/8 quickack 2", 21],
    ["10.0.0.0/8 encap ip ttl 3", 18],
    ["10.0.0.0/8 encap gre", 18],
    ["10.0.0.0/8 nexthop via 192.0.2.1 weight 0", 41],
    ["10.0.0.0/8 nexthop via 192.0.2.1 mtu 3", 34],
    ["10/8 dev eth0", 1],
  ];
  for (const [line, column] of FAULTS) {
    test(`${line} is left out, and reported in its place`, () => {
      const { config, diagnostics } = load(`static_routes {\n${line}\n}`);
      assert.deepEqual(brief(diagnostics), [`2:${column} route-invalid`]);
      assert.deepEqual(config?.staticRoutes, []);
    });
  }

  test("words in any order give the same route", () => {
    const options = ["dev eth0", "via 192.0.2.1", "table 7", "metric 5", "mtu 1400", "10.0.0.0/8"];
    const wanted = routeOf(options.join(" "));
    fc.assert(
      fc.property(fc.shuffledSubarray(options, { minLength: options.length }), (shuffled) => {
        assert.deepEqual(routeOf(shuffled.join(" ")), wanted);
      }),
    );
  });

  test("no line makes it throw", () => {
    const words =
      "to nexthop via encap mpls ip 1/2 dst or as lock mtu rtt 1s realms 1/2 dev eth0 default blackhole pref __proto__";
    const word = fc.constantFrom(...words.split(" "));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 10 }), (line) => {
        load(`static_routes {\n${line.join(" ")}\n}`);
      }),
    );
  });

  test("other directories for names, wherever global_defs stands", () => {
    const { config } = load(
      "static_routes {\ndefault dev eth0 table blue\n}\nglobal_defs {\niproute_etc_dir /opt/names\n}",
      { "/opt/names/rt_tables": "33 blue\n" },
    );
    assert.equal(config?.staticRoutes[0]?.table, 33);
  });
});
