/** One vrrp_instance as tests need it; what is left out is as small and quick as can be. */
export interface InstanceText {
  readonly name?: string;
  readonly vrid?: number;
  readonly interface?: string;
  readonly priority?: number;
  /** Seconds. */
  readonly interval?: number;
  readonly addresses?: readonly string[];
  /** Further lines. */
  readonly more?: readonly string[];
}

export const SERVICE = "192.0.2.100";
export const VRID = 51;

/** A configuration file of VRRP 3 with these instances; `global` are lines of global_defs. */
export function configText(
  instances: readonly InstanceText[],
  global: readonly string[] = [],
  outside: readonly string[] = [],
): string {
  const defs = block("global_defs", ["router_id lab", "vrrp_version 3", ...global]);
  return [...defs, ...outside, ...instances.flatMap(instanceLines), ""].join("\n");
}

export const block = (head: string, lines: readonly string[]): readonly string[] => [
  `${head} {`,
  ...lines.map((line) => `  ${line}`),
  "}",
];

function instanceLines(instance: InstanceText): readonly string[] {
  const { name = "V", vrid = VRID, priority = 100, interval = 0.1, more = [] } = instance;
  return block(`vrrp_instance ${name}`, [
    `interface ${instance.interface ?? "eth0"}`,
    "state BACKUP",
    `virtual_router_id ${vrid}`,
    `priority ${priority}`,
    `advert_int ${interval}`,
    ...block("virtual_ipaddress", instance.addresses ?? [`${SERVICE}/32`]),
    ...more,
  ]);
}
