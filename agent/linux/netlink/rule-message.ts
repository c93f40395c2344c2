import type { RuleConfig } from "../../config/config.ts";
import type { Family, Prefix } from "../../core/address.ts";
import type { Attributes } from "../../wire/netlink/attribute.ts";
import { BodyWriter, decodeAttributes } from "../../wire/netlink/attribute.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import {
  AF,
  FIB_RULE_INVERT,
  FR_ACT,
  FRA,
  familyNumber,
  RTM,
  TABLE,
} from "../../wire/netlink/rtnetlink.ts";
import { bigEndian } from "./encapsulation.ts";
import { networkBytes, ROUTE_MARK } from "./route-message.ts";

const HEADER = 12;
const REQUEST = FLAG.request | FLAG.ack;

/** A rule as a message shows it. */
export interface RuleIdentity {
  /** `fib_rule_hdr` without the table, which FRA_TABLE repeats in full, and without the kernel's flags. */
  readonly head: string;
  readonly attributes: Attributes;
}

export const ruleDumpBody = (family: Family): Uint8Array =>
  new BodyWriter().u8(familyNumber(family)).u8(0).u16(0).u32(0).u32(0).finish();

export const encodeRuleInstall = (rule: RuleConfig): Uint8Array =>
  encodeMessage(RTM.newRule, REQUEST | FLAG.create | FLAG.exclusive, ruleBody(rule));

export const encodeRuleRemoval = (rule: RuleConfig): Uint8Array =>
  encodeMessage(RTM.deleteRule, REQUEST, ruleBody(rule));

/** The removal of a rule that the kernel showed, by the body in which it did. */
export const encodeShownRuleRemoval = (body: Uint8Array): Uint8Array =>
  encodeMessage(RTM.deleteRule, REQUEST, body);

export const identityOfRule = (rule: RuleConfig): RuleIdentity | undefined =>
  decodeRule(ruleBody(rule));

export function decodeRule(body: Uint8Array): RuleIdentity | undefined {
  if (body.length < HEADER || (body[0] !== AF.inet && body[0] !== AF.inet6)) return undefined;
  const [family, toLength, fromLength, tos, , , , action] = body;
  const inverted = new DataView(body.buffer, body.byteOffset).getUint8(8) & FIB_RULE_INVERT;
  const head = [family, toLength, fromLength, tos, action, inverted].join(" ");
  return { head, attributes: decodeAttributes(body, HEADER) };
}

export const isOurRule = ({ attributes }: RuleIdentity): boolean =>
  attributes.get(FRA.protocol)?.[0] === ROUTE_MARK;

/** Whether the rule that the kernel shows says everything that the wanted one says. */
export function sameRule(wanted: RuleIdentity, shown: RuleIdentity): boolean {
  if (wanted.head !== shown.head) return false;
  return [...wanted.attributes].every(
    ([type, bytes]) => shown.attributes.get(type)?.join() === bytes.join(),
  );
}

function ruleBody(rule: RuleConfig): Uint8Array {
  const table = tableOf(rule);
  const body = new BodyWriter()
    .u8(familyNumber(rule.family))
    .u8(rule.to?.length ?? 0)
    .u8(rule.from?.length ?? 0)
    .u8(rule.tos ?? 0)
    .u8(table < 256 ? table : 0)
    .u16(0)
    .u8(FR_ACT[rule.action])
    .u32(rule.not ? FIB_RULE_INVERT : 0);
  writePrefix(body, FRA.destination, rule.to);
  writePrefix(body, FRA.source, rule.from);
  writeText(body, FRA.inputInterface, rule.inputInterface);
  writeText(body, FRA.outputInterface, rule.outputInterface);
  const words: readonly (readonly [number, number | undefined])[] = [
    [FRA.priority, rule.priority],
    [FRA.table, table === 0 ? undefined : table],
    [FRA.mark, rule.mark?.value],
    [FRA.markMask, rule.mark?.mask],
    [FRA.goto, rule.goto],
    [FRA.realms, rule.realms],
    [FRA.suppressPrefixLength, rule.suppressPrefixLength],
    [FRA.suppressInterfaceGroup, rule.suppressInterfaceGroup],
  ];
  for (const [type, value] of words) {
    if (value !== undefined) body.attributeU32(type, value);
  }
  writeSelectors(body, rule);
  return body.attributeU8(FRA.protocol, rule.protocol ?? ROUTE_MARK).finish();
}

function writeSelectors(body: BodyWriter, rule: RuleConfig): void {
  const { uidRange, tunnelId } = rule;
  if (tunnelId !== undefined) {
    body.attributeBytes(FRA.tunnelId, bigEndian(BigInt(tunnelId), 8));
  }
  if (uidRange !== undefined) {
    body.attribute(FRA.uidRange, (range) => range.u32(uidRange[0]).u32(uidRange[1]));
  }
  if (rule.l3mdev) body.attributeU8(FRA.l3mdev, 1);
  if (rule.ipProtocol !== undefined) body.attributeU8(FRA.ipProtocol, rule.ipProtocol);
  writePorts(body, FRA.sourcePorts, rule.sourcePorts);
  writePorts(body, FRA.destinationPorts, rule.destinationPorts);
}

/** Only a look-up names a table; with l3mdev the device does. */
function tableOf({ action, table, l3mdev }: RuleConfig): number {
  if (action !== "lookup") return 0;
  return table ?? (l3mdev ? 0 : TABLE.main);
}

function writePrefix(body: BodyWriter, type: number, prefix: Prefix | undefined): void {
  if (prefix === undefined || prefix.length === 0) return;
  body.attributeBytes(type, networkBytes(prefix.address, prefix.length));
}

function writeText(body: BodyWriter, type: number, text: string | undefined): void {
  if (text !== undefined) body.attributeText(type, text);
}

function writePorts(
  body: BodyWriter,
  type: number,
  ports: readonly [number, number] | undefined,
): void {
  if (ports !== undefined) body.attribute(type, (range) => range.u16(ports[0]).u16(ports[1]));
}
