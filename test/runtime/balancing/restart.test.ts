import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { instant, seconds } from "../../../agent/core/time.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import { startOf } from "../../../agent/runtime/balancing/adoption.ts";
import { Pool } from "../../core/virtual-server/example.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, web } from "./rig.ts";

function rig(context: TestContext): Rig {
  const made = new Rig();
  context.after(() => made.dispose());
  return made;
}

describe("the director after the next", { timeout: 20_000 }, () => {
  test("removes a service that the one before could not", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.kernel.failing = (command) =>
      command !== "read" && command.kind === "delete-service" ? "ENOMEM" : undefined;
    await one.configure(balancing([]));
    assert.ok(one.kernel.table.has(serviceKey(TARGET)));
    one.restart();
    one.kernel.failing = () => undefined;
    await one.configure(balancing([]));
    assert.equal(one.kernel.table.size, 0);
    // From now on it is anybody's.
    one.kernel.carryOut({ kind: "add-service", service: { ...web(), target: TARGET } });
    one.restart();
    await one.configure(
      balancing([web({ targets: [{ kind: "fwmark", fwmark: 1, family: "ipv4" }] })]),
    );
    assert.ok(one.kernel.table.has(serviceKey(TARGET)));
  });

  test("removes services although the one before could not even ask the kernel, and had to stop", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.restart();
    one.refused = new KernelError("out-of-memory", "the kernel is out of memory", "free some");
    await one.configure(balancing([]));
    await one.part.stop();
    assert.ok(one.kernel.table.has(serviceKey(TARGET)));
    one.restart();
    one.refused = undefined;
    await one.configure(balancing([]));
    assert.equal(one.kernel.table.size, 0);
  });

  const late = [1, 2].map((last) =>
    real(last, { checks: [tcpCheck(last, { warmup: seconds(5) })] }),
  );

  test("tells nobody up whom a sorry server, or an order, keeps out of the kernel", async (context) => {
    const one = rig(context);
    const config = balancing([web({ quorum: 3, sorryServer: real(99), realServers: late })]);
    await one.configure(config);
    await one.wait(6);
    assert.equal(one.pool, "99=1");
    one.order("disable");
    await one.rest();
    one.events.length = 0;
    one.told.length = 0;
    one.kernel.done.length = 0;
    one.restart();
    await one.configure(config);
    await one.wait(12);
    assert.deepEqual([one.messages, one.told, one.kernel.done], [[], [], []]);
  });

  test("holds to the weight that a check had answered until it has looked", () => {
    const [check] = real(1).checks;
    assert.ok(check !== undefined);
    const command = { position: check.position, argv: ["/bin/look"], runAs: undefined };
    const probe = { kind: "misc", command, timeout: seconds(1), dynamic: true } as const;
    const config = web({ realServers: [real(1, { weight: 5, checks: [{ ...check, probe }] })] });
    const destinations = [{ ...real(1), weight: 8 }];
    const table = new Map([
      [serviceKey(TARGET), { service: { ...web(), target: TARGET }, destinations }],
    ]);
    const pool = new Pool(
      config,
      startOf(config, table, undefined, { now: instant(0), wallMs: 0 }),
    );
    assert.equal(pool.weights, "1=8");
    pool.find(1, "up", { weight: 3 });
    assert.equal(pool.weights, "1=3");
  });

  test("goes on with the leave of a service that was removed before the last one, and before it is back", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web({ drainTime: seconds(100) })]));
    one.kernel.traffic(TARGET, real(2), { activeConnections: 3 });
    await one.configure(balancing([]));
    for (let turn = 0; turn < 3; turn += 1) {
      await one.wait(2);
      assert.equal(one.pool, "2=0");
      one.restart();
      await one.configure(balancing([]));
    }
    await one.configure(balancing([web({ realServers: [real(1)] })]));
    await one.wait(2);
    assert.equal(one.pool, "1=1 2=0");
    await one.wait(100);
    assert.equal(one.pool, "1=1");
  });

  test("an order of an earlier run does not come back with a virtual server", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.order("drain");
    await one.rest();
    one.restart();
    await one.configure(balancing([web()]));
    one.order("undrain");
    await one.configure(balancing([]));
    await one.configure(balancing([web()]));
    assert.equal(one.pool, "1=1 2=1");
  });
});

test("what a policy says of a real server holds for it when a reload adds it", async (context) => {
  const one = rig(context);
  await one.configure(balancing([web({ realServers: [real(1)] })]));
  one.part.policies.claim(`${NAME}/10.0.0.2:80`, "policy a", { kind: "weight", weight: 7 });
  await one.configure(balancing([web()]));
  assert.equal(one.pool, "1=1 2=7");
});

test("an answer of the kernel that comes too late does not bring a removed service back", async (context) => {
  const one = rig(context);
  await one.configure(balancing([web({ drainTime: seconds(10) })]));
  one.kernel.traffic(TARGET, real(2), { activeConnections: 3 });
  await one.configure(balancing([]));
  await one.wait(8);
  const picture = await one.kernel.read([TARGET]);
  const answers: (() => void)[] = [];
  one.kernel.read = () =>
    new Promise((resolve) => {
      answers.push(() => resolve(picture));
    });
  await one.wait(3);
  assert.equal(one.kernel.table.size, 0);
  for (const answer of answers) answer();
  await one.rest();
  assert.equal(one.kernel.table.size, 0);
});
