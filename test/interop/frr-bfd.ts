import { join } from "node:path";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Program } from "../lab/pair.ts";
import { FrrDaemons } from "./frr-daemons.ts";

export interface FrrBfdSettings {
  readonly peer: string;
  readonly local: string;
  readonly multihop: boolean;
  readonly passive: boolean;
  /** Milliseconds. */
  readonly receive: number;
  readonly transmit: number;
  readonly multiplier: number;
}

/** What bfdd says of its one session. */
export interface FrrPeer {
  readonly status: string;
  readonly diagnostic: string;
  readonly "remote-diagnostic": string;
  readonly "remote-receive-interval": number;
  readonly "remote-transmit-interval": number;
  readonly "remote-detect-multiplier": number;
}

/** FRR's zebra and bfdd on a node of the lab, with one session. */
export class FrrBfd implements Program {
  readonly node: LabNode;
  readonly #daemons: FrrDaemons;
  readonly #settings: FrrBfdSettings;

  constructor(node: LabNode, settings: FrrBfdSettings) {
    this.node = node;
    this.#settings = settings;
    this.#daemons = new FrrDaemons(node, configuration(settings));
  }

  get log(): string {
    return this.#daemons.log;
  }

  start(): Promise<void> {
    const control = join(this.#daemons.folder, "bfdctl");
    return this.#daemons.start("bfdd", "show bfd peers", "--bfdctl", control);
  }

  stop(): Promise<void> {
    this.#daemons.kill("SIGTERM");
    return Promise.resolve();
  }

  /** As `kill -9` does it: the neighbour hears nothing more. */
  die(): void {
    this.#daemons.kill("SIGKILL");
  }

  dispose(): void {
    this.#daemons.dispose();
  }

  peer(): FrrPeer {
    const [first] = JSON.parse(
      this.#daemons.ask("bfdd", "show bfd peers json"),
    ) as readonly FrrPeer[];
    if (first === undefined) throw new Error("bfdd has no session");
    return first;
  }

  /** Lines in the block of the session. */
  configure(...lines: readonly string[]): void {
    this.#daemons.ask("bfdd", ...["configure terminal", "bfd", peerLine(this.#settings), ...lines]);
  }
}

const peerLine = ({ peer, local, multihop }: FrrBfdSettings): string =>
  `peer ${peer} ${multihop ? "multihop " : ""}local-address ${local}${multihop ? "" : " interface eth0"}`;

const configuration = (settings: FrrBfdSettings): string => `bfd
 ${peerLine(settings)}
  detect-multiplier ${settings.multiplier}
  receive-interval ${settings.receive}
  transmit-interval ${settings.transmit}
${settings.passive ? "  passive-mode\n" : ""}${settings.multihop ? "  minimum-ttl 250\n" : ""}  no shutdown
`;
