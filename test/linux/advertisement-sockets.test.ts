import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { IpAddress } from "../../agent/core/address.ts";
import { createAdvertisementSockets } from "../../agent/linux/advertisement-sockets.ts";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../agent/linux/lab.ts";
import type {
  Endpoint,
  EndpointSpec,
  FrameSender,
  ReceivedPacket,
} from "../../agent/ports/advertisement-sockets.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { frame, GROUP, ip, multicast, packet, unicast } from "./advertisement-packets.ts";

const unexpected = (what: unknown): void => assert.fail(`unexpected: ${JSON.stringify(what)}`);
const sockets = createAdvertisementSockets();
const opened: { close(): void }[] = [];
let lab: Lab;
let a: LabInterface;
let b: LabInterface;

before(() => {
  lab = new Lab();
  const lan = lab.segment("lan");
  const attach = (name: string, host: number) =>
    lab.attach(lab.node(name), lan, {
      name: "eth0",
      addresses: [`192.0.2.${host}/24`, `2001:db8::${host}/64`],
    });
  a = attach("a", 1);
  b = attach("b", 2);
  // Else the kernel forgets global IPv6 addresses when a test takes the link down.
  for (const { node } of [a, b]) node.sysctl("ipv6/conf/eth0/keep_addr_on_down", "1");
});
after(() => lab.dispose());
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

/** An endpoint that remembers what came in and what failed. */
class Listener {
  readonly packets: ReceivedPacket[] = [];
  readonly failures: string[] = [];
  readonly endpoint: Endpoint;
  #heard: (() => void) | undefined;

  constructor(at: LabInterface, spec: EndpointSpec) {
    const receive = (received: ReceivedPacket): void => {
      this.packets.push(received);
      this.#heard?.();
    };
    const failed = (errno: string): void => {
      this.failures.push(errno);
    };
    this.endpoint = at.node.run(() => sockets.open(spec, receive, failed));
    opened.push(this.endpoint);
  }

  /** Resolves when `count` packets have come in altogether. */
  async heard(count: number): Promise<void> {
    const limit = AbortSignal.timeout(5_000);
    while (this.packets.length < count) {
      const more = new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
      await Promise.race([more, once(limit, "abort")]);
      if (limit.aborted) assert.fail(`${this.packets.length} of ${count} packets came`);
    }
  }

  get vrids(): number[] {
    return this.packets.map(({ bytes }) => bytes[(bytes[0] ?? 0) >> 4 === 4 ? 21 : 1] ?? 0);
  }
}

const addresses: Record<"ipv4" | "ipv6", () => { near: IpAddress; far: IpAddress }> = {
  ipv4: () => ({ near: ip("192.0.2.1"), far: ip("192.0.2.2") }),
  ipv6: () => ({ near: a.linkLocal, far: b.linkLocal }),
};

/** After a link was down, the switch's port takes a moment to forward again. */
async function untilHeard(near: Listener, far: Listener, sent: Uint8Array, to: IpAddress) {
  for (let tries = 0; tries < 150 && far.packets.length === 0; tries += 1) {
    near.endpoint.send(sent, to);
    await wait(20);
  }
  assert.ok(far.packets.length > 0);
}

