import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import type { ServiceStatus } from "../../../agent/control/protocol.ts";
import type { DestinationKey } from "../../../agent/core/ipvs/service.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, web } from "./rig.ts";

const SOURCE = "policy least balance";

function rig(context: TestContext): Rig {
  const made = new Rig();
  context.after(() => made.dispose());
  return made;
}

const weights = (each: Readonly<Record<number, number>>) =>
  Object.fromEntries(
    Object.entries(each).map(([last, weight]) => [`10.0.0.${last}:80` as DestinationKey, weight]),
  );

async function services(one: Rig): Promise<readonly ServiceStatus[]> {
  return (await one.part.commands.services?.("all", undefined)) as readonly ServiceStatus[];
}

describe("a policy that balances a service", { timeout: 20_000 }, () => {
  test("sees it, moves the kernel's weights all at once, and is named", async (context) => {
    const one = rig(context);
    const { policies } = one.part;
    await one.configure(
      balancing([web({ realServers: [real(1, { weight: 10, upperThreshold: 9 }), real(2)] })]),
    );
    assert.deepEqual(policies.names(), [NAME]);
    assert.equal(await policies.look("nope"), undefined);
    one.kernel.done.length = 0;
    policies.balance(NAME, SOURCE, weights({ 1: 40, 2: 7 }));
    await one.rest();
    assert.equal(one.pool, "1=40 2=7");
    assert.equal(one.kernel.done.length, 2);
    // The same again is no news for the kernel.
    policies.balance(NAME, SOURCE, weights({ 1: 40, 2: 7 }));
    await one.rest();
    assert.equal(one.kernel.done.length, 2);
    // Weights that come and go all the time are no events.
    assert.deepEqual(one.messages, ["has its quorum: weight 11, where 1 is wanted"]);
    const counted = { activeConnections: 4, inactiveConnections: 11 };
    one.kernel.traffic(TARGET, real(1), counted);
    one.order("drain", { server: "10.0.0.2:80" });
    await one.rest();
    const [first, second, ...more] = (await policies.look(NAME))?.realServers ?? [];
    assert.deepEqual(first, {
      ...{ key: "10.0.0.1:80", name: `${NAME}/10.0.0.1:80`, up: true, held: false, order: null },
      ...{ weight: 40, configuredWeight: 10, reason: "connected", activeConnections: 4 },
      ...{ inactiveConnections: 11, upperThreshold: 9, lowerThreshold: 0 },
      latencyMs: first?.latencyMs,
    });
    assert.equal(first?.latencyMs?.last, 1);
    assert.deepEqual([second?.order, second?.weight], ["drain", 0]);
    assert.deepEqual(more, []);
    const [service] = await services(one);
    const [said] = service?.realServers[0]?.contributions ?? [];
    assert.deepEqual(said, { source: SOURCE, kind: "balance", weight: 40, since: said?.since });
  });

  test("is heard before there is the service, and leaves nothing behind", async (context) => {
    const one = rig(context);
    one.part.policies.balance(NAME, SOURCE, weights({ 1: 40 }));
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=40 2=1");
    const since = (await services(one))[0]?.realServers[0]?.contributions[0]?.since;
    await one.wait(1_000);
    one.part.policies.balance(NAME, SOURCE, weights({ 1: 40, 2: 3 }));
    await one.rest();
    assert.equal((await services(one))[0]?.realServers[0]?.contributions[0]?.since, since);
    one.part.policies.balance(NAME, SOURCE, undefined);
    await one.rest();
    assert.equal(one.pool, "1=1 2=1");
    assert.deepEqual((await services(one))[0]?.realServers[0]?.contributions, []);
  });

  test("a policy's check that checks a real server says what it takes", async (context) => {
    const one = rig(context);
    const probe = { kind: "policy", policy: "app", check: "load" } as const;
    const checks = [{ ...tcpCheck(1), probe }];
    one.verdicts.set("app", "load", { verdict: "up", value: 0, reason: "", weight: 30 });
    await one.configure(balancing([web({ realServers: [real(1, { checks }), real(2)] })]));
    await one.rest();
    assert.equal(one.pool, "1=30 2=1");
    one.verdicts.set("app", "load", { verdict: "up", value: 0, reason: "", weight: 0 });
    await one.rest();
    assert.equal(one.pool, "1=0 2=1");
    one.verdicts.set("app", "load", { verdict: "up", value: 0, reason: "" });
    await one.rest();
    assert.equal(one.pool, "1=1 2=1");
    one.verdicts.set("app", "load", { verdict: "down", value: 0, reason: "busy" });
    await one.rest();
    assert.equal(one.pool, "2=1");
  });
});
