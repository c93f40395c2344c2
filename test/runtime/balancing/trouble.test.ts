import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { seconds } from "../../../agent/core/time.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, VIP, web } from "./rig.ts";

function rig(context: TestContext): Rig {
  const made = new Rig();
  context.after(() => made.dispose());
  return made;
}

const script = (path: string) => ({
  position: { file: "/x.conf", line: 1, column: 1 },
  argv: [path],
  runAs: undefined,
});

describe("a kernel that refuses", { timeout: 20_000 }, () => {
  test("no ip_vs: one alarm; checks go on, and all is loaded when it is there", async (context) => {
    const one = rig(context);
    one.refused = new KernelError("ip-vs-missing", "the kernel has no ip_vs", "modprobe ip_vs");
    await one.configure(balancing([web()], { timeouts: { tcp: 100, tcpFin: 0, udp: 0 } }));
    await one.wait(60);
    assert.equal(one.messages.filter((text) => text.includes("no ip_vs")).length, 1);
    assert.equal(one.part.status().ipvs, "the kernel has no ip_vs");
    assert.ok(one.opened > 3 && one.opened < 20);
    one.dead.add(2);
    await one.wait(6);
    assert.match(one.messages.at(-1) ?? "", /10\.0\.0\.2.* is down/);
    one.refused = undefined;
    await one.wait(300);
    assert.equal(one.pool, "1=1");
    assert.equal(one.part.status().ipvs, null);
    const timeouts = await one.kernel.timeouts();
    assert.ok(!(timeouts instanceof KernelError));
    assert.equal(timeouts.tcp, 100);
  });

  test("one refused command: one line, tried again less and less often, and the rest works", async (context) => {
    const one = rig(context);
    const nope = web({
      name: "nope",
      scheduler: "nope",
      targets: [{ kind: "fwmark", fwmark: 5, family: "ipv4" }],
    });
    await one.configure(balancing([nope, web()]));
    assert.equal(one.pool, "1=1 2=1");
    await one.wait(120);
    const lines = one.events.filter(({ kind }) => kind === "balancing");
    assert.equal(lines.length, 1);
    assert.match(lines[0]?.message ?? "", /nope/);
    const status = one.part.status().services.find(({ name }) => name === "nope");
    assert.equal(status?.refused.length, 1);
    await one.configure(balancing([{ ...nope, scheduler: "rr" }, web()]));
    assert.equal(one.kernel.table.size, 2);
    assert.deepEqual(one.part.status().services[0]?.refused, []);
    assert.equal(one.messages.at(-1), "the kernel has it now");
  });

  test("a destination that is refused keeps no other from changing", async (context) => {
    const one = rig(context);
    one.kernel.failing = (command) =>
      command !== "read" && "destination" in command && command.destination.address === "10.0.0.2"
        ? "ENOMEM"
        : undefined;
    await one.configure(balancing([web({ realServers: [real(1), real(2), real(3)] })]));
    assert.equal(one.pool, "1=1 3=1");
    one.dead.add(3);
    await one.wait(6);
    assert.equal(one.pool, "1=1");
    assert.equal(one.events.filter(({ kind }) => kind === "balancing").length, 1);
    one.kernel.failing = () => undefined;
    // After 1, 3 and 7 s.
    await one.wait(2);
    assert.equal(one.pool, "1=1 2=1");
  });
});

describe("somebody else in the kernel", { timeout: 20_000 }, () => {
  test("what others change of ours is put right and told; what is theirs stays", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    const [destination] = one.kernel.table.get(serviceKey(TARGET))?.destinations ?? [];
    assert.ok(destination !== undefined);
    one.kernel.carryOut({ kind: "delete-destination", target: TARGET, destination });
    const service = { ...web(), target: { ...TARGET, port: 8080 } };
    one.kernel.carryOut({ kind: "add-service", service });
    await one.wait(11);
    assert.equal(one.pool, "1=1 2=1");
    assert.match(one.messages.at(-1) ?? "", /somebody else changed it.*1 × add-destination/);
    assert.equal(one.kernel.table.size, 2);
    const { length } = one.events;
    await one.wait(60);
    assert.equal(one.events.length, length);
  });

  test("an ipvsadm -C is mended", async (context) => {
    const one = rig(context);
    await one.configure(balancing([web()]));
    one.kernel.carryOut({ kind: "delete-service", target: TARGET });
    await one.wait(11);
    assert.equal(one.pool, "1=1 2=1");
  });
});

