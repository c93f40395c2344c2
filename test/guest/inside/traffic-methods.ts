import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { batch, GUE_PORT, must } from "./traffic-net.ts";
import type { ServiceText } from "./traffic-text.ts";

/** How packets reach a real server, and to which. */
export interface MethodCase {
  readonly name: string;
  /** Of the service. */
  readonly address: string;
  readonly method: string;
  /** Its name and its address in the pool. */
  readonly server: "rs1" | "rs2";
  readonly pool: string;
}

const SERVERS = {
  rs1: { IPv4: "10.0.0.11", IPv6: "fd00::11" },
  rs2: { IPv4: "10.0.0.12", IPv6: "fd00::12" },
} as const;

type Family = keyof (typeof SERVERS)["rs1"];

/** rs1 takes tunnels without checksums in GRE, rs2 those with. */
const METHODS: readonly (readonly [method: string, server: "rs1" | "rs2"])[] = [
  ["NAT", "rs1"],
  ["DR", "rs1"],
  ["TUN", "rs1"],
  [`TUN type gue port ${GUE_PORT}`, "rs1"],
  [`TUN type gue port ${GUE_PORT} csum`, "rs1"],
  [`TUN type gue port ${GUE_PORT} remcsum`, "rs1"],
  ["TUN type gre", "rs1"],
  ["TUN type gre csum", "rs2"],
];

const FAMILIES: readonly Family[] = ["IPv4", "IPv6"];
const FIRST = 21;

/** Between families there are tunnels only. */
export const METHOD_CASES: readonly MethodCase[] = METHODS.flatMap(([method, server], at) =>
  FAMILIES.flatMap((service) =>
    FAMILIES.filter((real) => real === service || method.startsWith("TUN")).map((real, index) => {
      const last = FIRST + 2 * at + index;
      const address = service === "IPv4" ? `198.51.100.${last}` : `2001:db8:5::${last}`;
      const name = `${method}: ${service} to ${real}`;
      return { name, address, method, server, pool: SERVERS[server][real] };
    }),
  ),
);

export const methodServices: readonly ServiceText[] = METHOD_CASES.flatMap(
  ({ address, method, pool }) =>
    (["TCP", "UDP"] as const).map((protocol) => ({
      at: address,
      protocol,
      method,
      servers: { [pool]: [] },
    })),
);

/** Has a real server take packets out of each kind of tunnel. */
export function openTunnels(node: LabNode, name: "rs1" | "rs2"): void {
  const { IPv4, IPv6 } = SERVERS[name];
  const checksum = name === "rs2" ? " csum" : "";
  batch(
    node,
    `link add gre4 type gre local ${IPv4} remote any${checksum}`,
    `link add tun6 type ip6tnl mode any local ${IPv6} remote ::`,
    `link add gre6 type ip6gre local ${IPv6} remote ::${checksum}`,
  );
  batch(node, ...["tunl0", "sit0", "gre4", "tun6", "gre6"].map((link) => `link set ${link} up`));
  for (const family of ["-4", "-6"]) must(node, `ip ${family} fou add port ${GUE_PORT} gue`);
}
