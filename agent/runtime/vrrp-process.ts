import type { Config, InstanceConfig, NetlinkReceiveBuffers } from "../config/config.ts";
import type { BfdSnapshot } from "../core/bfd/snapshot.ts";
import { plainEqual } from "../core/plain-equal.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import { KernelError } from "../ports/error.ts";
import type { ParentChannel } from "../ports/processes.ts";
import type { FromVrrp, Problem, ToVrrp } from "./ipc.ts";
import { IPC_VERSION, parts, ROUTERS_PER_MESSAGE } from "./ipc.ts";
import { Node } from "./node.ts";
import type { Notary, ReservedEntry } from "./wills.ts";
import type { World } from "./world.ts";

/** What the vrrp process needs, besides a way to its supervisor. */
export interface VrrpProcessPorts {
  /** Opens sockets and netlink. Throws a KernelError. */
  readonly open: (report: World["report"], buffers: NetlinkReceiveBuffers) => Promise<World>;
  /** As much as one turn of the event loop lets others run. */
  readonly yieldTurn: () => Promise<void>;
  /** Moves this process into a network namespace by name. Throws a KernelError. */
  readonly enterNamespace: (name: string) => void;
  /**
   * Makes this process the one that holds addresses in its network namespace; another one is waited for so
   * long. Throws a KernelError.
   */
  readonly claimNamespace: (patienceMs: number) => Promise<void>;
  /**
   * Applies priorities, affinity, names, before each configuration. Answers in words what the kernel
   * refused.
   */
  readonly prepare: (config: Config) => readonly string[];
  /** Says it without the supervisor, which writes the log. Never throws. */
  readonly lastWord: (message: string) => void;
  readonly exit: (status: number) => void;
}

/** What is fixed when the world is opened. */
interface Surroundings {
  readonly namespace: string | undefined;
  readonly buffers: NetlinkReceiveBuffers;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Less than the supervisor waits for the end of this process. */
const PATIENCE_MS = 3_000;

const ORPHANED = "the supervisor is gone: the addresses of this node are given back, and it ends";

const USUAL: Surroundings = {
  namespace: undefined,
  buffers: { announcements: undefined, answers: undefined },
};

/** The vrrp process: a node that is driven over the channel to its supervisor. */
export class VrrpProcess {
  readonly #channel: ParentChannel;
  readonly #ports: VrrpProcessPorts;
  #node: Promise<Node>;
  #world: World | undefined;
  /** Configurations and the stop run one after another, in the order in which they came. */
  #work: Promise<void> = Promise.resolve();
  #instances: InstanceConfig[] = [];
  #surroundings: Surroundings = USUAL;
  #reserved: ReadonlyMap<ReservedEntry[0], ReservedEntry[1]> = new Map();
  readonly #notary: Notary = {
    keep: (changed) => {
      for (const entries of parts(changed)) this.#send({ kind: "wills", entries });
    },
    reserved: (name) => this.#reserved.get(name),
  };
  #configured = false;
  #tidied = false;
  #reportAddresses = false;
  #stopping = false;

  constructor(channel: ParentChannel, ports: VrrpProcessPorts) {
    this.#channel = channel;
    this.#ports = ports;
    this.#node = this.#open();
    // Whoever needs the node hears of it; nobody else does.
    this.#node.catch(() => undefined);
    channel.listen(
      (message) => this.#hear(message as ToVrrp),
      () => this.#orphaned(),
    );
    this.#send({ kind: "ready", version: IPC_VERSION });
  }

  /** Without a supervisor nobody would start us again: let a peer have the addresses. */
  #orphaned(): void {
    if (!this.#stopping) this.#ports.lastWord(ORPHANED);
    this.stop();
  }

  /** Resigns everywhere, and ends. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#send({ kind: "stopping" });
    this.#then(async () => {
      const node = await this.#node.catch(() => undefined);
      // Whoever was never told anything else is where an agent without net_namespace was before.
      await this.#tidy(0).catch(() => undefined);
      const whole = (await node?.stop()) ?? true;
      await this.#close(whole);
      this.#send({ kind: "stopped" });
      // As if it had died: the supervisor removes what it can, and leases go back only if that was all.
      this.#ports.exit(whole ? 0 : 1);
    });
  }

  async #open(): Promise<Node> {
    this.#world = await this.#ports.open(
      (report) => this.#send({ kind: "event", report }),
      this.#surroundings.buffers,
    );
    return new Node(this.#world, this.#notary, (wish) => this.#send(wish));
  }

  /**
   * Removes what an earlier run left, in the namespace that the configuration names and in no other, and only
   * where no agent runs: its addresses carry the same mark.
   */
  async #tidy(patienceMs: number): Promise<void> {
    if (this.#tidied || this.#world === undefined) return;
    // Once: whoever was refused touches nothing.
    this.#tidied = true;
    await this.#ports.claimNamespace(patienceMs);
    const { network, acceptFilter } = this.#world;
    const { addresses, links, left } = await network.removeLeftovers();
    if (addresses + links > 0) {
      const level = "warn" as const;
      const message = `removed ${addresses} addresses and ${links} links that an earlier run left`;
      this.#send({ kind: "log", level, message });
    }
    // After the addresses: until then nobody may get at them.
    if (!left && (await acceptFilter.removeLeftovers())) {
      const message =
        "removed the packet filter (tables inet and arp holdfast) that an earlier run left";
      this.#send({ kind: "log", level: "warn", message });
    }
  }

