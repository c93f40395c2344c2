import type { IpAddress, Prefix } from "../../core/address.ts";
import { addressFromBytes } from "../../core/address.ts";
import type { LabNode } from "./lab-node.ts";
import { addAddress, PORT_STATE, setPortFlood, setPortState, setUp } from "./links.ts";

/** Where a cable ends at the other side: a switch's port, or another node's interface. */
export interface FarEnd {
  readonly node: LabNode;
  readonly index: number;
}

/** One interface of a node, and the port that it is plugged into. */
export class LabInterface {
  readonly node: LabNode;
  readonly name: string;
  readonly index: number;
  readonly mac: Uint8Array;
  readonly far: FarEnd;

  constructor(node: LabNode, name: string, index: number, mac: Uint8Array, far: FarEnd) {
    this.node = node;
    this.name = name;
    this.index = index;
    this.mac = mac;
    this.far = far;
  }

  /** The address that the kernel derives from the MAC (RFC 4291 appendix A). */
  get linkLocal(): IpAddress {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = this.mac;
    return addressFromBytes(
      Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f),
    );
  }

  addAddress(prefix: Prefix): void {
    addAddress(this.node.route, this.index, prefix);
  }

  /** As `ip link set up` and `down` on the node. */
  setUp(up: boolean): void {
    setUp(this.node.route, this.index, up);
  }

  /** Pulls the cable, or plugs it in again: the node sees its carrier go. */
  setPlugged(plugged: boolean): void {
    setUp(this.far.node.route, this.far.index, plugged);
  }

  /** A switch's port that forwards nothing either way: the node sees its carrier stay. */
  setForwarding(forwarding: boolean): void {
    const state = forwarding ? PORT_STATE.forwarding : PORT_STATE.disabled;
    setPortState(this.far.node.route, this.far.index, state);
  }

  /** A one-way link: a deaf node sends, but no multicast or broadcast of the switch reaches it. */
  setDeaf(deaf: boolean): void {
    setPortFlood(this.far.node.route, this.far.index, !deaf);
  }
}
