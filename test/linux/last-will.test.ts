import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { executeWill, withdraw } from "../../agent/linux/last-will.ts";
import { insideNamedNamespace } from "../../agent/linux/namespace.ts";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import type { EndpointSpec } from "../../agent/ports/advertisement-sockets.ts";
import type { ReadyPacket } from "../../agent/ports/last-will.ts";
import type { Network } from "../../agent/ports/network.ts";
import {
  address,
  enterNamespace,
  indexOf,
  ip,
  ipJson,
  prefix,
  request,
  route,
  rule,
  skip,
} from "./network-rig.ts";

const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");
const TABLES = "table inet holdfast {}; table arp holdfast {}; table inet operator {}";
const NOTHING = { addresses: 0, routes: 0, rules: 0, links: 0, filter: false };
const HERE = { namespace: undefined, links: true };

const nft = (words: string): string => execFileSync("nft", [words], { encoding: "utf8" });
const cli = (...words: readonly string[]) => {
  const args = [PROGRAM, "withdraw", "--control", "/nowhere/control.sock", ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stdout, stderr };
};

/** A packet that a network would carry, if anybody were there. */
function of(spec: EndpointSpec): ReadyPacket {
  const packet = Buffer.alloc(28);
  packet.set([0x45, 0, 0, 28, 0, 1, 0, 0, 255, 112, 0, 0, 192, 0, 2, 1, 224, 0, 0, 18]);
  return { spec, destination: address("224.0.0.18"), packet: packet.toString("base64") };
}

const sendable = (network: Network, link = "v0"): EndpointSpec => ({
  family: "ipv4",
  protocol: 112,
  interfaceIndex: indexOf(network, link),
  group: undefined,
  ttl: 255,
});

