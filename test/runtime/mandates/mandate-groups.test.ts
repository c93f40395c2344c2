import assert from "node:assert/strict";
import { test } from "node:test";
import type { BfdInstanceConfig } from "../../../agent/config/bfd-instances.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { after, milliseconds, seconds } from "../../../agent/core/time.ts";
import { address, config, instance, routerOf } from "../fixtures.ts";
import { settle } from "../virtual-time.ts";
import { Lab, mandate, member, POSITION } from "./lab.ts";

const session = (last: number): BfdInstanceConfig => ({
  position: POSITION,
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
});

test("reloads that ask for a mandate, another one, or none leave the active one active", async () => {
  const lab = new Lab();
  await lab.configure(
    [member({}, 100)].map((one) => ({
      ...one,
      router: { ...one.router, inSyncGroup: false },
    })),
    [],
  );
  await lab.time.advance(5_000);
  assert.equal(lab.state, "active");
  await lab.configure();
  await settle();
  assert.deepEqual([lab.state, lab.isOpen, lab.asked], ["active", true, ["wanted"]]);
  await lab.time.advance(4_000);
  assert.ok(lab.isOpen, "while nobody has answered");
  lab.grant(60_000);
  await lab.time.advance(10);
  for (const lease of [
    { mode: "advisory", key: "VI_1", failsafe: false },
    { mode: "required", key: "other", failsafe: false },
  ] as const) {
    await lab.configure([member()], [mandate({ lease })]);
    await settle();
    assert.deepEqual([lab.state, lab.isOpen, lab.asked], ["active", true, ["wanted"]]);
  }
  await lab.configure([member()], []);
  await settle();
  assert.equal(lab.state, "active");
  assert.ok(lab.isOpen);
  assert.deepEqual(lab.asked.slice(-2), ["wanted", "unwanted"]);
});

test("a mandate that a reload asks for and nobody grants ends, and says what to do", async () => {
  const lab = new Lab();
  const free = member({}, 100);
  await lab.configure([{ ...free, router: { ...free.router, inSyncGroup: false } }], []);
  await lab.time.advance(5_000);
  await lab.configure();
  const said = { reason: "no route", remedy: "look there" };
  lab.hear({ kind: "waiting", because: "store-unreachable", ...said });
  await lab.time.advance(9_900);
  assert.deepEqual([lab.state, lab.isOpen], ["active", true]);
  await lab.time.advance(150);
  assert.deepEqual([lab.state, lab.isOpen], ["backup", false]);
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  const { message } = lab.host.reports.findLast(({ level }) => level === "error") ?? {};
  assert.match(String(message), /no lease came in the 10 s since .* \(no route\); look there/);
});

test("members of a group wait for one mandate, and give it back when all gates are shut", async () => {
  const lab = new Lab();
  const names = ["VI_1", "VI_2"];
  const routers = names.map((name, at) =>
    instance(
      name,
      { vrid: 51 + at, fenced: true },
      { syncGroup: "G", addresses: [address(`192.0.2.${100 + at}/24`)] },
    ),
  );
  const group = {
    position: POSITION,
    name: "G",
    members: names,
    weightedTracking: false,
    trackInterfaces: [],
    trackers: [],
    notify: routers[0]?.notify ?? assert.fail(),
  };
  const mandates = [mandate({ name: "G", members: names })];
  await lab.configure(routers, mandates, { syncGroups: [group] });
  await lab.time.advance(3_700);
  assert.deepEqual(
    lab.wishes.map(({ mandate: of }) => of),
    ["G"],
  );
  const deadlineAt = after(lab.time.now, seconds(60));
  const news = { kind: "granted", deadlineAt, epoch: "0b" } as const;
  lab.host.node.mandates.heard({ kind: "mandate", mandate: "G", serial: lab.serial, news });
  await lab.time.advance(10);
  assert.deepEqual(
    lab.host.node.groups().map(({ state }) => state),
    ["active"],
  );
  assert.ok(lab.host.gate.isOpen("192.0.2.100") && lab.host.gate.isOpen("192.0.2.101"));
  const told = lab.host.reports.filter(
    ({ kind, detail }) => kind === "transition" && detail["to"] === "active",
  );
  assert.deepEqual(
    told.map(({ detail }) => detail["epoch"]),
    ["0b", "0b"],
  );
  await lab.host.node.stop();
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  const left = lab.host.reports.filter(({ detail }) => detail["from"] === "active");
  assert.deepEqual(
    left.map(({ detail }) => detail["epoch"]),
    ["0b", "0b", "0b"],
  );
});

test("failsafe goes on without the store while its BFD sessions are up, and ends with them", async () => {
  const lab = new Lab();
  await lab.peer.node.configure(config([], { bfdInstances: [session(1)] }));
  // With a weight: that it is down is no fault.
  const trackers = [{ tracker: "track_bfd peer" as const, weight: -10, reverse: false }];
  const lease = { mode: "required", key: "VI_1", failsafe: true } as const;
  const more = { bfdInstances: [session(2)] };
  await lab.configure([member({ trackers })], [mandate({ lease })], more);
  await lab.time.advance(8_000);
  lab.grant(1_000);
  await lab.time.advance(10);
  lab.hear({
    kind: "waiting",
    because: "store-unreachable",
    reason: "ECONNREFUSED",
    remedy: "start it",
  });
  lab.hear({ kind: "withdrawn", because: "lapsed" });
  await lab.time.advance(20_000);
  assert.equal(lab.state, "active");
  assert.ok(lab.isOpen);
  const { mandate: seen } = routerOf(lab.host);
  assert.equal(seen?.state, "failsafe");
  assert.deepEqual(seen?.waiting, {
    because: "store-unreachable",
    reason: "ECONNREFUSED",
    remedy: "start it",
  });
  lab.lan.bfd.cut.add("b");
  await lab.time.advance(160);
  assert.equal(lab.state, "backup");
  assert.ok(!lab.isOpen);
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
});

test("without failsafe, or without a session, a silent store ends it", async () => {
  const lab = new Lab();
  const lease = { mode: "required", key: "VI_1", failsafe: true } as const;
  await lab.configure([member()], [mandate({ lease })]);
  await lab.time.advance(3_700);
  lab.grant(1_000);
  await lab.time.advance(10);
  lab.hear({ kind: "waiting", because: "store-unreachable", reason: "x", remedy: null });
  await lab.time.advance(1_000);
  assert.equal(lab.state, "backup");
});

test("a mandate without a lease has no end of its own", async () => {
  const lab = new Lab();
  await lab.configure([member()], [mandate({ lease: undefined, fences: ["pdu"] })]);
  await lab.time.advance(3_700);
  lab.grant(null);
  await lab.time.advance(60_000);
  assert.equal(lab.state, "active");
  assert.ok(lab.isOpen);
});
