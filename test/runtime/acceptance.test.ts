import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "../../agent/ports/error.ts";
import { FakeLan } from "./fake-lan.ts";
import type { TestHost } from "./fixtures.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

const MISSING = new KernelError("EOPNOTSUPP", "packets cannot be refused", "load nf_tables");
const refusing = (name = "VI_1", router = {}, change = {}) =>
  instance(name, router, { accept: false, ...change });

function begin() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  return { time, one };
}

/** What somebody could observe, in order: packets are refused, or the address is there. */
function record({ acceptFilter, network }: TestHost): string[] {
  const seen: string[] = [];
  const refuse = acceptFilter.refuse.bind(acceptFilter);
  const release = acceptFilter.release.bind(acceptFilter);
  acceptFilter.refuse = async (addresses) => {
    const problem = await refuse(addresses);
    seen.push(`refuse ${addresses.map((one) => one.address).join(" ")}`);
    return problem;
  };
  acceptFilter.release = (addresses) => {
    if (addresses.some((one) => acceptFilter.refused.includes(one.address))) {
      seen.push(`release ${addresses.map((one) => one.address).join(" ")}`);
    }
    return release(addresses);
  };
  network.subscribe((event) => {
    if (event.kind === "address-added") seen.push(`add ${event.address.address}`);
    if (event.kind === "address-removed") seen.push(`remove ${event.address.address}`);
  });
  return seen;
}

test("an address is refused before it is there, and until it is gone", async () => {
  const { time, one } = begin();
  const seen = record(one);
  await one.node.configure(config([refusing()]));
  assert.deepEqual(one.acceptFilter.refused, [], "a backup has nothing to refuse");
  await time.advance(4_000);
  assert.equal(routerOf(one).state, "active");
  await one.node.stop();
  assert.deepEqual(seen, [
    "refuse 192.0.2.100",
    "add 192.0.2.100",
    "remove 192.0.2.100",
    "release 192.0.2.100",
  ]);
});

test("who accepts, or owns the addresses, never touches the filter", async () => {
  const { time, one } = begin();
  await one.node.configure(
    config([
      instance("VI_1"),
      refusing("VI_2", { vrid: 52, priority: 255 }, { addresses: [address("192.0.2.110/24")] }),
    ]),
  );
  await time.advance(4_000);
  assert.deepEqual(one.acceptFilter.refused, []);
  assert.equal(one.acceptFilter.probes, 0);
  assert.equal(one.network.present.length, 3);
});

test("a reload switches it without moving the address", async () => {
  const { time, one } = begin();
  await one.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  const seen = record(one);
  await one.node.configure(config([refusing()]));
  await time.advance(1);
  await one.node.configure(config([instance("VI_1")]));
  await time.advance(1);
  await one.node.configure(config([refusing()]));
  await time.advance(1);
  assert.deepEqual(seen, ["refuse 192.0.2.100", "release 192.0.2.100", "refuse 192.0.2.100"]);
  assert.deepEqual(one.acceptFilter.refused, ["192.0.2.100"]);
  assert.equal(routerOf(one).counters.becameActive, 1);
});

test("an address that vanishes with its interface is not refused any longer", async () => {
  const { time, one } = begin();
  await one.node.configure(config([refusing()]));
  await time.advance(4_000);
  assert.deepEqual(one.acceptFilter.refused, ["192.0.2.100"]);
  one.network.removeLink("eth0");
  await time.advance(10);
  assert.equal(routerOf(one).state, "fault");
  assert.deepEqual(one.acceptFilter.refused, []);
});

test("a kernel that cannot: fault at the start, one line, and nobody else is concerned", async () => {
  const { time, one } = begin();
  one.acceptFilter.problem = MISSING;
  const other = instance("VI_2", { vrid: 52 }, { addresses: [address("192.0.2.110/24")] });
  await one.node.configure(config([refusing(), other]));
  await time.advance(4_000);
  assert.deepEqual(routerOf(one).faults, [{ cause: "packet-filter", subject: "nf_tables" }]);
  assert.equal(routerOf(one, "VI_2").state, "active");
  assert.equal(one.network.find("192.0.2.100"), undefined);
  const lines = one.reports.filter(({ level }) => level === "error");
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["packets cannot be refused; load nf_tables"],
  );
  one.acceptFilter.problem = undefined;
  await time.advance(10_000);
  assert.equal(routerOf(one).state, "active");
  assert.deepEqual(one.acceptFilter.refused, ["192.0.2.100"]);
});

test("a reload that would be the first to need it is refused, and nothing changes", async () => {
  const { time, one } = begin();
  await one.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  one.acceptFilter.problem = MISSING;
  await assert.rejects(one.node.configure(config([refusing()])), MISSING);
  await time.advance(1_000);
  assert.equal(routerOf(one).state, "active");
  assert.ok(one.network.find("192.0.2.100"));
});

test("what the kernel refuses at the takeover keeps the address away", async () => {
  const { time, one } = begin();
  await one.node.configure(config([refusing()]));
  one.acceptFilter.problem = MISSING;
  await time.advance(4_000);
  assert.equal(routerOf(one).state, "fault");
  assert.ok(!one.network.batches.some(({ verb }) => verb === "install addresses"));
});

test("a filter that is lost takes the address with it; one that was put back is told", async () => {
  const { time, one } = begin();
  await one.node.configure(config([refusing()]));
  await time.advance(4_000);
  one.acceptFilter.tell({ kind: "restored" });
  assert.ok(one.reports.some(({ level, message }) => level === "warn" && /put back/.test(message)));
  assert.equal(routerOf(one).state, "active");
  one.acceptFilter.tell({ kind: "lost", error: MISSING });
  await time.advance(10);
  assert.equal(routerOf(one).state, "fault");
  assert.equal(one.network.find("192.0.2.100"), undefined);
});
