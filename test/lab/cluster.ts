import assert from "node:assert/strict";
import { getuid } from "node:process";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import type { RouterSnapshot } from "../../agent/core/vrrp/snapshot.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Segment } from "../../agent/linux/lab.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { AddressWatch } from "./address-watch.ts";
import { Agent } from "./agent.ts";
import { Capture } from "./capture.ts";
import { eventually } from "./eventually.ts";

/** Why a lab cannot be built here; `false` when it can. */
export const skip: string | false = getuid?.() === 0 ? false : "needs root, for network namespaces";

/** One node of a cluster with its agent. */
export interface Member {
  readonly node: LabNode;
  readonly eth0: LabInterface;
  /** The node's own address. */
  readonly address: string;
  readonly agent: Agent;
}

/** Agents on one switch, 192.0.2.1 and up, and an observer, 192.0.2.250, who hears all of them. */
export class Cluster {
  readonly lab = new Lab();
  readonly lan: Segment;
  readonly observer: LabInterface;
  readonly members: readonly Member[];
  readonly #closing: (() => void)[] = [];

  private constructor(configs: readonly string[]) {
    this.lan = this.lab.segment("lan");
    this.observer = this.#attach("observer", 250);
    this.members = configs.map((config, at) => {
      const eth0 = this.#attach(String.fromCharCode(97 + at), at + 1);
      const { node } = eth0;
      return { node, eth0, address: `192.0.2.${at + 1}`, agent: new Agent(node, config) };
    });
  }

  /** Builds the network, hands it to `use`, and takes it down, whatever happens. */
  static async run(
    configs: readonly string[],
    use: (cluster: Cluster) => Promise<void>,
  ): Promise<void> {
    const cluster = new Cluster(configs);
    try {
      await use(cluster);
    } catch (error) {
      for (const { node, agent } of cluster.members) {
        process.stderr.write(`--- ${node.name}\n${agent.log.slice(-4_000)}`);
      }
      throw error;
    } finally {
      cluster.dispose();
    }
  }

  get nodes(): readonly LabNode[] {
    return this.members.map(({ node }) => node);
  }

  member(at: number): Member {
    const member = this.members[at];
    assert.ok(member !== undefined);
    return member;
  }

  async start(): Promise<void> {
    await Promise.all(this.members.map(({ agent }) => agent.start()));
  }

  async watch(address: string): Promise<AddressWatch> {
    const watch = await AddressWatch.start(this.nodes, address);
    this.#closing.push(() => watch.close());
    return watch;
  }

  /** What the observer sees; `filter` is tcpdump's. */
  async capture(filter: string): Promise<Capture> {
    const capture = await Capture.start(this.observer.node, "eth0", filter);
    this.#closing.push(() => void capture.stop());
    return capture;
  }

  dispose(): void {
    for (const close of this.#closing) close();
    for (const { agent } of this.members) agent.dispose();
    this.lab.dispose();
  }

  #attach(name: string, host: number): LabInterface {
    return this.lab.attach(this.lab.node(name), this.lan, {
      name: "eth0",
      addresses: [`192.0.2.${host}/24`, `2001:db8::${host}/64`],
    });
  }
}

/** One virtual router of an agent, as its status has it. */
export async function routerOf(agent: Agent, name = "V"): Promise<RouterSnapshot> {
  const { routers } = await agent.status();
  const router = routers.find((one) => one.name === name);
  assert.ok(router !== undefined, `${name} is not in the status`);
  return router;
}

/** Resolves when this router is in this state. */
export const untilState = (
  agent: Agent,
  state: RouterSnapshot["state"],
  timeoutMs: number,
  name = "V",
): Promise<RouterSnapshot> =>
  eventually(`${name} on ${agent.node.name} is ${state}`, timeoutMs, async () => {
    const router = await routerOf(agent, name);
    assert.equal(router.state, state);
    return router;
  });

/** Resolves with the first event from `start` on that is wanted. */
export const untilEvent = (
  agent: Agent,
  start: number,
  what: string,
  timeoutMs: number,
  wanted: (event: AgentEvent) => boolean,
): Promise<AgentEvent> =>
  eventually(`${agent.node.name} tells of ${what}`, timeoutMs, () => {
    const event = agent.events.slice(start).find(wanted);
    assert.ok(event !== undefined);
    return event;
  });

/** What this router went through from event number `start` on, up to now, as "backup to active". */
export async function allTransitions(
  agent: Agent,
  start = 0,
  name = "V",
): Promise<readonly string[]> {
  await agent.heard();
  return transitions(agent, start, name);
}

/** The same, as far as it was heard of. */
export const transitions = (agent: Agent, start = 0, name = "V"): readonly string[] =>
  agent.events
    .slice(start)
    .filter(({ kind, subject }) => kind === "transition" && subject === name)
    .map(({ detail: { from, to } }) => `${from} to ${to}`);