for (const family of ["ipv4", "ipv6"] as const) {
  const group = GROUP[family];
  describe(`multicast over ${family}`, () => {
    test("a packet arrives as it was sent, and not at its sender", async () => {
      const near = new Listener(a, multicast(family, a.index));
      const far = new Listener(b, multicast(family, b.index));
      const source = addresses[family]().near;
      const sent = packet({ source, destination: group });
      near.endpoint.send(sent, group);
      await far.heard(1);
      const [received] = far.packets;
      assert.equal(received?.source, source);
      assert.equal(received?.destination, group);
      assert.equal(received?.ttl, 255);
      const payload = sent.slice(family === "ipv4" ? 20 : 40);
      assert.deepEqual(received?.bytes.slice(family === "ipv4" ? 20 : 0), payload);
      far.endpoint.send(packet({ source: addresses[family]().far, destination: group }), group);
      await near.heard(1);
      assert.equal(near.packets[0]?.source, addresses[family]().far);
    });

    test("bytes are the receiver's own", async () => {
      const near = new Listener(a, multicast(family, a.index));
      const far = new Listener(b, multicast(family, b.index));
      const source = addresses[family]().near;
      for (const vrid of [1, 2, 3])
        near.endpoint.send(packet({ source, destination: group, vrid }), group);
      await far.heard(3);
      assert.deepEqual(far.vrids, [1, 2, 3]);
    });

    test("the kernel drops what crossed a router, went elsewhere or is foreign", async () => {
      const far = new Listener(b, multicast(family, b.index));
      const frames = a.node.run(openFrameSender);
      opened.push(frames);
      far.endpoint.setVrids(new Set([7, 200]));
      const source = addresses[family]().near;
      const send = (options: object): void =>
        assert.equal(
          frames.send(a.index, frame(a.mac, packet({ source, destination: group, ...options }))),
          undefined,
        );
      send({ vrid: 7, ttl: 254 });
      send({ vrid: 8 });
      send({ vrid: 7, destination: addresses[family]().far });
      send({ vrid: 199 });
      send({ vrid: 7, protocol: 113 });
      send({ vrid: 200 });
      send({ vrid: 7 });
      await far.heard(2);
      assert.deepEqual(far.vrids, [200, 7]);
      far.endpoint.setVrids(new Set([8]));
      send({ vrid: 7 });
      send({ vrid: 8 });
      await far.heard(3);
      assert.deepEqual(far.vrids, [200, 7, 8]);
    });

    test("samples of what crossed a router come later, and only of our VRIDs", async () => {
      const far = new Listener(b, multicast(family, b.index));
      const frames = a.node.run(openFrameSender);
      opened.push(frames);
      far.endpoint.setVrids(new Set([7]));
      const source = addresses[family]().near;
      const send = (vrid: number): void => {
        const sent = packet({ source, destination: group, ttl: 254, vrid });
        frames.send(a.index, frame(a.mac, sent));
      };
      for (let count = 0; count < 500; count += 1) send(count % 2 === 0 ? 7 : 8);
      sockets.drain();
      assert.equal(far.packets.length, 0);
      await far.heard(1);
      assert.deepEqual([...new Set(far.vrids)], [7]);
      assert.deepEqual([...new Set(far.packets.map(({ ttl }) => ttl))], [254]);
      assert.ok(far.packets.length <= 16, `${far.packets.length} samples`);
    });

    test("membership survives the link going down and coming back", async () => {
      const near = new Listener(a, multicast(family, a.index));
      const far = new Listener(b, multicast(family, b.index));
      const source = addresses[family]().near;
      b.setUp(false);
      b.setUp(true);
      far.endpoint.rejoin();
      far.endpoint.rejoin();
      assert.deepEqual(far.failures, []);
      const sent = packet({ source, destination: group });
      await untilHeard(near, far, sent, group);
    });

    test("a send over a link that is down is told, not thrown", () => {
      const near = new Listener(a, multicast(family, a.index));
      a.setUp(false);
      near.endpoint.send(packet({ source: addresses[family]().near, destination: group }), group);
      a.setUp(true);
      assert.equal(near.failures.length, 1);
      assert.match(near.failures[0] ?? "", /^ENET(UNREACH|DOWN)$/);
    });

    test("a packet beyond the MTU is told", () => {
      const near = new Listener(a, multicast(family, a.index));
      const source = addresses[family]().near;
      near.endpoint.send(packet({ source, destination: group, tail: 3_000 }), group);
      assert.deepEqual(near.failures, ["EMSGSIZE"]);
    });

    test("drain hands over what waits, before the loop turns", async () => {
      const near = new Listener(a, multicast(family, a.index));
      const far = new Listener(b, multicast(family, b.index));
      const source = addresses[family]().near;
      const sent = packet({ source, destination: group });
      // The test before had its link down.
      await untilHeard(near, far, sent, group);
      // One that only these have: some of those before may still be on their way.
      const marked = packet({ source, destination: group, vrid: 77 });
      const arrived = (): number => far.vrids.filter((vrid) => vrid === 77).length;
      for (let count = 0; count < 100; count += 1) near.endpoint.send(marked, group);
      const stall = Date.now() + 100;
      while (Date.now() < stall);
      assert.equal(arrived(), 0);
      // A busy kernel may not have carried all of them yet; the loop does not turn meanwhile.
      for (const end = Date.now() + 5_000; arrived() < 100 && Date.now() < end; ) sockets.drain();
      assert.equal(arrived(), 100);
    });
  });

  describe(`unicast over ${family}`, () => {
    test("a packet of any TTL arrives, multicast does not", async () => {
      const near = new Listener(a, unicast(family));
      const loud = new Listener(a, multicast(family, a.index));
      const far = new Listener(b, unicast(family));
      const source = family === "ipv4" ? ip("192.0.2.1") : ip("2001:db8::1");
      const destination = family === "ipv4" ? ip("192.0.2.2") : ip("2001:db8::2");
      loud.endpoint.send(packet({ source, destination: group, vrid: 1 }), group);
      near.endpoint.send(packet({ source, destination, vrid: 2, ttl: 3 }), destination);
      await far.heard(1);
      assert.deepEqual(far.vrids, [2]);
      assert.equal(far.packets[0]?.ttl, 3);
      assert.equal(far.packets[0]?.destination, destination);
    });
  });
}

