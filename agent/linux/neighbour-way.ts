import type { IpAddress } from "../core/address.ts";
import { addressBytes, addressFromBytes, familyOf } from "../core/address.ts";
import type { NeighbourOutcome, NeighbourTarget } from "../ports/probes.ts";
import { BodyWriter, decodeAttributes, integerIn } from "../wire/netlink/attribute.ts";
import { AF, familyNumber, IFLA, RTA, RTM, RTN } from "../wire/netlink/rtnetlink.ts";
import type { Channel } from "./netlink/channel.ts";
import { decodeLink } from "./netlink/link-message.ts";

/** Where a neighbour is asked, and as whom. */
export interface NeighbourWay {
  readonly kind: "way";
  readonly interfaceIndex: number;
  readonly mac: Uint8Array;
  /** This host's address there; `undefined`: it has none. */
  readonly source: IpAddress | undefined;
}

type Refusal = Extract<NeighbourOutcome, { kind: "refused" }>;

const refused = (errno: string): Refusal => ({ kind: "refused", errno });

/** The kernel's way to a neighbour, or why there is none. */
export async function findWay(
  channel: Channel,
  target: NeighbourTarget,
): Promise<NeighbourWay | NeighbourOutcome> {
  const { interfaceName } = target;
  const named = interfaceName === undefined ? undefined : await linkNamed(channel, interfaceName);
  if (named?.kind === "refused") return named;
  const route = await channel.ask(RTM.getRoute, routeRequest(target.address, named?.index));
  const [answer] = route.messages;
  if (answer === undefined) return refused(route.errno ?? "ENETUNREACH");
  const attributes = decodeAttributes(answer.body, 12);
  const index = integerIn(attributes.get(RTA.outputInterface));
  const over = attributes.has(RTA.gateway) || attributes.has(RTA.via);
  if (answer.body[7] !== RTN.unicast || over || index === undefined) {
    return { kind: "not-a-neighbour" };
  }
  const link = await linkAt(channel, index);
  if (link.kind === "refused") return link;
  const source = attributes.get(RTA.preferredSource);
  return {
    kind: "way",
    interfaceIndex: index,
    mac: link.mac,
    source: source === undefined ? undefined : addressFromBytes(source),
  };
}

/** struct rtmsg, the destination, and the interface where one is asked for. */
export function routeRequest(address: IpAddress, interfaceIndex?: number): Uint8Array {
  const bytes = addressBytes(address);
  const body = new BodyWriter().u8(familyNumber(familyOf(address))).u8(bytes.length * 8);
  body.u16(0).u32(0).u32(0).attributeBytes(RTA.destination, bytes);
  if (interfaceIndex !== undefined) body.attributeU32(RTA.outputInterface, interfaceIndex);
  return body.finish();
}

const linkNamed = (channel: Channel, name: string) =>
  askLink(channel, linkRequest(0).attributeText(IFLA.name, name).finish());

const linkAt = (channel: Channel, index: number) => askLink(channel, linkRequest(index).finish());

/** struct ifinfomsg. */
export const linkRequest = (index: number): BodyWriter =>
  new BodyWriter().u8(AF.unspecified).u8(0).u16(0).u32(index).u32(0).u32(0);

async function askLink(
  channel: Channel,
  request: Uint8Array,
): Promise<{ readonly kind: "link"; readonly index: number; readonly mac: Uint8Array } | Refusal> {
  const { messages, errno } = await channel.ask(RTM.getLink, request);
  const [message] = messages;
  const link = message === undefined ? undefined : decodeLink(message.body);
  if (message === undefined || link === undefined) return refused(errno ?? "ENODEV");
  const mac = decodeAttributes(message.body, 16).get(IFLA.address);
  if (!link.up) return refused("ENETDOWN");
  // Loopback, tunnels and the like: nobody is asked there.
  if (!link.arp || mac?.length !== 6) return refused("EPROTONOSUPPORT");
  return { kind: "link", index: link.index, mac };
}
