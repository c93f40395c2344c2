import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BfdSnapshot } from "../../agent/core/bfd/snapshot.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "../lab/agent.ts";
import { skip } from "../lab/cluster.ts";
import { eventually } from "../lab/eventually.ts";
import { Metronome } from "../lab/metronome.ts";
import { Pair } from "../lab/pair.ts";
import type { FrrBfdSettings } from "./frr-bfd.ts";
import { FrrBfd } from "./frr-bfd.ts";

/** A handshake takes two or three intervals of a second, and a busy machine may take its time. */
const UP_MS = 30_000;
const SOON_MS = 15_000;
/** More than three: whoever waits for a processor for a moment is not to be taken for dead. */
const MULTIPLIER = 6;
const DETECTION_MS = MULTIPLIER * 50;
/** From the end of the detection time to the word of it. */
const MARGIN_MS = 60;

type Way = "ipv4" | "ipv6" | "multihop";

const OURS = { ipv4: "192.0.2.1", ipv6: "2001:db8::1", multihop: "192.0.2.1" };
const THEIRS = { ipv4: "192.0.2.2", ipv6: "2001:db8::2", multihop: "198.51.100.2" };

const configuration = (way: Way, lines: readonly string[] = []): string => `bfd_instance frr {
  neighbor_ip ${THEIRS[way]}
  source_ip ${OURS[way]}
  min_rx 50
  min_tx 50
  multiplier ${MULTIPLIER}
  ${way === "multihop" ? "multihop\n  max_hops 5" : ""}
  ${lines.join("\n  ")}
}
`;

const frrSettings = (way: Way, change: Partial<FrrBfdSettings> = {}): FrrBfdSettings => ({
  peer: OURS[way],
  local: THEIRS[way],
  multihop: way === "multihop",
  passive: false,
  receive: 50,
  transmit: 50,
  multiplier: MULTIPLIER,
  ...change,
});

/** The node that FRR runs on: the second one, or for multihop one behind it. */
function farNode(pair: Pair, way: Way): LabNode {
  if (way !== "multihop") return pair.second.node;
  const far = pair.lab.node("far");
  const lan = pair.lab.segment("far");
  pair.lab.attach(pair.second.node, lan, { name: "eth1", addresses: ["198.51.100.1/24"] });
  pair.lab.attach(far, lan, { name: "eth0", addresses: ["198.51.100.2/24"] });
  pair.second.node.sysctl("ipv4/ip_forward", "1");
  const route = (node: LabNode, to: string, via: string): void => {
    const { status, stderr } = node.exec("ip", ["route", "add", to, "via", via]);
    assert.equal(status, 0, stderr);
  };
  route(far, "192.0.2.0/24", "198.51.100.1");
  route(pair.first.node, "198.51.100.0/24", "192.0.2.2");
  return far;
}

const sessionOf = async (agent: Agent): Promise<BfdSnapshot> => {
  const [first] = (await agent.status()).bfd.sessions;
  assert.ok(first !== undefined);
  return first;
};

const until = (
  what: string,
  agent: Agent,
  holds: (session: BfdSnapshot) => boolean,
  limit = SOON_MS,
): Promise<BfdSnapshot> =>
  eventually(what, limit, async () => {
    const session = await sessionOf(agent);
    assert.ok(holds(session), JSON.stringify(session));
    return session;
  });

const isQuick = ({ detectionTime }: BfdSnapshot): boolean => detectionTime === DETECTION_MS * 1_000;

interface Scene {
  readonly agent: Agent;
  readonly frr: FrrBfd;
}

/** Both up, with what each says of the other held equal. */
const meet = (
  way: Way,
  { ours = [], theirs = {} }: { ours?: readonly string[]; theirs?: Partial<FrrBfdSettings> },
  use: (scene: Scene) => Promise<void> = async () => undefined,
): Promise<void> =>
  Pair.run({}, async (pair) => {
    const agent = pair.add(new Agent(pair.first.node, configuration(way, ours)));
    const frr = pair.add(new FrrBfd(farNode(pair, way), frrSettings(way, theirs)));
    await frr.start();
    await agent.start();
    await until("we are up", agent, ({ state }) => state === "up", UP_MS);
    await eventually("FRR is up", SOON_MS, () => assert.equal(frr.peer().status, "up"));
    await until("detection is quick", agent, isQuick);
    await eventually("FRR knows our intervals", SOON_MS, () => {
      const peer = frr.peer();
      assert.equal(peer["remote-receive-interval"], 50);
      assert.equal(peer["remote-transmit-interval"], 50);
      assert.equal(peer["remote-detect-multiplier"], MULTIPLIER);
    });
    await use({ agent, frr });
    const { bfd } = await agent.status();
    assert.deepEqual(bfd.dropped, {});
  });

