/** Numbers of linux/netfilter/nfnetlink.h and nf_tables.h that are used here. */

export const NFNL_BATCH = { begin: 16, end: 17 } as const;

const NFT_SUBSYSTEM = 10 << 8;

/** Message types: the subsystem in the upper byte. */
export const NFT = {
  newTable: NFT_SUBSYSTEM | 0,
  deleteTable: NFT_SUBSYSTEM | 2,
  newChain: NFT_SUBSYSTEM | 3,
  newRule: NFT_SUBSYSTEM | 6,
  getRule: NFT_SUBSYSTEM | 7,
  newSet: NFT_SUBSYSTEM | 9,
  newSetElements: NFT_SUBSYSTEM | 12,
  getSetElements: NFT_SUBSYSTEM | 13,
  deleteSetElements: NFT_SUBSYSTEM | 14,
  newGeneration: NFT_SUBSYSTEM | 15,
  getGeneration: NFT_SUBSYSTEM | 16,
} as const;

/** NFPROTO_…. `inet` sees IPv4 and IPv6. */
export const TABLE_FAMILY = { inet: 1, ip: 2, arp: 3, ip6: 10 } as const;

/** NF_INET_…. */
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
/** NF_ARP_…: the family `arp` has numbers of its own. */
export const ARP_HOOK = { input: 0, output: 1 } as const;

export const TABLE = { name: 1 } as const;
export const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const CHAIN_HOOK = { number: 1, priority: 2 } as const;
export const RULE = { table: 1, chain: 2, expressions: 4 } as const;
export const SET = { table: 1, name: 2, flags: 3, keyType: 4, keyLength: 5, id: 10 } as const;
export const SET_FLAG = { timeout: 0x10 } as const;
export const SET_ELEMENTS = { table: 1, set: 2, elements: 3 } as const;
export const SET_ELEMENT = { key: 1, timeout: 4 } as const;
export const GENERATION = { id: 1 } as const;

/** NFTA_LIST_ELEM. */
export const LIST_ELEMENT = 1;
export const EXPRESSION = { name: 1, data: 2 } as const;
export const DATA = { value: 1, verdict: 2 } as const;
export const VERDICT_CODE = 1;
export const VERDICT = { drop: 0, accept: 1 } as const;

export const META = { destination: 1, key: 2 } as const;
/** NFT_META_…. */
export const META_KEY = {
  inputIndex: 4,
  outputIndex: 5,
  /** ARPHRD_…, 16 bits in this machine's order. */
  inputType: 8,
  family: 15,
  protocol: 16,
} as const;
export const COMPARE = { source: 1, operator: 2, data: 3 } as const;
export const OPERATOR = { equal: 0, atMost: 3, atLeast: 5 } as const;
export const PAYLOAD = { destination: 1, base: 2, offset: 3, length: 4 } as const;
export const PAYLOAD_BASE = { link: 0, network: 1, transport: 2 } as const;
export const LOOKUP = { set: 1, source: 2, flags: 5 } as const;
export const LOOKUP_FLAG = { inverted: 1 } as const;
export const IMMEDIATE = { destination: 1, data: 2 } as const;

/** The register that takes a verdict; 1–4 hold 16 bytes each, 8–23 are the same in words of four. */
export const VERDICT_REGISTER = 0;

/** How `nft list` shows a key: types of nft, with six bits each where they are joined. */
const KEY_TYPE_BITS = 6;
const IFACE_INDEX = 20;
export const IPV4_ADDRESS_TYPE = 7;
export const IPV6_ADDRESS_TYPE = 8;
export const ETHERNET_ADDRESS_TYPE = 9;
export const LINK_AND_IPV6_ADDRESS_TYPE = (IFACE_INDEX << KEY_TYPE_BITS) | IPV6_ADDRESS_TYPE;