describe("notices", { timeout: 20_000 }, () => {
  const told = web({
    mail: true,
    omega: true,
    quorumUp: script("/q-up"),
    quorumDown: script("/q-down"),
    realServers: [real(1, { notifyUp: script("/up"), notifyDown: script("/down") })],
  });
  /** Without who it is about. */
  const words = ({ told: lines }: Rig): readonly string[] =>
    lines.map((line) =>
      line
        .replace(/.* \| /, "")
        .replace("[object Object]", "script")
        .trim(),
    );

  test("in keepalived's order: the real server, then its virtual server", async (context) => {
    const one = rig(context);
    await one.configure(balancing([told]));
    assert.equal(
      one.told.some((line) => line.includes("RS ")),
      false,
    );
    assert.ok(one.told.some((line) => line.endsWith(`VS ${NAME} UP`)));
    one.told.length = 0;
    one.dead.add(1);
    await one.wait(6);
    assert.deepEqual(words(one), [
      "script",
      `RS [10.0.0.1]:tcp:80 ${NAME} DOWN`,
      "script",
      `VS ${NAME} DOWN`,
      `[lb1] Virtualserver ${NAME} - DOWN => Lost quorum 1+0=1 <= 0 <=`,
    ]);
  });

  test("rs_init_notifies tells real servers at the start, omega at the stop", async (context) => {
    const one = rig(context);
    await one.configure(balancing([told], { notifyAtStart: true }));
    assert.ok(one.told.some((line) => line.endsWith(`RS [10.0.0.1]:tcp:80 ${NAME} UP`)));
    one.told.length = 0;
    await one.part.stop();
    assert.deepEqual(words(one), [
      "script",
      `RS [10.0.0.1]:tcp:80 ${NAME} DOWN`,
      "script",
      `VS ${NAME} DOWN`,
      `[lb1] Virtualserver ${NAME} - DOWN => Shutting down <=`,
    ]);
  });

  test("a mass failure is an alarm, and the pool stays", async (context) => {
    const one = rig(context);
    const realServers = [1, 2, 3, 4].map((last) => real(last));
    await one.configure(balancing([web({ panicThreshold: 50, realServers })]));
    for (const last of [1, 2, 3, 4]) one.dead.add(last);
    await one.wait(6);
    assert.equal(one.pool, "1=1 2=1 3=1 4=1");
    const [alarm] = one.events.filter(({ kind }) => kind === "alarm");
    assert.match(alarm?.message ?? "", /real servers fell at once/);
    assert.equal(one.part.status().services[0]?.held, 4);
  });
});

describe("this host", { timeout: 20_000 }, () => {
  test("ha_suspend: checks stand still while the address is elsewhere", async (context) => {
    const one = rig(context);
    one.addresses.clear();
    await one.configure(balancing([web({ haSuspend: true })]));
    one.probes.length = 0;
    one.dead.add(1);
    await one.wait(20);
    assert.deepEqual(one.probes, []);
    assert.equal(one.pool, "1=1 2=1");
    assert.equal(one.part.status().services[0]?.suspended, true);
    one.addresses.add(VIP);
    await one.wait(2);
    assert.equal(one.pool, "2=1");
    one.addresses.clear();
    await one.wait(2);
    one.probes.length = 0;
    await one.wait(20);
    assert.deepEqual(one.probes, []);
  });

  test("a check that several want stands still only when all of them do", async (context) => {
    const one = rig(context);
    one.addresses.clear();
    const other = web({ name: "FWM 5", targets: [{ kind: "fwmark", fwmark: 5, family: "ipv4" }] });
    await one.configure(balancing([web({ haSuspend: true }), other]));
    one.probes.length = 0;
    await one.wait(5);
    assert.deepEqual(one.probes.sort(), [1, 2]);
  });

  test("connections are synchronised as the instance is", async (context) => {
    const one = rig(context);
    const syncDaemon = {
      interface: "lo",
      instance: "VI_1",
      position: { file: "/x.conf", line: 1, column: 1 },
      syncId: 7,
      maxLength: undefined,
      port: undefined,
      ttl: undefined,
      group: undefined,
    };
    const roles = async (): Promise<unknown> => {
      await one.rest();
      const daemons = await one.kernel.syncDaemons();
      return daemons instanceof KernelError ? daemons : daemons.map(({ role }) => role);
    };
    await one.configure(balancing([web()], { syncDaemon }));
    assert.equal(one.snapshots, 1);
    assert.deepEqual(await roles(), []);
    const move = (to: string, subject = "VI_1") =>
      one.part.event({
        at: 1,
        kind: "transition",
        level: "info",
        subject,
        message: "",
        detail: { to },
      });
    move("backup");
    move("active", "VI_2");
    assert.deepEqual(await roles(), ["backup"]);
    move("active");
    assert.deepEqual(await roles(), ["active"]);
    move("fault");
    assert.deepEqual(await roles(), ["backup"]);
    await one.kernel.stopSync("backup");
    await one.wait(11);
    assert.deepEqual(await roles(), ["backup"]);
    await one.configure(balancing([web()], { syncDaemon: { ...syncDaemon, instance: undefined } }));
    assert.deepEqual(await roles(), ["active", "backup"]);
    await one.part.stop();
    assert.deepEqual(await roles(), []);
  });
});

test("the first looks of 1,000 real servers are spread over their warmup, and so are the others", async (context) => {
  const one = rig(context);
  const services = Array.from({ length: 10 }, (_, at) => {
    const realServers = Array.from({ length: 100 }, (_, index) => {
      const address = `10.${at}.${index}.1` as typeof VIP;
      const check = tcpCheck(1, { interval: seconds(5), warmup: seconds(5) });
      const { probe } = check;
      if (probe.kind !== "tcp") throw new TypeError("not tcp");
      const own = { ...check, probe: { ...probe, to: { ...probe.to, address } } };
      return real(1, { address, name: address, checks: [own] });
    });
    const target = {
      kind: "address",
      address: `192.0.2.${at + 1}` as typeof VIP,
      port: 80,
    } as const;
    return web({ name: `s${at}`, targets: [target], realServers });
  });
  await one.configure(balancing(services));
  const counts: number[] = [];
  for (let second = 0; second < 5; second += 1) {
    one.probes.length = 0;
    await one.wait(1);
    counts.push(one.probes.length);
  }
  assert.equal(counts.reduce((sum, each) => sum + each, 0) >= 980, true);
  for (const count of counts) assert.ok(count > 150 && count < 250, String(counts));
});
