import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import { reconcile } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceTable } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import { neighbours, tables } from "../../ipvs/arbitrary-table.ts";
import { destination, entry, service, tableOf } from "../../ipvs/example.ts";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";
import { add, CASES, join as member, RS, WEB } from "../../ipvs/port-cases.ts";
import { clear, fine, sorted } from "../../ipvs/port-suite.ts";
import { eventually } from "../../lab/eventually.ts";
import { enterNamespace, ip } from "../../linux/network-rig.ts";

const MODPROBE = "/proc/sys/kernel/modprobe";
const isLoaded = (): boolean => readFileSync("/proc/modules", "utf8").includes("ip_vs ");

function unload(): void {
  const loaded = readFileSync("/proc/modules", "utf8").match(/^ip_vs\w*/gm) ?? [];
  // Those that use another come first in the list.
  for (const name of loaded) execFileSync("rmmod", [name]);
}

const commandsFor = (table: ServiceTable): readonly IpvsCommand[] =>
  reconcile(table, new Map(), new Set());

describe("the kernel's module", () => {
  test("is loaded by asking for it", async () => {
    unload();
    const ipvs = fine(await openIpvs());
    assert.ok(isLoaded());
    ipvs.close();
  });

  test("where it cannot be loaded, one error says what to do", async () => {
    unload();
    const before = readFileSync(MODPROBE, "utf8");
    writeFileSync(MODPROBE, "/nowhere\n");
    try {
      const error = await openIpvs();
      assert.ok(error instanceof KernelError);
      assert.equal(error.code, "ip-vs-missing");
      assert.match(error.remedy, /modprobe ip_vs/);
    } finally {
      writeFileSync(MODPROBE, before);
    }
  });

  test("is asked in the namespace of a name, or in the first one", async () => {
    execFileSync("ip", ["netns", "add", "vips"]);
    enterNamespace();
    const named = fine(await openIpvs("vips"));
    assert.equal(
      (await named.apply(commandsFor(tableOf(entry(service("tcp 192.0.2.1:80")))))).size,
      0,
    );
    const tables = [named, fine(await openIpvs("")), fine(await openIpvs())];
    const sizes: number[] = [];
    for (const ipvs of tables) {
      sizes.push(fine(await ipvs.read()).table.size);
      ipvs.close();
    }
    assert.deepEqual(sizes, [1, 0, 0]);
    const missing = await openIpvs("nowhere");
    assert.ok(missing instanceof KernelError);
    assert.match(missing.remedy, /ip netns add nowhere/);
    execFileSync("ip", ["netns", "delete", "vips"]);
  });

  test("loaded again, it is found under its new number", async () => {
    const ipvs = fine(await openIpvs());
    unload();
    execFileSync("modprobe", ["ip_vs"]);
    assert.equal(fine(await ipvs.read()).table.size, 0);
    assert.deepEqual([...(await ipvs.apply([add(WEB)]))], []);
    assert.equal(fine(await ipvs.read()).table.size, 1);
    await clear(ipvs);
    ipvs.close();
  });
});

test("without privilege it is not opened, and the error says so", () => {
  const module = join(import.meta.dirname, "../../../agent/linux/netlink/ipvs.ts");
  const script = `import(${JSON.stringify(module)}).then(({ openIpvs }) => openIpvs())
    .then(({ code, remedy }) => { console.log(code, remedy); process.exit(); });`;
  const said = execFileSync(
    "setpriv",
    ["--bounding-set", "-net_admin", "--inh-caps", "-net_admin", process.execPath, "-e", script],
    { encoding: "utf8" },
  );
  assert.match(said, /^not-permitted run Holdfast as root or give it CAP_NET_ADMIN/);
});

