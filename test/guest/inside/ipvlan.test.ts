import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import type { VirtualLink } from "../../../agent/config/config.ts";
import { openNetwork } from "../../../agent/linux/netlink/network.ts";
import type { Network } from "../../../agent/ports/network.ts";
import { enterNamespace, indexOf, ip, ipJson, prefix, settled } from "../../linux/network-rig.ts";

type Ipvlan = Extract<VirtualLink, { kind: "ipvlan" }>;

const ipvlan = (words: Partial<Ipvlan> = {}): Ipvlan => ({
  kind: "ipvlan",
  name: "ipvl.51",
  address: undefined,
  flag: undefined,
  transmitOnBase: false,
  group: undefined,
  ...words,
});

describe("ipvlan", () => {
  let network: Network;
  const make = (spec: VirtualLink, on = network) =>
    on.createVirtualLink(spec, indexOf(on, "v0"), "ipv4", undefined);
  const shown = () => ipJson("addr show dev ipvl.51")[0];

  before(async () => {
    execFileSync("modprobe", ["ipvlan"]);
    enterNamespace();
    network = await openNetwork();
  });
  after(() => network.close());
  afterEach(async () => {
    await network.removeLeftovers();
    await settled(network);
  });

  for (const flag of [undefined, "bridge", "private", "vepa"] as const) {
    test(`${flag ?? "without a flag"} it is in L2 mode, up, marked, with its parent's MAC`, async () => {
      const link = await make(ipvlan({ flag, group: 7 }));
      const parent = network.linkByName("v0");
      assert.deepEqual(
        { ...link, running: true },
        {
          index: link.index,
          name: "ipvl.51",
          mac: parent?.mac,
          up: true,
          running: true,
          mtu: 1500,
          kind: "ipvlan",
          parentIndex: parent?.index,
          arp: true,
          ours: true,
        },
      );
      const { linkinfo, ifalias, group } = shown();
      assert.deepEqual(linkinfo.info_data, { mode: "l2", [flag ?? "bridge"]: true });
      assert.deepEqual([ifalias, group], ["holdfast", "7"]);
    });
  }

  test("it has its address, as ours, and no other", async () => {
    const link = await make(ipvlan({ address: prefix("192.0.2.51/24") }));
    await settled(network);
    const [own, ...others] = network.addresses(link.index);
    assert.deepEqual(others, []);
    assert.deepEqual([own?.address, own?.prefixLength, own?.ours], ["192.0.2.51", 24, true]);
    assert.deepEqual(
      shown().addr_info.map(({ local }: { local: string }) => local),
      ["192.0.2.51"],
    );
  });

  test("one left by an earlier run is adopted with its address; removal takes both", async () => {
    const spec = ipvlan({ address: prefix("192.0.2.51/24") });
    const left = await make(spec);
    const later = await openNetwork();
    const adopted = await make(spec, later);
    assert.equal(adopted.index, left.index);
    assert.deepEqual(
      later.addresses(adopted.index).map(({ address, ours }) => [address, ours]),
      [["192.0.2.51", true]],
    );
    assert.deepEqual(await later.removeVirtualLink(adopted.index), { ok: true, foreign: false });
    later.close();
    await settled(network);
    assert.equal(network.linkByName("ipvl.51"), undefined);
    assert.throws(() => ip("link show dev ipvl.51"));
  });

  test("the parent can carry no macvlan beside it: the kernel's word is passed on", async () => {
    await make(ipvlan());
    const macvlan: VirtualLink = {
      kind: "macvlan",
      name: "vrrp.52",
      mac: undefined,
      transmitOnBase: false,
      group: undefined,
    };
    await assert.rejects(make(macvlan), { code: "EBUSY" });
    assert.equal(network.linkByName("vrrp.52"), undefined);
  });
});
