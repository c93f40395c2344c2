import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../agent/config/config.ts";
import type { FromVrrp } from "../../agent/runtime/ipc.ts";
import { VrrpProcess } from "../../agent/runtime/vrrp-process.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, fakeWorld, instance } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function begin() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const said: FromVrrp[] = [];
  const done: string[] = [];
  let hear: (message: unknown) => void = () => assert.fail();
  const process = new VrrpProcess(
    {
      send: (message) => said.push(message as FromVrrp),
      listen: (message) => {
        hear = message;
      },
    },
    {
      open: (_, buffers) => {
        done.push(`open ${JSON.stringify(buffers)}`);
        return Promise.resolve(fakeWorld("a", time, lan, "192.0.2.1/24").world);
      },
      yieldTurn: () => Promise.resolve(),
      enterNamespace: (name) => done.push(`enter ${name}`),
      prepare: () => {
        done.push("prepare");
        return [];
      },
      exit: () => done.push("exit"),
    },
  );
  const configure = async ({ instances, ...frame }: Config): Promise<void> => {
    hear({ kind: "instances", generation: 1, instances });
    hear({ kind: "configure", generation: 1, frame });
    await time.advance(1);
  };
  const warnings = () => said.flatMap((one) => (one.kind === "log" ? one.message : []));
  return { time, process, done, configure, warnings };
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
