import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "../lab/agent.ts";
import { eventually } from "../lab/eventually.ts";
import type { Program } from "../lab/pair.ts";
import { Pair } from "../lab/pair.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Cell } from "./cells.ts";
import { CELLS, configuration, describeCell, SERVICE } from "./cells.ts";
import { Frr } from "./frr.ts";
import { TAKEOVER_MS } from "./programs.ts";

const HIGH = 200;
const LOW = 100;

/** FRR speaks to the group only, and knows no authentication. */
const FRR_CELLS = CELLS.filter(
  ({ mode, authentication }) => mode === "multicast" && authentication === "none",
);

const virtualMac = ({ family }: Cell): string =>
  family === "ipv4" ? "00:00:5e:00:01:33" : "00:00:5e:00:02:33";

/** Only a v3 checksum of IPv4 can cover one thing or another. */
const sendsForm = ({ version, family, checksum }: Cell): Cell["checksum"] | undefined =>
  version === 3 && family === "ipv4" ? checksum : undefined;

const frr = (node: LabNode, cell: Cell, priority: number): Program =>
  new Frr(node, {
    vrid: 51,
    version: cell.version,
    priority,
    intervalMs: cell.version === 2 ? 1_000 : 100,
    addresses: cell.family === "ipv4" ? ["192.0.2.100/24"] : ["fe80::100/64", "2001:db8::100/64"],
  });

/** The hardware address that a client on the segment finds for the service, asking anew. */
function answerer(client: LabNode, address: string): string {
  client.exec("ip", ["neighbor", "flush", "dev", "eth0"]);
  const ping = client.exec("ping", ["-c", "1", "-W", "1", address]);
  assert.equal(ping.status, 0, ping.stdout);
  const { stdout } = client.exec("ip", ["neighbor", "show", address, "dev", "eth0"]);
  return /lladdr ([0-9a-f:]+)/.exec(stdout)?.[1] ?? stdout;
}

const meet = (cell: Cell, highIs: "holdfast" | "frr"): Promise<void> =>
  Pair.run({}, async (pair) => {
    const client = pair.lab.node("client");
    pair.lab.attach(client, pair.lan, {
      name: "eth0",
      addresses: ["192.0.2.9/24", "2001:db8::9/64"],
    });
    const [ours, theirs] = [pair.first, pair.second];
    const [mine, yours] = highIs === "holdfast" ? [HIGH, LOW] : [LOW, HIGH];
    const agent = pair.add(new Agent(ours.node, configuration(cell, mine, "")));
    const peer = pair.add(frr(theirs.node, cell, yours));
    const [high, low] = highIs === "holdfast" ? [agent, peer] : [peer, agent];

    const ownMac = Buffer.from(ours.mac)
      .toString("hex")
      .replace(/..(?!$)/g, "$&:");
    const macs = { holdfast: ownMac, frr: virtualMac(cell) };
    const service = SERVICE[cell.family];
    const watch = await pair.watch(service, [ours.node]);
    const capture = await pair.capture();
    /** It answers, it alone advertises, and the address is on our node only if it is ours. */
    const settledOn = async (brand: "holdfast" | "frr"): Promise<void> => {
      await watch.until(brand === "holdfast" ? [ours.node] : [], TAKEOVER_MS);
      await eventually(`${brand} answers`, TAKEOVER_MS, () =>
        assert.equal(answerer(client, service), macs[brand]),
      );
      const { length } = capture.frames;
      await capture.until((frames) => frames.length >= length + 3, TAKEOVER_MS);
      const last = advertisements(capture.frames.slice(length + 1));
      assert.deepEqual([...new Set(last.map(({ mac }) => mac))], [macs[brand]]);
    };
    const lowIs = highIs === "holdfast" ? "frr" : "holdfast";

    await low.start();
    await settledOn(lowIs);
    await high.start();
    await settledOn(highIs);
    const status = await agent.status();
    await high.stop();
    await settledOn(lowIs);

    const seen = advertisements(await capture.stop());
    assert.ok(seen.every(({ version, vrid }) => version === cell.version && vrid === 51));
    const released = seen.filter(({ priority }) => priority === 0);
    assert.deepEqual([...new Set(released.map(({ mac }) => mac))], [macs[highIs]]);
    const [router] = status.routers;
    assert.deepEqual(router?.counters.dropped, {});
    const [heard] = router?.peers ?? [];
    assert.equal(heard?.sameAddresses, true);
    assert.equal(heard?.checksum, sendsForm(cell));
  });

describe("beside FRR's vrrpd", { concurrency: 3 }, () => {
  for (const cell of FRR_CELLS) {
    for (const [role, highIs] of [
      ["high", "holdfast"],
      ["low", "frr"],
    ] as const) {
      test(`${describeCell(cell)}: Holdfast has the ${role} priority`, () => meet(cell, highIs));
    }
  }
});
