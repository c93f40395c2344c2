import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { AddressWatch } from "./address-watch.ts";
import { Capture } from "./capture.ts";

/** Advertisements of every kind. */
const ADVERTISEMENTS = "ip proto 112 or ip proto 51 or ip6 proto 112";

/** A router under test, whoever wrote it. */
export interface Program {
  readonly node: LabNode;
  readonly log: string;
  /** Resolves when it runs; it need not have decided anything yet. */
  start(): Promise<void>;
  /** As an operator does it: its addresses are gone when this resolves. */
  stop(): Promise<unknown>;
  dispose(): void;
}

export interface PairPlan {
  /** Name of the interface on both nodes. */
  readonly link?: string;
  /** With prefix length, of the first and the second node. */
  readonly addresses?: readonly [readonly string[], readonly string[]];
}

/** Two machines on one switch, whatever runs on them, and who watches them. */
export class Pair {
  readonly lab = new Lab();
  readonly lan = this.lab.segment("lan");
  readonly first: LabInterface;
  readonly second: LabInterface;
  readonly #programs: Program[] = [];
  readonly #watches: AddressWatch[] = [];

  private constructor({ link = "eth0", addresses }: PairPlan) {
    const attach = (host: 1 | 2): LabInterface =>
      this.lab.attach(this.lab.node(host === 1 ? "first" : "second"), this.lan, {
        name: link,
        addresses: addresses?.[host - 1] ?? [`192.0.2.${host}/24`, `2001:db8::${host}/64`],
      });
    this.first = attach(1);
    this.second = attach(2);
  }

  /** Builds the pair, hands it to `use`, and takes it down, whatever happens. */
  static async run(plan: PairPlan, use: (pair: Pair) => Promise<void>): Promise<void> {
    const pair = new Pair(plan);
    try {
      await use(pair);
    } catch (error) {
      const logs = pair.#programs.map(({ node, log }) => `--- ${node.name}\n${log.slice(-3_000)}`);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n${logs.join("\n")}`, { cause: error });
    } finally {
      for (const watch of pair.#watches) watch.close();
      for (const program of pair.#programs) program.dispose();
      pair.lab.dispose();
    }
  }

  get nodes(): readonly [LabNode, LabNode] {
    return [this.first.node, this.second.node];
  }

  /** Has the program disposed of with the pair, and its log shown when the test fails. */
  add<Kind extends Program>(program: Kind): Kind {
    this.#programs.push(program);
    return program;
  }

  async watch(address: string, nodes: readonly LabNode[] = this.nodes): Promise<AddressWatch> {
    const watch = await AddressWatch.start(nodes, address);
    this.#watches.push(watch);
    return watch;
  }

  /** On the second node's interface, where unicast of both passes as well. */
  capture(filter = ADVERTISEMENTS): Promise<Capture> {
    return Capture.start(this.second.node, this.second.name, filter);
  }
}
