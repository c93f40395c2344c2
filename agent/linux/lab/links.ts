import type { Prefix } from "../../core/address.ts";
import { addressBytes, familyOf } from "../../core/address.ts";
import { BodyWriter } from "../../wire/netlink/attribute.ts";
import { FLAG } from "../../wire/netlink/message.ts";
import { AF, IFA, IFA_FLAG, IFF, IFLA, IFLA_INFO, RTM } from "../../wire/netlink/rtnetlink.ts";
import type { RouteSocket } from "./route-request.ts";
import { linkBody, readLink } from "./route-request.ts";

const AF_BRIDGE = 7;
const MAKE = FLAG.create | FLAG.exclusive;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_NET_NS_FD = 28;
const VETH_INFO_PEER = 1;
const BRIDGE = { forwardDelay: 1, stpState: 5, multicastSnooping: 23 } as const;
const BRIDGE_PORT = { state: 1, multicastFlood: 27, broadcastFlood: 30 } as const;

/** STP states of a bridge's port. Without STP the kernel turns all others back to forwarding. */
export const PORT_STATE = { disabled: 0, forwarding: 3 } as const;

/** One end of a cable: in which namespace, under which name, with which MAC. */
export interface CableEnd {
  readonly namespace: number;
  readonly name: string;
  readonly mac: Uint8Array;
}

/** A veth pair from `near`, in the socket's namespace, to `far`. */
export function createCable(socket: RouteSocket, near: CableEnd, far: CableEnd): void {
  const end = (body: BodyWriter, { name, mac, namespace }: CableEnd): BodyWriter =>
    body
      .attributeText(IFLA.name, name)
      .attributeBytes(IFLA.address, mac)
      .attributeU32(IFLA_NET_NS_FD, namespace);
  const body = end(linkBody(AF.unspecified, 0), near).nested(IFLA.linkInfo, (info) =>
    info
      .attributeText(IFLA_INFO.kind, "veth")
      .nested(IFLA_INFO.data, (data) =>
        data.nested(VETH_INFO_PEER, (peer) =>
          peer.bytes(end(linkBody(AF.unspecified, 0), far).finish()),
        ),
      ),
  );
  socket.request(RTM.newLink, MAKE, body.finish(), `veth ${near.name}`);
}

/** A switch that forwards at once, to all ports, whatever groups they have joined. */
export function createBridge(socket: RouteSocket, name: string): number {
  const body = linkBody(AF.unspecified, 0, IFF.up, IFF.up)
    .attributeText(IFLA.name, name)
    .nested(IFLA.linkInfo, (info) =>
      info
        .attributeText(IFLA_INFO.kind, "bridge")
        .nested(IFLA_INFO.data, (data) =>
          data
            .attributeU32(BRIDGE.forwardDelay, 0)
            .attributeU32(BRIDGE.stpState, 0)
            .attributeU8(BRIDGE.multicastSnooping, 0),
        ),
    );
  socket.request(RTM.newLink, MAKE, body.finish(), `bridge ${name}`);
  return findLink(socket, name).index;
}

export function findLink(socket: RouteSocket, name: string): { index: number; mac: string } {
  const body = linkBody(AF.unspecified, 0).attributeText(IFLA.name, name).finish();
  const answer = socket.request(RTM.getLink, 0, body, `interface ${name}`);
  return answer === undefined ? { index: 0, mac: "" } : readLink(answer);
}

export function setUp(socket: RouteSocket, index: number, up: boolean): void {
  const body = linkBody(AF.unspecified, index, up ? IFF.up : 0, IFF.up).finish();
  socket.request(RTM.newLink, 0, body, `interface ${index} ${up ? "up" : "down"}`);
}

/** Plugs an interface into a bridge, and switches it on. */
export function plug(socket: RouteSocket, index: number, bridge: number): void {
  const body = linkBody(AF.unspecified, index, IFF.up, IFF.up).attributeU32(IFLA_MASTER, bridge);
  socket.request(RTM.newLink, 0, body.finish(), `port ${index}`);
}

export function setPortState(socket: RouteSocket, index: number, state: number): void {
  configurePort(socket, index, (port) => port.attributeU8(BRIDGE_PORT.state, state));
}

/** Whether multicast and broadcast leave the switch through this port. */
export function setPortFlood(socket: RouteSocket, index: number, flood: boolean): void {
  configurePort(socket, index, (port) =>
    port
      .attributeU8(BRIDGE_PORT.multicastFlood, flood ? 1 : 0)
      .attributeU8(BRIDGE_PORT.broadcastFlood, flood ? 1 : 0),
  );
}

export function addAddress(socket: RouteSocket, index: number, prefix: Prefix): void {
  const bytes = addressBytes(prefix.address);
  const family = familyOf(prefix.address) === "ipv4" ? AF.inet : AF.inet6;
  const body = new BodyWriter()
    .u8(family)
    .u8(prefix.length)
    // The lab hands out addresses itself: nothing to detect, no second to wait.
    .u8(IFA_FLAG.nodad)
    .u8(0)
    .u32(index)
    .attributeBytes(IFA.local, bytes)
    .attributeBytes(IFA.address, bytes);
  socket.request(RTM.newAddress, MAKE, body.finish(), `address ${prefix.address}`);
}

function configurePort(
  socket: RouteSocket,
  index: number,
  fill: (port: BodyWriter) => BodyWriter,
): void {
  const body = linkBody(AF_BRIDGE, index).nested(IFLA_PROTINFO, fill);
  socket.request(RTM.setLink, 0, body.finish(), `port ${index}`);
}
