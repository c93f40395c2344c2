import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { macText } from "./arp-frames.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { answeredPings, directedPing } from "./direct-frames.ts";
import { eventually } from "./eventually.ts";
import { block, configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

/*
 * Both directors are real servers behind direct routing as well, and have the address on `lo`. The active
 * one stalls; the other one takes over and sends on to it what it balances.
 */

const SERVICE6 = "2001:db8::100";
const CLIENT = "192.0.2.250";
const CLIENT6 = "2001:db8::250";
const GRACE_MS = 15_000;

const config = (priority: number): string =>
  configText(
    [
      { name: "V", priority },
      { name: "W", vrid: 52, priority, addresses: ["fe80::100/64", `${SERVICE6}/128`] },
    ],
    [],
    block(`virtual_server ${SERVICE} 80`, [
      "lb_algo rr",
      "lb_kind DR",
      "protocol TCP",
      ...["192.0.2.1", "192.0.2.2"].flatMap((one) => block(`real_server ${one} 80`, [])),
    ]),
  );

/** As the manual has it for a real server; who the client is, it knows by its services. */
function makeRealServer({ node, name }: LabInterface, client: LabInterface): void {
  node.sysctl("ipv4/conf/all/arp_ignore", "1");
  node.sysctl("ipv4/conf/all/arp_announce", "2");
  const commands = [
    `address add ${SERVICE}/32 dev lo`,
    `address add ${SERVICE6}/128 dev lo nodad`,
    ...[CLIENT, CLIENT6].map(
      (one) => `neigh replace ${one} lladdr ${macText(client.mac)} dev ${name}`,
    ),
  ];
  for (const command of commands) {
    const { status, stderr } = node.exec("ip", command.split(" "));
    assert.equal(status, 0, stderr);
  }
}

/** Sends frames of its own MAC to the other one. */
function pinger(from: LabInterface, to: LabInterface) {
  const sender = from.node.run(openFrameSender);
  return {
    ping: (client: string, target: string, identifier: number): void => {
      const [source, destination] = [client as IpAddress, target as IpAddress];
      const frame = directedPing({ from: from.mac, to: to.mac }, source, destination, identifier);
      sender.send(from.index, frame);
    },
    close: () => sender.close(),
  };
}

async function whileStalled(pids: readonly number[], use: () => Promise<void>): Promise<void> {
  try {
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await use();
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}

describe("a director that is a real server", { skip, timeout: 180_000 }, () => {
  after(nothingLeft);

  test("serves the one that took over, and nobody else, while it stands still", async () => {
    await Cluster.run([config(200), config(100)], async (cluster) => {
      const [a, b] = [cluster.member(0), cluster.member(1)];
      makeRealServer(a.eth0, cluster.observer);
      const capture = await cluster.capture("icmp[icmptype] = icmp-echoreply or icmp6[0] = 129");
      await a.agent.start();
      for (const name of ["V", "W"]) await untilState(a.agent, "active", GRACE_MS, name);
      await b.agent.start();
      await untilState(b.agent, "backup", GRACE_MS);
      const director = macText(b.eth0.mac);
      await eventually("its gate knows the other director", GRACE_MS, () =>
        assert.match(
          a.node.exec("nft", ["list", "table", "inet", "holdfast"]).stdout,
          new RegExp(director),
        ),
      );
      await whileStalled(await a.agent.pids(), async () => {
        for (const name of ["V", "W"]) await untilState(b.agent, "active", GRACE_MS, name);
        const [directed, stray] = [pinger(b.eth0, a.eth0), pinger(cluster.observer, a.eth0)];
        stray.ping(CLIENT, SERVICE, 3);
        stray.ping(CLIENT6, SERVICE6, 4);
        // The gate may know the director for one family a moment before it does for the other.
        await eventually("it answers what was sent on to it", GRACE_MS, () => {
          directed.ping(CLIENT, SERVICE, 1);
          directed.ping(CLIENT6, SERVICE6, 2);
          assert.deepEqual([...answeredPings(capture.frames)].sort(), [1, 2]);
        });
        for (const { close } of [directed, stray]) close();
        assert.match(
          a.node.exec("ip", ["address", "show", "dev", "eth0"]).stdout,
          new RegExp(`${SERVICE}/32`),
          "the gate is what was asked, not the end of its addresses",
        );
      });
    });
  });
});
