import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import type { ServerCheckConfig } from "../../../agent/config/virtual-servers.ts";
import { DATA_PATH_MARKS } from "../../../agent/config/virtual-servers.ts";
import type { Forwarding, ServiceKey } from "../../../agent/core/ipvs/service.ts";
import { IPIP } from "../../../agent/core/ipvs/service.ts";
import { balancing, NAME, Rig, real, tcpCheck, VIP, web } from "./rig.ts";

const LOCAL = "net/ipv4/conf/eth0/accept_local";
const DR: Forwarding = { kind: "dr" };

/** A check of 192.0.2.1:80 that is to reach 10.0.0.LAST. */
function through(last: number, forwarding = DR, port = 80): ServerCheckConfig {
  const check = tcpCheck(last);
  if (!("to" in check.probe)) assert.fail("a check of TCP has an endpoint");
  const dataPath = { server: check.probe.to.address, forwarding };
  return {
    ...check,
    probe: { ...check.probe, to: { ...check.probe.to, address: VIP, port, dataPath } },
  };
}

const checked = (last: number, forwarding = DR) =>
  real(last, { forwarding, checks: [through(last, forwarding)] });

const service = () => web({ realServers: [1, 2].map((last) => checked(last)) });

function make(context: TestContext): Rig {
  const rig = new Rig();
  context.after(() => rig.dispose());
  return rig;
}

/** `MARK → LAST`, of the services that are for checks alone. */
const laid = (rig: Rig): readonly string[] =>
  [...rig.kernel.table.values()].flatMap(({ service: { target }, destinations }) =>
    target.kind === "fwmark"
      ? destinations.map((each) => `${each.address} ${each.forwarding.kind} ${each.port}`)
      : [],
  );

const marks = (rig: Rig): readonly ServiceKey[] =>
  [...rig.kernel.table.keys()].filter((key) => key.startsWith("fwmark "));

describe("checks by a data path", () => {
  test("have a service of their own for each real server, and send its mark", async (context) => {
    const rig = make(context);
    await rig.configure(balancing([service()]));
    assert.deepEqual(laid(rig).toSorted(), ["10.0.0.1 dr 0", "10.0.0.2 dr 0"]);
    await rig.wait(1);
    assert.deepEqual(
      rig.sent.map(({ address, port, fwmark }) => [address, port, `fwmark ${fwmark} ipv4`]),
      marks(rig).map((key) => [VIP, 80, key]),
    );
    for (const { fwmark } of rig.sent) {
      assert.ok(fwmark >= DATA_PATH_MARKS.first && fwmark <= DATA_PATH_MARKS.last);
    }
    const shown = rig.part.status().services ?? [];
    assert.deepEqual(
      shown.map(({ name }) => name),
      [NAME],
    );
    assert.deepEqual(
      rig.events.filter(({ kind }) => kind === "balancing"),
      [],
    );
  });

  test("share a path, and leave nothing behind", async (context) => {
    const rig = make(context);
    const tunnel: Forwarding = { kind: "tunnel", tunnel: IPIP };
    const checks = [through(1), through(1, DR, 81), through(1, tunnel)];
    await rig.configure(balancing([web({ realServers: [real(1, { checks })] })]));
    assert.deepEqual(laid(rig).toSorted(), ["10.0.0.1 dr 0", "10.0.0.1 tunnel 0"]);
    const before = marks(rig);
    await rig.wait(2);
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "1");
    await rig.configure(balancing([web({ realServers: [real(1, { checks: checks.slice(1) })] })]));
    assert.deepEqual(marks(rig).toSorted(), before.toSorted());
    await rig.configure(balancing([web()]));
    assert.deepEqual(laid(rig), []);
    await rig.wait(2);
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "0");
  });

  test("after a restart have the same marks; what an earlier director changed is put back", async (context) => {
    const rig = make(context);
    await rig.configure(balancing([service()]));
    await rig.wait(2);
    const before = marks(rig);
    rig.restart();
    await rig.configure(balancing([service()]));
    await rig.wait(2);
    assert.deepEqual(marks(rig), before);
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "1");
    rig.restart();
    await rig.configure(balancing([web()]));
    assert.deepEqual(laid(rig), []);
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "0");
  });

  test("at a stop everything is as it was", async (context) => {
    const rig = make(context);
    await rig.configure(balancing([service()]));
    await rig.wait(2);
    await rig.part.stop();
    assert.equal(rig.kernel.table.size, 0);
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "0");
  });

  test("a setting of the operator's stays", async (context) => {
    const rig = make(context);
    rig.dataPathHost.sysctls.set(LOCAL, "1");
    await rig.configure(balancing([service()]));
    await rig.wait(2);
    await rig.part.stop();
    assert.equal(rig.dataPathHost.readSysctl(LOCAL), "1");
  });

  test("stand still while the kernel does not have their service", async (context) => {
    const rig = make(context);
    rig.dead.add(1);
    const noPort = { kind: "tunnel", tunnel: { type: "gue", port: 0, checksum: "none" } } as const;
    const realServers = [real(1, { checks: [through(1, noPort)] }), real(2, { checks: [] })];
    await rig.configure(balancing([web({ realServers })]));
    await rig.wait(20);
    assert.deepEqual(rig.sent, []);
    assert.equal(rig.pool, "1=1 2=1");
  });
});

