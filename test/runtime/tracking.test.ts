import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config, InstanceConfig } from "../../agent/config/config.ts";
import { NO_NOTIFY } from "../../agent/config/notifications.ts";
import { NO_READING } from "../../agent/core/track/readings.ts";
import type { Claim, Reading, TrackedCheck, TrackerId } from "../../agent/core/track/tracking.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

const CHK = "script chk";
const UP: Reading = { verdict: "up", value: 0, reason: "status 0" };
const DOWN: Reading = { verdict: "down", value: 0, reason: "status 1" };

const tracked = (weight: number, tracker: TrackerId = CHK): TrackedCheck => ({
  tracker,
  weight,
  reverse: false,
});

/** A node alone on its segment, which has heard nothing of its director yet. */
async function begin(whole: Config, awaitDirector = false) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const own = host("a", time, lan, "192.0.2.1/24");
  await own.node.configure(whole, awaitDirector);
  const { node } = own;
  const say = async (
    complete: "no" | "part" | "last",
    ...entries: readonly (readonly [string, Reading])[]
  ): Promise<void> => {
    const said = entries.map(([key, value]) => ({ key, value }));
    node.heard({ kind: "readings", complete, entries: said });
    await time.advance(1);
  };
  const claim = async (complete: "no" | "last", ...claims: readonly Claim[]): Promise<void> => {
    const entries = [{ key: "V", value: claims }];
    node.heard({ kind: "claims", complete, entries });
    await time.advance(1);
  };
  const lose = async (): Promise<void> => {
    node.heard({ kind: "director-lost" });
    await time.advance(1);
  };
  const router = (name = "V") => routerOf(own, name);
  const faults = (name = "V") =>
    router(name).faults.map(({ cause, subject }) => `${cause} ${subject}`);
  const onWire = () => lan.sent.at(-1)?.priority;
  const told = () => own.reports.map(({ message }) => message);
  return { time, own, node, say, claim, lose, router, faults, onWire, told };
}

const v = (trackers: readonly TrackedCheck[], priority = 100, more: Partial<InstanceConfig> = {}) =>
  instance("V", { priority }, { trackers, ...more });

test("a weight reaches the wire at once, by name and with its time", async () => {
  const { time, say, router, onWire, told } = await begin(config([v([tracked(-30)])]));
  await say("last", [CHK, UP]);
  await time.advance(8_000);
  assert.equal(onWire(), 100);
  await say("no", [CHK, DOWN]);
  assert.deepEqual(router().priority.contributions, [
    { source: CHK, weight: -30, since: time.clock.wallClock() - 1 },
  ]);
  await time.advance(1_000);
  assert.equal(onWire(), 70);
  assert.ok(told().includes("priority 100 to 70"));
});

test("without a weight it is a fault, which the transition names; recovery is a backup first", async () => {
  const { time, say, router, faults, told } = await begin(config([v([tracked(0)])]));
  await say("last", [CHK, UP]);
  await time.advance(8_000);
  assert.equal(router().state, "active");
  await say("no", [CHK, DOWN]);
  assert.equal(router().state, "fault");
  assert.deepEqual(faults(), ["tracker script chk"]);
  assert.ok(told().includes("active to fault: tracker script chk"));
  await say("no", [CHK, UP]);
  assert.equal(router().state, "backup");
});

test("a new router waits for a result that might forbid its start, not for a weight", async () => {
  const { time, node, say, router, told } = await begin(
    config([v([tracked(0), tracked(5, "file f")])]),
  );
  await say("last", [CHK, NO_READING], ["file f", NO_READING]);
  await time.advance(60_000);
  assert.equal(router().state, "initialize");
  assert.deepEqual(told(), [], "and nobody is told of a fault that is none");
  await say("no", [CHK, UP]);
  assert.equal(router().state, "backup");
  await time.advance(8_000);
  assert.equal(router().state, "active");
  // One that runs goes on: what a reload adds says something first.
  await node.configure(config([v([tracked(0), tracked(0, "script new")])]));
  await say("no", ["script new", NO_READING]);
  assert.equal(router().state, "active");
  await say("no", ["script new", { ...NO_READING, verdict: "down" }]);
  assert.equal(router().state, "fault", "init_fail");
});

test("a first result that is bad starts it in fault; an unknown one may be shut down", async () => {
  const first = await begin(config([v([tracked(0)])]));
  await first.say("last", [CHK, DOWN]);
  assert.equal(first.router().state, "fault");
  const second = await begin(config([v([tracked(0)])]));
  await second.node.stop();
  assert.deepEqual(second.told(), []);
});