describe("what is left to do for a process that died", { skip, timeout: 30_000 }, () => {
  let network: Network;

  before(() => {
    enterNamespace();
    ip("addr add 192.0.2.1/24 dev v0");
    ip("addr add 203.0.113.2/24 dev v1");
  });

  /** What a vrrp process has on its host. */
  beforeEach(async () => {
    network = await openNetwork({ auditInterval: 60_000 });
    const index = indexOf(network, "v0");
    const addresses = ["192.0.2.100/24", "192.0.2.101/32", "198.51.100.1/24", "2001:db8::64/128"];
    await network.installAddresses(addresses.map((text) => request(network, text)));
    // In a subnet of ours, where ours was first.
    ip("addr add 198.51.100.2/24 dev v0");
    await network.installRoutes([route({ destination: prefix("10.9.0.0/24") })], index);
    await network.installRules([rule({ from: prefix("10.9.0.0/24"), table: 77 })]);
    const spec = {
      kind: "macvlan",
      name: "vrrp.51",
      mac: undefined,
      transmitOnBase: false,
      group: undefined,
    } as const;
    await network.createVirtualLink(spec, index, "ipv4", "00:00:5e:00:01:33");
    nft(TABLES);
    ip("route add 10.8.0.0/24 dev v0 proto keepalived");
    ip("rule add from 10.8.0.0/24 table 78 protocol keepalived");
  });

  afterEach(() => {
    network.close();
    ip("addr del 198.51.100.2/24 dev v0");
    ip("route del 10.8.0.0/24");
    ip("rule del from 10.8.0.0/24 table 78");
    nft("delete table inet operator");
  });

  const addresses = (): readonly string[] =>
    ipJson("addr show dev v0").flatMap(({ addr_info: info }) =>
      info
        .filter(({ scope }: { scope: string }) => scope === "global")
        .map(
          ({ local, prefixlen }: { local: string; prefixlen: number }) => `${local}/${prefixlen}`,
        ),
    );

  function onlyOthersAreLeft(): void {
    assert.deepEqual(addresses(), ["192.0.2.1/24", "198.51.100.2/24"]);
    assert.deepEqual(
      ipJson("route show")
        .filter(({ dst }) => /^10\./.test(dst))
        .map(({ dst }) => dst),
      ["10.8.0.0/24"],
    );
    assert.deepEqual(
      ipJson("rule show")
        .filter(({ src }) => /^10\./.test(src))
        .map(({ src }) => src),
      ["10.8.0.0"],
    );
    assert.deepEqual(nft("list tables").trim().split("\n"), ["table inet operator"]);
  }

  test("withdraw removes all that is ours, and nothing else; again, there is nothing", async () => {
    const { withdrawn, problems } = await withdraw(HERE);
    assert.deepEqual(problems, []);
    assert.deepEqual(withdrawn, { addresses: 4, routes: 1, rules: 1, links: 1, filter: true });
    onlyOthersAreLeft();
    assert.equal(
      ipJson("link show").some(({ ifname }) => ifname === "vrrp.51"),
      false,
    );
    assert.deepEqual(await withdraw(HERE), { withdrawn: NOTHING, sent: 0, problems: [] });
  });

  test("the command says so", () => {
    const first = cli();
    assert.deepEqual(first, {
      status: 0,
      stdout: "removed 4 addresses, 1 route, 1 rule, 1 virtual link, the packet filter's tables\n",
      stderr: "",
    });
    onlyOthersAreLeft();
    assert.equal(cli().stdout, "removed nothing: nothing of ours was there\n");
    const elsewhere = cli("--net-namespace", "hf-no-such");
    assert.equal(elsewhere.status, 1);
    assert.match(elsewhere.stderr, /"hf-no-such" cannot be opened .*\n +make it first/);
  });

  test("a will sends its packets when the addresses are gone; links stay for the next process", async () => {
    const good = sendable(network);
    const bad = { ...good, interfaceIndex: 9_999 };
    const { withdrawn, sent, problems } = await executeWill({
      namespace: undefined,
      links: false,
      packets: [of(bad), of(good)],
      limitMs: 2_000,
    });
    assert.deepEqual([withdrawn.addresses, withdrawn.links, sent], [4, 0, 1]);
    assert.equal(problems.length, 1, "one line for the interface that is gone");
    onlyOthersAreLeft();
    await withdraw(HERE);
  });

  test("addresses that a kernel cannot tell from others stay behind the gate", async () => {
    const request = { namespace: undefined, links: false, packets: [], limitMs: 2_000 };
    const { withdrawn, problems } = await executeWill(request, false);
    assert.deepEqual([withdrawn.addresses, withdrawn.filter], [0, false]);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["no-marks"],
    );
    assert.match(nft("list tables"), /table inet holdfast\ntable arp holdfast/);
    await withdraw(HERE);
    onlyOthersAreLeft();
  });

  test("in a namespace of its own, a process is cleared up after there, and only there", async () => {
    const name = `hf-${process.pid}-will`;
    ip(`netns add ${name}`);
    try {
      ip(`-n ${name} link add v2 type veth peer name v3`);
      ip(`-n ${name} link set v2 up`);
      const there = await insideNamedNamespace(name, () => openNetwork());
      await there.installAddresses([request(there, "10.7.0.1/24", {}, "v2")]);
      const packets = [of(sendable(there, "v2"))];
      const wanted = { namespace: name, links: true, packets, limitMs: 2_000 };
      const { withdrawn, sent, problems } = await executeWill(wanted);
      there.close();
      assert.deepEqual(problems, []);
      assert.deepEqual([withdrawn.addresses, sent], [1, 1]);
      assert.ok(addresses().includes("192.0.2.100/24"), "that is another node's");
    } finally {
      ip(`netns delete ${name}`);
    }
    await withdraw(HERE);
  });

  test("a kernel that does not answer is waited for no longer than said, and nothing is sent later", async () => {
    const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-will-`));
    const fifos = ["a", "b", "c", "d"].map((name) => join(folder, name));
    for (const fifo of fifos) execFileSync("mkfifo", [fifo]);
    // Every thread for calls that may block is stuck in one.
    const stuck = fifos.map((fifo) => open(fifo, "r"));
    const packets = [of(sendable(network))];
    const request = { namespace: undefined, links: false, packets, limitMs: 100 };
    const { withdrawn, sent, problems } = await executeWill(request);
    assert.deepEqual([withdrawn, sent], [NOTHING, 0]);
    assert.deepEqual(
      problems.map(({ message }) => message),
      ["the kernel did not let go of everything within 100 ms"],
    );
    const writers = fifos.map((fifo) => openSync(fifo, "w"));
    for (const file of await Promise.all(stuck)) await file.close();
    for (const fd of writers) closeSync(fd);
    rmSync(folder, { recursive: true });
    await withdraw(HERE);
    onlyOthersAreLeft();
  });

  test("without the permission nothing is sent, and it is said", async () => {
    const script = `
      import { executeWill } from ${JSON.stringify(join(import.meta.dirname, "../../agent/linux/last-will.ts"))};
      const spec = { family: "ipv4", protocol: 112, interfaceIndex: 1, group: undefined, ttl: 255 };
      const packets = [{ spec, destination: "224.0.0.18", packet: "AAAA" }];
      const { sent, problems } = await executeWill({ namespace: undefined, links: true, packets, limitMs: 2000 });
      console.log(JSON.stringify([sent, problems.map(({ message, remedy }) => message + "; " + remedy)]));`;
    const unprivileged = ["--bounding-set=-all", "--inh-caps=-all", process.execPath];
    const node = [...unprivileged, "--input-type=module", "-e", script];
    const { stdout } = spawnSync("setpriv", node, { encoding: "utf8" });
    const [sent, [first]] = JSON.parse(stdout);
    assert.equal(sent, 0);
    assert.match(first, /cannot remove addresses of ours: EPERM; .*run Holdfast as root/);
    await withdraw(HERE);
  });
});
