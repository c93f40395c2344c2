import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { LabInterface } from "../../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import type { Segment } from "../../../agent/linux/lab.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { Agent, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { block, configText } from "../../lab/instance-text.ts";
import type { Connection } from "./client.ts";
import { Client } from "./client.ts";
import { connectionsOf, holds, ipvsadm, serversOf } from "./ip-vs-node.ts";
import { patiently } from "./patiently.ts";
import { WebServer } from "./web-server.ts";

/* What is open goes on through another director, who was told of it while it was a backup. */

const PATIENCE_MS = 120_000;
const timeout = 300_000;

/** Its real servers answer the client themselves. */
const DIRECT = "10.0.0.100";
/** Its real servers answer by way of the director. */
const NAT = "13.133.222.13";
/** The director for clients, and for real servers. */
const GATEWAY = "10.0.0.254";
const INNER_GATEWAY = "13.133.222.3";

const virtualServer = (address: string, kind: string, servers: readonly string[]) =>
  block(`virtual_server ${address} 80`, [
    "delay_loop 2",
    "lb_algo rr",
    `lb_kind ${kind}`,
    "protocol TCP",
    ...servers.flatMap((server) =>
      block(`real_server ${server} 80`, block("TCP_CHECK", ["connect_timeout 3"])),
    ),
  ]);

const config = (priority: number): string =>
  configText(
    [
      {
        priority,
        interval: 0.5,
        addresses: [
          `${DIRECT}/32`,
          `${GATEWAY}/24`,
          `${NAT}/32 dev eth1`,
          `${INNER_GATEWAY}/24 dev eth1`,
        ],
        more: ["nopreempt"],
      },
    ],
    ["lvs_sync_daemon eth1 V id 7"],
    [
      ...virtualServer(DIRECT, "DR", ["10.0.0.11", "10.0.0.12"]),
      ...virtualServer(NAT, "NAT", ["13.133.222.4", "13.133.222.5"]),
    ],
  );

/** As users without a virtual_server do it. */
const BY_HAND = `
ipvsadm -A -t 13.133.222.13:80 -s rr
ipvsadm -a -t 13.133.222.13:80 -r 13.133.222.4:80 -m
ipvsadm -a -t 13.133.222.13:80 -r 13.133.222.5:80 -m
`;

interface Director {
  readonly node: LabNode;
  readonly links: readonly LabInterface[];
  readonly agent: Agent;
}

describe("two directors", () => {
  let lab: Lab;
  let outer: Segment;
  let inner: Segment;
  let first: Director;
  let second: Director;
  let client: Client;
  const servers: WebServer[] = [];

  function director(name: string, host: number, priority: number): Director {
    const node = lab.node(name);
    const links = [
      lab.attach(node, outer, { name: "eth0", addresses: [`10.0.0.${host}/24`] }),
      lab.attach(node, inner, { name: "eth1", addresses: [`13.133.222.${200 + host}/24`] }),
    ];
    node.sysctl("ipv4/ip_forward", "1");
    return { node, links, agent: new Agent(node, config(priority), STARTED_IN_GUEST_MS) };
  }

  async function serve(node: LabNode): Promise<void> {
    const server = new WebServer(node, node.name);
    servers.push(server);
    await server.start();
  }

  const untilActive = ({ node }: Director) =>
    patiently(`${node.name} is active`, PATIENCE_MS, () => {
      assert.ok(holds(node, DIRECT) && holds(node, INNER_GATEWAY));
      assert.match(ipvsadm(node, "-L", "--daemon"), /^master sync daemon .*mcast=eth1, syncid=7/);
    });

  const untilBackup = ({ node }: Director) =>
    patiently(`${node.name} is a backup`, PATIENCE_MS, () => {
      assert.equal(serversOf(node).length, 4);
      assert.match(ipvsadm(node, "-L", "--daemon"), /^backup sync daemon .*mcast=eth1, syncid=7/);
    });

  const open = async (): Promise<readonly Connection[]> => {
    const connections: Connection[] = [];
    for (const host of [DIRECT, NAT]) {
      for (const what of ["again", "long"] as const) {
        connections.push(await client.open(host, what));
      }
    }
    return connections;
  };

  /** Where the director has these connections going. */
  const rows = ({ node }: Director, connections: readonly Connection[], origin: string) =>
    connections.map(({ port }) => {
      const row = connectionsOf(node).find((one) => one.port === port && one.state !== "NONE");
      assert.deepEqual([row?.state, row?.origin], ["ESTABLISHED", origin]);
      return row?.server;
    });

  const untilTold = (director: Director, connections: readonly Connection[]) =>
    patiently(`${director.node.name} knows the connections`, PATIENCE_MS, () =>
      rows(director, connections, "SYNC"),
    );

  /** More than a server sends to a client who acknowledges nothing. */
  const goesOn = (connections: readonly Connection[]) =>
    Promise.all(connections.map((one, at) => one.more(at % 2 === 0 ? 1_000 : 40_000, PATIENCE_MS)));

  before(async () => {
    execFileSync("modprobe", ["ip_vs_rr"]);
    lab = new Lab();
    outer = lab.segment("outer");
    inner = lab.segment("inner");
    first = director("first", 1, 200);
    second = director("second", 2, 100);
    const asker = lab.node("client");
    lab.attach(asker, outer, { name: "eth0", addresses: ["10.0.0.9/24"] });
    asker.exec("ip", ["route", "add", `${NAT}/32`, "via", GATEWAY]);
    client = new Client(asker);
    for (const host of [11, 12]) {
      const node = lab.node(`direct-${host}`);
      for (const [key, value] of [
        ["arp_ignore", "1"],
        ["arp_announce", "2"],
      ] as const) {
        node.sysctl(`ipv4/conf/all/${key}`, value);
      }
      node.exec("ip", ["address", "add", `${DIRECT}/32`, "dev", "lo"]);
      lab.attach(node, outer, { name: "eth0", addresses: [`10.0.0.${host}/24`] });
      await serve(node);
    }
    for (const host of [4, 5]) {
      const node = lab.node(`nat-${host}`);
      lab.attach(node, inner, { name: "eth0", addresses: [`13.133.222.${host}/24`] });
      node.exec("ip", ["route", "add", "default", "via", INNER_GATEWAY]);
      await serve(node);
    }
    // One after the other: several would keep each other from starting in time.
    for (const { agent } of [first, second]) await agent.start();
  });
  after(async () => {
    client.close();
    for (const { agent } of [first, second]) agent.dispose();
    await Promise.all(servers.map((server) => server.dispose()));
    lab.dispose();
  });

  test("open connections survive the death of one, and the next one's stop", {
    timeout,
  }, async () => {
    await untilActive(first);
    await untilBackup(second);
    const hand = lab.node("hand");
    assert.equal(hand.exec("sh", ["-e", "-c", BY_HAND]).stderr, "");
    const services = ipvsadm(first.node, "-S", "-n");
    assert.equal(services.replaceAll(/.*\b10\.0\.0\..*\n/g, ""), ipvsadm(hand, "-S", "-n"));
    for (const [host, pages] of [
      [DIRECT, ["direct-11", "direct-12"]],
      [NAT, ["nat-4", "nat-5"]],
    ] as const) {
      const answers = await client.askTimes(host, 4);
      assert.deepEqual([...answers].sort(), [...pages, ...pages].sort());
      assert.notEqual(answers[0], answers[1]);
    }

    const opened = await open();
    const known = rows(first, opened, "LOCAL");
    assert.deepEqual(await untilTold(second, opened), known);
    for (const link of first.links) link.setPlugged(false);
    await first.agent.killAll();
    await untilActive(second);
    await goesOn(opened);

    // As after a boot, it has nothing on the network before it runs.
    await first.agent.start();
    for (const link of first.links) link.setPlugged(true);
    await untilBackup(first);
    const later = await open();
    await untilTold(first, later);
    assert.equal(await second.agent.stop(), 0);
    await untilActive(first);
    await goesOn(later);
    assert.deepEqual(serversOf(second.node), []);
    assert.equal(ipvsadm(second.node, "-L", "--daemon").trim(), "");
  });
});