describe("checks whose answers would be lost", () => {
  const STILL = "checks stand still: ";
  const cases: readonly (readonly [what: string, prepare: (rig: Rig) => void, said: RegExp])[] = [
    [
      "a read-only /proc/sys",
      ({ dataPathHost: host }) => {
        host.readOnly = "EROFS";
        host.held.set(VIP, ["eth0"]);
      },
      /eth0\.accept_local cannot be set \(EROFS\).*; set it to 1/,
    ],
    [
      "a strict reverse path to an address on another interface",
      ({ dataPathHost: host }) => {
        host.held.set(VIP, ["vrrp.51"]);
        host.sysctls.set("net/ipv4/conf/all/rp_filter", "1");
        host.sysctls.set("net/ipv4/conf/eth0/rp_filter", "0");
      },
      /eth0\.rp_filter counts as 1.*192\.0\.2\.1, which is by vrrp\.51.*; set it to 2/,
    ],
    [
      "no route to the virtual address",
      ({ dataPathHost: host }) => void host.interfaces.set(VIP, undefined),
      /no route leads from this host to 192\.0\.2\.1/,
    ],
  ];
  for (const [what, prepare, said] of cases) {
    test(`${what}: stand still, say so once, and go on afterwards`, async (context) => {
      const rig = make(context);
      prepare(rig);
      rig.dead.add(1);
      await rig.configure(balancing([service()]));
      await rig.wait(30);
      assert.deepEqual(rig.sent, []);
      assert.equal(rig.pool, "1=1 2=1");
      const told = rig.messages.filter((each) => each.startsWith(STILL));
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0] ?? "", said);
      rig.dataPathHost.readOnly = undefined;
      rig.dataPathHost.held.set(VIP, ["eth0"]);
      rig.dataPathHost.interfaces.clear();
      await rig.wait(30);
      assert.equal(rig.pool, "2=1");
      assert.ok(rig.messages.includes("answers come through: checks go on"));
    });
  }

  test("a backup director that takes no packets looks when it is active", async (context) => {
    const rig = make(context);
    rig.dataPathHost.sysctls.set("net/ipv4/vs/backup_only", "1");
    const syncDaemon = {
      position: service().position,
      ...{ interface: "eth0", instance: "VI", syncId: 1 },
      ...{ maxLength: undefined, port: undefined, ttl: undefined, group: undefined },
    };
    rig.dead.add(1);
    await rig.configure(balancing([service()], { syncDaemon }));
    await rig.wait(30);
    assert.deepEqual(rig.sent, []);
    assert.match(rig.messages.at(-1) ?? "", /backup_only is 1/);
    rig.dataPathHost.held.set(VIP, ["eth0"]);
    await rig.wait(10);
    assert.equal(rig.pool, "2=1");
  });
});