describe("in a namespace", () => {
  test("there is a table of its own", async () => {
    enterNamespace();
    const first = fine(await openIpvs());
    await first.apply([add(WEB)]);
    enterNamespace();
    const second = fine(await openIpvs());
    assert.equal(fine(await second.read()).table.size, 0);
    assert.equal(fine(await first.read()).table.size, 1);
    first.close();
    second.close();
  });

  test("what flows is counted", async () => {
    enterNamespace();
    const ipvs = fine(await openIpvs());
    for (const text of ["192.0.2.1/32", "192.0.2.10/32"]) ip(`addr add ${text} dev lo`);
    const server = createServer((socket) => socket.end("hello")).listen(80, RS.address);
    await ipvs.apply([add(WEB), member(WEB, RS)]);
    for (let at = 0; at < 3; at += 1) {
      const socket = connect(80, "192.0.2.1");
      const said = await socket.setEncoding("utf8").toArray();
      assert.deepEqual(said, ["hello"]);
    }
    server.close();
    // The kernel adds its counters up every two seconds.
    await eventually("the counters", 10_000, async () => {
      const { counters } = fine(await ipvs.read([WEB.target]));
      const { service: whole, destinations } =
        counters.get(serviceKey(WEB.target)) ?? assert.fail();
      const part = destinations.get(destinationKey(RS)) ?? assert.fail();
      assert.equal(whole.connections, 3);
      assert.equal(part.connections, 3);
      assert.equal(part.activeConnections + part.inactiveConnections, 3);
      assert.ok(whole.inBytes > 0 && whole.outBytes > 0);
    });
    await clear(ipvs);
    ipvs.close();
  });
});

describe("beside the pretended one", () => {
  const RUNS = 40;
  let ipvs: Ipvs;

  const both = async (commands: readonly IpvsCommand[], fake: FakeIpvs) => {
    const codes = async (side: Ipvs) =>
      [...(await side.apply(commands))].map(([at, { code, message }]) => [at, code, message]);
    assert.deepEqual(await codes(ipvs), await codes(fake));
    assert.deepEqual(sorted(fine(await ipvs.read()).table), sorted(fake.table));
  };

  test("random tables become each other", async () => {
    enterNamespace();
    ipvs = fine(await openIpvs());
    for (const [before, after] of fc.sample(neighbours, { numRuns: RUNS, seed: 1 })) {
      const fake = new FakeIpvs();
      await both(commandsFor(before), fake);
      await both(reconcile(after, before, new Set(before.keys())), fake);
      assert.deepEqual(sorted(fake.table), sorted(after));
      await clear(ipvs);
    }
    ipvs.close();
  });

  test("random commands, most of them wrong, have the same answers", async () => {
    enterNamespace();
    ipvs = fine(await openIpvs());
    const any: readonly IpvsCommand[] = CASES.flatMap(({ given = [], command }) => [
      ...given,
      command,
    ]);
    const wild = fc.array(
      fc.oneof(
        fc.constantFrom(...any),
        tables.map((table) => commandsFor(table)[0] ?? add(WEB)),
        tables.map((table) => commandsFor(table).at(-1) ?? add(WEB)),
      ),
      { minLength: 30, maxLength: 60 },
    );
    for (const commands of fc.sample(wild, { numRuns: RUNS, seed: 2 })) {
      await both(commands, new FakeIpvs());
      await clear(ipvs);
    }
    ipvs.close();
  });
});

test("a table is loaded faster than ipvsadm does it", async (context) => {
  const services = 250;
  enterNamespace();
  const ipvs = fine(await openIpvs());
  const table = tableOf(
    ...Array.from({ length: services }, (_, port) =>
      entry(
        service(`tcp 192.0.2.1:${port + 1}`),
        destination("192.0.2.10:80"),
        destination("192.0.2.11:80"),
      ),
    ),
  );
  const timed = async (work: () => unknown): Promise<number> => {
    const start = performance.now();
    await work();
    const time = performance.now() - start;
    assert.equal(fine(await ipvs.read()).table.size, services);
    return time;
  };
  // The best of three: others may be at work on this machine.
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    ours.push(await timed(() => ipvs.apply(commandsFor(table))));
    const input = execFileSync("ipvsadm", ["-S", "-n"]);
    await clear(ipvs);
    theirs.push(await timed(() => execFileSync("ipvsadm", ["-R"], { input })));
    await clear(ipvs);
  }
  const ratio = Math.min(...theirs) / Math.min(...ours);
  context.diagnostic(`${ratio.toFixed(1)} times`);
  assert.ok(ratio > 1, `${ours} ms, ipvsadm ${theirs} ms`);
  ipvs.close();
});
