import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { openNeighbourProbes } from "../../agent/linux/neighbour-probes.ts";
import { openPings } from "../../agent/linux/pings.ts";
import type { NeighbourProbes, Pings } from "../../agent/ports/probes.ts";

const ip = (text: string): IpAddress => parseAddress(text) ?? assert.fail(text);

/** Loses nothing, but on a busy machine an answer takes a while. */
const PATIENCE_MS = 3_000;
const BRIEF_MS = 150;

let lab: Lab;
let host: LabNode;
let near: LabInterface;
let far: LabInterface;

before(() => {
  lab = new Lab();
  host = lab.node("host");
  const gateway = lab.node("gateway");
  [near, far] = lab.connect(
    host,
    { name: "lan0", addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
    gateway,
    { name: "lan0", addresses: ["192.0.2.254/24", "2001:db8::254/64"] },
  );
});
after(() => lab.dispose());

const macText = ({ mac }: LabInterface): string =>
  Array.from(mac, (octet) => octet.toString(16).padStart(2, "0")).join(":");

/** What is opened lazily must be opened inside: each first use runs there. */
const inside = <Result>(work: () => Result): Result => host.run(work);

describe("pings", () => {
  for (const [kind, range] of [
    ["datagram", "0 2147483647"],
    ["raw", "1 0"],
  ] as const) {
    describe(`over ${kind} sockets`, () => {
      let pings: Pings;
      before(() => {
        assert.ok(host.sysctl("ipv4/ping_group_range", range));
        pings = openPings();
      });
      after(() => pings.close());

      const answered = (target: string, ms: number): Promise<boolean> =>
        new Promise((resolve) => {
          const timer = setTimeout(() => resolve(false), ms);
          const { errno } = inside(() =>
            pings.send(ip(target), () => {
              clearTimeout(timer);
              resolve(true);
            }),
          );
          assert.equal(errno, undefined);
        });

      for (const target of ["192.0.2.254", "2001:db8::254", "127.0.0.1", "::1"]) {
        test(`${target} answers`, async () => {
          assert.equal(await answered(target, PATIENCE_MS), true);
          const many = await Promise.all(
            Array.from({ length: 20 }, () => answered(target, PATIENCE_MS)),
          );
          assert.ok(many.every(Boolean));
        });
      }

      test("nobody answers for an absent host", async () => {
        assert.equal(await answered("192.0.2.77", BRIEF_MS), false);
      });

      test("a host without a route is refused", () => {
        assert.equal(inside(() => pings.send(ip("203.0.113.1"), () => {})).errno, "ENETUNREACH");
      });
    });
  }

  test("replies to others do not count", async () => {
    const [mine, others] = [openPings(), openPings()];
    host.sysctl("ipv4/ping_group_range", "1 0");
    let foreign = 0;
    const sent = inside(() => mine.send(ip("192.0.2.77"), () => (foreign += 1)));
    assert.equal(sent.errno, undefined);
    await new Promise<void>((resolve) => {
      inside(() => others.send(ip("192.0.2.254"), resolve));
    });
    assert.equal(foreign, 0);
    mine.close();
    others.close();
  });
});

describe("neighbour probes", () => {
  let probes: NeighbourProbes;
  before(() => {
    probes = openNeighbourProbes();
  });
  after(() => probes.close());

  /** The way is found asynchronously; the namespace is entered again for the packet socket. */
  const probe = (target: string, ms: number, interfaceName?: string) =>
    inLab(() => probes.probe({ address: ip(target), interfaceName }, AbortSignal.timeout(ms)));

  async function inLab<Result>(work: () => Promise<Result>): Promise<Result> {
    return await inside(work);
  }

  for (const target of ["192.0.2.254", "2001:db8::254"]) {
    test(`${target} tells its hardware address`, async () => {
      const outcome = await probe(target, PATIENCE_MS);
      assert.deepEqual(outcome, { kind: "answered", mac: macText(far) });
    });
  }

  test("a link-local address answers on its interface", async () => {
    const outcome = await probe(far.linkLocal, PATIENCE_MS, "lan0");
    assert.deepEqual(outcome, { kind: "answered", mac: macText(far) });
    assert.deepEqual(await probe(far.linkLocal, PATIENCE_MS, "none"), {
      kind: "refused",
      errno: "ENODEV",
    });
  });

  test("an absent neighbour is silent", async () => {
    assert.deepEqual(await probe("192.0.2.77", BRIEF_MS), { kind: "silent" });
    assert.deepEqual(await probe("2001:db8::77", BRIEF_MS), { kind: "silent" });
  });

  test("a neighbour that is down is noticed although the kernel still knows it", async () => {
    assert.equal((await probe("192.0.2.254", PATIENCE_MS)).kind, "answered");
    host.exec("ping", ["-c", "1", "192.0.2.254"]);
    far.setUp(false);
    try {
      const { kind } = await probe("192.0.2.254", BRIEF_MS);
      assert.ok(kind === "silent" || kind === "refused", kind);
    } finally {
      far.setUp(true);
    }
  });

  test("who is no neighbour is not asked", async () => {
    assert.deepEqual(await probe("192.0.2.1", PATIENCE_MS), { kind: "not-a-neighbour" });
    assert.deepEqual(await probe("127.0.0.1", PATIENCE_MS), { kind: "not-a-neighbour" });
    assert.equal((await probe("203.0.113.1", PATIENCE_MS)).kind, "refused");
    host.exec("ip", ["route", "add", "203.0.113.0/24", "via", "192.0.2.254"]);
    assert.deepEqual(await probe("203.0.113.1", PATIENCE_MS), { kind: "not-a-neighbour" });
    assert.equal(near.name, "lan0");
  });
});
