import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, configOf, instanceText } from "./lowered.ts";

const SECOND = 1_000_000;
const GLOBAL: readonly (readonly [lines: string, path: string, wanted: unknown])[] = [
  ["", "routerId", "main"],
  ["router_id lb02", "routerId", "lb02"],
  ["", "childWaitTime", 5 * SECOND],
  ["", "netlinkReceiveBuffers.announcements", undefined],
  [
    "vrrp_netlink_monitor_rcv_bufs 9000\nvrrp_netlink_monitor_rcv_bufs_force",
    "netlinkReceiveBuffers.announcements",
    { bytes: 9000, force: true },
  ],
  ["vrrp_netlink_cmd_rcv_bufs 0", "netlinkReceiveBuffers.answers", undefined],
  [
    "vrrp_netlink_cmd_rcv_bufs 9000",
    "netlinkReceiveBuffers.answers",
    { bytes: 9000, force: false },
  ],
  ["vrrp_netlink_cmd_rcv_bufs_force on", "netlinkReceiveBuffers.answers", undefined],
  ["", "automaticPriority", undefined],
  ["max_auto_priority -1", "automaticPriority", undefined],
  ["max_auto_priority 7", "automaticPriority", { ceiling: 7, lateness: SECOND }],
  [
    "max_auto_priority\nmin_auto_priority_delay 5000",
    "automaticPriority",
    { ceiling: 99, lateness: 5_000 },
  ],
  ["", "vrrpScheduling.realtimePriority", undefined],
  ["vrrp_priority -10", "vrrpScheduling.nice", -10],
  ["vrrp_rt_priority 50", "vrrpScheduling.realtimePriority", 50],
  ["vrrp_rt_priority 50", "vrrpScheduling.realtimeLimit", 1_000_000],
  ["vrrp_rlimit_rttime 500", "vrrpScheduling.realtimeLimit", 200_000],
  ["vrrp_rlimit_rtime 500000", "vrrpScheduling.realtimeLimit", 500_000],
  ["vrrp_cpu_affinity 0 2", "vrrpScheduling.cpuAffinity", [0, 2]],
  ["vrrp_no_swap", "vrrpScheduling.noSwap", true],
  ["vrrp_no_swap", "directorScheduling.noSwap", false],
  ["disable_local_igmp", "disableLocalIgmp", true],
  ["log_unknown_vrids", "logUnknownVrids", true],
  ["vrrp_startup_delay 2.5", "startupDelay", 2.5 * SECOND],
  ["vrrp_delay_after_boot 60", "delayAfterBoot", 60 * SECOND],
  ["umask 022", "umask", 0o022],
  ["umask IRGRP|IWGRP", "umask", 0o060],
  ["", "umask", undefined],
  ["process_names", "processNames.vrrp", "keepalived_vrrp"],
  ["vrrp_process_name mine", "processNames.vrrp", "mine"],
  ["process_name mine", "processNames.supervisor", "mine"],
  ["checker_process_name mine", "processNames.director", "mine"],
  ["lvs_process_name mine", "processNames.director", "mine"],
  ["", "processNames.vrrp", undefined],
  ["checker_priority -10", "directorScheduling.nice", -10],
  ["checker_rt_priority 50", "directorScheduling.realtimePriority", 50],
  ["checker_rlimit_rttime 500000", "directorScheduling.realtimeLimit", 500_000],
  ["checker_rlimit_rtime 500000", "directorScheduling.realtimeLimit", 500_000],
  ["checker_cpu_affinity 0 2", "directorScheduling.cpuAffinity", [0, 2]],
  ["checker_no_swap", "directorScheduling.noSwap", true],
  ["reload_time_file /run/t\nreload_repeat", "reload.timeFile", "/run/t"],
  ["reload_repeat", "reload.repeat", true],
  ["reload_file /run/l", "reload.lockFile", "/run/l"],
  ["reload_file", "reload.lockFile", "/run/keepalived.reload"],
  ["", "reload.lockFile", undefined],
];

test("net_namespace_ipvs: with a name, without one, and not at all", () => {
  const of = (text: string) => configOf(text).balancing.ipvsNamespace;
  assert.equal(of("net_namespace_ipvs vips"), "vips");
  assert.equal(of("net_namespace_ipvs"), "");
  assert.equal(of("net_namespace blue"), undefined);
});

const ROOTS: readonly (readonly [lines: string, path: string, wanted: unknown])[] = [
  ["net_namespace blue", "netNamespace", "blue"],
  ["instance one", "instanceName", "one"],
  ["use_pid_dir", "usePidDirectory", true],
  ["child_wait_time 9", "childWaitTime", 9 * SECOND],
];

