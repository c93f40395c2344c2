import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import type { LabInterface } from "../../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { AddressWatch } from "../../lab/address-watch.ts";
import { Agent, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { Capture } from "../../lab/capture.ts";
import { block, configText, SERVICE } from "../../lab/instance-text.ts";
import { advertisements } from "../../lab/vrrp-frames.ts";
import { patiently } from "./patiently.ts";

/** A process starts in about two seconds here, and a test's programs share one CPU. */
const PATIENCE_MS = 60_000;
/** Of a whole test. */
const timeout = 180_000;
/** Seconds; long against the guest's slowness. */
const INTERVAL = 0.5;

/** Runs a program on the node; fails with what it said. */
function must(at: LabInterface, command: string): string {
  const [program = "", ...words] = command.split(" ");
  const { status, stdout, stderr } = at.node.exec(program, words);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

// biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON, of which each test looks at a part.
const json = (at: LabInterface, command: string): any[] => JSON.parse(must(at, command) || "[]");

/** The kernel may have it a moment after the agent is active. */
const untilHeld = (at: LabInterface, link: string): Promise<void> =>
  patiently(`${at.node.name} has the address on ${link}`, PATIENCE_MS, () =>
    assert.ok(must(at, `ip -o addr show dev ${link}`).includes(` ${SERVICE}/`)),
  );

describe("agents", () => {
  let lab: Lab;
  let high: LabInterface;
  let low: LabInterface;
  let observer: LabInterface;
  const agents: Agent[] = [];

  /** One after the other: several would keep each other from starting in time. */
  const start = async (at: LabInterface, config: string): Promise<Agent> => {
    const agent = new Agent(at.node, config, STARTED_IN_GUEST_MS);
    agents.push(agent);
    await agent.start();
    return agent;
  };
  const untilActive = (agent: Agent) =>
    patiently(`${agent.node.name} is active`, PATIENCE_MS, async () => {
      const { routers } = await agent.status();
      assert.equal(routers[0]?.state, "active", JSON.stringify(routers));
    });
  const answers = () => must(observer, `ping -n -c 3 -W 2 ${SERVICE}`);

  before(() => {
    for (const module of ["ipvlan", "vrf", "sch_netem"]) execFileSync("modprobe", [module]);
    lab = new Lab();
    const lan = lab.segment("lan");
    const attach = (name: string, host: number) =>
      lab.attach(lab.node(name), lan, { name: "eth0", addresses: [`192.0.2.${host}/24`] });
    high = attach("high", 1);
    low = attach("low", 2);
    observer = attach("observer", 250);
  });
  afterEach(async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    for (const agent of agents.splice(0)) agent.dispose();
  });
  after(() => lab.dispose());

  test("with use_ipvlan one advertises and serves from an ipvlan of its own", {
    timeout,
  }, async () => {
    const more = ["use_ipvlan ipvl.51 192.0.2.51/24 private"];
    const capture = await Capture.start(observer.node, "eth0", "ip proto 112");
    const agent = await start(high, configText([{ interval: INTERVAL, more }]));
    await untilActive(agent);
    const [link] = json(high, "ip -d -j link show dev ipvl.51");
    assert.deepEqual(link.linkinfo.info_data, { mode: "l2", private: true });
    await untilHeld(high, "ipvl.51");
    await capture.until((frames) => frames.length > 1, PATIENCE_MS);
    const sources = advertisements(capture.frames).map(({ source }) => source);
    assert.deepEqual([...new Set(sources)], ["192.0.2.51"]);
    answers();
    assert.equal(await agent.stop(), 0);
    assert.deepEqual(
      json(high, "ip -j link show type ipvlan").filter(({ ifname }) => ifname !== undefined),
      [],
    );
    await capture.stop();
  });

  describe("in a VRF", () => {
    before(() => {
      must(high, "ip link add red type vrf table 10");
      must(high, "ip link set red up");
      must(high, "ip link set eth0 master red");
    });
    after(() => {
      must(high, "ip link del red");
    });

    test("by its interface, one advertises and serves there", { timeout }, async () => {
      const agent = await start(high, configText([{ interval: INTERVAL }]));
      await untilActive(agent);
      await patiently("it is there", PATIENCE_MS, () =>
        assert.match(
          must(high, "ip route show table 10 type local"),
          new RegExp(`local ${SERVICE} `),
        ),
      );
      answers();
      assert.equal(await agent.stop(), 0);
    });

    test("by its name alone, one sends and hears there by unicast", { timeout }, async () => {
      const addresses = [`${SERVICE}/32 dev eth0`];
      const unicast = (own: number, peer: number) => [
        `unicast_src_ip 192.0.2.${own}`,
        ...block("unicast_peer", [`192.0.2.${peer}`]),
      ];
      const named = { interval: INTERVAL, addresses, more: ["vrf red", ...unicast(1, 2)] };
      const text = configText([named]).replace("interface eth0\n", "");
      const capture = await Capture.start(low.node, "eth0", "ip proto 112 and src 192.0.2.1");
      const agent = await start(high, text);
      await untilActive(agent);
      await capture.until((frames) => frames.length > 0, PATIENCE_MS);
      await capture.stop();
      const preferred = { interval: INTERVAL, priority: 250, more: unicast(2, 1) };
      const other = await start(low, configText([preferred]));
      await untilActive(other);
      await patiently("it hears, and steps back", PATIENCE_MS, async () => {
        const { routers } = await agent.status();
        assert.equal(routers[0]?.state, "backup");
        assert.equal(routers[0]?.counters.sendErrors, 0);
      });
    });
  });

  test("with a tenth of the packets lost, and the others late, two agents fail over and back", {
    timeout,
  }, async () => {
    const nodes = [high, low];
    for (const at of nodes) {
      must(at, "tc qdisc add dev eth0 root netem loss 10% delay 20ms 10ms");
    }
    const watch = await AddressWatch.start(
      nodes.map(({ node }) => node),
      SERVICE,
    );
    const config = (priority: number) => configText([{ interval: INTERVAL, priority }]);
    const first = await start(high, config(200));
    const second = await start(low, config(100));
    await watch.until([high.node], PATIENCE_MS);
    await first.killAll();
    // What it left stays on the host: only the other's taking over is seen.
    await untilActive(second);
    await untilHeld(low, "eth0");
    await first.start();
    await watch.until([high.node], PATIENCE_MS);
    assert.equal(await first.stop(), 0);
    await watch.until([low.node], PATIENCE_MS);
    const lost = nodes.map((at) => json(at, "tc -s -j qdisc show dev eth0")[0].drops);
    assert.ok(
      lost.reduce((sum, drops) => sum + drops, 0) > 0,
      `netem has lost nothing: ${lost.join()}`,
    );
    for (const at of nodes) must(at, "tc qdisc del dev eth0 root");
    watch.close();
  });
});
