import assert from "node:assert/strict";
import { test } from "node:test";
import type { BfdInstanceConfig } from "../../../agent/config/bfd-instances.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import type { BfdSnapshot } from "../../../agent/core/bfd/snapshot.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { FakeLan } from "../fake-lan.ts";
import type { TestHost } from "../fixtures.ts";
import { config, host, instance } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const session = (last: number, change: Partial<BfdInstanceConfig> = {}): BfdInstanceConfig => ({
  position: { file: "k.conf", line: 1, column: 1 },
  name: "peer",
  neighbour: `192.0.2.${last}` as IpAddress,
  source: undefined,
  interface: undefined,
  hops: "single",
  minRx: milliseconds(50),
  minTx: milliseconds(50),
  idleTx: seconds(1),
  multiplier: 3,
  passive: false,
  hopLimit: 255,
  leastTtl: 255,
  weight: 0,
  reverse: false,
  ...change,
});

/** Two hosts that watch each other; the first has a router that depends on it. */
class Two {
  readonly time = new VirtualTime();
  readonly lan = new FakeLan(() => this.time.now);
  readonly first = host("a", this.time, this.lan, "192.0.2.1/24");
  readonly second = host("b", this.time, this.lan, "192.0.2.2/24");
  tracked: boolean;
  readonly #weight: number;

  constructor(weight: number, tracked = true) {
    this.#weight = weight;
    this.tracked = tracked;
  }

  async start(change: Partial<BfdInstanceConfig> = {}): Promise<void> {
    await this.configureFirst(change);
    await this.second.node.configure(config([], { bfdInstances: [session(1)] }));
  }

