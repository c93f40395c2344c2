import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Frame } from "../lab/capture.ts";
import { Pair } from "../lab/pair.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Brand } from "./programs.ts";
import { build, otherBrand, TAKEOVER_MS } from "./programs.ts";

/* What keepalived.conf can say about who has the address, obeyed alike by both programs. */

const SERVICE = "192.0.2.100";
/** Many intervals and several down intervals of the configurations below. */
const A_WHILE_MS = 2_000;

interface Settings {
  readonly priority: number;
  readonly lines?: readonly string[];
  readonly name?: string;
  readonly vrid?: number;
  readonly link?: string;
  readonly address?: string;
}

const instance = (settings: Settings): string => {
  const { name = "VI_1", vrid = 51, link = "eth0", address = SERVICE } = settings;
  return `vrrp_instance ${name} {
  state ${settings.priority === 255 ? "MASTER" : "BACKUP"}
  interface ${link}
  virtual_router_id ${vrid}
  version 3
  priority ${settings.priority}
  advert_int 0.1
${(settings.lines ?? []).map((line) => `  ${line}\n`).join("")}  virtual_ipaddress {
    ${address}/24
  }
}
`;
};

/** Who sent the last advertisements. */
const lastSenders = (frames: readonly Frame[], count: number): readonly string[] => [
  ...new Set(
    advertisements(frames)
      .slice(-count)
      .map(({ source }) => source),
  ),
];

const ROLES: readonly Brand[] = ["holdfast", "keepalived"];

async function nopreempt(pair: Pair, comingBack: Brand): Promise<void> {
  const [highNode, lowNode] = pair.nodes;
  const settings = (priority: number): string => instance({ priority, lines: ["nopreempt"] });
  const high = pair.add(build(comingBack, highNode, settings(200)));
  const low = pair.add(build(otherBrand(comingBack), lowNode, settings(100)));
  const watch = await pair.watch(SERVICE);
  await low.start();
  await watch.until([lowNode], TAKEOVER_MS);
  await high.start();
  await watch.unchanged(A_WHILE_MS);
  await low.stop();
  await watch.until([highNode], TAKEOVER_MS);
  await low.start();
  await watch.unchanged(A_WHILE_MS);
}

/** The one that is there keeps it, whichever has the higher address. */
async function equalPriorities(pair: Pair, present: Brand, at: "first" | "second"): Promise<void> {
  const [one, two] =
    at === "first" ? pair.nodes : ([...pair.nodes].reverse() as [LabNode, LabNode]);
  const holder = pair.add(build(present, one, instance({ priority: 100 })));
  const other = pair.add(build(otherBrand(present), two, instance({ priority: 100 })));
  const watch = await pair.watch(SERVICE);
  await holder.start();
  await watch.until([one], TAKEOVER_MS);
  await other.start();
  await watch.unchanged(A_WHILE_MS);
  await holder.stop();
  await watch.until([two], TAKEOVER_MS);
}

async function owner(pair: Pair, ownerIs: Brand): Promise<void> {
  const [ownerNode, otherNode] = pair.nodes;
  const owning = pair.add(build(ownerIs, ownerNode, instance({ priority: 255 })));
  const other = pair.add(build(otherBrand(ownerIs), otherNode, instance({ priority: 254 })));
  const watch = await pair.watch(SERVICE);
  const capture = await pair.capture();
  await other.start();
  await watch.until([otherNode], TAKEOVER_MS);
  await owning.start();
  await watch.until([ownerNode], TAKEOVER_MS);
  await watch.unchanged(A_WHILE_MS);
  assert.deepEqual(lastSenders(capture.frames, 10), ["192.0.2.1"]);
  const owners = advertisements(capture.frames).filter(({ source }) => source === "192.0.2.1");
  assert.ok(owners.every(({ priority }) => priority === 255));
  await owning.stop();
  await watch.until([otherNode], TAKEOVER_MS);
}

