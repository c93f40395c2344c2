import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { staysInProportion } from "../../proportion.ts";
import { brief, configOf, instanceText, load } from "./lowered.ts";

/** An instance on one line per word, so that places are easy to count: it begins in line 1. */
const instance = (lines: string, name = "VI"): string => instanceText(lines, name);

/** A text, what it must say, and whether it is refused. */
const ROWS: readonly (readonly [
  what: string,
  text: string,
  findings: readonly string[],
  refused: boolean,
])[] = [
  ["state MASTER without priority", instance("state MASTER"), ["2:7 owner-by-default"], false],
  ["state SLAVE", instance("state SLAVE"), ["2:7 value-invalid"], false],
  ["priority out of range", instance("priority 300"), ["2:10 value-invalid"], false],
  ["a fraction in version 2", instance("advert_int 0.5"), ["2:12 value-adjusted"], false],
  ["too long in version 3", instance("version 3\nadvert_int 50"), ["3:12 value-adjusted"], false],
  [
    "nopreempt, MASTER",
    instance("state MASTER\npriority 90\nnopreempt"),
    ["4:1 preempt-conflict"],
    false,
  ],
  ["nopreempt, 255", instance("priority 255\nnopreempt"), ["3:1 preempt-conflict"], false],
  ["delay, nopreempt", instance("nopreempt\npreempt_delay 3"), ["3:15 preempt-conflict"], false],
  [
    "delay, MASTER",
    instance("state MASTER\npriority 9\npreempt_delay 3"),
    ["4:15 preempt-conflict"],
    false,
  ],
  ["timer_expired_backup alone", instance("timer_expired_backup"), ["2:1 setting-ignored"], false],
  ["track_src_ip alone", instance("track_src_ip"), ["2:1 setting-ignored"], false],
  ["vmac_xmit_base alone", instance("vmac_xmit_base"), ["2:1 setting-ignored"], false],
  [
    "use_vmac with unicast",
    instance("use_vmac\nunicast_peer {\n192.0.2.2\n}"),
    ["2:1 unicast-on-base"],
    false,
  ],
  ["vrf and interface", instance("vrf blue"), ["2:5 setting-ignored"], false],
  ["unicast words, no peer", instance("unicast_ttl 5"), ["2:1 peers-none"], false],
  [
    "a peer that is none",
    instance("unicast_peer {\nnode2\n}"),
    ["2:1 peers-none", "3:1 peer-invalid"],
    true,
  ],
  [
    "two peers on a line",
    instance("unicast_peer {\n192.0.2.2 192.0.2.3\n}"),
    ["3:11 peer-invalid"],
    true,
  ],
  [
    "a peer of the other family",
    instance("mcast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.2\nfe80::2\n}"),
    ["5:1 peer-invalid"],
    true,
  ],
  [
    "a peer twice",
    instance("unicast_peer {\n192.0.2.2\n192.0.2.2\n}"),
    ["4:1 peer-duplicate"],
    false,
  ],
  [
    "mixed families",
    instance("virtual_ipaddress {\n192.0.2.1\n2001:db8::1\n}"),
    ["4:1 address-moved"],
    false,
  ],
  [
    "an address twice",
    instance("virtual_ipaddress {\n192.0.2.1\n192.0.2.1\n}"),
    ["4:1 address-duplicate"],
    false,
  ],
  [
    "IPv6, not link-local",
    instance("virtual_ipaddress {\n2001:db8::1\n}"),
    ["3:1 first-address-not-link-local"],
    false,
  ],
  [
    "IPv6 in version 2",
    instance("version 2\nvirtual_ipaddress {\nfe80::1\n}"),
    ["2:9 version-conflict"],
    false,
  ],
  [
    "a source of the other family",
    instance("virtual_ipaddress {\n192.0.2.1\n}\nmcast_src_ip fe80::1"),
    ["5:14 family-conflict"],
    false,
  ],
  ["a group that is none", instance("mcast_dst_ip 10.0.0.1"), ["2:14 group-address-invalid"], true],
  [
    "own interface tracked",
    instance("interface eth0\ntrack_interface {\neth0\n}"),
    ["4:1 tracker-duplicate"],
    false,
  ],
  [
    "a weight that is none",
    instance("track_interface {\neth1 weight lots\n}"),
    ["3:13 tracker-option-unknown"],
    false,
  ],
  [
    "a BFD session that nobody defines",
    instance("track_bfd {\ncheck\n}"),
    ["3:1 tracker-unknown"],
    true,
  ],
  ["ipvlan without address", instance("use_ipvlan"), ["2:1 virtual-link-address"], true],
  [
    "no address, version 2",
    "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n}",
    ["1:15 addresses-none"],
    false,
  ],
  [
    "no address, meant",
    "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nno_virtual_ipaddress\n}",
    [],
    false,
  ],
  [
    "no address, version 3",
    "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nversion 3\n}",
    ["1:15 addresses-missing"],
    true,
  ],
  ["no vrid", "vrrp_instance A {\ninterface eth0\n}", ["1:15 identity-missing"], true],
  ["no interface", "vrrp_instance A {\nvirtual_router_id 1\n}", ["1:15 identity-missing"], true],
  [
    "a vrid that is none",
    instance("virtual_router_id 256"),
    ["1:15 identity-missing", "2:19 essential-value"],
    true,
  ],
  [
    "one name twice",
    instance("") + instance("virtual_router_id 9\nvirtual_ipaddress {\n192.0.2.9\n}"),
    ["9:15 name-duplicate"],
    true,
  ],
  [
    "one identity twice",
    instance("", "A") + instance("virtual_ipaddress {\n192.0.2.9\n}", "B"),
    ["9:15 identity-duplicate"],
    true,
  ],
  [
    "one vrid, two families",
    instance("", "A") + instance("virtual_ipaddress {\nfe80::1\n}", "B"),
    [],
    false,
  ],
  [
    "one vrid, two interfaces",
    instance("", "A") + instance("interface eth1\nvirtual_ipaddress {\n192.0.2.9\n}", "B"),
    [],
    false,
  ],
  [
    "one vrid, two groups",
    instance("", "A") + instance("mcast_dst_ip 224.0.0.99\nvirtual_ipaddress {\n192.0.2.9\n}", "B"),
    [],
    false,
  ],
  [
    "one address, two instances",
    instance("", "A") + instance("virtual_router_id 9", "B"),
    ["13:1 address-shared"],
    false,
  ],
  [
    "an unknown member",
    `vrrp_sync_group G {\ngroup {\nVI\nnobody\n}\n}\n${instance("")}`,
    ["4:1 group-member-invalid"],
    true,
  ],
  [
    "a member of two groups",
    `vrrp_sync_group G {\ngroup {\nVI\n}\n}\nvrrp_sync_group H {\ngroup {\nVI\n}\n}\n${instance("")}`,
    ["1:17 group-small", "6:17 group-small", "8:1 group-member-invalid"],
    true,
  ],
  [
    "a group of one",
    `vrrp_sync_group G {\ngroup {\nVI\n}\n}\n${instance("")}`,
    ["1:17 group-small"],
    false,
  ],
  [
    "a member twice",
    `vrrp_sync_group G {\ngroup {\nVI VI\n}\n}\n${instance("")}`,
    ["3:4 group-member-invalid"],
    true,
  ],
  [
    "an unknown track_group",
    "static_ipaddress {\n192.0.2.1 track_group G\n}",
    ["2:1 track-group-unusable"],
    true,
  ],
  [
    "an unknown instance in a track_group",
    "track_group G {\ngroup {\nnobody\n}\n}",
    ["3:1 track-group-unusable"],
    true,
  ],
  [
    "a track_group and no dev",
    `track_group G {\ngroup {\nVI\n}\n}\nstatic_routes {\n10.0.0.0/8 via 192.0.2.1 track_group G\n}\n${instance("")}`,
    ["7:1 track-group-unusable"],
    true,
  ],
  [
    "a long link delay",
    `interface_up_down_delays {\neth0 2\n}\n${instance("")}`,
    ["2:6 delay-too-long"],
    false,
  ],
  [
    "a link delay that is none",
    "interface_up_down_delays {\neth0 300\n}",
    ["2:6 value-invalid"],
    false,
  ],
  [
    "strict and unicast",
    instance("strict_mode\nunicast_peer {\n192.0.2.2\n}"),
    ["3:1 strict-refuses"],
    true,
  ],
  ["strict, version 3, accept", instance("strict_mode\nversion 3\naccept"), [], false],
  ["strict, version 2, accept", instance("strict_mode\naccept"), ["3:1 strict-unreachable"], false],
  ["strict and owner", instance("strict_mode\npriority 255"), [], false],
  ["strict and no_accept", instance("strict_mode\nno_accept"), [], false],
  [
    "strict and what it overrides",
    instance(
      "strict_mode\nno_accept\nstate MASTER\npriority 100\nlower_prio_no_advert off\nhigher_prio_send_advert\nowner_ignore_adverts off\ngarp_lower_prio_repeat 2\ngarp_lower_prio_delay 2\npreempt_delay 3\nuse_vmac\nvmac_xmit_base",
    ),
    [
      "4:7 strict-override",
      "6:22 strict-override",
      "7:1 strict-override",
      "8:22 strict-override",
      "9:24 strict-override",
      "10:23 strict-override",
      "11:15 preempt-conflict",
      "13:1 strict-override",
    ],
    false,
  ],
];