describe("BFD with FRR's bfdd", { skip, timeout: 180_000 }, () => {
  for (const way of ["ipv4", "ipv6", "multihop"] as const) {
    test(`${way}: both come up, and agree on their intervals`, () => meet(way, {}));
  }

  test("FRR is passive", () => meet("ipv4", { theirs: { passive: true } }));

  test("we are passive", () => meet("ipv4", { ours: ["passive"] }));

  test("intervals change in use, from either side, and nobody flaps", () =>
    meet("ipv4", {}, async ({ agent, frr }) => {
      frr.configure("transmit-interval 200", "receive-interval 100");
      const slower = await until(
        "FRR's poll is answered",
        agent,
        ({ detectionTime, transmitInterval }) =>
          detectionTime === MULTIPLIER * 200_000 && transmitInterval === 100_000,
      );
      assert.equal(slower.flaps, 0);
      agent.configure(configuration("ipv4").replace("min_tx 50", "min_tx 300"));
      assert.equal(agent.node.exec("kill", ["-HUP", String(agent.pid)]).status, 0);
      await eventually("our poll is answered", SOON_MS, () =>
        assert.equal(frr.peer()["remote-transmit-interval"], 300),
      );
      await until("we send slower", agent, ({ transmitInterval }) => transmitInterval === 300_000);
      frr.configure("transmit-interval 50", "receive-interval 50");
      const quick = await until("back again", agent, isQuick);
      assert.equal(quick.flaps, 0);
      assert.equal(frr.peer().status, "up");
    }));

  test("FRR shuts its session down, and brings it back", () =>
    meet("ipv4", {}, async ({ agent, frr }) => {
      frr.configure("shutdown");
      const down = await until("we are told", agent, ({ state }) => state === "down");
      assert.equal(down.lastChange.reason, "neighbour-shut-down");
      frr.configure("no shutdown");
      await until("we are up again", agent, ({ state }) => state === "up", UP_MS);
      assert.equal((await sessionOf(agent)).flaps, 1);
    }));

  test("we stop, and FRR is told so", () =>
    Pair.run({}, async (pair) => {
      const agent = pair.add(new Agent(pair.first.node, configuration("ipv4")));
      const frr = pair.add(new FrrBfd(pair.second.node, frrSettings("ipv4")));
      await frr.start();
      await agent.start();
      await until("we are up", agent, ({ state }) => state === "up", UP_MS);
      await agent.stop();
      await eventually("FRR knows", SOON_MS, () => {
        const { status, diagnostic } = frr.peer();
        assert.deepEqual([status, diagnostic], ["down", "neighbor signaled session down"]);
        assert.equal(frr.peer()["remote-diagnostic"], "administratively down");
      });
    }));

  test("FRR dies without a word: it is found within the detection time", async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    await meet("ipv4", {}, async ({ agent, frr }) => {
      await metronome.noise();
      const died = Date.now();
      frr.die();
      const down = await until("its death is found", agent, ({ state }) => state === "down");
      const noise = await metronome.noise();
      assert.equal(down.diagnostic, "detection-time-expired");
      const took = down.lastChange.at - died;
      assert.ok(took > DETECTION_MS / 3, `${took} ms`);
      assert.ok(took < DETECTION_MS + MARGIN_MS + noise, `${took} ms, noise ${noise} ms`);
    });
  });

  test("we die without a word: FRR finds it", () =>
    meet("ipv4", {}, async ({ agent, frr }) => {
      await agent.killAll();
      await eventually("FRR knows", SOON_MS, () => {
        const { status, diagnostic } = frr.peer();
        assert.deepEqual([status, diagnostic], ["down", "control detection time expired"]);
      });
      await agent.start();
      await until("we are up again", agent, ({ state }) => state === "up", UP_MS);
    }));
});
