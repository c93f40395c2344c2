import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../../agent/config/config.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { FakeLan } from "../fake-lan.ts";
import { address, config, host, instance } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";
const OTHER = "192.0.2.2";
const ip = (text: string): IpAddress => text as IpAddress;
const OTHERS_MAC = "02:00:00:00:00:09";

/** An active router whose address somebody put on `lo` as well, where `realServer` says so. */
async function active(realServer: boolean, change: Partial<Config> = {}, others = [OTHER]) {
  const time = new VirtualTime();
  const a = host("a", time, new FakeLan(() => time.now), "192.0.2.1/24");
  a.network.addLink("lo", { arp: false });
  if (realServer) a.network.addAddress("lo", `${VIP}/32`);
  for (const other of others) a.holders.held.add(other);
  const router = instance("VI_1", { fenced: true }, { addresses: [address(`${VIP}/24`)] });
  const { global, ...rest } = config([router], change);
  await a.node.configure({ ...rest, global });
  await time.advance(5_000);
  return { time, ...a };
}

test("frames of real servers that may be directors pass the gate of a real server", async () => {
  const { gate, time, network } = await active(true, { directServers: [ip(OTHER)] });
  assert.deepEqual(gate.passing, [OTHERS_MAC]);
  for (const one of network.addresses(network.linkByName("lo")?.index ?? 0)) {
    network.dropAddress(one);
  }
  await time.advance(10_000);
  assert.deepEqual(gate.passing, [], "it is no real server any more");
});

test("where the address is on one interface only, nothing passes and nobody is asked", async () => {
  const { gate, holders } = await active(false, { directServers: [ip(OTHER)] });
  assert.deepEqual(gate.passing, []);
  assert.deepEqual(holders.asked, []);
});

test("one that does not answer any more keeps its MAC; one that never did has none", async () => {
  const { gate, holders, time } = await active(true, {
    directServers: [ip(OTHER), ip("192.0.2.3"), ip("198.51.100.1")],
  });
  assert.deepEqual(holders.asked, [OTHER, "192.0.2.3"], "the third is on no network of this host");
  holders.held.clear();
  await time.advance(10_000);
  assert.equal(holders.asked.filter((one) => one !== VIP).length, 4);
  assert.deepEqual(gate.passing, [OTHERS_MAC]);
});

test("who was heard as a router may direct as well", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const a = host("a", time, lan, "192.0.2.1/24");
  const b = host("b", time, lan, `${OTHER}/24`);
  const router = (priority: number) =>
    instance("VI_1", { priority, fenced: true }, { addresses: [address(`${VIP}/24`)] });
  a.network.addLink("lo", { arp: false });
  a.network.addAddress("lo", `${VIP}/32`);
  await b.node.configure(config([router(100)]));
  await time.advance(5_000);
  a.holders.held.add(OTHER);
  await a.node.configure(config([router(200)]));
  await time.advance(6_000);
  assert.deepEqual(a.gate.passing, [OTHERS_MAC]);
  assert.deepEqual(b.gate.passing, [], "it is no real server");
});

test("what the kernel refused is asked for again", async () => {
  const { gate, time, holders } = await active(true, { directServers: [ip(OTHER)] }, []);
  holders.held.add(OTHER);
  const problem = Object.assign(new Error("no"), { code: "EPERM", remedy: "be root" });
  gate.problem = problem as never;
  await time.advance(10_000);
  assert.deepEqual(gate.passing, []);
  gate.problem = undefined;
  await time.advance(10_000);
  assert.deepEqual(gate.passing, [OTHERS_MAC]);
});
