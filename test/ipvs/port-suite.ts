import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { familyOf } from "../../agent/core/address.ts";
import type { SyncDaemon } from "../../agent/core/ipvs/connections.ts";
import type { IpvsCommand } from "../../agent/core/ipvs/reconcile.ts";
import type { Destination, Service, ServiceTable } from "../../agent/core/ipvs/service.ts";
import { destinationKey, familyOfService, serviceKey } from "../../agent/core/ipvs/service.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { Ipvs, IpvsPicture } from "../../agent/ports/ipvs.ts";
import { address, service, target, tunnel } from "./example.ts";
import {
  add,
  CASES,
  change,
  DESTINATIONS,
  edit,
  join,
  leave,
  RS,
  RS6,
  remove,
  SERVICES,
  WEB,
  WEB6,
} from "./port-cases.ts";

const DAEMON: SyncDaemon = {
  role: "active",
  interface: "v0",
  syncId: 7,
  maxLength: undefined,
  port: undefined,
  ttl: undefined,
  group: undefined,
};

/** A table whose order of destinations plays no part. */
export function sorted(table: ServiceTable) {
  return [...table]
    .map(([key, entry]) => ({
      key,
      service: entry.service,
      destinations: [...entry.destinations].sort((one, other) =>
        compare(destinationKey(one), destinationKey(other)),
      ),
    }))
    .sort((one, other) => compare(one.key, other.key));
}

const compare = (one: string, other: string): number => (one < other ? -1 : 1);

export function fine<Value>(value: Value | KernelError): Value {
  if (value instanceof KernelError) throw value;
  return value;
}

export async function clear(ipvs: Ipvs): Promise<void> {
  const { table } = fine(await ipvs.read());
  const refused = await ipvs.apply([...table.values()].map(({ service: one }) => remove(one)));
  assert.deepEqual([...refused], []);
}

