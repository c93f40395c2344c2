import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import { libc } from "../../agent/linux/libc.ts";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import type { Network } from "../../agent/ports/network.ts";
import {
  enterNamespace,
  Hearing,
  indexOf,
  ip,
  ipBatch,
  ipJson,
  request,
  settled,
  skip,
} from "./network-rig.ts";

const PR_SET_DUMPABLE = 4;
const NOBODY = 65_534;

/** What iproute2 shows, as the network's view has it. */
function kernelAddresses(name: string): readonly string[] {
  const [link] = ipJson(`addr show dev ${name}`);
  return link.addr_info
    .map((info: { local: string; prefixlen: number }) => `${info.local}/${info.prefixlen}`)
    .toSorted();
}

const viewAddresses = (network: Network, name: string): readonly string[] =>
  network
    .addresses(indexOf(network, name))
    .map((one) => `${one.address}/${one.prefixLength}`)
    .toSorted();

describe("the view of the host", { skip }, () => {
  const opened: Network[] = [];
  const open = async (...options: Parameters<typeof openNetwork>): Promise<Network> => {
    const network = await openNetwork(...options);
    opened.push(network);
    return network;
  };
  before(() => enterNamespace());
  afterEach(() => {
    for (const network of opened.splice(0)) network.close();
  });
  after(() => ip("link set v0 up"));

  test("links: index, name, MAC, flags, MTU, kind", async () => {
    const network = await open();
    for (const shown of ipJson("link")) {
      const link = network.linkByName(shown.ifname);
      assert.ok(link);
      assert.equal(link.index, shown.ifindex);
      assert.equal(link.mac, shown.address);
      assert.equal(link.mtu, shown.mtu);
      assert.equal(link.up, shown.flags.includes("UP"));
      assert.equal(link.arp, !shown.flags.includes("NOARP"));
      assert.equal(link.kind, shown.linkinfo?.info_kind);
      assert.equal(link.ours, false);
    }
    assert.equal(network.linkByName("v0")?.parentIndex, undefined, "a veth's peer is not below it");
  });

  test("links come, change, are renamed and go, in order", async () => {
    const network = await open();
    const hearing = new Hearing(network);
    ip("link add br0 type bridge");
    ip("link set br0 mtu 1400");
    ip("link set br0 name br9");
    ip("link set v1 master br9");
    ip("link set v1 nomaster");
    ip("link del br9");
    const gone = await hearing.first(({ kind }) => kind === "link-removed", "the bridge to go");
    assert.ok(gone.kind === "link-removed" && gone.name === "br9");
    const story = hearing.events.flatMap((event) =>
      event.kind === "link" && event.link.index === gone.index
        ? [`${event.link.name} ${event.link.mtu}`]
        : [],
    );
    assert.deepEqual(
      story.filter((line, at) => line !== story[at - 1]),
      ["br0 1500", "br0 1400", "br9 1400"],
    );
    assert.ok(network.linkByName("v1"), "leaving a bridge is not leaving the host");
  });

  test("an overrun loses nothing in the end and ends nothing", async (context) => {
    // A small buffer, 4,000 changes, and a loop that is blocked while they happen.
    const network = await open({ receiveBuffer: { bytes: 20_000, force: false } });
    const hearing = new Hearing(network);
    const lines = Array.from({ length: 2000 }, (_, at) => {
      const text = `10.${50 + (at >> 8)}.${at & 0xff}.1/32`;
      const add = `addr add ${text} dev v0`;
      return at % 4 === 0 ? [add, `addr del ${text} dev v0`] : [add];
    }).flat();
    ipBatch(lines);
    await hearing.first(
      (event) => event.kind === "resynchronized" && event.cause === "overrun",
      "the resynchronization",
    );
    assert.deepEqual(viewAddresses(network, "v0"), kernelAddresses("v0"));
    context.diagnostic(`${lines.length} changes, ${hearing.events.length} events`);
    // Who adds and takes away as told ends with the kernel's view, too.
    const told = new Set<string>();
    for (const event of hearing.events) {
      if (event.kind !== "address-added" && event.kind !== "address-removed") continue;
      const { address, prefixLength } = event.address;
      if (event.kind === "address-added") told.add(`${address}/${prefixLength}`);
      else told.delete(`${address}/${prefixLength}`);
    }
    const added = kernelAddresses("v0").filter((text) => text.endsWith("/32"));
    assert.equal(added.length, 1500);
    assert.deepEqual([...told].filter((text) => text.endsWith("/32")).toSorted(), added);
    ip("addr flush dev v0");
    await settled(network);
    assert.deepEqual(viewAddresses(network, "v0"), kernelAddresses("v0"));
  });

  test("a flood that fits in the buffer is heard change by change", async () => {
    const network = await open();
    const hearing = new Hearing(network);
    const texts = Array.from({ length: 1500 }, (_, at) => `10.${60 + (at >> 8)}.${at & 0xff}.1/32`);
    ipBatch(texts.flatMap((text) => [`addr add ${text} dev v0`, `addr del ${text} dev v0`]));
    await settled(network);
    const kinds = hearing.events.map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "address-added").length, 1500);
    assert.equal(kinds.filter((kind) => kind === "address-removed").length, 1500);
    assert.ok(!kinds.includes("resynchronized"));
  });

  test("an audit finds nothing where nothing was lost", async () => {
    const network = await open({ auditInterval: 20 });
    const hearing = new Hearing(network);
    for (let round = 0; round < 10; round += 1) {
      await network.installAddresses([request(network, "192.0.2.1/32")]);
      await network.removeAddresses([request(network, "192.0.2.1/32")]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(
      hearing.events.filter(({ kind }) => kind === "resynchronized"),
      [],
    );
  });

  test("a listener that throws ends the process and keeps nobody else from hearing", async () => {
    const network = await open();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const thrown = once(process, "uncaughtException");
      network.subscribe(() => {
        throw new RangeError("a bug");
      });
      const hearing = new Hearing(network);
      await network.installAddresses([request(network, "192.0.2.2/32")]);
      const [error] = await thrown;
      assert.ok(error instanceof RangeError);
      await hearing.first(({ kind }) => kind === "address-added", "the other listener's event");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  test("unsubscribed listeners hear no more", async () => {
    const network = await open();
    let heard = 0;
    const unsubscribe = network.subscribe(() => {
      heard += 1;
    });
    unsubscribe();
    await network.installAddresses([request(network, "192.0.2.3/32")]);
    await settled(network);
    assert.equal(heard, 0);
  });

  test("without privileges: views work, requests say what is missing", async () => {
    process.setegid?.(NOBODY);
    process.seteuid?.(NOBODY);
    try {
      // A real unprivileged process may read its own /proc/self/fd.
      libc().prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n);
      const network = await open();
      assert.ok(network.linkByName("v0"));
      const [outcome] = await network.installAddresses([request(network, "192.0.2.4/32")]);
      assert.ok(outcome?.ok === false);
      assert.equal(outcome.errno, "EPERM");
      assert.match(outcome.message, /run Holdfast as root or give it CAP_NET_ADMIN/);
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
      libc().prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n);
    }
  });

  test("closing answers what is under way", async () => {
    const network = await open();
    const asked = Array.from({ length: 200 }, (_, at) => request(network, `10.200.0.${at}/32`));
    const pending = network.installAddresses(asked);
    network.close();
    const outcomes = await pending;
    assert.equal(outcomes.length, 200);
    assert.ok(outcomes.some((outcome) => !outcome.ok && outcome.errno === "ECANCELED"));
  });

  test("settings: read, write, absent, and no way out of /proc/sys", async () => {
    const network = await open();
    ip("link add link v0 name v0.7 type macvlan");
    assert.equal(network.readSysctl("net.ipv4.conf.v0/7.arp_ignore"), "0");
    assert.equal(network.writeSysctl("net/ipv4/conf/v0.7/arp_ignore", "1"), undefined);
    assert.equal(network.readSysctl("net.ipv4.conf.v0/7.arp_ignore"), "1");
    assert.equal(network.readSysctl("net.ipv4.conf.nope.arp_ignore"), undefined);
    assert.equal(network.writeSysctl("net.ipv4.conf.nope.arp_ignore", "1"), "ENOENT");
    assert.equal(network.writeSysctl("net.ipv4.conf.v0.mtu_expires", "x"), "ENOENT");
    assert.equal(network.writeSysctl("net.ipv4.ip_forward", "words"), "EINVAL");
    assert.equal(network.readSysctl("net/../../version"), undefined);
    assert.equal(network.writeSysctl("/etc/passwd", ""), "EINVAL");
    ip("link del v0.7");
  });
});