/** Two segments; the loss of one moves the addresses of both. */
async function syncGroup(pair: Pair, highIs: Brand): Promise<void> {
  const inner = pair.lab.segment("inner");
  const second = pair.nodes.map((node, at) =>
    pair.lab.attach(node, inner, { name: "eth1", addresses: [`198.51.100.${at + 1}/24`] }),
  );
  const text = (priority: number): string =>
    `vrrp_sync_group VG_1 {\n  group {\n    VI_1\n    VI_2\n  }\n}\n${instance({ priority })}${instance(
      { priority, name: "VI_2", vrid: 52, link: "eth1", address: "198.51.100.100" },
    )}`;
  const [highNode, lowNode] = pair.nodes;
  const high = pair.add(build(highIs, highNode, text(200)));
  const low = pair.add(build(otherBrand(highIs), lowNode, text(100)));
  const watches = await Promise.all([pair.watch(SERVICE), pair.watch("198.51.100.100")]);
  const bothOn = (node: LabNode) =>
    Promise.all(watches.map((watch) => watch.until([node], TAKEOVER_MS)));
  await Promise.all([high.start(), low.start()]);
  await bothOn(highNode);
  second[0]?.setPlugged(false);
  await bothOn(lowNode);
  second[0]?.setPlugged(true);
  await bothOn(highNode);
  await high.stop();
  await bothOn(lowNode);
}

/** Frames and announcements carry the virtual MAC, whoever is active; the address is on a macvlan. */
async function virtualMac(pair: Pair, highIs: Brand): Promise<void> {
  const VIRTUAL = "00005e000133";
  const [highNode, lowNode] = pair.nodes;
  const settings = (priority: number): string => instance({ priority, lines: ["use_vmac"] });
  const high = pair.add(build(highIs, highNode, settings(200)));
  const low = pair.add(build(otherBrand(highIs), lowNode, settings(100)));
  const watch = await pair.watch(SERVICE);
  const client = pair.lab.node("client");
  pair.lab.attach(client, pair.lan, { name: "eth0", addresses: ["192.0.2.9/24"] });
  const capture = await pair.capture("vrrp");
  // Who preempts first finds that nobody else answers; the second question comes after a second.
  const answered = (): void => {
    const { stdout } = client.exec("arping", ["-f", "-w", "15", "-I", "eth0", SERVICE]);
    assert.match(stdout, /reply from 192\.0\.2\.100 \[00:00:5E:00:01:33\]/i);
    const ping = client.exec("ping", ["-c", "1", "-w", "15", "-i", "0.2", SERVICE]);
    assert.equal(ping.status, 0, ping.stdout);
  };
  await low.start();
  await watch.until([lowNode], TAKEOVER_MS);
  answered();
  await high.start();
  await watch.until([highNode], TAKEOVER_MS);
  answered();
  await watch.unchanged(A_WHILE_MS);
  await high.stop();
  await watch.until([lowNode], TAKEOVER_MS);
  answered();
  const seen = await capture.stop();
  const macs = seen.map(({ bytes }) => Buffer.from(bytes.subarray(6, 12)).toString("hex"));
  assert.deepEqual([...new Set(macs)], [VIRTUAL]);
  assert.deepEqual([...new Set(advertisements(seen).map(({ source }) => source))].sort(), [
    "192.0.2.1",
    "192.0.2.2",
  ]);
}

describe("the settings of keepalived.conf, beside keepalived", { concurrency: 4 }, () => {
  for (const brand of ROLES) {
    test(`nopreempt: ${brand} comes back with the higher priority`, () =>
      Pair.run({}, (pair) => nopreempt(pair, brand)));
    for (const at of ["first", "second"] as const) {
      const rank = at === "first" ? "lower" : "higher";
      test(`equal priorities: ${brand} has the address, and the ${rank} address of its own`, () =>
        Pair.run({}, (pair) => equalPriorities(pair, brand, at)));
    }
    test(`priority 255: ${brand} owns the address`, () =>
      Pair.run({}, (pair) => owner(pair, brand)));
    test(`a sync group over two segments: ${brand} has the higher priority`, () =>
      Pair.run({}, (pair) => syncGroup(pair, brand)));
    test(`use_vmac: ${brand} has the higher priority`, () =>
      Pair.run({}, (pair) => virtualMac(pair, brand)));
  }
});
