import type { VirtualLink } from "../../config/config.ts";
import type { Link } from "../../ports/network.ts";
import type { Attributes } from "../../wire/netlink/attribute.ts";
import {
  BodyWriter,
  byteOrder,
  decodeAttributes,
  integerIn,
  textIn,
} from "../../wire/netlink/attribute.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import {
  AF,
  IFF,
  IFLA,
  IFLA_INFO,
  IPVLAN,
  IPVLAN_FLAGS,
  MACVLAN,
  RTM,
} from "../../wire/netlink/rtnetlink.ts";

/** IFLA_IFALIAS of the links that this agent makes. */
export const LINK_MARK = "holdfast";

const HEADER = 16;
/** RTEXT_FILTER_SKIP_STATS. */
const SKIP_STATISTICS = 8;
const REQUEST = FLAG.request | FLAG.ack;

/** A request for all links, without their counters, which are most of such an answer. */
export const linkDumpBody = (): Uint8Array =>
  header(0, 0, 0).attributeU32(IFLA.extensionMask, SKIP_STATISTICS).finish();

/** The link that an RTM_NEWLINK or RTM_DELLINK is about; `undefined` for one about a bridge port. */
export function decodeLink(body: Uint8Array): Link | undefined {
  if (body.length < HEADER || body[0] !== AF.unspecified) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const index = view.getInt32(4, byteOrder);
  const flags = view.getUint32(8, byteOrder);
  const attributes = decodeAttributes(body, HEADER);
  const kind = kindOf(attributes);
  return {
    index,
    name: textIn(attributes.get(IFLA.name)) ?? "",
    mac: macOf(attributes.get(IFLA.address)),
    up: (flags & IFF.up) !== 0,
    running: (flags & IFF.running) !== 0,
    mtu: integerIn(attributes.get(IFLA.mtu)) ?? 0,
    kind,
    parentIndex: parentOf(attributes, index, kind),
    arp: (flags & IFF.noArp) === 0,
    ours: textIn(attributes.get(IFLA.alias)) === LINK_MARK,
  };
}

/**
 * Makes the link and marks it. One batch: nobody sees the link without its mark. `mac` is for a
 * macvlan; `undefined` there leaves the choice to the kernel.
 */
export function encodeLinkCreation(
  spec: VirtualLink,
  parentIndex: number,
  mac: string | undefined,
): readonly Uint8Array[] {
  const body = header(0, 0, 0)
    .attributeText(IFLA.name, spec.name)
    .attributeU32(IFLA.link, parentIndex);
  if (mac !== undefined) body.attributeBytes(IFLA.address, macBytes(mac));
  if (spec.group !== undefined) body.attributeU32(IFLA.group, spec.group);
  body.nested(IFLA.linkInfo, (info) =>
    info
      .attributeText(IFLA_INFO.kind, spec.kind)
      .nested(IFLA_INFO.data, (data) => writeKindData(data, spec)),
  );
  const mark = header(0, 0, 0)
    .attributeText(IFLA.name, spec.name)
    .attributeText(IFLA.alias, LINK_MARK);
  return [
    encodeMessage(RTM.newLink, REQUEST | FLAG.create | FLAG.exclusive, body.finish()),
    encodeMessage(RTM.setLink, REQUEST, mark.finish()),
  ];
}

/** Switches a link on, by its name. */
export function encodeLinkUp(name: string): Uint8Array {
  const body = header(0, IFF.up, IFF.up).attributeText(IFLA.name, name);
  return encodeMessage(RTM.setLink, REQUEST, body.finish());
}

export function encodeLinkRemoval(index: number): Uint8Array {
  return encodeMessage(RTM.deleteLink, REQUEST, header(index, 0, 0).finish());
}

function writeKindData(data: BodyWriter, spec: VirtualLink): void {
  if (spec.kind === "macvlan") {
    data.attributeU32(MACVLAN.mode, MACVLAN.private);
  } else {
    data
      .attributeU16(IPVLAN.mode, IPVLAN.l2)
      .attributeU16(IPVLAN.flags, IPVLAN_FLAGS[spec.flag ?? "bridge"]);
  }
}

function header(index: number, flags: number, change: number): BodyWriter {
  return new BodyWriter().u8(AF.unspecified).u8(0).u16(0).u32(index).u32(flags).u32(change);
}

function kindOf(attributes: Attributes): string | undefined {
  const info = attributes.get(IFLA.linkInfo);
  return info === undefined ? undefined : textIn(decodeAttributes(info, 0).get(IFLA_INFO.kind));
}

function parentOf(
  attributes: Attributes,
  index: number,
  kind: string | undefined,
): number | undefined {
  const parent = integerIn(attributes.get(IFLA.link));
  // In another namespace the number means another link; a veth's is its peer, not below it.
  const elsewhere = attributes.has(IFLA.linkNamespace) || kind === "veth";
  return parent === undefined || parent === 0 || parent === index || elsewhere ? undefined : parent;
}

function macOf(bytes: Uint8Array | undefined): string {
  if (bytes?.length !== 6) return "";
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(":"), (octet) => Number.parseInt(octet, 16));
