import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, web } from "./rig.ts";

function rig(context: TestContext): Rig {
  const made = new Rig();
  context.after(() => made.dispose());
  return made;
}

describe("a virtual server", { timeout: 20_000 }, () => {
  test("is in the kernel at once, and what fails leaves its pool at the next look", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=1 2=1");
    one.dead.add(2);
    await one.wait(5);
    assert.equal(one.pool, "1=1");
    assert.deepEqual(one.messages.slice(-1), ["[10.0.0.2]:tcp:80 is down: connection refused"]);
    one.dead.delete(2);
    await one.wait(5);
    assert.equal(one.pool, "1=1 2=1");
  });

  test("fails only after its retries, which come at their own gap", async (context) => {
    const one = rig(context);
    const checks = [tcpCheck(2, { retries: 2, retryInterval: seconds(1) })];
    await one.configure(balancing([web({ realServers: [real(1), real(2, { checks })] })]));
    one.dead.add(2);
    await one.wait(6);
    assert.equal(one.pool, "1=1 2=1");
    await one.wait(1.1);
    assert.equal(one.pool, "1=1");
  });

  test("costs the kernel nothing while nothing changes", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    const { length } = one.kernel.done;
    await one.wait(60);
    assert.equal(one.kernel.done.length, length);
    assert.ok(one.probes.length > 20);
  });

  test("a server's answer is its weight", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.weights.set(1, 30);
    await one.wait(5);
    assert.equal(one.pool, "1=30 2=1");
  });

  test("equal checks of several virtual servers are one", async (context) => {
    const one = rig(context);
    const other = web({
      name: "FWM 5",
      targets: [{ kind: "fwmark", fwmark: 5, family: "ipv4" }],
    });
    await one.configure(balancing([web(), other]));
    one.probes.length = 0;
    await one.wait(5);
    assert.deepEqual(one.probes.sort(), [1, 2]);
    one.dead.add(1);
    await one.wait(5);
    const pools = [...one.kernel.table.values()].map(({ destinations }) => destinations.length);
    assert.deepEqual(pools, [1, 1]);
    await one.configure(balancing([other]));
    one.probes.length = 0;
    await one.wait(5);
    assert.deepEqual(one.probes.sort(), [1, 2]);
  });

  test("without virtual servers the kernel is not touched", async (context) => {
    const one = rig(context);
    await one.configure(balancing([]));
    await one.wait(60);
    assert.equal(one.opened, 0);
  });

  test("a track_file's number is added to the weight", async (context) => {
    const one = rig(context);
    const probe = { kind: "file", file: "load", weight: 2, reverse: false } as const;
    const checks = [{ ...tcpCheck(1), probe }];
    await one.configure(balancing([web({ realServers: [real(1, { checks, weight: 10 })] })]));
    one.say("file load", { verdict: "up", value: -3, reason: "it says -3" });
    await one.rest();
    assert.equal(one.pool, "1=4");
    one.say("file load", undefined);
    await one.rest();
    assert.equal(one.pool, "");
  });
});

test("a BFD session takes its server out, and brings it back", async (context) => {
  const one = rig(context);
  const checks = [{ ...tcpCheck(1), probe: { kind: "bfd", session: "peer" } } as const];
  await one.configure(balancing([web({ realServers: [real(1, { checks })] })]));
  assert.equal(one.pool, "1=1");
  const reading = { value: 0, reason: "detection time" } as const;
  one.say("track_bfd peer", { ...reading, verdict: "down" });
  await one.rest();
  assert.equal(one.pool, "");
  one.say("track_bfd peer", { ...reading, verdict: "up" });
  await one.rest();
  assert.equal(one.pool, "1=1");
});

describe("a reload", { timeout: 20_000 }, () => {
  test("changes what changed, and removes what is gone", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.kernel.done.length = 0;
    await one.configure(balancing([web({ realServers: [real(1), real(2, { weight: 7 })] })]));
    assert.deepEqual(
      one.kernel.done.map(({ kind }) => kind),
      ["edit-destination"],
    );
    await one.configure(balancing([]));
    assert.equal(one.kernel.table.size, 0);
  });

  test("who leaves has weight 0 until its last connection has ended", async (context) => {
    const one = rig(context);
    const drainTime = seconds(600);
    await one.configure(balancing([web({ drainTime })]));
    one.kernel.traffic(TARGET, real(2), { activeConnections: 3 });
    await one.configure(balancing([web({ drainTime, realServers: [real(1)] })]));
    await one.wait(30);
    assert.equal(one.pool, "1=1 2=0");
    one.restart();
    await one.configure(balancing([web({ drainTime, realServers: [real(1)] })]));
    await one.wait(30);
    assert.equal(one.pool, "1=1 2=0");
    one.kernel.traffic(TARGET, real(2), { activeConnections: 0 });
    await one.wait(2);
    assert.equal(one.pool, "1=1");
  });

  test("a virtual server that is removed finishes its connections too, over a restart", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web({ drainTime: seconds(100) })]));
    one.kernel.traffic(TARGET, real(2), { activeConnections: 3 });
    await one.configure(balancing([]));
    await one.wait(2);
    assert.equal(one.pool, "2=0");
    one.restart();
    await one.configure(balancing([]));
    await one.wait(50);
    assert.equal(one.pool, "2=0");
    await one.wait(60);
    assert.equal(one.kernel.table.size, 0);
  });
});

