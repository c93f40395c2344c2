import {
  HOOK,
  IPV4_ADDRESS_TYPE,
  IPV6_ADDRESS_TYPE,
  LINK_AND_IPV6_ADDRESS_TYPE,
} from "../../wire/netlink/nftables-numbers.ts";
import type { Contents } from "./filter-part.ts";
import {
  ACCEPT,
  DESTINATION4,
  DESTINATION6,
  DROP,
  IPV4,
  IPV6,
  icmpv6,
  loadKey,
} from "./filter-rules.ts";
import { IP_TABLE } from "./filter-tables.ts";

/** Just before the operator's own `filter` chains, as keepalived has it. */
const PRIORITY = -1;

/** Router and neighbour solicitations and advertisements. */
const NEIGHBOUR_DISCOVERY = { first: 133, last: 136 };

/**
 * Accept_Mode false. "accept" only ends this chain: the operator's own rules have their say behind it.
 * ARP does not pass here. RFC 9568 §6.1: neighbour discovery is never dropped, also where it is sent
 * to one address.
 */
export const ACCEPT_MODE: Contents = {
  table: IP_TABLE,
  sets: [
    { name: "refused4", id: 1, keyType: IPV4_ADDRESS_TYPE, keyLength: 4 },
    { name: "refused6", id: 2, keyType: IPV6_ADDRESS_TYPE, keyLength: 16 },
    { name: "refused6link", id: 3, keyType: LINK_AND_IPV6_ADDRESS_TYPE, keyLength: 20 },
  ],
  chains: [
    {
      name: "input",
      hook: { number: HOOK.input, priority: PRIORITY, policy: "accept" },
      rules: [
        [
          ...IPV4,
          ...loadKey("4", DESTINATION4),
          { kind: "lookup", from: 1, set: "refused4" },
          DROP,
        ],
        [...icmpv6(NEIGHBOUR_DISCOVERY.first, NEIGHBOUR_DISCOVERY.last), ACCEPT],
        [
          ...IPV6,
          ...loadKey("6", DESTINATION6),
          { kind: "lookup", from: 1, set: "refused6" },
          DROP,
        ],
        [
          ...IPV6,
          ...loadKey("6link", DESTINATION6),
          { kind: "lookup", from: 1, set: "refused6link" },
          DROP,
        ],
      ],
    },
  ],
};
