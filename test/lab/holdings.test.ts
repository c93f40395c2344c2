import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { SeenAnnouncement } from "./arp-frames.ts";
import { announcements, macText } from "./arp-frames.ts";
import { Capture } from "./capture.ts";
import type { Member } from "./cluster.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import type { InstanceText } from "./instance-text.ts";
import { block, configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import type { PacketText } from "./vrrp-packet.ts";
import { vrrpFrame } from "./vrrp-packet.ts";

/* What one node has and announces while it is active, and has no more afterwards. */

const GRACE_MS = 15_000;
/** Gateways and addresses that tests name; the observer is 192.0.2.250. */
const GATEWAY = "192.0.2.250";

const instances: Readonly<Record<string, InstanceText>> = {
  routes: {
    vrid: 60,
    addresses: ["192.0.2.60/32"],
    more: [
      ...block("virtual_routes", [
        `203.0.113.0/24 via ${GATEWAY} dev eth0`,
        `src 192.0.2.60 203.0.114.0/24 via ${GATEWAY} dev eth0 table 60`,
      ]),
      ...block("virtual_rules", ["from 192.0.2.60 lookup 60 priority 6000"]),
    ],
  },
  vmac: { vrid: 61, addresses: ["192.0.2.61/32"], more: ["use_vmac vm61"] },
  "vmac on base": {
    vrid: 62,
    addresses: ["192.0.2.62/32"],
    more: ["use_vmac vm62", "vmac_xmit_base"],
  },
  ipvlan: {
    vrid: 63,
    interface: "eth1",
    addresses: ["198.51.100.63/32"],
    more: ["use_ipvlan iv63 198.51.100.163/24"],
  },
  closed: { vrid: 69, addresses: ["192.0.2.69/32"], more: ["no_accept"] },
  bursts: {
    vrid: 64,
    addresses: ["192.0.2.64/32"],
    more: [
      "garp_master_repeat 3",
      "garp_master_delay 1",
      "garp_lower_prio_repeat 2",
      "garp_lower_prio_delay 0",
    ],
  },
  refresh: {
    vrid: 65,
    addresses: ["192.0.2.65/32"],
    more: [
      "garp_master_repeat 1",
      "garp_master_delay 0",
      "garp_master_refresh 1",
      "garp_master_refresh_repeat 2",
    ],
  },
  host: { vrid: 66, addresses: ["fe80::66/64", "2001:db8::66/64"] },
  router: { vrid: 67, interface: "eth1", addresses: ["fe80::67/64", "2001:db8:1::67/64"] },
  secondaries: {
    vrid: 68,
    interface: "eth1",
    addresses: ["198.51.100.68/24"],
    more: ["promote_secondaries"],
  },
};

const config = configText(
  Object.entries(instances).map(([name, instance]) => ({
    name: name.replaceAll(" ", "_"),
    priority: 200,
    ...instance,
  })),
  [],
  [
    ...block("static_ipaddress", ["192.0.2.70/32 dev eth0"]),
    ...block("static_routes", [`198.18.0.0/24 via ${GATEWAY} dev eth0`]),
    ...block("static_rules", ["from 192.0.2.70 lookup 70 priority 7000"]),
  ],
);

interface Scene {
  readonly cluster: Cluster;
  readonly member: Member;
  readonly near: Capture;
  /** On the segment of eth1. */
  readonly far: Capture;
  readonly send: (packet: PacketText) => void;
  /** Seconds that the machine may have kept somebody waiting since the agent was started. */
  readonly noise: () => Promise<number>;
}

const run = ({ node }: Pick<Member, "node">, command: string): string => {
  const [program = "", ...args] = command.split(" ");
  const { status, stdout, stderr } = node.exec(program, args);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
};

/** All that an agent may change in a namespace. */
const everything = (member: Member): Readonly<Record<string, string>> => {
  const all = ["eth0", "eth1"].flatMap((name) =>
    ["arp_ignore", "arp_filter", "rp_filter", "promote_secondaries"].map(
      (word) => `/proc/sys/net/ipv4/conf/${name}/${word}`,
    ),
  );
  return {
    links: run(member, "ip -o -br link"),
    addresses: run(member, "ip -o address")
      .split("\n")
      .map((line) => line.replace(/^\d+: /, ""))
      .sort()
      .join("\n"),
    routes: run(member, "ip -4 route show table all").split("\n").sort().join("\n"),
    rules: run(member, "ip rule"),
    filters: run(member, "nft list ruleset"),
    sysctls: run(member, `tail -n +1 ${all.join(" ")}`),
  };
};

const seenOf = ({ frames }: Capture, address: string): readonly SeenAnnouncement[] =>
  announcements(frames).filter((seen) => seen.address === address);

type Step = (scene: Scene) => Promise<void> | void;

const routed = (member: Member): boolean =>
  run(member, "ip route").includes(`203.0.113.0/24 via ${GATEWAY} dev eth0`) &&
  run(member, "ip route show table all").includes("203.0.114.0/24 via") &&
  run(member, "ip rule").includes("6000:\tfrom 192.0.2.60 lookup 60");

const unrouted = (member: Member): boolean =>
  !run(member, "ip route show table all").includes("203.0.11") &&
  !run(member, "ip rule").includes("192.0.2.60");

const hasIpvlan = ({ node }: Member): boolean => {
  const args = ["link", "add", "link", "eth1", "name", "probe", "type", "ipvlan"];
  if (node.exec("ip", args).status !== 0) return false;
  node.exec("ip", ["link", "del", "probe"]);
  return true;
};

const macOf = (observer: LabInterface, address: string): string | undefined =>
  /\[([0-9A-F:]+)\]/
    .exec(observer.node.exec("arping", ["-f", "-w10", "-I", "eth0", address]).stdout)?.[1]
    ?.toLowerCase();

const steps: Readonly<Record<string, Step>> = {
  "static addresses, routes and rules are there": ({ member }) => {
    assert.match(run(member, "ip -o -4 address show dev eth0"), / 192\.0\.2\.70\/32 /);
    assert.match(run(member, "ip route"), /198\.18\.0\.0\/24 via 192\.0\.2\.250 dev eth0/);
    assert.match(run(member, "ip rule"), /7000:\tfrom 192\.0\.2\.70 lookup 70/);
  },

  "routes and rules come and go with the state": async ({ member, send }) => {
    await eventually("they are there", GRACE_MS, () => assert.ok(routed(member)));
    send({ source: GATEWAY, vrid: 60, priority: 254, addresses: ["192.0.2.60"] });
    await eventually("they are gone", GRACE_MS, () => assert.ok(unrouted(member)));
    // The stranger said nothing more: three of its intervals later we are active again.
    await eventually("they are back", GRACE_MS, () => assert.ok(routed(member)));
    await untilState(member.agent, "active", GRACE_MS, "routes");
  },

  "a virtual MAC answers for the address, and sends the advertisements": ({
    cluster,
    member,
    near,
  }) => {
    const links = run(member, "ip -o -d link show type macvlan");
    assert.match(links, /vm61@eth0.*00:00:5e:00:01:3d/);
    assert.match(links, /vm62@eth0.*00:00:5e:00:01:3e/);
    assert.match(run(member, "ip -o -4 address show dev vm61"), / 192\.0\.2\.61\/32 /);
    assert.equal(macOf(cluster.observer, "192.0.2.61"), "00:00:5e:00:01:3d");
    assert.equal(macOf(cluster.observer, "192.0.2.62"), "00:00:5e:00:01:3e");
    assert.ok(seenOf(near, "192.0.2.61").every(({ mac, from }) => mac === from));
    assert.equal(seenOf(near, "192.0.2.61")[0]?.mac, "00:00:5e:00:01:3d");
    const senders = (vrid: number): readonly string[] => [
      ...new Set(
        near.frames
          .filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0 && bytes[35] === vrid)
          .map(({ bytes }) => macText(bytes.subarray(6, 12))),
      ),
    ];
    assert.deepEqual(senders(61), ["00:00:5e:00:01:3d"]);
    assert.deepEqual(senders(62), [macText(member.eth0.mac)]);
  },

  "an ipvlan has the address; without the kernel's support the log says so": async ({ member }) => {
    if (!hasIpvlan(member)) {
      const { faults } = await untilState(member.agent, "fault", GRACE_MS, "ipvlan");
      assert.deepEqual(faults[0], { cause: "interface-missing", subject: "iv63" });
      assert.match(
        member.agent.log,
        /iv63: cannot make the ipvlan iv63: ENOTSUP[^"]*; this kernel lacks the feature/,
      );
      return;
    }
    await untilState(member.agent, "active", GRACE_MS, "ipvlan");
    assert.match(run(member, "ip -o -d link show type ipvlan"), /iv63@eth1.*ipvlan +mode l2/);
    assert.match(run(member, "ip -o -4 address show dev iv63"), / 198\.51\.100\.63\/32 /);
  },

  "no_accept: the address answers ARP, but takes no packet": ({ cluster, member }) => {
    const { node } = cluster.observer;
    const answers = (address: string, ...more: readonly string[]): boolean =>
      node.exec("ping", ["-c1", "-W1", "-q", ...more, address]).status === 0;
    // Until it does.
    assert.ok(answers("192.0.2.60", "-w15"));
    assert.equal(macOf(cluster.observer, "192.0.2.69"), macText(member.eth0.mac));
    assert.ok(!answers("192.0.2.69"));
  },

  "promote_secondaries is switched on": ({ member }) => {
    const path = "/proc/sys/net/ipv4/conf/eth1/promote_secondaries";
    assert.equal(run(member, `cat ${path}`), "1\n");
  },

  "an address is announced as often as told, and again after the delay": async ({
    near,
    noise,
  }) => {
    const own = () => seenOf(near, "192.0.2.64");
    await eventually("both sets were seen", GRACE_MS, () => assert.ok(own().length >= 6));
    const [first, , third, fourth, , sixth] = own().map(({ at }) => at);
    const late = await noise();
    assert.ok(first !== undefined && third !== undefined && third - first < 0.2 + late);
    assert.ok(fourth !== undefined && sixth !== undefined && sixth - fourth < 0.2 + late);
    const delay = fourth - first;
    // The first set waited for the kernel to have the address; the second one counts from before.
    assert.ok(delay > 0.7 - late && delay < 1.5 + late, `${delay} s, noise ${late} s`);
  },

  "a lower priority makes it announce again": async ({ near, send }) => {
    const before = seenOf(near, "192.0.2.64").length;
    send({ source: GATEWAY, vrid: 64, priority: 1, addresses: ["192.0.2.64"] });
    await eventually("it was announced", GRACE_MS, () =>
      assert.ok(seenOf(near, "192.0.2.64").length >= before + 2),
    );
    assert.equal(seenOf(near, "192.0.2.64").length, before + 2);
  },

  "refreshes come as often as told": async ({ near, noise }) => {
    const own = () => seenOf(near, "192.0.2.65");
    await eventually("two of them were seen", GRACE_MS, () => assert.ok(own().length >= 5));
    const times = own().map(({ at }) => at - (own()[0]?.at ?? 0));
    const expected = [0, 1, 1, 2, 2];
    const late = await noise();
    for (const [at, wanted] of expected.entries()) {
      assert.ok(Math.abs((times[at] ?? Number.NaN) - wanted) < 0.2 + late, times.join(" "));
    }
  },

  "neighbour advertisements override, and name a router where there is one": ({
    near,
    far,
    member,
  }) => {
    const [host] = seenOf(near, "2001:db8::66");
    assert.deepEqual(host?.flags, { router: false, solicited: false, override: true });
    assert.equal(host.mac, macText(member.eth0.mac));
    const [router] = seenOf(far, "2001:db8:1::67");
    assert.deepEqual(router?.flags, { router: true, solicited: false, override: true });
    assert.ok(seenOf(near, "fe80::66").length >= 1);
  },
};

describe("holdings", { skip }, () => {
  after(nothingLeft);

  test("of one node", async (t) => {
    await Cluster.run([config], async (cluster) => {
      const member = cluster.member(0);
      const { agent, node } = member;
      const wan = cluster.lab.segment("wan");
      const beyond = cluster.lab.node("beyond");
      cluster.lab.attach(node, wan, {
        name: "eth1",
        addresses: ["198.51.100.1/24", "2001:db8:1::1/64"],
      });
      cluster.lab.attach(beyond, wan, { name: "eth0", addresses: ["198.51.100.250/24"] });
      node.sysctl("ipv6/conf/eth1/forwarding", "1");
      const before = everything(member);
      const metronome = await Metronome.start();
      t.after(() => metronome.close());
      let worst = 0;
      const noise = async (): Promise<number> => {
        worst = Math.max(worst, (await metronome.noise()) / 1_000);
        return worst;
      };
      const near = await cluster.capture("ip proto 112 or arp or icmp6");
      const far = await Capture.start(beyond, "eth0", "icmp6");
      const sender = cluster.observer.node.run(openFrameSender);
      const send = (packet: PacketText): void => {
        const { index, mac } = cluster.observer;
        assert.equal(sender.send(index, vrrpFrame(mac, packet)), undefined);
      };
      await agent.start();
      for (const name of Object.keys(instances)) {
        if (name === "ipvlan") continue;
        await untilState(agent, "active", GRACE_MS, name.replaceAll(" ", "_"));
      }
      for (const [name, step] of Object.entries(steps)) {
        await t.test(name, () => step({ cluster, member, near, far, send, noise }));
      }
      await t.test("after the stop everything is as it was before", async () => {
        assert.notDeepEqual(everything(member), before);
        assert.equal(await agent.stop(), 0);
        assert.deepEqual(everything(member), before);
      });
      sender.close();
      await far.stop();
    });
  });
});
