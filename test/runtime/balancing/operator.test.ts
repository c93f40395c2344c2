import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import type { IpAddress } from "../../../agent/core/address.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { seconds } from "../../../agent/core/time.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, web } from "./rig.ts";

function rig(context: TestContext): Rig {
  const made = new Rig();
  context.after(() => made.dispose());
  return made;
}

const serverOf = (one: Rig, server: string) =>
  one.part.status().services[0]?.realServers.find((each) => each.server === server);

describe("a real server beside the file", { timeout: 20_000 }, () => {
  test("is like the first one, is looked at, and is there after a reload and a restart", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    assert.deepEqual(one.order("add", { server: `${NAME}/10.0.0.9`, weight: 5 }), {
      servers: [{ service: NAME, server: "10.0.0.9:80" }],
      notes: [],
    });
    await one.rest();
    assert.equal(one.pool, "1=1 2=1 9=5");
    assert.equal(one.messages.at(-1), "10.0.0.9:80: added like 10.0.0.1:80, by root");
    one.dead.add(9);
    await one.wait(6);
    assert.equal(one.pool, "1=1 2=1");
    one.dead.delete(9);
    await one.wait(6);
    await one.configure(balancing([web({ scheduler: "rr" })]));
    assert.equal(one.pool, "1=1 2=1 9=5");
    one.restart();
    await one.configure(balancing([web({ scheduler: "rr" })]));
    assert.equal(one.pool, "1=1 2=1 9=5");
    const { change } = serverOf(one, "10.0.0.9:80") ?? {};
    assert.deepEqual(change && { ...change, at: 0 }, {
      ...{ kind: "added", who: "root", at: 0, like: "10.0.0.1:80" },
    });
    assert.equal(serverOf(one, "10.0.0.1:80")?.change, null);
  });

  test("follows its model, and keeps what that had when it is gone", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web({ realServers: [real(1), real(2, { weight: 3 })] })]));
    one.order("add", { server: `${NAME}/10.0.0.9`, like: "10.0.0.2" });
    await one.rest();
    assert.equal(one.pool, "1=1 2=3 9=3");
    const changed = real(2, { weight: 4, forwarding: { kind: "nat" } });
    await one.configure(balancing([web({ realServers: [real(1), changed] })]));
    assert.equal(one.pool, "1=1 2=4 9=4");
    await one.configure(balancing([web({ realServers: [real(1)] })]));
    assert.equal(one.pool, "1=1 9=4");
    const { destinations } = one.kernel.table.get(serviceKey(TARGET)) ?? {};
    const kinds = destinations?.map(({ address, forwarding }) => [address, forwarding.kind]);
    assert.deepEqual(new Map(kinds as never).get("10.0.0.9"), "nat");
  });

  test("like one that was added has the weight of that one, whatever the file gives to its model", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.order("add", { server: `${NAME}/10.0.0.8`, weight: 5 });
    one.order("add", { server: `${NAME}/10.0.0.9`, like: "10.0.0.8" });
    await one.rest();
    assert.equal(one.pool, "1=1 2=1 8=5 9=5");
    await one.configure(balancing([web({ realServers: [real(1, { weight: 2 }), real(2)] })]));
    assert.equal(one.pool, "1=2 2=1 8=5 9=5");
  });

  test("is the file's when a later one has it, which is told once", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.order("add", { server: `${NAME}/10.0.0.9`, weight: 5 });
    const grown = balancing([web({ realServers: [real(1), real(2), real(9, { weight: 2 })] })]);
    for (let time = 0; time < 2; time += 1) await one.configure(grown);
    assert.equal(one.pool, "1=1 2=1 9=2");
    const told = one.messages.filter((each) => each.includes("10.0.0.9:80 is in the file now"));
    assert.equal(told.length, 1);
    assert.equal(serverOf(one, "10.0.0.9:80")?.change, null);
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=1 2=1");
  });

  test("goes when its connections have, and is forgotten", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.order("add", { server: "192.0.2.1:80/10.0.0.9" });
    await one.rest();
    const nine = { address: "10.0.0.9" as IpAddress, port: 80 };
    one.kernel.traffic(TARGET, nine, { activeConnections: 1 });
    one.order("remove", { server: "10.0.0.9" });
    await one.wait(30);
    assert.equal(one.pool, "1=1 2=1 9=0");
    one.kernel.traffic(TARGET, nine, { activeConnections: 0 });
    await one.wait(2);
    assert.equal(one.pool, "1=1 2=1");
    assert.equal(serverOf(one, "10.0.0.9:80"), undefined);
    assert.throws(() => one.order("undrain", { server: "10.0.0.9" }), /no real server 10\.0\.0\.9/);
  });

  test("what cannot be is refused in words", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    const refused = (server: string, words: RegExp, like?: string) =>
      assert.throws(() => one.order("add", { server, ...(like && { like }) }), words);
    refused("10.0.0.9", /say of which service/);
    refused("nope/10.0.0.9", /there is no virtual server nope/);
    refused(`${NAME}/ten`, /ten is no ADDRESS\[:PORT\]/);
    refused(`${NAME}/10.0.0.1`, /has 10\.0\.0\.1:80 already/);
    refused(`${NAME}/2001:db8::9`, /2001:db8::9 is IPv6/);
    refused(`${NAME}/10.0.0.9:81`, /at port 80, not 81/);
    refused(`${NAME}/10.0.0.9`, /no real server 10\.0\.0\.7 that it could be like/, "10.0.0.7");
    assert.equal(one.pool, "1=1 2=1");
  });
});

