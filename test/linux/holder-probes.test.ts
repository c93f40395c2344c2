import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { milliseconds } from "../../agent/core/time.ts";
import { openHolderProbes } from "../../agent/linux/holder-probes.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import type { HolderAnswer, HolderProbes } from "../../agent/ports/holder-probes.ts";
import { indexOf } from "./gate-rig.ts";
import { address, enterNamespace, ip, skip } from "./network-rig.ts";

const HOLDER_MAC = "02:00:00:00:00:31";
const LIMIT = milliseconds(10);
/** Where an answer is sure to come: a busy machine may take its time. */
const PATIENT = milliseconds(2000);

/** The asking host has v0; the holder is on the other end. */
describe("probes of an address's holder", { skip, timeout: 20_000 }, () => {
  let lab: Lab;
  let holder: LabNode;
  let probes: HolderProbes;
  let v0 = 0;

  const inHolder = (words: string): void => {
    assert.equal(holder.exec("ip", words.split(" ")).status, 0, words);
  };
  const ask = (text: string, limit = LIMIT, index = v0): Promise<HolderAnswer> =>
    probes.ask(index, address(text), limit);

  before(() => {
    enterNamespace();
    lab = new Lab();
    holder = lab.node("holder");
    for (const end of ["v0", "v1"]) ip(`link set ${end} addrgenmode none`);
    ip(`link set v1 netns ${holder.path}`);
    inHolder(`link set v1 address ${HOLDER_MAC} up`);
    for (const one of ["192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::1"]) {
      inHolder(`address add ${one}${one.includes(":") ? "/64 dev v1 nodad" : "/32 dev v1"}`);
    }
    v0 = indexOf("v0");
  });
  // Each test has its own: nothing is left of the one before.
  const open = (): void => {
    probes = openHolderProbes();
  };
  afterEach(() => probes.close());
  after(() => lab?.dispose());

  test("whoever has it answers with its MAC, by ARP or neighbour discovery", async () => {
    open();
    for (const one of ["192.0.2.1", "2001:db8::1", "fe80::1"]) {
      assert.deepEqual(await ask(one, PATIENT), { kind: "answered", mac: HOLDER_MAC }, one);
    }
  });

  test("nobody answers for others, and that is known in time", async () => {
    open();
    await ask("192.0.2.1", PATIENT);
    const times: number[] = [];
    for (const one of ["192.0.2.9", "2001:db8::9", "fe80::9"]) {
      const start = performance.now();
      assert.deepEqual(await ask(one), { kind: "silent" }, one);
      times.push(performance.now() - start);
    }
    assert.ok(Math.min(...times) >= 9 && (times.sort((a, b) => a - b)[1] ?? 0) < 500, `${times}`);
  });

  test("several at once each have their answer", async () => {
    open();
    const addresses = [
      "192.0.2.1",
      "192.0.2.9",
      "2001:db8::1",
      "192.0.2.2",
      "2001:db8::9",
      "192.0.2.1",
    ];
    const answers = await Promise.all(addresses.map((one) => ask(one, milliseconds(1_000))));
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["answered", "silent", "answered", "answered", "silent", "answered"],
    );
  });

  test("this host's own answers do not count, but those from a virtual MAC do", async () => {
    open();
    // Another interface of this host on the same segment, as the holder sends on between the two.
    const second = "02:00:00:00:00:41";
    ip(`link add w0 address ${second} type veth peer name w1`);
    try {
      ip("link set w0 up");
      ip(`link set w1 netns ${holder.path}`);
      inHolder("link add b0 type bridge");
      for (const end of ["v1", "w1"]) inHolder(`link set ${end} master b0 up`);
      inHolder("link set b0 up");
      ip("address add 192.0.2.50/32 dev w0");
      assert.deepEqual(await ask("192.0.2.50", milliseconds(100)), { kind: "silent" });
      ip("link set w0 address 00:00:5e:00:01:07");
      const answer = await ask("192.0.2.50", PATIENT);
      assert.deepEqual(answer, { kind: "answered", mac: "00:00:5e:00:01:07" });
    } finally {
      ip("link del w0");
      inHolder("link del b0");
    }
  });

  test("what cannot be asked is refused", async () => {
    open();
    const unknown = "192.0.2.1" as IpAddress;
    assert.deepEqual(await probes.ask(9999, unknown, LIMIT), { kind: "refused", errno: "ENODEV" });
    const loopback = await ask("192.0.2.1", LIMIT, 1);
    assert.deepEqual(loopback, { kind: "refused", errno: "EPROTONOSUPPORT" });
    ip("link set v0 down");
    try {
      assert.deepEqual(await ask("192.0.2.1"), { kind: "refused", errno: "ENETDOWN" });
    } finally {
      ip("link set v0 up");
    }
    const pending = ask("192.0.2.9", PATIENT);
    await ask("192.0.2.9");
    probes.close();
    assert.deepEqual(await pending, { kind: "refused", errno: "ECANCELED" });
  });

  test("without a descriptor to ask with it is refused too, and nothing is thrown", () => {
    const program = join(import.meta.dirname, "../../agent/linux/holder-probes.ts");
    const script = `
      import { openSync } from "node:fs";
      import { openHolderProbes } from ${JSON.stringify(program)};
      const probes = openHolderProbes();
      await probes.ask(9999, "192.0.2.1", 1000);
      const fresh = openHolderProbes();
      try { for (;;) openSync("/dev/null"); } catch {}
      console.log(JSON.stringify(await fresh.ask(1, "192.0.2.1", 1000)));
      process.exit();`;
    const node = [process.execPath, "--input-type=module", "-e", script];
    const { stdout, stderr } = spawnSync("prlimit", ["--nofile=256:256", ...node], {
      encoding: "utf8",
    });
    assert.match(stdout, /"kind":"refused"/, stderr);
  });
});
