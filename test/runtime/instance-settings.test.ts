import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { FakeLan } from "./fake-lan.ts";
import type { TestHost } from "./fixtures.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function lab() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  return { time, lan, first: host("a", time, lan, "192.0.2.1/24") };
}

const faults = (one: TestHost): readonly string[] =>
  routerOf(one).faults.map(({ cause, subject }) => `${cause} ${subject}`);

const MACVLAN = {
  kind: "macvlan",
  name: "vrrp.51",
  mac: undefined,
  transmitOnBase: true,
  group: undefined,
} as const;

test("an address on another interface goes on a virtual link there, with the virtual MAC", async () => {
  const { time, first } = lab();
  first.network.addLink("eth1");
  const elsewhere = address("198.51.100.1/24", { interface: "eth1", useVirtualMac: true });
  const addressLinks = [{ interface: "eth1", link: MACVLAN }];
  const addresses = [address("192.0.2.100/24"), elsewhere];
  const own = instance("VI_1", {}, { addresses, addressLinks });
  await first.node.configure(config([own]));
  await time.advance(4_000);
  const link = first.network.linkByName("vrrp.51");
  assert.equal(link?.mac, "00:00:5e:00:01:33");
  assert.equal(link.parentIndex, first.network.linkByName("eth1")?.index);
  assert.equal(first.network.find("198.51.100.1")?.interfaceIndex, link.index);
  assert.equal(first.network.find("192.0.2.100")?.interfaceIndex, 2);
  first.network.removeLink("vrrp.51");
  await time.advance(1);
  assert.equal(first.network.linkByName("vrrp.51") !== undefined, true, "made again");
  // A reload without it takes the address away first, then the link.
  const plain = instance("VI_1", {}, { addresses: [address("192.0.2.100/24")] });
  await first.node.configure(config([plain]));
  await time.advance(1);
  assert.equal(first.network.linkByName("vrrp.51"), undefined);
  await first.node.stop();
  assert.deepEqual(first.network.present, ["192.0.2.1/24"]);
});

test("a reload that adds a virtual link for addresses costs nobody the active role", async () => {
  const { time, first } = lab();
  first.network.addLink("eth1");
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  const elsewhere = address("198.51.100.1/24", { interface: "eth1", useVirtualMac: true });
  const addresses = [address("192.0.2.100/24"), elsewhere];
  const addressLinks = [{ interface: "eth1", link: MACVLAN }];
  await first.node.configure(config([instance("VI_1", {}, { addresses, addressLinks })]));
  await time.advance(1);
  assert.equal(routerOf(first).state, "active");
  assert.equal(routerOf(first).lastTransition?.reason, "active-down-timer");
  const link = first.network.linkByName("vrrp.51");
  assert.equal(first.network.find("198.51.100.1")?.interfaceIndex, link?.index);
});

test("unicast without an interface is bound to its VRF, and waits for it", async () => {
  const { time, lan, first } = lab();
  const unicast = instance(
    "VI_1",
    {},
    {
      interface: undefined,
      vrf: "blue",
      sourceAddress: "192.0.2.1" as IpAddress,
      addresses: [address("192.0.2.100/24", { interface: "eth0" })],
      transport: {
        mode: "unicast",
        peers: [{ address: "192.0.2.9" as IpAddress, minTtl: undefined, maxTtl: undefined }],
        ttl: undefined,
        checkSource: false,
        faultWithoutPeer: false,
      },
    },
  );
  await first.node.configure(config([unicast]));
  assert.ok(faults(first).includes("interface-missing blue"));
  const blue = first.network.addLink("blue");
  await time.advance(4_000);
  assert.deepEqual(faults(first), []);
  assert.equal(lan.opened.at(-1)?.interfaceIndex, blue.index);
});

test("a socket has room for what all of its instances ask for", async () => {
  const { lan, first } = lab();
  const receiveBuffer = { policy: "mtu", multiplier: 3 } as const;
  const two = [
    instance("VI_1", {}, { receiveBuffer }),
    instance("VI_2", { vrid: 52 }, { receiveBuffer: { policy: "bytes", bytes: 20_000 } }),
  ];
  await first.node.configure(config(two));
  assert.deepEqual(lan.rooms, [4_500, 24_500]);
  // 20 of IPv4, 8 of VRRP, 4 an address, 28 of the longest authentication.
  const small = { policy: "advertisement", multiplier: 10 } as const;
  await first.node.configure(config([instance("VI_1", {}, { receiveBuffer: small })]));
  assert.equal(lan.rooms.at(-1), 600);
  await first.node.configure(config([instance("VI_1")]));
  assert.equal(lan.rooms.at(-1), undefined);
});

test("disable_local_igmp is a setting of the host, put back at the end", async () => {
  const { first } = lab();
  const reports = "net/ipv4/igmp_link_local_mcast_reports";
  const { sysctls } = first.network;
  sysctls.set(reports, "1");
  const global = { disableLocalIgmp: true };
  await first.node.configure(config([instance("VI_1")], { global }));
  assert.equal(sysctls.get(reports), "0");
  await first.node.configure(config([instance("VI_1")]));
  assert.equal(sysctls.get(reports), "1", "put back by a reload too");
  await first.node.configure(config([instance("VI_1")], { global }));
  await first.node.stop();
  assert.equal(sysctls.get(reports), "1");
});