  async configureFirst(change: Partial<BfdInstanceConfig> = {}): Promise<void> {
    const trackers = [{ tracker: "track_bfd peer" as const, weight: this.#weight, reverse: false }];
    const router = instance("V", {}, { trackers: this.tracked ? trackers : [] });
    await this.first.node.configure(config([router], { bfdInstances: [session(2, change)] }));
  }

  get state(): string {
    return [...this.first.node.snapshot()][0]?.state ?? "none";
  }

  get priority(): number {
    return [...this.first.node.snapshot()][0]?.priority.effective ?? 0;
  }
}

const bfdOf = ({ node }: TestHost): BfdSnapshot => {
  const [first] = [...node.bfd.snapshot()];
  assert.ok(first !== undefined);
  return first;
};

const events = ({ reports }: TestHost): readonly string[] =>
  reports.filter(({ kind }) => kind === "bfd").map(({ message }) => message);

test("a router that tracks a session starts when it is up, and is in fault when it is lost", async () => {
  const two = new Two(0);
  await two.start();
  assert.equal(two.state, "initialize");
  await two.time.advance(7_000);
  assert.equal(two.state, "active");
  assert.equal(bfdOf(two.first).detectionTime, 150_000);
  two.lan.bfd.cut.add("b");
  // The last word came up to one interval before.
  await two.time.advance(99);
  assert.equal(bfdOf(two.first).state, "up");
  await two.time.advance(52);
  assert.equal(two.state, "fault");
  const [router] = [...two.first.node.snapshot()];
  assert.deepEqual(router?.faults, [{ cause: "tracker", subject: "track_bfd peer" }]);
  two.lan.bfd.cut.delete("b");
  await two.time.advance(8_000);
  assert.equal(two.state, "active");
  const told = events(two.first);
  assert.equal(told[0], "bfd 192.0.2.2 admin-down to down: startup");
  assert.ok(told.includes("bfd 192.0.2.2 up to down: detection-time-expired"), told.join("\n"));
  assert.match(told.at(-1) ?? "", /to up: handshake-complete$/);
  const { flaps, counters, lastChange } = bfdOf(two.first);
  assert.deepEqual([flaps, lastChange.reason], [1, "handshake-complete"]);
  assert.ok(counters.sent > 100 && counters.received > 100);
});

test("a neighbour that never answers is down after its time, and not before", async () => {
  const two = new Two(0);
  await two.configureFirst();
  await two.time.advance(2_900);
  assert.equal(two.state, "initialize");
  assert.equal(bfdOf(two.first).verdict, "unknown");
  await two.time.advance(200);
  assert.equal(two.state, "fault");
  assert.equal(bfdOf(two.first).verdict, "down");
  assert.equal(events(two.first).at(-1), "bfd 192.0.2.2 is not up yet, and counts as down");
});

test("a weight is one named part of the priority", async () => {
  const two = new Two(-40);
  await two.start();
  await two.time.advance(7_000);
  assert.equal(two.priority, 100);
  two.lan.bfd.cut.add("b");
  await two.time.advance(300);
  assert.equal(two.priority, 60);
  const [router] = [...two.first.node.snapshot()];
  const [part] = router?.priority.contributions ?? [];
  assert.deepEqual([part?.source, part?.weight], ["track_bfd peer", -40]);
});

test("a reload that adds a tracked session takes no address away while it comes up", async () => {
  const two = new Two(0, false);
  await two.first.node.configure(config([instance("V")]));
  await two.time.advance(7_000);
  assert.equal(two.state, "active");
  two.tracked = true;
  await two.start();
  for (let ms = 0; ms < 5_000; ms += 100) {
    await two.time.advance(100);
    assert.equal(two.state, "active");
  }
  assert.equal(bfdOf(two.first).state, "up");
});

test("a reload keeps a session; new intervals are agreed on, another neighbour is another session", async () => {
  const two = new Two(0);
  await two.start();
  await two.time.advance(7_000);
  const before = bfdOf(two.first).discriminator;
  await two.configureFirst();
  await two.configureFirst({ minTx: milliseconds(200), minRx: milliseconds(100) });
  await two.time.advance(2_000);
  const kept = bfdOf(two.first);
  assert.deepEqual(
    [kept.state, kept.flaps, kept.discriminator, kept.transmitInterval, kept.detectionTime],
    ["up", 0, before, 200_000, 300_000],
  );
  assert.equal(bfdOf(two.second).detectionTime, 600_000);
  await two.configureFirst({ hops: "multiple" });
  assert.notEqual(bfdOf(two.first).discriminator, before);
  await two.time.advance(50);
  assert.equal(bfdOf(two.second).lastChange.reason, "neighbour-shut-down");
});

test("a node that stops tells its neighbours so", async () => {
  const two = new Two(0);
  await two.start();
  await two.time.advance(7_000);
  await two.first.node.stop();
  await two.time.advance(1);
  const { state, remote, lastChange } = bfdOf(two.second);
  assert.equal(state, "down");
  assert.equal(lastChange.reason, "neighbour-shut-down");
  assert.equal(remote?.diagnostic, "administratively-down");
});

test("a port that somebody else has is told once, tried again, and harms no router", async () => {
  const two = new Two(0, false);
  two.lan.bfd.taken.add("a");
  await two.start();
  await two.time.advance(4_500);
  assert.equal(two.state, "active");
  assert.equal(bfdOf(two.first).problem, "the port is taken; stop the other one");
  two.lan.bfd.taken.delete("a");
  await two.time.advance(5_000);
  assert.equal(bfdOf(two.first).problem, null);
  assert.equal(bfdOf(two.first).state, "up");
  const told = two.first.reports.filter(({ subject }) => subject === "bfd");
  assert.deepEqual(
    told.map(({ message }) => message),
    ["the port is taken; stop the other one"],
  );
});

test("packets of no use are counted by reason", async () => {
  const two = new Two(0);
  await two.start({ leastTtl: 255 });
  const stranger = two.lan.bfd.sockets("c", "192.0.2.77/24").openSender({
    family: "ipv4",
    hops: "single",
    source: undefined,
    interfaceIndex: undefined,
    ttl: 255,
  });
  stranger.send(new Uint8Array(7), "192.0.2.1" as IpAddress);
  const [{ bytes } = { bytes: new Uint8Array() }] = two.lan.bfd.sent.slice(-1);
  assert.equal(bytes.length, 7);
  await two.time.advance(10);
  assert.deepEqual(two.first.node.bfd.dropped(), { truncated: 1 });
});
