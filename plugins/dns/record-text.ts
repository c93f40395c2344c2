import type { Resolver } from "node:dns/promises";

/** Records of one type as texts, in the form of a zone file without the type. */
type ResolveRecords = (resolver: Resolver, name: string) => Promise<readonly string[]>;

/** By type of record. */
export const RECORDS: Readonly<Record<string, ResolveRecords>> = {
  A: (resolver, name) => resolver.resolve4(name),
  AAAA: (resolver, name) => resolver.resolve6(name),
  CNAME: (resolver, name) => resolver.resolveCname(name),
  NS: (resolver, name) => resolver.resolveNs(name),
  PTR: (resolver, name) => resolver.resolvePtr(name),
  TXT: async (resolver, name) => (await resolver.resolveTxt(name)).map((parts) => parts.join("")),
  MX: async (resolver, name) =>
    (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}`),
  SRV: async (resolver, name) =>
    (await resolver.resolveSrv(name)).map(
      (record) => `${record.priority} ${record.weight} ${record.port} ${record.name}`,
    ),
  SOA: async (resolver, name) => {
    const soa = await resolver.resolveSoa(name);
    const numbers = [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minttl];
    return [[soa.nsname, soa.hostmaster, ...numbers].join(" ")];
  },
};
