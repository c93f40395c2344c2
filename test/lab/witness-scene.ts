import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import { ArpAsker, arpAnswers } from "./arp-asker.ts";
import { macText } from "./arp-frames.ts";
import type { Capture } from "./capture.ts";
import type { Member } from "./cluster.ts";
import { Cluster, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { StoreLine } from "./store-line.ts";
import type { Ensemble } from "./stores/ensemble.ts";

/* Two nodes that need leave of a store, or of a fence agent, before they hold the address. */

const OBSERVER = "192.0.2.250" as IpAddress;
export const ETCD_TTL = 2;
/** The nodes' ways to the stores lead through this process: it is to have time for them. */
const ASKED_MS = 20;
/** What busy machine and store may add. */
export const SLACK_MS = 2_500;
export const STARTED_MS = 20_000;
/** Slow enough that a busy machine finishes a preemption before anybody thinks that somebody is gone. */
const ADVERTISED_S = 0.3;

interface Plan {
  readonly global?: readonly string[];
  readonly instance?: readonly string[];
  readonly store?: Ensemble | undefined;
  /** holdfast.conf, for a folder of the node's own. */
  readonly settings: (folder: string) => readonly string[];
}

/** Nodes a and b, who answers for the address, and each one's way to the store. */
export class Scene {
  readonly cluster: Cluster;
  readonly lines: readonly StoreLine[];
  readonly #capture: Capture;
  readonly #asker: ArpAsker;
  /** Frames of the capture that were read, and who answered when. */
  #read = 0;
  readonly #answers = new Map<string, number[]>();

  private constructor(cluster: Cluster, lines: readonly StoreLine[], capture: Capture) {
    this.cluster = cluster;
    this.lines = lines;
    this.#capture = capture;
    this.#asker = new ArpAsker(cluster.observer, SERVICE as IpAddress, OBSERVER, ASKED_MS);
  }

  static async run(plan: Plan, use: (scene: Scene) => Promise<void>): Promise<void> {
    const { global = [], instance = [], settings, store } = plan;
    const configs = [200, 100].map((priority) =>
      configText(
        [{ priority, interval: ADVERTISED_S, addresses: [`${SERVICE}/32`], more: instance }],
        global,
      ),
    );
    let scene: Scene | undefined;
    try {
      await Cluster.run(configs, async (cluster) => {
        const lines = cluster.nodes.map((node) => new StoreLine(node, store?.ports ?? []));
        for (const { agent } of cluster.members) {
          const text = settings(agent.folder).join("\n");
          writeFileSync(join(agent.folder, "holdfast.conf"), `${text}\n`, { mode: 0o600 });
        }
        scene = new Scene(cluster, lines, await cluster.capture("arp"));
        await use(scene);
      });
    } finally {
      scene?.close();
      for (const server of store?.servers ?? []) await server.dispose();
    }
  }

  get a(): Member {
    return this.cluster.member(0);
  }

  get b(): Member {
    return this.cluster.member(1);
  }

  async start(...members: readonly Member[]): Promise<void> {
    await Promise.all(
      members.map(({ agent }) => agent.start("--settings", join(agent.folder, "holdfast.conf"))),
    );
  }

  /** Both, and the first one is active. */
  async startBoth(): Promise<void> {
    await this.start(this.a);
    await untilState(this.a.agent, "active", STARTED_MS);
    await this.start(this.b);
    await this.settled();
    await this.answeredBy(this.a);
  }

  /** The first one is active, as it is at last. */
  async settled(): Promise<void> {
    await untilState(this.b.agent, "backup", STARTED_MS);
    await untilState(this.a.agent, "active", STARTED_MS);
  }

  /** Milliseconds from `since` (performance.now) to the first answer of this one. */
  async answeredBy(member: Member, since = performance.now(), withinMs = 10_000): Promise<number> {
    await eventually(`${member.node.name} answers`, withinMs, () =>
      assert.ok(this.answers(member, since).length > 0),
    );
    return (this.answers(member, since)[0] ?? 0) - since;
  }

  /** When this one answered, by performance.now. */
  answers({ eth0 }: Member, since = 0): readonly number[] {
    const mac = macText(eth0.mac);
    const { frames } = this.#capture;
    const fresh = frames.slice(this.#read);
    this.#read = frames.length;
    for (const answer of arpAnswers(fresh, this.cluster.observer.mac)) {
      const at = answer.at * 1_000 - performance.timeOrigin;
      const known = this.#answers.get(answer.mac) ?? [];
      known.push(at);
      this.#answers.set(answer.mac, known);
    }
    return (this.#answers.get(mac) ?? []).filter((at) => at >= since);
  }

  /** The last answer of the one comes before the first one of the other. */
  neverBoth(from: Member, to: Member, since: number): number {
    const last = this.answers(from, since).at(-1) ?? since;
    const first = this.answers(to, since)[0] ?? Number.POSITIVE_INFINITY;
    assert.ok(last < first, `both answered for ${(last - first).toFixed(1)} ms`);
    return first - last;
  }

  /** The longest time since then without an answer of anybody. */
  longestPause(since: number): number {
    const all = [this.a, this.b].flatMap((one) => this.answers(one, since)).sort((x, y) => x - y);
    return Math.max(0, ...all.slice(1).map((at, each) => at - (all[each] ?? at)));
  }

  /** Nobody at all answers any more from some time on within the limit; when that was. */
  async silent(since: number, withinMs: number): Promise<number> {
    const all = () => [this.a, this.b].flatMap((one) => this.answers(one, since));
    await eventually("nobody answers", withinMs, () =>
      assert.ok(performance.now() - Math.max(since, ...all()) > 500),
    );
    return Math.max(since, ...all()) - since;
  }

  close(): void {
    this.#asker.close();
    for (const line of this.lines) line.close();
  }
}

/** Neither hears the other's advertisements; everything else passes. */
export function separate({ node }: Member): void {
  const rules = `table inet deaf {
  chain input { type filter hook input priority -400; ip protocol 112 drop; }
}`;
  const { status, stderr } = node.exec("nft", ["-f", "-"], rules);
  assert.equal(status, 0, stderr);
}

export const rejoin = ({ node }: Member): void => {
  node.exec("nft", ["delete", "table", "inet", "deaf"]);
};

export const etcdSettings = (
  { ports }: Ensemble,
  ...more: readonly string[]
): readonly string[] => [
  "witness etcd {",
  ...ports.map((port) => `  endpoint http://127.0.0.1:${port}`),
  `  ttl ${ETCD_TTL}`,
  ...more,
  "}",
];

export function reload(member: Member, settings: readonly string[]): Promise<string> {
  writeFileSync(join(member.agent.folder, "holdfast.conf"), `${settings.join("\n")}\n`);
  return reloaded(member);
}

/** Resolves when what has become of a reload is told. */
export async function reloaded({ agent }: Member): Promise<string> {
  const heard = agent.events.length;
  process.kill(agent.pid, "SIGHUP");
  const about = ({ kind }: AgentEvent) => kind === "configuration";
  return (await untilEvent(agent, heard, "the reload", STARTED_MS, about)).message;
}

/** A fence agent that keeps what it was told; `last` is its last line. */
export function fenceSettings(folder: string, last: string, timeout: number): readonly string[] {
  const program = join(folder, "fence_lab");
  writeFileSync(program, `#!/bin/sh\ncat >>${folder}/told\n${last}\n`, { mode: 0o755 });
  return [
    "fence pdu {",
    `  program ${program}`,
    "  option ip 192.0.2.9",
    `  timeout ${timeout}`,
    "}",
  ];
}

export const told = ({ agent }: Member): string => {
  try {
    return readFileSync(join(agent.folder, "told"), "utf8");
  } catch {
    return "";
  }
};

export const ms = (time: number): string => `${time.toFixed(0)} ms`;