  #hear(message: ToVrrp): void {
    switch (message.kind) {
      case "ping":
        this.#send({ kind: "pong", id: message.id });
        break;
      case "stop":
        this.stop();
        break;
      case "instances":
        this.#instances.push(...message.instances);
        return;
      case "configure": {
        const config: Config = { ...message.frame, instances: this.#instances };
        this.#instances = [];
        const { generation, awaitDirector } = message;
        this.#reserved = new Map(message.reserved);
        this.#then(() => this.#configure(generation, config, awaitDirector));
        break;
      }
      case "snapshot":
        this.#apart(this.#snapshot(message.id));
        break;
      case "journal":
        this.#apart(this.#journal(message.id));
        break;
      case "report-addresses":
        this.#reportAddresses = true;
        this.#apart(this.#node.then(() => this.#watchAddresses()));
        break;
      case "readings":
      case "claims":
      case "director-lost":
        this.#apart(this.#node.then((node) => node.heard(message)));
        break;
      case "mandate":
        this.#apart(this.#node.then((node) => node.mandates.heard(message)));
        break;
      case "witness-lost":
        this.#apart(this.#node.then((node) => node.mandates.witnessLost()));
        break;
    }
  }

  async #configure(generation: number, config: Config, awaitDirector: boolean): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#settleIn(config);
      const node = await this.#node;
      await this.#tidy(PATIENCE_MS);
      for (const message of this.#ports.prepare(config)) {
        this.#send({ kind: "log", level: "warn", message });
      }
      const plan = await node.configure(config, awaitDirector);
      this.#configured = true;
      this.#send({ kind: "configured", generation, plan });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#send({ kind: "refused", generation, problem: problemOf(error) });
    }
  }

  /**
   * The world is open before the configuration is known, as it seldom says anything about that. Later
   * it stays as it is: another one would cost every router its role.
   */
  async #settleIn({ global }: Config): Promise<void> {
    const { netNamespace: namespace, netlinkReceiveBuffers: buffers } = global;
    const wanted = { namespace, buffers };
    if (plainEqual(wanted, this.#surroundings, NOTHING)) return;
    if (this.#configured) {
      const message =
        "net_namespace and the buffers of netlink take effect when the agent is started again";
      this.#send({ kind: "log", level: "warn", message });
      return;
    }
    const node = await this.#node;
    await node.stop();
    await this.#close();
    this.#world = undefined;
    if (namespace !== undefined) this.#ports.enterNamespace(namespace);
    this.#surroundings = wanted;
    this.#node = this.#open();
    await this.#node;
    if (this.#reportAddresses) this.#watchAddresses();
  }

  #watchAddresses(): void {
    const network = this.#world?.network;
    network?.subscribe((event) => {
      if (event.kind !== "address-added" && event.kind !== "address-removed") return;
      const { address, prefixLength, interfaceIndex } = event.address;
      const name = network.links().get(interfaceIndex)?.name ?? `interface ${interfaceIndex}`;
      const what = event.kind === "address-added" ? "there now" : "gone";
      const message = `${name}: ${address}/${prefixLength} is ${what}`;
      this.#send({ kind: "log", level: "info", message });
    });
  }

  /** @param whole nothing is left that the packet filter is in front of */
  async #close(whole = true): Promise<void> {
    if (whole) {
      await this.#world?.gate.close();
      await this.#world?.acceptFilter.close();
    }
    this.#world?.holderProbes.close();
    this.#world?.network.close();
    this.#world?.frames.close();
  }

  /** In pieces, with turns of the event loop between: no advertisement waits for a status. */
  async #snapshot(id: number): Promise<void> {
    const node = await this.#node;
    let routers: RouterSnapshot[] = [];
    for (const router of node.snapshot()) {
      routers.push(router);
      if (routers.length < ROUTERS_PER_MESSAGE) continue;
      this.#send({ kind: "snapshot", id, routers });
      routers = [];
      await this.#ports.yieldTurn();
    }
    let sessions: BfdSnapshot[] = [];
    for (const session of node.bfd.snapshot()) {
      sessions.push(session);
      if (sessions.length < ROUTERS_PER_MESSAGE) continue;
      this.#send({ kind: "snapshot", id, routers: [], sessions });
      sessions = [];
      await this.#ports.yieldTurn();
    }
    const last = { groups: node.groups(), bfdDropped: node.bfd.dropped() };
    this.#send({ kind: "snapshot", id, routers, sessions, ...last });
  }

  async #journal(id: number): Promise<void> {
    const node = await this.#node;
    const steps = node.journal.lines();
    for (;;) {
      const lines: string[] = [];
      while (lines.length < ROUTERS_PER_MESSAGE) {
        const next = steps.next();
        if (next.done === true) return this.#send({ kind: "journal", id, lines, last: true });
        lines.push(next.value);
      }
      this.#send({ kind: "journal", id, lines, last: false });
      await this.#ports.yieldTurn();
    }
  }

  /** A failure of what follows is a defect: it ends the process, and the supervisor sees to it. */
  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
    this.#apart(this.#work);
  }

  #apart(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (error instanceof KernelError) return;
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  #send(message: FromVrrp): void {
    this.#channel.send(message);
  }
}

const problemOf = ({ code, message, remedy }: KernelError): Problem => ({ code, message, remedy });