/** global_defs after the instance, which must make no difference, and what the instance gets. */
const INHERITED: readonly (readonly [lines: string, path: string, wanted: unknown])[] = [
  ["vrrp_version 3", "router.version", 3],
  ["", "receiveBuffer", { policy: "system" }],
  ["vrrp_rx_bufs_policy MTU", "receiveBuffer", { policy: "mtu", multiplier: 3 }],
  [
    "vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_multiplier 5",
    "receiveBuffer",
    { policy: "advertisement", multiplier: 5 },
  ],
  ["vrrp_rx_bufs_policy 9000", "receiveBuffer", { policy: "bytes", bytes: 9000 }],
  ["vrrp_strict", "strict", true],
  ["vrrp_skip_check_adv_addr", "skipAddressListCheck", true],
  ["vrrp_lower_prio_no_advert", "router.lowerPrioNoAdvert", true],
  ["vrrp_higher_prio_send_advert off", "router.higherPrioSendAdvert", false],
  ["vrrp_owner_ignore_adverts", "router.ownerIgnoreAdverts", true],
  ["vrrp_down_timer_adverts 5", "router.downTimerAdverts", 5],
  ["vrrp_mcast_group4 226.0.0.18", "transport.group", "226.0.0.18"],
  ["vrrp_startup_delay 3", "router.startupDelay", 3 * SECOND],
  ["v3_checksum_as_v2", "checksum", "message"],
  ["v3_checksum_as_v2 off", "checksum", "pseudo-header"],
  ["vrrp_garp_master_delay 1", "router.announcement.delay", SECOND],
  ["vrrp_garp_master_delay 1", "router.announcement.lowerPriorityDelay", SECOND],
  ["vrrp_garp_master_repeat 2", "router.announcement.lowerPriorityRepeat", 2],
  ["vrrp_garp_lower_prio_repeat 0", "router.announcement.lowerPriorityRepeat", 0],
  ["vrrp_garp_master_refresh_repeat 3", "router.announcement.refreshRepeat", 3],
  ["vrrp_garp_lower_prio_delay 2", "router.announcement.lowerPriorityDelay", 2 * SECOND],
  ["vrrp_vmac_garp_intvl 9", "extraInterfaceAnnouncements", { interval: 9 * SECOND, all: false }],
  ["vrrp_garp_master_refresh 60", "router.announcement.refreshInterval", 60 * SECOND],
  [
    "vrrp_min_garp",
    "router.announcement",
    {
      repeat: 1,
      delay: 0,
      refreshInterval: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: 0,
    },
  ],
  ["vrrp_garp_extra_if all 9", "extraInterfaceAnnouncements", { interval: 9 * SECOND, all: true }],
];

