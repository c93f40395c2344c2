import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, brief, instanceOf, instanceText, load } from "./lowered.ts";

const SECOND = 1_000_000;

/** What addresses with a virtual MAC go on. */
const ADDRESS_LINK = {
  kind: "macvlan",
  name: "vrrp.51",
  mac: undefined,
  transmitOnBase: true,
  group: undefined,
};

/** Lines of an instance, a path into its configuration, and what must stand there. */
const ROWS: readonly (readonly [lines: string, path: string, wanted: unknown])[] = [
  ["", "router.name", "VI"],
  ["", "router.priority", 100],
  ["", "router.version", 2],
  ["", "router.family", "ipv4"],
  ["", "router.advertisementInterval", SECOND],
  ["", "router.downTimerAdverts", 3],
  ["", "router.preempt", true],
  ["", "router.preemptDelay", 0],
  ["", "router.startupDelay", 0],
  ["", "router.lowerPrioNoAdvert", false],
  ["", "router.higherPrioSendAdvert", true],
  ["", "router.ownerIgnoreAdverts", false],
  ["", "router.timerExpiredBackup", undefined],
  ["", "router.inSyncGroup", false],
  ["", "router.primaryAddress", undefined],
  [
    "",
    "router.announcement",
    {
      repeat: 5,
      delay: 5 * SECOND,
      refreshInterval: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 5,
      lowerPriorityDelay: 5 * SECOND,
    },
  ],
  ["", "router.initialActive", false],
  ["", "interface", "eth0"],
  ["", "transport", { mode: "multicast", group: "224.0.0.18" }],
  ["", "sourceAddress", undefined],
  ["", "authentication", { kind: "none" }],
  ["", "checksum", "pseudo-header"],
  ["", "accept", true],
  ["", "strict", false],
  ["", "addressListMismatch", "alarm"],
  ["", "skipAddressListCheck", false],
  ["", "virtualLink", undefined],
  ["", "syncGroup", undefined],
  ["virtual_router_id 255", "router.vrid", 255],
  ["priority 1", "router.priority", 1],
  ["priority 255", "router.priority", 255],
  ["priority 255", "router.initialActive", true],
  ["state MASTER\npriority 150", "router.initialActive", true],
  ["state MASTER", "router.priority", 255],
  ["state BACKUP", "router.priority", 100],
  ["state SLAVE", "router.initialActive", false],
  ["priority lots", "router.priority", 100],
  ["advert_int 3", "router.advertisementInterval", 3 * SECOND],
  ["advert_int 2.5", "router.advertisementInterval", 3 * SECOND],
  ["advert_int 0.2", "router.advertisementInterval", SECOND],
  ["version 3\nadvert_int 0.5", "router.advertisementInterval", SECOND / 2],
  ["version 3\nadvert_int 0.014", "router.advertisementInterval", 10_000],
  ["version 3\nadvert_int 0.015", "router.advertisementInterval", 20_000],
  ["version 3\nadvert_int 41", "router.advertisementInterval", 40_950_000],
  ["advert_int 255", "router.advertisementInterval", 255 * SECOND],
  ["version 3", "router.version", 3],
  ["down_timer_adverts 7", "router.downTimerAdverts", 7],
  ["nopreempt", "router.preempt", false],
  ["nopreempt\npreempt", "router.preempt", true],
  ["nopreempt\nstate MASTER\npriority 90", "router.preempt", true],
  ["preempt_delay 300", "router.preemptDelay", 300 * SECOND],
  ["preempt_delay 0.25", "router.preemptDelay", SECOND / 4],
  ["preempt_delay 9\nnopreempt", "router.preemptDelay", 0],
  ["preempt_delay 9\nstate MASTER\npriority 90", "router.preemptDelay", 0],
  ["lower_prio_no_advert", "router.lowerPrioNoAdvert", true],
  ["lower_prio_no_advert off", "router.lowerPrioNoAdvert", false],
  ["higher_prio_send_advert no", "router.higherPrioSendAdvert", false],
  ["owner_ignore_adverts true", "router.ownerIgnoreAdverts", true],
  ["nopreempt\ntimer_expired_backup", "router.timerExpiredBackup", 254],
  ["nopreempt\nthread_timer_expired 150", "router.timerExpiredBackup", 150],
  ["timer_expired_backup", "router.timerExpiredBackup", undefined],
  ["garp_master_delay 0", "router.announcement.delay", 0],
  ["garp_master_repeat 2", "router.announcement.repeat", 2],
  ["garp_master_repeat 0", "router.announcement.repeat", 1],
  ["garp_master_refresh 60", "router.announcement.refreshInterval", 60 * SECOND],
  ["garp_master_refresh_repeat 2", "router.announcement.refreshRepeat", 2],
  ["garp_lower_prio_delay 1", "router.announcement.lowerPriorityDelay", SECOND],
  ["garp_lower_prio_repeat 0", "router.announcement.lowerPriorityRepeat", 0],
  ["interface ens33", "interface", "ens33"],
  ["dont_track_primary", "ignorePrimaryInterface", true],
  ["mcast_src_ip 192.0.2.9", "sourceAddress", "192.0.2.9"],
  ["mcast_src_ip 192.0.2.9\ntrack_src_ip", "trackSourceAddress", true],
  ["track_src_ip", "trackSourceAddress", false],
  ["mcast_dst_ip 224.0.0.99", "transport.group", "224.0.0.99"],
  ["unicast_peer {\n192.0.2.2\n192.0.2.3\n}", "transport.mode", "unicast"],
  ["unicast_peer {\n192.0.2.2\n}\nmcast_dst_ip 224.0.0.99", "transport.mode", "unicast"],
  ["unicast_peer {\n192.0.2.2\n}", "transport.checkSource", false],
  ["unicast_peer {\n192.0.2.2\n}", "transport.ttl", undefined],
  ["unicast_peer {\n192.0.2.2 min_ttl 5\n}", "transport.checkSource", true],
  [
    "unicast_peer {\n192.0.2.2 min_ttl 5 max_ttl 9\n}",
    "transport.peers.0",
    { address: "192.0.2.2", minTtl: 5, maxTtl: 9 },
  ],
  ["check_unicast_src\nunicast_peer {\n192.0.2.2\n}", "transport.checkSource", true],
  ["unicast_ttl 7\nunicast_peer {\n192.0.2.2\n}", "transport.ttl", 7],
  ["unicast_fault_no_peer", "transport.mode", "unicast"],
  ["unicast_fault_no_peer", "transport.faultWithoutPeer", true],
  ["unicast_peer {\n}", "transport.mode", "multicast"],
  ["old_unicast_checksum never\nunicast_peer {\n192.0.2.2\n}", "transport.mode", "unicast"],
  ["v3_checksum_as_v2", "checksum", "message"],
  ["v3_checksum_as_v2 off", "checksum", "pseudo-header"],
  ["no_accept", "accept", false],
  ["accept", "accept", true],
  ["skip_check_adv_addr", "skipAddressListCheck", true],
  ["skip_check_adv_addr off", "skipAddressListCheck", false],
  ["holdfast_drop_foreign_addresses", "addressListMismatch", "drop"],
  ["promote_secondaries", "promoteSecondaries", true],
  ["kernel_rx_buf_size 65536", "receiveBuffer", { policy: "bytes", bytes: 65_536 }],
  ["kernel_rx_buf_size 0", "receiveBuffer", { policy: "system" }],
  ["garp_extra_if all 30", "extraInterfaceAnnouncements", { interval: 30 * SECOND, all: true }],
  ["vmac_garp_intvl 30", "extraInterfaceAnnouncements", { interval: 30 * SECOND, all: false }],
  ["garp_extra_if 0", "extraInterfaceAnnouncements", undefined],
  [
    "track_interface {\neth1\neth2 weight -20\neth3 weight 10 reverse\n}",
    "trackInterfaces",
    [
      { interface: "eth1", weight: 0, reverse: false },
      { interface: "eth2", weight: -20, reverse: false },
      { interface: "eth3", weight: 10, reverse: true },
    ],
  ],
  ["track_interface {\neth0\n}", "trackInterfaces", []],
  ["use_vmac", "virtualLink.name", "vrrp.51"],
  ["use_vmac", "virtualLink.mac", undefined],
  ["use_vmac vip0", "virtualLink.name", "vip0"],
  ["use_vmac 02:0:0:0:a", "virtualLink.mac", "02:00:00:00:0a:33"],
  ["use_vmac vip0 02:00:00:00:00:0A", "virtualLink.mac", "02:00:00:00:00:0a"],
  ["use_vmac netlink_notify_msg group 7", "virtualLink.group", 7],
  ["use_vmac\nvmac_xmit_base", "virtualLink.transmitOnBase", true],
  ["use_vmac", "virtualLink.transmitOnBase", false],
  ["use_vmac\nunicast_peer {\n192.0.2.2\n}", "virtualLink.transmitOnBase", true],
  ["vmac_xmit_base", "virtualLink", undefined],
  [
    "use_vmac_addr\nvirtual_ipaddress {\n192.0.2.1/24\n198.51.100.1/24 dev eth1\n}",
    "addressLinks",
    [{ interface: "eth1", link: ADDRESS_LINK }],
  ],
  [
    "use_vmac_addr\nuse_vmac\nvirtual_ipaddress {\n192.0.2.1/24\n198.51.100.1/24 dev eth1\n}",
    "addressLinks.0.link.name",
    "vrrp1.51",
  ],
  [
    "virtual_ipaddress {\n192.0.2.1/24 use_vmac\n}",
    "addressLinks",
    [{ interface: "eth0", link: ADDRESS_LINK }],
  ],
  ["use_vmac\nvirtual_ipaddress {\n192.0.2.1/24 use_vmac\n}", "addressLinks", []],
  [
    "use_ipvlan ipv0 192.0.2.8/24 bridge",
    "virtualLink",
    {
      kind: "ipvlan",
      name: "ipv0",
      address: { address: "192.0.2.8", length: 24 },
      flag: "bridge",
      transmitOnBase: false,
      group: undefined,
    },
  ],
  ["use_ipvlan 192.0.2.8", "sourceAddress", "192.0.2.8"],
  ["virtual_ipaddress {\n2001:DB8::1\n}", "router.family", "ipv6"],
  ["virtual_ipaddress {\nfe80::1\n}", "router.version", 3],
  ["version 2\nvirtual_ipaddress {\nfe80::1\n}", "router.version", 3],
  ["virtual_ipaddress {\nfe80::1\n}", "transport.group", "ff02::12"],
  ["native_ipv6\nvirtual_ipaddress {\nfe80::1\n}", "router.family", "ipv6"],
  ["virtual_ipaddress {\n192.0.2.1\n2001:db8::1\n}", "excludedAddresses.0.address", "2001:db8::1"],
  ["virtual_ipaddress {\n192.0.2.1\n192.0.2.1\n}", "addresses.length", 1],
  ["virtual_ipaddress_excluded {\n2001:db8::1\n}", "excludedAddresses.0.prefixLength", 128],
  ["no_virtual_ipaddress\nvirtual_ipaddress {\n}", "addresses", []],
  ["debug 3", "router.vrid", 51],
];