describe("advertisement sockets", () => {
  test("the authentication header's protocol is filtered by the VRID behind it", async () => {
    const spec: EndpointSpec = { ...multicast("ipv4", b.index), protocol: 51 };
    const far = new Listener(b, spec);
    const near = new Listener(a, { ...spec, interfaceIndex: a.index });
    far.endpoint.setVrids(new Set([9]));
    const send = (vrid: number): boolean =>
      near.endpoint.send(
        packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4, protocol: 51, vrid }),
        GROUP.ipv4,
      );
    send(8);
    send(9);
    await far.heard(1);
    assert.equal(far.packets.length, 1);
    assert.equal(far.packets[0]?.bytes[45], 9);
  });

  test("an interface that does not exist is an error with a remedy", () => {
    assert.throws(
      () => sockets.open(multicast("ipv4", 9_999), unexpected, unexpected),
      (error) => error instanceof KernelError && error.remedy.length > 0,
    );
  });

  test("nothing is heard, and nothing breaks, after close", async () => {
    const near = new Listener(a, multicast("ipv4", a.index));
    const far = new Listener(b, multicast("ipv4", b.index));
    const witness = new Listener(b, multicast("ipv4", b.index));
    const sent = packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4 });
    near.endpoint.send(sent, GROUP.ipv4);
    far.endpoint.close();
    far.endpoint.close();
    far.endpoint.send(sent, GROUP.ipv4);
    far.endpoint.rejoin();
    far.endpoint.setVrids(new Set([1]));
    await witness.heard(1);
    assert.deepEqual([far.packets, far.failures], [[], []]);
  });

  test("an endpoint may be closed while it hands over", async () => {
    const near = new Listener(a, multicast("ipv4", a.index));
    let heard = 0;
    const endpoint = b.node.run(() =>
      sockets.open(
        multicast("ipv4", b.index),
        () => {
          heard += 1;
          endpoint.close();
        },
        unexpected,
      ),
    );
    const witness = new Listener(b, multicast("ipv4", b.index));
    const sent = packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4 });
    near.endpoint.send(sent, GROUP.ipv4);
    near.endpoint.send(sent, GROUP.ipv4);
    await witness.heard(2);
    assert.equal(heard, 1);
  });

  test("promises and ticks run between packets and the next turn", {
    timeout: 10_000,
  }, async () => {
    const near = new Listener(a, multicast("ipv4", a.index));
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      opened.push(
        b.node.run(() =>
          sockets.open(
            multicast("ipv4", b.index),
            () => {
              order.push("packet");
              void Promise.resolve().then(() => order.push("promise"));
              setImmediate(() => {
                order.push("turn");
                resolve();
              });
            },
            unexpected,
          ),
        ),
      );
    });
    near.endpoint.send(packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4 }), GROUP.ipv4);
    await done;
    assert.deepEqual(order, ["packet", "promise", "turn"]);
  });
});

describe("frame sender", () => {
  let frames: FrameSender;
  before(() => {
    frames = a.node.run(openFrameSender);
  });
  after(() => frames.close());

  test("a frame leaves as it is", async () => {
    const far = new Listener(b, multicast("ipv4", b.index));
    const sent = packet({ source: ip("203.0.113.9"), destination: GROUP.ipv4 });
    const strangeMac = Uint8Array.of(0, 0, 0x5e, 0, 1, 10);
    assert.equal(frames.send(a.index, frame(strangeMac, sent)), undefined);
    await far.heard(1);
    assert.equal(far.packets[0]?.source, "203.0.113.9");
    assert.deepEqual(far.packets[0]?.bytes, sent);
  });

  test("a refusal is answered by its name", () => {
    const some = frame(a.mac, packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4 }));
    assert.equal(frames.send(9_999, some), "ENXIO");
    a.setUp(false);
    assert.equal(frames.send(a.index, some), "ENETDOWN");
    a.setUp(true);
    const long = frame(
      a.mac,
      packet({ source: ip("192.0.2.1"), destination: GROUP.ipv4, tail: 3_000 }),
    );
    assert.equal(frames.send(a.index, long), "EMSGSIZE");
  });
});

test("hundreds of sockets are open in no time: each virtual MAC has its own", () => {
  const start = process.cpuUsage();
  const spec = { family: "ipv4", protocol: 112, interfaceIndex: 1, group: undefined, ttl: 255 };
  a.node.run(() => {
    for (let each = 0; each < 500; each += 1) {
      opened.push(
        sockets.open(
          spec as EndpointSpec,
          () => undefined,
          () => undefined,
        ),
      );
    }
  });
  // 0.2 s; to search for each among all descriptors took 6 s.
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 2_500_000, `${user + system} µs of a processor`);
});
