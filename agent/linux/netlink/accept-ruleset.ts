import { addressBytes, familyOf, isLinkLocal } from "../../core/address.ts";
import type { RefusedAddress } from "../../ports/accept-filter.ts";
import { BodyWriter } from "../../wire/netlink/attribute.ts";
import type { Command, SetSpec, Table } from "../../wire/netlink/nftables.ts";
import {
  addElements,
  deleteElements,
  deleteTable,
  newChain,
  newRule,
  newSet,
  newTable,
} from "../../wire/netlink/nftables.ts";
import type { Expression } from "../../wire/netlink/nftables-expression.ts";
import {
  HOOK,
  IPV4_ADDRESS_TYPE,
  IPV6_ADDRESS_TYPE,
  LINK_AND_IPV6_ADDRESS_TYPE,
} from "../../wire/netlink/nftables-numbers.ts";

export const TABLE: Table = { family: "inet", name: "holdfast" };
export const CHAIN = "input";
/** Just before the operator's own `filter` chains, as keepalived has it. */
const PRIORITY = -1;

export type SetName = "refused4" | "refused6" | "refused6link";

export const SETS: readonly (SetSpec & { readonly name: SetName })[] = [
  { name: "refused4", id: 1, keyType: IPV4_ADDRESS_TYPE, keyLength: 4 },
  { name: "refused6", id: 2, keyType: IPV6_ADDRESS_TYPE, keyLength: 16 },
  { name: "refused6link", id: 3, keyType: LINK_AND_IPV6_ADDRESS_TYPE, keyLength: 20 },
];

/** The key of one refused address, in the set that it belongs to. */
export interface Element {
  readonly set: SetName;
  readonly key: Uint8Array;
}

const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const ICMPV6 = 58;
/** Router and neighbour solicitations and advertisements. */
const NEIGHBOUR_DISCOVERY = { first: 133, last: 136 };

const byte = (value: number): Uint8Array => Uint8Array.of(value);

const family = (number: number): readonly Expression[] => [
  { kind: "meta", key: "family", to: 1 },
  { kind: "compare", from: 1, operator: "equal", value: byte(number) },
];

/** The destination address, into a register. */
const destination = (version: 4 | 6, to: number): Expression =>
  version === 4
    ? { kind: "payload", base: "network", offset: 16, length: 4, to }
    : { kind: "payload", base: "network", offset: 24, length: 16, to };

/**
 * "accept" only ends this chain: the operator's own rules have their say behind it. ARP does not pass
 * here. RFC 9568 §6.1: neighbour discovery is never dropped, also where it is sent to one address.
 */
export const RULES: readonly (readonly Expression[])[] = [
  [
    ...family(NFPROTO_IPV4),
    destination(4, 1),
    { kind: "lookup", from: 1, set: "refused4" },
    { kind: "verdict", verdict: "drop" },
  ],
  [
    ...family(NFPROTO_IPV6),
    { kind: "meta", key: "protocol", to: 1 },
    { kind: "compare", from: 1, operator: "equal", value: byte(ICMPV6) },
    { kind: "payload", base: "transport", offset: 0, length: 1, to: 1 },
    { kind: "compare", from: 1, operator: "atLeast", value: byte(NEIGHBOUR_DISCOVERY.first) },
    { kind: "compare", from: 1, operator: "atMost", value: byte(NEIGHBOUR_DISCOVERY.last) },
    { kind: "verdict", verdict: "accept" },
  ],
  [
    ...family(NFPROTO_IPV6),
    destination(6, 1),
    { kind: "lookup", from: 1, set: "refused6" },
    { kind: "verdict", verdict: "drop" },
  ],
  [
    ...family(NFPROTO_IPV6),
    { kind: "meta", key: "inputIndex", to: 1 },
    // Register 9 is the second word of register 1: the two are one key of 20 bytes.
    destination(6, 9),
    { kind: "lookup", from: 1, set: "refused6link" },
    { kind: "verdict", verdict: "drop" },
  ],
];

export function elementOf({ interfaceIndex, address }: RefusedAddress): Element {
  const bytes = addressBytes(address);
  if (familyOf(address) === "ipv4") return { set: "refused4", key: bytes };
  if (!isLinkLocal(address)) return { set: "refused6", key: bytes };
  // The kernel compares the index in this machine's own order.
  return { set: "refused6link", key: new BodyWriter().u32(interfaceIndex).bytes(bytes).finish() };
}

/** Makes the table anew, whatever was there under its name. */
export function build(elements: readonly Element[]): readonly Command[] {
  return [
    newTable(TABLE),
    deleteTable(TABLE),
    newTable(TABLE),
    newChain(TABLE, CHAIN, { number: HOOK.input, priority: PRIORITY, policy: "accept" }),
    ...SETS.map((set) => newSet(TABLE, set)),
    ...add(elements),
    ...RULES.map((rule) => newRule(TABLE, CHAIN, rule)),
  ];
}

export const add = (elements: readonly Element[]): readonly Command[] =>
  bySet(elements).map(({ name, keys }) => addElements(TABLE, name, keys));

export const remove = (elements: readonly Element[]): readonly Command[] =>
  bySet(elements).map(({ name, keys }) => deleteElements(TABLE, name, keys));

const bySet = (elements: readonly Element[]) =>
  SETS.map(({ name }) => ({ name, keys: elements.filter(({ set }) => set === name) })).filter(
    ({ keys }) => keys.length > 0,
  );