describe("a restart", { timeout: 20_000 }, () => {
  test("adopts what is there: nothing is added, removed or told", async (context) => {
    const one = rig(context);
    one.dead.add(2);
    await one.configure(balancing([web()]));
    await one.wait(6);
    assert.equal(one.pool, "1=1");
    one.kernel.done.length = 0;
    one.events.length = 0;
    one.told.length = 0;
    one.restart();
    await one.configure(balancing([web()]));
    assert.deepEqual(one.kernel.done, []);
    await one.wait(6);
    assert.deepEqual(one.kernel.done, []);
    assert.deepEqual(one.messages, []);
    assert.deepEqual(one.told, []);
    one.dead.delete(2);
    await one.wait(6);
    assert.equal(one.pool, "1=1 2=1");
  });

  test("leaves who has weight 0 by an order or by configuration where it is, before it has looked", async (context) => {
    const one = rig(context);
    const realServers = [1, 2].map((last) =>
      real(last, { weight: 2 - last, checks: [tcpCheck(last, { warmup: seconds(5) })] }),
    );
    await one.configure(balancing([web({ realServers })]));
    one.order("drain");
    await one.wait(6);
    assert.equal(one.pool, "1=0 2=0");
    one.kernel.done.length = 0;
    one.restart();
    await one.configure(balancing([web({ realServers })]));
    await one.wait(6);
    assert.deepEqual(one.kernel.done, []);
  });

  test("removes services of its own that nobody wants, and leaves those of others", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    const theirs = { ...TARGET, port: 8080 };
    const service = { ...web(), target: theirs };
    one.kernel.carryOut({ kind: "add-service", service });
    one.restart();
    await one.configure(balancing([]));
    assert.deepEqual([...one.kernel.table.keys()], ["tcp 192.0.2.1:8080"]);
  });

  test("a stop removes what is ours alone", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    const service = { ...web(), target: { ...TARGET, port: 8080 } };
    one.kernel.carryOut({ kind: "add-service", service });
    await one.part.stop();
    assert.deepEqual([...one.kernel.table.keys()], ["tcp 192.0.2.1:8080"]);
  });

  test("with -I a stop leaves all as it is, and the next start takes it over", async (context) => {
    const one = rig(context);
    one.leaveServices = true;
    await one.configure(balancing([web()]));
    one.kernel.done.length = 0;
    await one.part.stop();
    assert.equal(one.pool, "1=1 2=1");
    one.restart();
    one.leaveServices = false;
    await one.configure(balancing([]));
    assert.deepEqual(
      one.kernel.done.map(({ kind }) => kind),
      ["delete-service"],
    );
  });

  test("lvs_flush removes what others left, at the start of the agent only", async (context) => {
    const one = rig(context);
    const service = { ...web(), target: { ...TARGET, port: 8080 } };
    one.kernel.carryOut({ kind: "add-service", service });
    const config = balancing([web()], { flushAtStart: true });
    await one.configure(config);
    assert.deepEqual([...one.kernel.table.keys()], ["tcp 192.0.2.1:80"]);
    one.kernel.carryOut({ kind: "add-service", service });
    one.restart();
    await one.configure(config);
    assert.equal(one.kernel.table.size, 2);
  });
});

describe("orders", { timeout: 20_000 }, () => {
  test("drain, disable and weight hold over a reload and a restart, until undrain", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    assert.deepEqual(one.order("drain"), { servers: [{ service: NAME, server: "10.0.0.1:80" }] });
    await one.rest();
    assert.equal(one.pool, "1=0 2=1");
    await one.configure(balancing([web({ scheduler: "rr" })]));
    assert.equal(one.pool, "1=0 2=1");
    one.restart();
    await one.configure(balancing([web({ scheduler: "rr" })]));
    assert.equal(one.pool, "1=0 2=1");
    const [service] = one.part.status().services;
    assert.deepEqual(service?.realServers[0]?.override, {
      kind: "drain",
      who: "root",
      at: one.time.clock.wallClock(),
    });
    one.order("undrain", { server: "10.0.0.1" });
    await one.wait(6);
    assert.equal(one.pool, "1=1 2=1");
    one.order("disable", { server: `${NAME}/10.0.0.2:80` });
    await one.rest();
    assert.equal(one.pool, "1=1");
    one.order("weight", { weight: 40 });
    await one.rest();
    assert.equal(one.pool, "1=40");
  });

  test("what does not exist is said so", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    assert.throws(
      () => one.order("drain", { server: "10.9.9.9:80" }),
      /no real server 10\.9\.9\.9:80/,
    );
    assert.throws(() => one.order("drain", { server: "x/10.0.0.1" }), /no virtual server x/);
  });
});

describe("policies", { timeout: 20_000 }, () => {
  test("move weights, take servers down, and see them", async (context) => {
    const one = rig(context);
    one.part.policies.claim(`${NAME}/10.0.0.2:80`, "policy a", {
      kind: "down",
      reason: "too slow",
    });
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=1");
    one.part.policies.claim(`${NAME}/10.0.0.2:80`, "policy a", undefined);
    one.part.policies.claim(`${NAME}/10.0.0.1:80`, "policy a", { kind: "weight", weight: 9 });
    await one.rest();
    assert.equal(one.pool, "1=9 2=1");
    assert.deepEqual(one.part.policies.views(), [
      {
        name: NAME,
        quorum: true,
        realServers: [
          { name: `${NAME}/10.0.0.1:80`, up: true, weight: 9, activeConnections: 0 },
          { name: `${NAME}/10.0.0.2:80`, up: true, weight: 1, activeConnections: 0 },
        ],
      },
    ]);
  });
});