test("without a director everything counts as failed after five seconds, and never before", async () => {
  const whole = config([v([tracked(-30), tracked(0, "script b")])]);
  const { time, say, lose, router, faults, told, onWire } = await begin(whole);
  await say("last", [CHK, UP], ["script b", UP]);
  await time.advance(8_000);
  await lose();
  await time.advance(4_990);
  assert.equal(router().state, "active");
  await time.advance(10);
  assert.equal(router().state, "fault");
  assert.deepEqual(faults(), ["tracker script b"]);
  assert.equal(router().priority.effective, 70);
  assert.equal(onWire(), 0);
  assert.ok(told().some((line) => line.startsWith("no word for 5 s: tracked scripts")));
  // A new one that has not looked yet lifts nothing.
  await say("last", [CHK, NO_READING], ["script b", NO_READING]);
  assert.equal(router().state, "fault");
  await say("no", ["script b", UP]);
  assert.equal(router().state, "backup");
});

test("a director that is back in time changes nothing", async () => {
  const { time, say, lose, router, told } = await begin(config([v([tracked(0)])]));
  await say("last", [CHK, UP]);
  await time.advance(8_000);
  await lose();
  await time.advance(3_000);
  await say("last", [CHK, NO_READING]);
  await time.advance(60_000);
  assert.equal(router().state, "active");
  assert.equal(told().filter((line) => line.includes("no word")).length, 0);
});

test("a node that tracks nothing does not care for its director", async () => {
  const { time, lose, router, told } = await begin(config([v([])]));
  await time.advance(8_000);
  await lose();
  await time.advance(60_000);
  assert.equal(router().state, "active");
  assert.ok(!told().some((line) => line.includes("no word")));
});

const claimOf = (weight: number): Claim => ({
  router: "V",
  source: "policy p/c",
  effect: { kind: "weight", weight },
  otherwise: { kind: "fault", reason: "no verdict" },
});

test("with policies a new router waits for what they claim, and five seconds at most", async () => {
  const { time, claim, router } = await begin(config([v([])]), true);
  await time.advance(1_000);
  assert.equal(router().state, "initialize");
  await claim("last", claimOf(-20));
  assert.equal(router().state, "backup");
  assert.equal(router().priority.effective, 80);

  const silent = await begin(config([v([])]), true);
  await silent.time.advance(4_990);
  assert.equal(silent.router().state, "initialize");
  await silent.time.advance(20);
  assert.equal(silent.router().state, "backup");
  assert.ok(
    silent.told().some((line) => line.includes("no word for 5 s: what policies asked for")),
  );
});

test("a claim without its director becomes what was asked for in that case", async () => {
  const { time, claim, lose, router, faults } = await begin(config([v([])]));
  await claim("last", claimOf(-20));
  await time.advance(8_000);
  assert.equal(router().priority.effective, 80);
  await lose();
  await time.advance(5_000);
  assert.equal(router().state, "fault");
  assert.deepEqual(faults(), ["tracker policy p/c"]);
  await claim("last", claimOf(10));
  assert.equal(router().priority.effective, 110);
  assert.equal(router().state, "backup");
});

test("what a group tracks holds for every member, own weights only where they are asked for", async () => {
  const member = (name: string, vrid: number, trackers: readonly TrackedCheck[]) =>
    instance(name, { vrid }, { trackers, syncGroup: "G", addresses: [] });
  const whole = (weightedTracking: boolean) =>
    config([member("V", 51, [tracked(7, "process p")]), member("W", 52, [])], {
      syncGroups: [
        {
          position: { file: "", line: 1, column: 1 },
          name: "G",
          members: ["V", "W"],
          trackInterfaces: [],
          trackers: [tracked(5)],
          notify: NO_NOTIFY,
          weightedTracking,
        },
      ],
    });
  const { node, say, router } = await begin(whole(false));
  await say("last", [CHK, UP], ["process p", UP]);
  const priorities = () => ["V", "W"].map((name) => router(name).priority.effective);
  assert.deepEqual(priorities(), [105, 105]);
  await node.configure(whole(true));
  assert.deepEqual(priorities(), [112, 105]);
  await say("no", [CHK, DOWN]);
  assert.deepEqual(priorities(), [107, 100]);
});

test("an owner keeps its priority, not its freedom from faults", async () => {
  const whole = config([v([tracked(-30), tracked(0, "script b")], 255)]);
  const { say, router } = await begin(whole);
  await say("last", [CHK, DOWN], ["script b", UP]);
  assert.equal(router().priority.effective, 255);
  assert.equal(router().state, "active");
  await say("no", ["script b", DOWN]);
  assert.equal(router().state, "fault");
});

test("only who tracks it is looked at again", async () => {
  const others = Array.from({ length: 4 }, (_, at) =>
    instance(`W${at}`, { vrid: 60 + at }, { addresses: [] }),
  );
  const { time, own, say } = await begin(config([v([tracked(-1)]), ...others]));
  await say("last", [CHK, UP]);
  const looked = own.network.linkByName.bind(own.network);
  let looks = 0;
  own.network.linkByName = (name) => {
    looks += 1;
    return looked(name);
  };
  await say("no", [CHK, DOWN]);
  const one = looks;
  await say("no", ["script nobody", DOWN]);
  assert.equal(looks, one);
  own.node.heard({ kind: "claims", complete: "last", entries: [] });
  await time.advance(1);
  assert.equal(looks, one + 5 * one, "at a whole word everybody looks");
  assert.ok(one > 0);
});