describe("words of vrrp_instance", () => {
  for (const [lines, path, wanted] of ROWS) {
    test(`${lines.replaceAll("\n", " ") || "nothing"}: ${path}`, () => {
      const found = path.endsWith(".length")
        ? lengthAt(instanceOf(lines), path)
        : at(instanceOf(lines), path);
      assert.deepEqual(found, wanted);
    });
  }

  test("an instance without interface sends from its address, and its addresses get one", () => {
    const text = `vrrp_instance A {\nvirtual_router_id 1\nunicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.8\n}\nvirtual_ipaddress {\n192.0.2.1\n}\n}`;
    const { config } = load(`global_defs {\ndefault_interface ens9\n}\n${text}`);
    assert.equal(at(config, "instances.0.interface"), undefined);
    assert.equal(at(config, "instances.0.addresses.0.interface"), "ens9");
  });

  test("made-up names of virtual links leave written ones alone", () => {
    const { config } = load(
      instanceText("use_vmac", "A") +
        instanceText("use_vmac vrrp.51\ninterface eth1\nvirtual_ipaddress {\n192.0.2.5\n}", "B") +
        instanceText("use_vmac\ninterface eth2\nvirtual_ipaddress {\nfe80::1\n}", "C"),
    );
    const names = config?.instances.map(({ virtualLink }) => virtualLink?.name);
    assert.deepEqual(names, ["vrrp1.51", "vrrp.51", "vrrp6.51"]);
  });

  test("255 addresses are advertised, the others held", () => {
    const many = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join("\n");
    const { config, diagnostics } = load(instanceText(`virtual_ipaddress {\n${many}\n}`));
    assert.equal(config?.instances[0]?.addresses.length, 255);
    assert.equal(config?.instances[0]?.excludedAddresses.length, 45);
    assert.deepEqual(brief(diagnostics), ["258:1 address-moved"]);
  });
});

function lengthAt(value: unknown, path: string): unknown {
  const list = at(value, path.slice(0, -".length".length));
  return Array.isArray(list) ? list.length : undefined;
}