describe("a real server of the file that is taken away", { timeout: 20_000 }, () => {
  test("finishes its connections, stays away over a restart, and comes back", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.kernel.traffic(TARGET, real(2), { activeConnections: 1 });
    one.order("remove", { server: "10.0.0.2" });
    await one.wait(30);
    assert.equal(one.pool, "1=1 2=0");
    assert.equal(serverOf(one, "10.0.0.2:80")?.state, "leaving");
    one.restart();
    await one.configure(balancing([web()]));
    await one.wait(2);
    assert.equal(one.pool, "1=1 2=0");
    one.kernel.traffic(TARGET, real(2), { activeConnections: 0 });
    await one.wait(2);
    assert.equal(one.pool, "1=1");
    const gone = serverOf(one, "10.0.0.2:80");
    assert.deepEqual([gone?.state, gone?.change?.kind], ["removed", "removed"]);
    assert.throws(
      () => one.order("drain", { server: "10.0.0.2" }),
      /was removed by root: holdfast undrain/,
    );
    one.order("undrain", { server: "10.0.0.2" });
    await one.rest();
    assert.equal(one.pool, "1=1 2=1");
    one.order("remove", { server: "10.0.0.2" });
    await one.wait(2);
    assert.equal(one.pool, "1=1");
    assert.throws(
      () => one.order("add", { server: `${NAME}/10.0.0.2`, weight: 1 }),
      /as it is there/,
    );
    one.order("add", { server: `${NAME}/10.0.0.2` });
    await one.rest();
    assert.equal(one.pool, "1=1 2=1");
  });

  test("is over when the file has it no more", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.order("remove", { server: "10.0.0.2" });
    await one.configure(balancing([web({ realServers: [real(1)] })]));
    assert.match(
      one.messages.at(-1) ?? "",
      /not in the file any more: root's holdfast remove is over/,
    );
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=1 2=1");
  });

  test("may be as long about it as the file says", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web({ drainTime: seconds(10) })]));
    one.kernel.traffic(TARGET, real(2), { activeConnections: 1 });
    one.order("remove", { server: "10.0.0.2" });
    await one.wait(9);
    assert.equal(one.pool, "1=1 2=0");
    await one.wait(2);
    assert.equal(one.pool, "1=1");
  });
});

describe("targets that a group has no more", { timeout: 20_000 }, () => {
  const OTHER = { ...TARGET, address: "192.0.2.2" as IpAddress };
  const drainTime = seconds(600);
  const targets = [TARGET, OTHER].map(({ kind, address, port }) => ({ kind, address, port }));
  const group = (count: number) =>
    balancing([web({ name: "[G]:tcp", targets: targets.slice(0, count), drainTime })]);
  const weights = (one: Rig) =>
    one.kernel.table.get(serviceKey(OTHER))?.destinations.map(({ weight }) => weight);

  test("finish their connections, over a restart too", async (context) => {
    const one = rig(context);
    await one.configure(group(2));
    one.kernel.traffic(OTHER, real(1), { activeConnections: 2 });
    await one.configure(group(1));
    await one.wait(30);
    assert.deepEqual(weights(one), [0]);
    assert.equal(one.pool, "1=1 2=1");
    one.restart();
    await one.configure(group(1));
    await one.wait(2);
    assert.deepEqual(weights(one), [0]);
    one.kernel.traffic(OTHER, real(1), { activeConnections: 0 });
    await one.wait(2);
    assert.equal(weights(one), undefined);
    assert.equal(one.pool, "1=1 2=1");
    assert.match(one.messages.join("\n"), /10\.0\.0\.1:80 has left tcp 192\.0\.2\.2:80/);
  });

  test("serve on where the group has them again", async (context) => {
    const one = rig(context);
    await one.configure(group(2));
    one.kernel.traffic(OTHER, real(1), { activeConnections: 2 });
    await one.configure(group(1));
    await one.wait(2);
    one.kernel.done.length = 0;
    await one.configure(group(2));
    await one.wait(700);
    assert.deepEqual(weights(one), [1, 1]);
    assert.ok(!one.kernel.done.some(({ kind }) => kind.includes("service")));
  });
});

test("a service that goes in the turn in which its checks found something is gone", async (context) => {
  const one = rig(context);
  const probe = { kind: "file", file: "load", weight: 0, reverse: false } as const;
  const checks = [{ ...tcpCheck(1), probe }];
  await one.configure(balancing([web({ realServers: [real(1, { checks })] })]));
  one.say("file load", { verdict: "up", value: 0, reason: "it says 0" });
  await one.configure(balancing([]));
  assert.equal(one.pool, undefined);
});
