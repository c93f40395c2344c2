import type { Prefix } from "../core/address.ts";
import { parseAddress } from "../core/address.ts";
import { LabInterface } from "./lab/lab-interface.ts";
import { LabNode } from "./lab/lab-node.ts";
import { createBridge, createCable, findLink, plug } from "./lab/links.ts";

export interface Attachment {
  /** Name of the interface on the node; at most 15 bytes. */
  readonly name: string;
  /** As "192.0.2.1/24". */
  readonly addresses?: readonly string[];
}

/** A switch: a bridge in the namespace that all switches of a lab share. */
export interface Segment {
  readonly name: string;
  readonly bridge: number;
}

/**
 * A small network on this machine: nodes in network namespaces, cables, switches. It needs root, or
 * a user namespace (see `labCommand`), and no program from outside. Namespaces are held by
 * descriptors alone and programs die with their parent, so nothing is left behind even after
 * SIGKILL. Main thread only; everything is synchronous.
 */
export class Lab {
  readonly #nodes = new Map<string, LabNode>();
  readonly #switches: LabNode;
  readonly #disposeAtExit = (): void => this.dispose();
  #cables = 0;
  #disposed = false;

  /** Throws a KernelError where namespaces or links cannot be made. */
  constructor() {
    this.#switches = new LabNode("switches");
    process.on("exit", this.#disposeAtExit);
  }

  /** Adds a node; a name may be given once. */
  node(name: string): LabNode {
    if (this.#nodes.has(name)) throw new TypeError(`there is a node ${name} already`);
    const node = new LabNode(name);
    this.#nodes.set(name, node);
    return node;
  }

  /** Adds a switch. */
  segment(name: string): Segment {
    return { name, bridge: createBridge(this.#switches.route, name) };
  }

  /** Runs a cable from a new interface of the node to a new port of the switch; both are up. */
  attach(node: LabNode, segment: Segment, attachment: Attachment): LabInterface {
    const port = `port${this.#cables + 1}`;
    const [near] = this.#cable(node, attachment, this.#switches, { name: port });
    plug(this.#switches.route, near.far.index, segment.bridge);
    return near;
  }

  /** Runs a cable between new interfaces of two nodes; both are up. */
  connect(
    near: LabNode,
    nearAttachment: Attachment,
    far: LabNode,
    farAttachment: Attachment,
  ): readonly [LabInterface, LabInterface] {
    const ends = this.#cable(near, nearAttachment, far, farAttachment);
    ends[1].setUp(true);
    return ends;
  }

  /** Kills what runs in the nodes and takes the network down. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    process.off("exit", this.#disposeAtExit);
    for (const node of this.#nodes.values()) node.dispose();
    this.#switches.dispose();
  }

  #cable(
    node: LabNode,
    attachment: Attachment,
    farNode: LabNode,
    farAttachment: Attachment,
  ): readonly [LabInterface, LabInterface] {
    this.#cables += 1;
    // Locally administered, and the same in every run: so are the link-local addresses.
    const mac = (side: number): Uint8Array =>
      Uint8Array.of(2, 0x48, 0x46, this.#cables >> 8, this.#cables & 0xff, side);
    const end = (at: LabNode, name: string, side: number) => ({
      namespace: at.namespace.fd,
      name,
      mac: mac(side),
    });
    createCable(node.route, end(node, attachment.name, 1), end(farNode, farAttachment.name, 2));
    const index = findLink(node.route, attachment.name).index;
    const farIndex = findLink(farNode.route, farAttachment.name).index;
    const near = new LabInterface(node, attachment.name, index, mac(1), {
      node: farNode,
      index: farIndex,
    });
    const far = new LabInterface(farNode, farAttachment.name, farIndex, mac(2), { node, index });
    near.setUp(true);
    for (const text of attachment.addresses ?? []) near.addAddress(parsePrefix(text));
    for (const text of farAttachment.addresses ?? []) far.addAddress(parsePrefix(text));
    return [near, far];
  }
}

/**
 * The command that runs `command` where a lab can be built: as it stands for root, else in a user
 * namespace of its own with the same user as root.
 */
export function labCommand(command: readonly string[]): readonly string[] {
  if (process.getuid?.() === 0) return command;
  return ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", ...command];
}

function parsePrefix(text: string): Prefix {
  const [address = "", length = ""] = text.split("/");
  const parsed = parseAddress(address);
  if (parsed === undefined || !/^[0-9]{1,3}$/.test(length)) {
    throw new TypeError(`"${text}" is not an address with its prefix length`);
  }
  return { address: parsed, length: Number(length) };
}