/** What every Ipvs does, the kernel's own and the pretended one. There is an interface v0. */
export function portSuite(open: () => Promise<Ipvs | KernelError>): void {
  let ipvs: Ipvs;
  beforeEach(async () => {
    ipvs = fine(await open());
    await clear(ipvs);
  });
  afterEach(async () => {
    await clear(ipvs);
    ipvs.close();
  });
  const look = async (): Promise<IpvsPicture> => fine(await ipvs.read());

  describe("one command", () => {
    for (const { title, given = [], command, code } of CASES) {
      test(`${title}: ${code ?? "is taken"}`, async () => {
        assert.deepEqual([...(await ipvs.apply(given))], []);
        const before = sorted((await look()).table);
        const refused = await ipvs.apply([command]);
        assert.deepEqual(
          [...refused].map(([at, error]) => [at, error.code]),
          [...(code === undefined ? [] : [[0, code]])],
        );
        const after = sorted((await look()).table);
        assert.equal(isDeepStrictEqual(after, before), code !== undefined);
      });
    }
  });

  test("what is added is read, whatever it is; with nothing counted yet", async () => {
    const commands = SERVICES.flatMap((one) => [
      add(one),
      ...DESTINATIONS.filter((member) => fits(one, member)).map((member) => join(one, member)),
    ]);
    assert.deepEqual([...(await ipvs.apply(commands))], []);
    const { table, counters } = await look();
    const wanted = new Map(
      SERVICES.map((one) => [
        serviceKey(one.target),
        { service: one, destinations: DESTINATIONS.filter((member) => fits(one, member)) },
      ]),
    );
    assert.deepEqual(sorted(table), sorted(wanted));
    assert.deepEqual([...counters.keys()], [...table.keys()]);
    const quiet = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
    const idle = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 };
    for (const [key, { destinations }] of table) {
      const { service: own, destinations: members } = counters.get(key) ?? assert.fail(key);
      assert.deepEqual(own, quiet);
      assert.deepEqual([...members.keys()], destinations.map(destinationKey));
      for (const each of members.values()) assert.deepEqual(each, { ...quiet, ...idle });
    }
  });

  test("every word of a service can be edited to every other", async () => {
    const words = SERVICES.map(({ target: _, ...rest }) => rest).filter(
      ({ persistence: kept }) => (kept?.prefixLength ?? 0) <= 32,
    );
    await ipvs.apply([add(WEB), join(WEB, RS)]);
    for (const rest of [...words, ...words.toReversed()]) {
      const wanted = { ...WEB, ...rest };
      assert.deepEqual([...(await ipvs.apply([edit(wanted)]))], []);
      const { table } = await look();
      assert.deepEqual([...table.values()], [{ service: wanted, destinations: [RS] }]);
    }
  });

  test("every word of a destination can be edited to every other", async () => {
    const words = DESTINATIONS.map(({ address: _, port: __, ...rest }) => rest);
    await ipvs.apply([add(WEB), join(WEB, RS)]);
    for (const rest of [...words, ...words.toReversed()]) {
      const wanted = { ...RS, ...rest };
      assert.deepEqual([...(await ipvs.apply([change(WEB, wanted)]))], []);
      assert.deepEqual((await look()).table.get(serviceKey(WEB.target))?.destinations, [wanted]);
    }
  });

  test("chosen services are read alone, and those that are not there are left out", async () => {
    const one = service("tcp 192.0.2.1:81");
    await ipvs.apply([add(WEB), join(WEB, RS), add(one), join(one, RS), add(WEB6)]);
    const picture = fine(await ipvs.read([one.target, target("tcp 192.0.2.9:9"), WEB6.target]));
    assert.deepEqual(sorted(picture.table), [
      { key: "tcp 192.0.2.1:81", service: one, destinations: [RS] },
      { key: "tcp [2001:db8::1]:80", service: WEB6, destinations: [] },
    ]);
    assert.deepEqual(fine(await ipvs.read([])).table.size, 0);
  });

  test("in a long list only what is wrong is refused, and the rest is carried out", async () => {
    const commands: IpvsCommand[] = [];
    for (let port = 1; port <= 100; port += 1) {
      const one = service(`tcp 192.0.2.1:${port}`, port === 70 ? { scheduler: "nobody" } : {});
      commands.push(add(one), join(one, RS), ...(port % 40 === 0 ? [join(one, RS)] : []));
    }
    const refused = await ipvs.apply(commands);
    assert.deepEqual(
      [...refused].map(([at, error]) => [at, error.code]),
      [
        [80, "destination-exists"],
        [139, "unknown-scheduler"],
        [140, "unknown-scheduler"],
        [161, "destination-exists"],
      ],
    );
    // Of one cause there is one error.
    assert.equal(refused.get(139), refused.get(140));
    assert.match(
      refused.get(139)?.message ?? "",
      /add tcp 192\.0\.2\.1:70: .* no scheduler nobody/,
    );
    assert.match(refused.get(139)?.remedy ?? "", /modprobe ip_vs_nobody/);
    assert.equal((await look()).table.size, 99);
  });

  test("what is asked for first is done first", async () => {
    const long = Array.from({ length: 1000 }, (_, at) => change(WEB, { ...RS, weight: at }));
    await ipvs.apply([add(WEB), join(WEB, RS)]);
    const answers = [ipvs.apply(long), ipvs.apply([change(WEB, { ...RS, weight: 7 })])];
    for (const refused of await Promise.all(answers)) assert.deepEqual([...refused], []);
    const [only] = [...(await look()).table.values()];
    assert.equal(only?.destinations[0]?.weight, 7);
  });

  test("a deleted service takes its destinations along, and comes back without them", async () => {
    await ipvs.apply([add(WEB), join(WEB, RS), remove(WEB), add(WEB)]);
    assert.deepEqual([...(await look()).table.values()], [{ service: WEB, destinations: [] }]);
  });

  test("nothing to do is nothing done", async () => {
    assert.deepEqual([...(await ipvs.apply([]))], []);
  });

  test("timeouts are set one by one, and read", async () => {
    const before = fine(await ipvs.timeouts());
    assert.equal(await ipvs.setTimeouts({ tcp: 1000, tcpFin: 0, udp: 31 }), undefined);
    assert.deepEqual(await ipvs.timeouts(), { ...before, tcp: 1000, udp: 31 });
    const error = await ipvs.setTimeouts({ tcp: 4_000_000_000, tcpFin: 1, udp: 1 });
    assert.equal(error?.code, "invalid");
    assert.deepEqual(await ipvs.timeouts(), { ...before, tcp: 1000, udp: 31 });
    assert.equal(await ipvs.setTimeouts(before), undefined);
  });

  describe("connection sync", () => {
    afterEach(async () => {
      for (const role of ["active", "backup"] as const) await ipvs.stopSync(role);
    });
    const started = { maxLength: 1472, port: 8848, ttl: 1, group: "224.0.0.81" };

    test("both halves run side by side, and stop", async () => {
      assert.deepEqual(await ipvs.syncDaemons(), []);
      assert.equal(await ipvs.startSync(DAEMON), undefined);
      const other = { maxLength: 1400, port: 9000, ttl: 3, group: address("239.1.2.3") };
      const backup: SyncDaemon = { ...DAEMON, role: "backup", syncId: 255, ...other };
      assert.equal(await ipvs.startSync(backup), undefined);
      assert.deepEqual(await ipvs.syncDaemons(), [{ ...DAEMON, ...started }, backup]);
      assert.equal(await ipvs.stopSync("active"), undefined);
      assert.deepEqual(await ipvs.syncDaemons(), [backup]);
    });

    test("to an IPv6 group, with datagrams that fit", async () => {
      const group = address("ff02::7");
      const backup: SyncDaemon = { ...DAEMON, role: "backup", group };
      assert.equal(await ipvs.startSync(backup), undefined);
      assert.deepEqual(await ipvs.syncDaemons(), [
        { ...backup, ...started, maxLength: 1452, group },
      ]);
    });

    test("twice, and where there is none: refused", async () => {
      assert.equal((await ipvs.stopSync("backup"))?.code, "daemon-missing");
      assert.equal(await ipvs.startSync(DAEMON), undefined);
      assert.equal((await ipvs.startSync({ ...DAEMON, syncId: 8 }))?.code, "daemon-runs");
      assert.equal((await ipvs.stopSync("backup"))?.code, "daemon-missing");
    });

    test("on an interface that is not there, or to no multicast group: refused", async () => {
      const nowhere = await ipvs.startSync({ ...DAEMON, interface: "nowhere" });
      assert.equal(nowhere?.code, "interface-missing");
      assert.match(nowhere?.message ?? "", /nowhere/);
      const unicast = await ipvs.startSync({ ...DAEMON, group: address("192.0.2.1") });
      assert.equal(unicast?.code, "invalid");
      assert.deepEqual(await ipvs.syncDaemons(), []);
    });

    test("mixed families and sync exclude each other, whichever is first", async () => {
      const mixed = join(WEB, { ...RS6, ...tunnel() });
      await ipvs.apply([add(WEB), mixed]);
      assert.equal((await ipvs.startSync(DAEMON))?.code, "invalid");
      await ipvs.apply([leave(WEB, RS6)]);
      assert.equal(await ipvs.startSync(DAEMON), undefined);
      const refused = await ipvs.apply([mixed]);
      assert.match(refused.get(0)?.message ?? "", /synchronised/);
    });
  });

  test("after it is closed, everything is answered with that", async () => {
    const closed = fine(await open());
    closed.close();
    const answers = [
      await closed.read(),
      (await closed.apply([add(WEB)])).get(0),
      await closed.timeouts(),
      await closed.setTimeouts({ tcp: 1, tcpFin: 1, udp: 1 }),
      await closed.syncDaemons(),
      await closed.startSync(DAEMON),
      await closed.stopSync("active"),
    ];
    for (const answer of answers) {
      assert.ok(answer instanceof KernelError);
      assert.equal(answer.code, "closed");
    }
    assert.equal((await look()).table.size, 0);
  });
}

const fits = (one: Service, { address: own, forwarding }: Destination): boolean =>
  familyOf(own) === familyOfService(one.target) || forwarding.kind === "tunnel";
