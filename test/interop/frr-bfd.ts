import type { ChildProcess } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { eventually } from "../lab/eventually.ts";
import type { Program } from "../lab/pair.ts";

const DAEMONS = "/usr/lib/frr";
const STARTED_MS = 20_000;

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
  readonly folder: string;
  log = "";
  readonly #children: ChildProcess[] = [];
  readonly #settings: FrrBfdSettings;

  constructor(node: LabNode, settings: FrrBfdSettings) {
    this.node = node;
    this.#settings = settings;
    this.folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-${node.name}-`));
    writeFileSync(join(this.folder, "bfdd.conf"), configuration(settings));
    // The daemons insist on their own user, and put their sockets here.
    const { uid, gid } = statSync("/etc/frr");
    chownSync(this.folder, uid, gid);
  }

  async start(): Promise<void> {
    this.#spawn("zebra", "/dev/null");
    await this.#speaking("zebra", "show version");
    this.#spawn("bfdd", join(this.folder, "bfdd.conf"), "--bfdctl", join(this.folder, "bfdctl"));
    await this.#speaking("bfdd", "show bfd peers");
  }

  stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGTERM");
    return Promise.resolve();
  }

  /** As `kill -9` does it: the neighbour hears nothing more. */
  die(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  dispose(): void {
    this.die();
    rmSync(this.folder, { recursive: true, force: true });
  }

  peer(): FrrPeer {
    const [first] = JSON.parse(this.#ask(["show bfd peers json"])) as readonly FrrPeer[];
    if (first === undefined) throw new Error("bfdd has no session");
    return first;
  }

  /** Lines in the block of the session. */
  configure(...lines: readonly string[]): void {
    this.#ask(["configure terminal", "bfd", peerLine(this.#settings), ...lines]);
  }

  #spawn(daemon: string, config: string, ...more: readonly string[]): void {
    const file = (name: string): string => join(this.folder, name);
    const child = this.node.spawn(
      join(DAEMONS, daemon),
      [
        ...["--vty_socket", this.folder, "-z", file("zserv.api"), "-i", file(`${daemon}.pid`)],
        ...["-P", "0", "--log", "stdout", "-f", config, ...more],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#children.push(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
  }

  #speaking(daemon: string, command: string): Promise<unknown> {
    return eventually(`${daemon} answers`, STARTED_MS, () => this.#ask([command], daemon));
  }

  #ask(commands: readonly string[], daemon = "bfdd"): string {
    const { status, stdout, stderr } = this.node.exec("vtysh", [
      ...["--vty_socket", this.folder, "-d", daemon],
      ...commands.flatMap((command) => ["-c", command]),
    ]);
    if (status !== 0) throw new Error(`${daemon}: ${stdout}${stderr}\n${this.log}`);
    return stdout;
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
