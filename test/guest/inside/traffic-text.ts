/** One virtual_server as these tests write it. */
export interface ServiceText {
  /** An address, which gets port 80, or what stands there: `fwmark 7`. */
  readonly at: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly scheduler?: string;
  /** As lb_kind takes it. */
  readonly method?: string;
  /** Real servers, each with lines of its own. */
  readonly servers: Readonly<Record<string, readonly string[]>>;
  /** Further lines. */
  readonly more?: readonly string[];
  /** Lines of each real server. */
  readonly each?: readonly string[];
}

export function serviceText(service: ServiceText): string {
  const { at, protocol = "TCP", scheduler = "rr", method = "NAT", more = [], each = [] } = service;
  const servers = Object.entries(service.servers).map(([address, lines]) =>
    block(`real_server ${address} 80`, [...lines, ...each]),
  );
  return block(`virtual_server ${/[.:]/.test(at) ? `${at} 80` : at}`, [
    `lb_algo ${scheduler}`,
    `lb_kind ${method}`,
    `protocol ${protocol}`,
    ...more,
    ...servers,
  ]);
}

/** `check`: a kind of check and its own lines. */
export const checked = (check: string, ...lines: readonly string[]): readonly string[] => [
  "delay_loop 0.3",
  "warmup 0",
  "retry 1",
  "delay_before_retry 0.1",
  block(check, lines),
];

export const block = (head: string, lines: readonly string[]): string =>
  [`${head} {`, ...lines, "}"].join("\n");
