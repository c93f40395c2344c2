import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { describe, test } from "node:test";
import type { BfdSnapshot } from "../../agent/core/bfd/snapshot.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "../lab/agent.ts";
import { skip } from "../lab/cluster.ts";
import { eventually } from "../lab/eventually.ts";
import { Keepalived } from "../lab/keepalived.ts";
import { Pair } from "../lab/pair.ts";

/** On a busy machine. */
const UP_MS = 30_000;
const SOON_MS = 15_000;
/** More than three: whoever waits for a processor for a moment is not to be taken for dead. */
const MULTIPLIER = 6;

/** Debian's keepalived with its BFD process, which `Keepalived.start` leaves out. */
class WithBfd extends Keepalived {
  #child: ChildProcess | undefined;

  override start(): Promise<void> {
    const file = (name: string): string => `${this.folder}/${name}`;
    const child = this.node.spawn(
      "keepalived",
      [
        ...["--dont-fork", "--log-console", "--log-detail", "-f", file("keepalived.conf")],
        ...["-p", file("pid"), "-r", file("vrrp.pid"), "-c", file("checkers.pid")],
        ...["-b", file("bfd.pid")],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
    return Promise.resolve();
  }

  reload(config: string): void {
    this.configure(config);
    this.#child?.kill("SIGHUP");
  }

  override dispose(): void {
    this.#child?.kill("SIGKILL");
    super.dispose();
  }
}

const session = (neighbour: string, source: string, lines: readonly string[]): string =>
  `bfd_instance peer {
  neighbor_ip ${neighbour}
  source_ip ${source}
  min_rx 50
  min_tx 50
  multiplier ${MULTIPLIER}
  ${lines.join("\n  ")}
}
`;

/** keepalived runs no BFD without somebody who looks at it. */
const ROUTER = `vrrp_instance V {
  interface eth0
  virtual_router_id 9
  virtual_ipaddress {
    192.0.2.99/32
  }
  track_bfd {
    peer
  }
}
`;

interface Lines {
  readonly ours?: readonly string[];
  readonly theirs?: readonly string[];
}

const ADDRESSES = {
  ipv4: ["192.0.2.1", "192.0.2.2"],
  ipv6: ["2001:db8::1", "2001:db8::2"],
} as const;

const sessionOf = async (agent: Agent): Promise<BfdSnapshot> => {
  const [first] = (await agent.status()).bfd.sessions;
  assert.ok(first !== undefined);
  return first;
};

const meet = (
  family: "ipv4" | "ipv6",
  { ours = [], theirs = [] }: Lines,
  use: (agent: Agent, peer: WithBfd, nodes: readonly LabNode[]) => Promise<void> = async () =>
    undefined,
): Promise<void> =>
  Pair.run({}, async (pair) => {
    const [mine, yours] = ADDRESSES[family];
    const agent = pair.add(new Agent(pair.first.node, session(yours, mine, ours)));
    const text = session(mine, yours, theirs) + ROUTER;
    const peer = pair.add(new WithBfd(pair.second.node, text));
    await peer.start();
    await agent.start();
    await eventually("we are up, and quick", UP_MS, async () => {
      const { state, detectionTime, transmitInterval } = await sessionOf(agent);
      assert.deepEqual(
        [state, detectionTime, transmitInterval],
        ["up", MULTIPLIER * 50_000, 50_000],
      );
    });
    await eventually("keepalived is up", SOON_MS, () => {
      assert.match(peer.log, /Tracked BFD instance peer is UP/);
    });
    await use(agent, peer, pair.nodes);
    const { flaps } = await sessionOf(agent).catch(() => ({ flaps: 0 }));
    assert.equal(flaps, 0);
  });

describe("BFD with keepalived", { skip, timeout: 180_000 }, () => {
  test("IPv4: both come up", () => meet("ipv4", {}));

  test("IPv6: keepalived has to be told of 255, as RFC 5881 asks for", () =>
    meet("ipv6", { theirs: ["hoplimit 255"] }));

  test("IPv6: or we are told of its 64", () => meet("ipv6", { ours: ["hoplimit 64"] }));

  test("keepalived is passive", () => meet("ipv4", { theirs: ["passive"] }));

  test("we are passive", () => meet("ipv4", { ours: ["passive"] }));

  test("either changes its intervals by a reload, and nobody flaps", () =>
    meet("ipv4", {}, async (agent, peer) => {
      const [mine, yours] = ADDRESSES.ipv4;
      const slow = (text: string): string => text.replace("min_tx 50", "min_tx 200");
      peer.reload(slow(session(mine, yours, [])) + ROUTER);
      await eventually("keepalived's poll is answered", SOON_MS, async () => {
        assert.equal((await sessionOf(agent)).detectionTime, MULTIPLIER * 200_000);
      });
      agent.configure(slow(session(yours, mine, [])));
      process.kill(agent.pid, "SIGHUP");
      await eventually("our poll is answered", SOON_MS, async () => {
        assert.equal((await sessionOf(agent)).transmitInterval, 200_000);
        assert.match(peer.log, /remote +200000 +50000/);
      });
      assert.equal(peer.log.split("Entering Up state").length, 2);
    }));

  test("we stop, and keepalived is told why", () =>
    meet("ipv4", {}, async (agent, peer) => {
      await agent.stop();
      await eventually("keepalived knows", SOON_MS, () => {
        assert.match(peer.log, /Remote diagnostic - Administratively Down/);
      });
    }));
});
