import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import type { VirtualLink } from "../../agent/config/config.ts";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { Network } from "../../agent/ports/network.ts";
import {
  enterNamespace,
  Hearing,
  indexOf,
  ip,
  ipJson,
  request,
  settled,
  skip,
} from "./network-rig.ts";

const MAC = "00:00:5e:00:01:33";
const macvlan = (name: string, group?: number): VirtualLink => ({
  kind: "macvlan",
  name,
  mac: undefined,
  transmitOnBase: false,
  group,
});
const ipvlan: VirtualLink = {
  kind: "ipvlan",
  name: "ipvl.51",
  address: undefined,
  flag: "private",
  transmitOnBase: false,
  group: undefined,
};

describe("virtual links", { skip }, () => {
  let network: Network;
  const setting = (path: string) => network.readSysctl(path);
  const parentSettings = () =>
    ["arp_ignore", "arp_filter", "rp_filter", "arp_announce"].map((key) =>
      setting(`net.ipv4.conf.v0.${key}`),
    );
  const make = (spec: VirtualLink, mac: string | undefined = MAC) =>
    network.createVirtualLink(spec, indexOf(network, "v0"), "ipv4", mac);

  before(async () => {
    enterNamespace();
    network = await openNetwork();
  });
  after(() => network.close());
  afterEach(async () => {
    ip("link set v0 up");
    await settled(network);
    for (const { index, ours } of [...network.links().values()]) {
      if (ours) await network.removeVirtualLink(index);
    }
    await settled(network);
  });

  test("a macvlan is private, up, marked, and has the virtual MAC", async () => {
    const link = await make(macvlan("vrrp.51", 7));
    assert.deepEqual(
      { ...link, index: 0, running: true },
      {
        index: 0,
        name: "vrrp.51",
        mac: MAC,
        up: true,
        running: true,
        mtu: 1500,
        kind: "macvlan",
        parentIndex: indexOf(network, "v0"),
        arp: true,
        ours: true,
      },
    );
    const [shown] = ipJson("link show dev vrrp.51");
    assert.equal(shown.linkinfo.info_data.mode, "private");
    assert.equal(shown.ifalias, "holdfast");
    assert.equal(shown.group, "7");
  });

  test("it forms no IPv6 address, and answers only for its own", async () => {
    await make(macvlan("vrrp.51"));
    const own = (family: string, key: string) => setting(`net.${family}.conf.vrrp/51.${key}`);
    assert.equal(own("ipv4", "arp_ignore"), "1");
    assert.equal(own("ipv4", "rp_filter"), "0");
    assert.equal(own("ipv6", "addr_gen_mode"), "1");
    assert.equal(own("ipv6", "accept_dad"), "0");
    assert.equal(own("ipv6", "autoconf"), "0");
    assert.equal(own("ipv6", "accept_ra"), "0");
    assert.deepEqual(ipJson("addr show dev vrrp.51")[0].addr_info, []);
    const link = network.linkByName("vrrp.51");
    const wanted = [request(network, "2001:db8::5/128", {}, "vrrp.51")];
    assert.deepEqual(await network.installAddresses(wanted), [{ ok: true, foreign: false }]);
    assert.deepEqual(
      ipJson("addr show dev vrrp.51")[0].addr_info.map(({ local }: { local: string }) => local),
      ["2001:db8::5"],
      `on ${link?.name}`,
    );
  });

  test("the parent's settings are put back with its last virtual link", async () => {
    network.writeSysctl("net.ipv4.conf.v0.arp_ignore", "2");
    assert.deepEqual(parentSettings(), ["2", "0", "0", "0"]);
    const first = await make(macvlan("vrrp.51"));
    const second = await make(macvlan("vrrp.52"), "00:00:5e:00:01:34");
    assert.deepEqual(parentSettings(), ["2", "1", "1", "2"], "a stricter choice stays");
    await network.removeVirtualLink(first.index);
    assert.deepEqual(parentSettings(), ["2", "1", "1", "2"]);
    await network.removeVirtualLink(second.index);
    assert.deepEqual(parentSettings(), ["2", "0", "0", "0"]);
    network.writeSysctl("net.ipv4.conf.v0.arp_ignore", "0");
  });

  test("a strict all.rp_filter moves to the other interfaces meanwhile", async () => {
    const filters = () =>
      ["all", "default", "v0", "v1", "lo"].map((name) =>
        setting(`net.ipv4.conf.${name}.rp_filter`),
      );
    network.writeSysctl("net.ipv4.conf.all.rp_filter", "1");
    const before = filters();
    const link = await make(macvlan("vrrp.51"));
    assert.deepEqual(filters(), ["0", "1", "1", "1", "1"]);
    await network.removeVirtualLink(link.index);
    assert.deepEqual(filters(), before);
    network.writeSysctl("net.ipv4.conf.all.rp_filter", "0");
  });

  test("one left by an earlier run is adopted, or replaced where it does not fit", async () => {
    const left = await make(macvlan("vrrp.51"));
    const later = await openNetwork();
    const parent = indexOf(later, "v0");
    const adopted = await later.createVirtualLink(macvlan("vrrp.51"), parent, "ipv4", MAC);
    assert.equal(adopted.index, left.index);
    const other = "00:00:5e:00:01:44";
    const replaced = await later.createVirtualLink(macvlan("vrrp.51"), parent, "ipv4", other);
    assert.notEqual(replaced.index, left.index);
    assert.equal(replaced.mac, other);
    assert.deepEqual(await later.removeLeftovers(), { addresses: 0, links: 1, left: false });
    later.close();
    await settled(network);
    assert.equal(network.linkByName("vrrp.51"), undefined);
  });

  test("an operator's interface is never taken nor removed", async () => {
    ip("link add link v0 name vrrp.51 type macvlan");
    await assert.rejects(make(macvlan("vrrp.51")), (error) => {
      assert.ok(error instanceof KernelError);
      assert.equal(error.code, "virtual-link-exists");
      assert.match(error.remedy, /ip link delete vrrp\.51/);
      return true;
    });
    const outcome = await network.removeVirtualLink(indexOf(network, "vrrp.51"));
    assert.deepEqual(outcome, { ok: true, foreign: true });
    ip("link del vrrp.51");
  });

  test("under a parent that is down it waits for the parent", async () => {
    ip("link set v0 down");
    const hearing = new Hearing(network);
    const link = await make(macvlan("vrrp.51"));
    assert.equal(link.running, false);
    ip("link set v0 up");
    await hearing.first(
      (event) => event.kind === "link" && event.link.index === link.index && event.link.running,
      "the macvlan to run",
    );
  });

  test("its removal by somebody else is told, and the parent put back", async () => {
    const link = await make(macvlan("vrrp.51"));
    const hearing = new Hearing(network);
    ip("link del vrrp.51");
    await hearing.first(
      (event) => event.kind === "link-removed" && event.index === link.index,
      "the loss of the macvlan",
    );
    assert.deepEqual(parentSettings(), ["0", "0", "0", "0"]);
    assert.deepEqual(await network.removeVirtualLink(link.index), { ok: true, foreign: false });
  });

  test("an ipvlan in L2 mode where iproute2 can make one, else a word on why not", async () => {
    if (makesIpvlan()) {
      assert.equal((await make(ipvlan, undefined)).kind, "ipvlan");
      const { info_data: data } = ipJson("link show dev ipvl.51")[0].linkinfo;
      assert.deepEqual([data.mode, data.private], ["l2", true]);
      return;
    }
    await assert.rejects(make(ipvlan, undefined), (error) => {
      assert.ok(error instanceof KernelError);
      assert.match(error.code, /ENOTSUP|EOPNOTSUPP/);
      assert.match(error.message, /cannot make the ipvlan ipvl\.51/);
      assert.match(error.remedy, /this kernel lacks the feature/);
      return true;
    });
    assert.equal(network.linkByName("ipvl.51"), undefined);
  });
});

/** Whether this kernel has ipvlans; test/guest has one that does. */
function makesIpvlan(): boolean {
  const made = spawnSync("ip", "link add link v0 name probe type ipvlan mode l2".split(" "));
  if (made.status !== 0) return false;
  ip("link del probe");
  return true;
}