describe("what contradicts, and where", () => {
  for (const [what, text, findings, refused] of ROWS) {
    test(what, () => {
      const { config, diagnostics } = load(text);
      assert.deepEqual([...brief(diagnostics)].sort(), [...findings].sort());
      assert.equal(config === undefined, refused);
    });
  }

  test("every finding says what it is about, in one sentence without the place", () => {
    for (const [, text] of ROWS) {
      for (const { message, position, severity } of load(text).diagnostics) {
        assert.ok(message.length > 10 && !message.includes("undefined"), message);
        assert.doesNotMatch(message, /\.$/);
        assert.ok(position.line > 0 && position.file === "k.conf");
        assert.match(severity, /^(error|warning)$/);
      }
    }
  });

  test("strict mode's drop of packets names the address and the way out", () => {
    const { diagnostics } = load(`global_defs {\nvrrp_strict\n}\n${instanceText("")}`);
    const found = diagnostics.find(({ code }) => code === "strict-unreachable");
    assert.match(found?.message ?? "", /192\.0\.2\.1 .*ARP.*ping/);
    assert.match(found?.hint ?? "", /remove vrrp_strict/);
  });

  test("what keepalived leaves open is closed", () => {
    const { instances } = configOf(
      instanceText("v3_checksum_as_v2\nskip_check_adv_addr off\nversion 3"),
    );
    // Rejection of bad checksums has no switch at all; the form of one's own is all there is.
    assert.equal(instances[0]?.checksum, "message");
    assert.equal(instances[0]?.skipAddressListCheck, false);
  });

  test("sync groups: members know their group, weights in it are reported", () => {
    const text = `vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_interface {\neth7\n}\n}\n${instanceText(
      "track_interface {\neth8 weight 5\n}",
      "A",
    )}${instanceText("virtual_router_id 9\nvirtual_ipaddress {\n192.0.2.9\n}", "B")}`;
    const { config, diagnostics } = load(text);
    assert.deepEqual(brief(diagnostics), ["12:1 weight-ignored"]);
    assert.deepEqual(config?.syncGroups[0]?.members, ["A", "B"]);
    assert.equal(config?.syncGroups[0]?.trackInterfaces[0]?.interface, "eth7");
    assert.equal(config?.instances[0]?.syncGroup, "G");
    assert.equal(config?.instances[0]?.router.inSyncGroup, true);
    const weighted = text.replace("group {", "sync_group_tracking_weight\ngroup {");
    assert.deepEqual(brief(load(weighted).diagnostics), []);
  });

  test("link delays: down, and up or 0", () => {
    const { interfaceDelays } = configOf("interface_up_down_delays {\neth0 1.5 2\neth1 3\n}");
    assert.deepEqual(interfaceDelays, [
      { interface: "eth0", down: 1_500_000, up: 2_000_000 },
      { interface: "eth1", down: 3_000_000, up: 0 },
    ]);
  });

  test("16,000 instances take no more than a few times what a quarter of them take", () => {
    const textOf = (count: number): string =>
      Array.from({ length: count }, (_, i) =>
        instanceText(
          `interface e${i >> 7}\nvirtual_router_id ${(i & 127) + 1}\nvirtual_ipaddress {\n10.${i >> 8}.${i & 255}.1\n}`,
          `V${i}`,
        ),
      ).join("");
    staysInProportion((count) => {
      assert.equal(load(textOf(count)).config?.instances.length, count);
    }, 4_000);
  });
});
