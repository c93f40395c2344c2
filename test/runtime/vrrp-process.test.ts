import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../agent/config/config.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { FromVrrp } from "../../agent/runtime/ipc.ts";
import { VrrpProcess } from "../../agent/runtime/vrrp-process.ts";
import type { FakeAcceptFilter } from "./fake-accept-filter.ts";
import { FakeLan } from "./fake-lan.ts";
import type { FakeNetwork } from "./fake-network.ts";
import { config, fakeWorld, instance } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function begin(keepsLeftovers = false, another = false) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const said: FromVrrp[] = [];
  const done: string[] = [];
  const closed: string[] = [];
  const networks: FakeNetwork[] = [];
  const filters: FakeAcceptFilter[] = [];
  let hear: (message: unknown) => void = () => assert.fail();
  let lose: () => void = () => assert.fail();
  const process = new VrrpProcess(
    {
      send: (message) => said.push(message as FromVrrp),
      listen: (message, lost) => {
        hear = message;
        lose = lost;
      },
    },
    {
      open: (_, buffers) => {
        done.push(`open ${JSON.stringify(buffers)}`);
        const { world, network, acceptFilter, gate } = fakeWorld("a", time, lan, "192.0.2.1/24");
        gate.close = () => Promise.resolve(void closed.push("gate"));
        network.keepsLeftovers = keepsLeftovers;
        networks.push(network);
        filters.push(acceptFilter);
        return Promise.resolve(world);
      },
      yieldTurn: () => Promise.resolve(),
      enterNamespace: (name) => {
        if (name === "none") throw new KernelError("namespace", "there is none", "make it");
        done.push(`enter ${name}`);
      },
      claimNamespace: () =>
        another
          ? Promise.reject(new KernelError("another-agent", "another agent", "stop it first"))
          : Promise.resolve(),
      prepare: () => {
        done.push("prepare");
        return [];
      },
      lastWord: (message) => done.push(message),
      exit: (status) => done.push(status === 0 ? "exit" : `exit ${status}`),
    },
  );
  const configure = async ({ instances, ...frame }: Config): Promise<void> => {
    hear({ kind: "instances", generation: 1, instances });
    hear({ kind: "configure", generation: 1, frame });
    await time.advance(1);
  };
  const warnings = () => said.flatMap((one) => (one.kind === "log" ? one.message : []));
  const tell = (message: unknown): void => hear(message);
  const orphan = (): void => lose();
  return {
    time,
    process,
    orphan,
    done,
    closed,
    said,
    networks,
    filters,
    configure,
    tell,
    warnings,
  };
}

test("buffers of netlink, and a namespace, open the host's sockets anew before the first router", async () => {
  const { done, configure, warnings } = begin();
  const announcements = { bytes: 9_000, force: true };
  const global = {
    netNamespace: "blue",
    netlinkReceiveBuffers: { announcements, answers: undefined },
  };
  await configure(config([instance("VI_1")], { global }));
  assert.deepEqual(done, [
    "open {}",
    "enter blue",
    `open ${JSON.stringify({ announcements })}`,
    "prepare",
  ]);
  assert.deepEqual(warnings(), []);
});

test("once routers run they keep their namespace, and it is said", async () => {
  const { done, configure, warnings } = begin();
  await configure(config([instance("VI_1")]));
  await configure(config([instance("VI_1")], { global: { netNamespace: "blue" } }));
  assert.deepEqual(done, ["open {}", "prepare", "prepare"]);
  assert.equal(warnings().length, 1);
});

test("-a tells of every address that comes or goes, also after the sockets were opened anew", async () => {
  const { time, networks, configure, tell, warnings } = begin();
  tell({ kind: "report-addresses" });
  await time.advance(1);
  networks[0]?.addAddress("eth0", "192.0.2.7/24");
  assert.deepEqual(warnings(), ["eth0: 192.0.2.7/24 is there now"]);
  const answers = { bytes: 9_000, force: true };
  const global = { netlinkReceiveBuffers: { announcements: undefined, answers } };
  await configure(config([instance("VI_1")], { global }));
  const added = networks[1]?.addAddress("eth0", "192.0.2.8/24");
  assert.ok(added !== undefined);
  networks[1]?.dropAddress(added);
  assert.deepEqual(warnings().slice(1), [
    "eth0: 192.0.2.8/24 is there now",
    "eth0: 192.0.2.8/24 is gone",
  ]);
});

test("addresses of an earlier run that may be here still stay behind its gate", async () => {
  for (const left of [false, true]) {
    const { filters, configure } = begin(left);
    await configure(config([instance("VI_1")]));
    assert.equal(filters[0]?.cleared, left ? 0 : 1);
  }
});

test("what is in a namespace that the configuration does not name is not touched: another agent may run there", async () => {
  const { filters, configure } = begin();
  await configure(config([instance("VI_1")], { global: { netNamespace: "blue" } }));
  await configure(config([instance("VI_1")], { global: { netNamespace: "blue" } }));
  assert.deepEqual(
    filters.map(({ cleared }) => cleared),
    [0, 1],
  );
});

test("where the namespace is not there, nothing is touched either", async () => {
  const { time, process, filters, done, configure } = begin();
  await configure(config([instance("VI_1")], { global: { netNamespace: "none" } }));
  process.stop();
  await time.advance(1);
  assert.deepEqual(
    filters.map(({ cleared }) => cleared),
    [0],
  );
  assert.equal(done.at(-1), "exit");
});

test("beside another agent nothing is touched, and the configuration is refused", async () => {
  const { time, process, filters, done, said, configure } = begin(false, true);
  await configure(config([instance("VI_1")]));
  assert.ok(said.some((one) => one.kind === "refused" && one.problem.code === "another-agent"));
  process.stop();
  await time.advance(1);
  assert.equal(filters[0]?.cleared, 0);
  assert.deepEqual(done, ["open {}", "exit"]);
});

test("who is told to stop before there is a configuration leaves nothing of an earlier run", async () => {
  const { time, process, filters } = begin();
  await time.advance(1);
  process.stop();
  await time.advance(1);
  assert.equal(filters[0]?.cleared, 1);
});

test("whose supervisor dies says so by itself, and ends; who was told to end does not", async () => {
  for (const told of [false, true]) {
    const { time, process, orphan, done, configure } = begin();
    await configure(config([instance("VI_1")]));
    if (told) process.stop();
    orphan();
    await time.advance(1);
    assert.equal(done.at(-1), "exit");
    assert.equal(
      done.filter((word) => word.startsWith("the supervisor is gone")).length,
      told ? 0 : 1,
    );
  }
});

test("who leaves addresses behind ends as if it had died, and leaves the gate in front of them", async () => {
  for (const refusal of [undefined, "ENOMEM"]) {
    const { time, process, done, closed, networks, configure } = begin();
    await configure(config([instance("VI_1", { fenced: true })]));
    await time.advance(4_000);
    const network = networks[0] ?? assert.fail();
    assert.ok(network.find("192.0.2.100"));
    network.refuseRemoval = refusal;
    process.stop();
    await time.advance(1_000);
    assert.equal(done.at(-1), refusal === undefined ? "exit" : "exit 1");
    assert.deepEqual(closed, refusal === undefined ? ["gate"] : []);
  }
});
