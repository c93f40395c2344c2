import type { Expression } from "../../wire/netlink/nftables-expression.ts";
import type { AddressKind } from "./filter-part.ts";

/** What rules are made of. */

const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const ICMPV6 = 58;

export const byte = (value: number): Uint8Array => Uint8Array.of(value);

const family = (number: number): readonly Expression[] => [
  { kind: "meta", key: "family", to: 1 },
  { kind: "compare", from: 1, operator: "equal", value: byte(number) },
];

export const IPV4: readonly Expression[] = family(NFPROTO_IPV4);
export const IPV6: readonly Expression[] = family(NFPROTO_IPV6);

/** ICMPv6 of these types, the first and the last among them. */
export const icmpv6 = (first: number, last: number): readonly Expression[] => [
  ...IPV6,
  { kind: "meta", key: "protocol", to: 1 },
  { kind: "compare", from: 1, operator: "equal", value: byte(ICMPV6) },
  { kind: "payload", base: "transport", offset: 0, length: 1, to: 1 },
  ...(first === last
    ? [{ kind: "compare", from: 1, operator: "equal", value: byte(first) } as const]
    : [
        { kind: "compare", from: 1, operator: "atLeast", value: byte(first) } as const,
        { kind: "compare", from: 1, operator: "atMost", value: byte(last) } as const,
      ]),
];

/** Where an address stands in a packet. */
export interface Field {
  readonly base: "network" | "transport";
  readonly offset: number;
}

/** The key of a set into register 1; the link of a link-local address is where the packet passes. */
export function loadKey(
  kind: AddressKind,
  { base, offset }: Field,
  link: "inputIndex" | "outputIndex" = "inputIndex",
): readonly Expression[] {
  if (kind === "4") return [{ kind: "payload", base, offset, length: 4, to: 1 }];
  if (kind === "6") return [{ kind: "payload", base, offset, length: 16, to: 1 }];
  return [
    { kind: "meta", key: link, to: 1 },
    // Register 9 is the second word of register 1: the two are one key of 20 bytes.
    { kind: "payload", base, offset, length: 16, to: 9 },
  ];
}

export const DROP: Expression = { kind: "verdict", verdict: "drop" };
export const ACCEPT: Expression = { kind: "verdict", verdict: "accept" };

export const SOURCE4: Field = { base: "network", offset: 12 };
export const DESTINATION4: Field = { base: "network", offset: 16 };
export const SOURCE6: Field = { base: "network", offset: 8 };
export const DESTINATION6: Field = { base: "network", offset: 24 };
/** Of a neighbour solicitation or advertisement. */
export const NEIGHBOUR_TARGET: Field = { base: "transport", offset: 8 };