describe("global_defs", () => {
  for (const [lines, path, wanted] of GLOBAL) {
    test(`${lines.replaceAll("\n", " ") || "nothing"}: ${path}`, () =>
      assert.deepEqual(at(configOf(`global_defs {\n${lines}\n}`).global, path), wanted));
  }
  for (const [lines, path, wanted] of ROOTS) {
    test(`${lines}: ${path}`, () => assert.deepEqual(at(configOf(lines).global, path), wanted));
  }
  for (const [lines, path, wanted] of INHERITED) {
    test(`${lines}: instances get ${path}`, () => {
      const { instances } = configOf(`${instanceText("")}global_defs {\n${lines}\n}`);
      assert.deepEqual(at(instances[0], path), wanted);
    });
  }

  describe("what is said of BFD's process is the vrrp process's, where there is a session", () => {
    const session = "bfd_instance peer {\nneighbor_ip 192.0.2.2\n}\n";
    const rows: readonly (readonly [lines: string, path: string, wanted: unknown])[] = [
      ["bfd_priority -10", "nice", -10],
      ["bfd_priority -10\nvrrp_priority -15", "nice", -15],
      ["bfd_rt_priority 50", "realtimePriority", 50],
      ["bfd_rt_priority 50", "realtimeLimit", 1_000_000],
      ["bfd_rt_priority 50\nvrrp_rt_priority 20", "realtimePriority", 50],
      ["bfd_rlimit_rttime 500000\nvrrp_rlimit_rttime 300000", "realtimeLimit", 500_000],
      ["bfd_rlimit_rtime 500000", "realtimeLimit", 500_000],
      ["bfd_cpu_affinity 1", "cpuAffinity", [1]],
      ["bfd_cpu_affinity 1\nvrrp_cpu_affinity 0", "cpuAffinity", [0]],
      ["bfd_no_swap", "noSwap", true],
      ["", "noSwap", false],
    ];
    for (const [lines, path, wanted] of rows) {
      test(`${lines.replaceAll("\n", " ") || "nothing"}: ${path}`, () => {
        const text = `global_defs {\n${lines}\n}\n`;
        const scheduling = (of: string) => configOf(of).global.vrrpScheduling;
        assert.deepEqual(at(scheduling(text + session), path), wanted);
        const alone = lines.replaceAll(/^bfd_.*\n?/gm, "");
        assert.deepEqual(scheduling(text), scheduling(`global_defs {\n${alone}\n}\n`));
      });
    }
  });

  test("an instance's own word wins", () => {
    const own = "skip_check_adv_addr off\ndown_timer_adverts 4\nmcast_dst_ip 224.1.1.1\nversion 2";
    const { instances } = configOf(
      `global_defs {\nvrrp_skip_check_adv_addr\nvrrp_down_timer_adverts 9\nvrrp_mcast_group4 226.0.0.18\nvrrp_version 3\n}\n${instanceText(own)}`,
    );
    assert.equal(at(instances[0], "skipAddressListCheck"), false);
    assert.equal(at(instances[0], "router.downTimerAdverts"), 4);
    assert.equal(at(instances[0], "transport.group"), "224.1.1.1");
    assert.equal(at(instances[0], "router.version"), 2);
  });

  test("vrrp_check_unicast_src, vrrp_mcast_group6 and vmac_prefix reach who uses them", () => {
    const { instances } = configOf(
      `global_defs {\nvrrp_check_unicast_src\nvrrp_mcast_group6 ff02::99\nvmac_prefix vip\n}\n${instanceText(
        "unicast_peer {\n192.0.2.9\n}",
        "A",
      )}${instanceText("use_vmac\nvirtual_ipaddress {\nfe80::1\n}", "B")}`,
    );
    assert.equal(at(instances[0], "transport.checkSource"), true);
    assert.equal(at(instances[1], "transport.group"), "ff02::99");
    assert.equal(at(instances[1], "virtualLink.name"), "vip.51");
  });

  test("vmac_addr_prefix names virtual links of addresses, vmac_prefix where it is not given", () => {
    const text = instanceText(
      "use_vmac_addr\nvirtual_ipaddress {\n192.0.2.1/24\n198.51.100.1/24 dev eth1\n}",
    );
    for (const [words, name] of [
      ["vmac_prefix vip\nvmac_addr_prefix addr", "addr.51"],
      ["vmac_prefix vip", "vip.51"],
    ]) {
      const { instances } = configOf(`global_defs {\n${words}\n}\n${text}`);
      assert.equal(at(instances[0], "addressLinks.0.link.name"), name);
    }
  });

  test("paces: garp_group for its interfaces, the global ones for all others", () => {
    const text =
      "global_defs {\nvrrp_garp_interval 0.001\n}\ngarp_group {\ngarp_interval 0.01\ngna_interval 0.2\ninterface eth0\ninterfaces {\neth1\neth2\n}\n}";
    assert.deepEqual(configOf(text).announcementPaces, [
      { interfaces: ["eth0", "eth1", "eth2"], arpInterval: 10_000, naInterval: 200_000 },
      { interfaces: "*", arpInterval: 1000, naInterval: 0 },
    ]);
  });

  test("default_interface names the interface of static addresses", () => {
    const { staticAddresses } = configOf(
      "global_defs {\ndefault_interface eth7\n}\nstatic_ipaddress {\n192.0.2.7/24\n}",
    );
    assert.equal(staticAddresses[0]?.interface, "eth7");
  });

  test("iproute_etc_dir and iproute_usr_dir hold the names of tables", () => {
    for (const [word, file] of [
      ["iproute_etc_dir", "/a/rt_tables"],
      ["iproute_usr_dir", "/a/rt_tables"],
    ] as const) {
      const text = `global_defs {\n${word} /a\n}\nstatic_routes {\n192.0.2.0/24 via 192.0.2.1 table blue\n}`;
      assert.equal(configOf(text, { [file]: "77 blue\n" }).staticRoutes[0]?.table, 77, word);
    }
  });

  test("global_tracking and sync_group_tracking_weight let weights count", () => {
    for (const word of ["global_tracking", "sync_group_tracking_weight"]) {
      const group = `vrrp_sync_group G {\n${word}\ngroup {\nA\nB\n}\n}\n`;
      const two = instanceText("", "A") + instanceText("virtual_router_id 52", "B");
      assert.equal(configOf(group + two).syncGroups[0]?.weightedTracking, true, word);
    }
  });

  test("static addresses go to the default interface", () => {
    const { staticAddresses } = configOf("static_ipaddress {\n192.0.2.7/24\n192.0.2.8 dev eth5\n}");
    assert.deepEqual(
      staticAddresses.map((address) => address.interface),
      ["eth0", "eth5"],
    );
  });
});
