/** One valid combination of what two routers must agree on. */
export interface Cell {
  readonly version: 2 | 3;
  readonly family: "ipv4" | "ipv6";
  readonly mode: "multicast" | "unicast";
  readonly authentication: "none" | "PASS" | "AH";
  /** What the v3 IPv4 checksum covers. */
  readonly checksum: "message" | "pseudo-header";
}

const cell = (
  version: Cell["version"],
  family: Cell["family"],
  mode: Cell["mode"],
  authentication: Cell["authentication"] = "none",
  checksum: Cell["checksum"] = "pseudo-header",
): Cell => ({ version, family, mode, authentication, checksum });

/**
 * All that keepalived speaks. Authentication is a matter of version 2, which has IPv4 only. The
 * IPv4 checksum of the message alone is not here: Debian's keepalived 2.2.7 and FRR 8.4 know no
 * setting for it and refuse to hear it, so nobody but Holdfast can be met in it; see
 * checksum.test.ts.
 */
export const CELLS: readonly Cell[] = [
  cell(2, "ipv4", "multicast"),
  cell(2, "ipv4", "multicast", "PASS"),
  cell(2, "ipv4", "multicast", "AH"),
  cell(2, "ipv4", "unicast"),
  cell(2, "ipv4", "unicast", "PASS"),
  cell(2, "ipv4", "unicast", "AH"),
  cell(3, "ipv4", "multicast"),
  cell(3, "ipv4", "unicast"),
  cell(3, "ipv6", "multicast"),
  cell(3, "ipv6", "unicast"),
];

export function describeCell(cell: Cell): string {
  const { version, family, mode, authentication, checksum } = cell;
  const form = version === 3 && family === "ipv4" ? `, checksum of the ${checksum}` : "";
  return `v${version} ${family} ${mode}, ${authentication}${form}`;
}

export const SERVICE: Readonly<Record<Cell["family"], string>> = {
  ipv4: "192.0.2.100",
  ipv6: "2001:db8::100",
};

/** Configuration that both programs are given alike; only priority and peer differ. */
export function configuration(cell: Cell, priority: number, peer: string): string {
  const unicast = cell.mode === "unicast" ? `  unicast_peer {\n    ${peer}\n  }\n` : "";
  const authentication =
    cell.authentication === "none"
      ? ""
      : `  authentication {\n    auth_type ${cell.authentication}\n    auth_pass s3cret12\n  }\n`;
  const checksum = cell.checksum === "message" ? "  v3_checksum_as_v2\n" : "";
  const addresses =
    cell.family === "ipv4" ? ["192.0.2.100/24"] : ["fe80::100/64", "2001:db8::100/64"];
  return `vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  version ${cell.version}
  priority ${priority}
  advert_int ${cell.version === 2 ? 1 : 0.1}
${unicast}${authentication}${checksum}  virtual_ipaddress {
${addresses.map((address) => `    ${address}\n`).join("")}  }
}
`;
}
