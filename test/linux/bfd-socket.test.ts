import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { createBfdSockets } from "../../agent/linux/bfd-socket.ts";
import { Lab } from "../../agent/linux/lab.ts";
import type { BfdDatagram, BfdSendSpec } from "../../agent/ports/bfd.ts";
import { skip } from "../lab/cluster.ts";
import { eventually } from "../lab/eventually.ts";

const SOON_MS = 10_000;

const ip = (text: string): IpAddress => text as IpAddress;

const SPEC: BfdSendSpec = {
  family: "ipv4",
  hops: "single",
  source: undefined,
  interfaceIndex: undefined,
  ttl: 255,
};

describe("sockets for BFD", { skip, timeout: 30_000 }, () => {
  const lab = new Lab();
  const lan = lab.segment("lan");
  const near = lab.attach(lab.node("near"), lan, {
    name: "eth0",
    addresses: ["192.0.2.1/24", "192.0.2.11/24", "2001:db8::1/64", "fe80::1/64"],
  });
  const far = lab.attach(lab.node("far"), lan, {
    name: "eth0",
    addresses: ["192.0.2.2/24", "2001:db8::2/64", "fe80::2/64"],
  });
  const sockets = createBfdSockets();
  after(() => lab.dispose());

  /** Sends one datagram from near to far, and answers how it came in. */
  async function carry(spec: BfdSendSpec, destination: string): Promise<BfdDatagram> {
    const heard: BfdDatagram[] = [];
    const listener = far.node.run(() =>
      sockets.listen(spec, (datagram) => {
        heard.push(datagram);
      }),
    );
    const sender = near.node.run(() => sockets.openSender(spec));
    try {
      return await eventually("it comes in", SOON_MS, () => {
        assert.equal(sender.send(Uint8Array.of(1, 2, 3), ip(destination)), undefined);
        const [first] = heard;
        assert.ok(first !== undefined);
        return first;
      });
    } finally {
      sender.close();
      listener.close();
    }
  }

  const rows: readonly (readonly [string, Partial<BfdSendSpec>, to: string, from: string])[] = [
    ["IPv4", {}, "192.0.2.2", "192.0.2.1"],
    ["IPv4 of another source", { source: ip("192.0.2.11") }, "192.0.2.2", "192.0.2.11"],
    ["a low TTL", { ttl: 3 }, "192.0.2.2", "192.0.2.1"],
    ["multihop", { hops: "multiple", ttl: 64 }, "192.0.2.2", "192.0.2.1"],
    ["IPv6", { family: "ipv6" }, "2001:db8::2", "2001:db8::1"],
    ["IPv6 multihop", { family: "ipv6", hops: "multiple" }, "2001:db8::2", "2001:db8::1"],
    [
      "link-local",
      { family: "ipv6", source: ip("fe80::1"), interfaceIndex: near.index },
      "fe80::2",
      "fe80::1",
    ],
  ];
  for (const [what, change, to, from] of rows) {
    test(what, async () => {
      const spec = { ...SPEC, ...change };
      const { source, destination, ttl, hops, interfaceIndex, bytes } = await carry(spec, to);
      assert.deepEqual([source, destination, ttl, hops], [from, to, spec.ttl, spec.hops]);
      assert.equal(interfaceIndex, far.index);
      assert.deepEqual([...bytes], [1, 2, 3]);
    });
  }

  test("the source port is one of a session's own, and stays", () => {
    const first = near.node.run(() => sockets.openSender(SPEC));
    const second = near.node.run(() => sockets.openSender(SPEC));
    const { stdout } = near.node.exec("ss", ["-Huan"]);
    const ports = [...stdout.matchAll(/0\.0\.0\.0:(\d+)/g)].map(([, port]) => Number(port));
    assert.equal(new Set(ports).size, 2);
    assert.ok(
      ports.every((port) => port >= 49_152 && port <= 65_535),
      stdout,
    );
    first.close();
    second.close();
  });

  test("what waits is handed over by drain", async () => {
    const heard: number[] = [];
    const listener = far.node.run(() =>
      sockets.listen(SPEC, ({ bytes }) => {
        heard.push(bytes[0] ?? 0);
      }),
    );
    const sender = near.node.run(() => sockets.openSender(SPEC));
    // Once the neighbour is known, a datagram is there as soon as the kernel has carried it.
    await eventually("the neighbour is known", SOON_MS, () => {
      sender.send(Uint8Array.of(0), ip("192.0.2.2"));
      sockets.drain();
      assert.ok(heard.length > 0);
    });
    heard.length = 0;
    for (let n = 1; n <= 100; n += 1) sender.send(Uint8Array.of(n), ip("192.0.2.2"));
    // The loop does not turn meanwhile.
    const end = Date.now() + SOON_MS;
    do sockets.drain();
    while (!heard.includes(100) && Date.now() < end);
    assert.deepEqual(
      heard.filter((n) => n > 0),
      Array.from({ length: 100 }, (_, at) => at + 1),
    );
    sender.close();
    listener.close();
  });

  test("a port that is taken, and a source that is not here, are one clear line", () => {
    const listener = far.node.run(() => sockets.listen(SPEC, () => undefined));
    const twice = (): unknown => far.node.run(() => sockets.listen(SPEC, () => undefined));
    assert.throws(twice, { code: "bfd-port-refused", remedy: /ss -lunp "sport = :3784"/ });
    listener.close();
    const elsewhere = { ...SPEC, source: ip("203.0.113.9") };
    const open = (): unknown => near.node.run(() => sockets.openSender(elsewhere));
    assert.throws(open, { code: "bfd-source-refused", remedy: /source_ip/ });
  });

  test("a way that is not there is an errno, and no exception", () => {
    const sender = near.node.run(() => sockets.openSender(SPEC));
    assert.equal(sender.send(Uint8Array.of(1), ip("203.0.113.9")), "ENETUNREACH");
    sender.close();
  });
});
