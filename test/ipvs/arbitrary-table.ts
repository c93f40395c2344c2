import fc from "fast-check";
import type {
  Destination,
  Service,
  ServiceEntry,
  ServiceTable,
} from "../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../agent/core/ipvs/service.ts";
import { destination, service, tableOf, tunnel } from "./example.ts";

const PLAIN = { noNullPrototype: true };

// Few names, so that tables meet in them; every word. The kernel takes all of it.

const SERVICE_NAMES = [
  "tcp 192.0.2.1:80",
  "udp 192.0.2.1:80",
  "tcp [2001:db8::1]:80",
  "fwmark 5 ipv4",
  "fwmark 5 ipv6",
];
const MEMBERS = ["192.0.2.10:80", "192.0.2.10:81", "192.0.2.11:80", "192.0.2.12:80"];
const MEMBERS6 = ["[2001:db8::10]:80", "[2001:db8::11]:80"];
const MOST = 2 ** 31 - 1;

const words = fc.record(
  {
    scheduler: fc.constantFrom("rr", "wlc", "sh"),
    schedulerFlags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    onePacket: fc.boolean(),
    persistence: fc.option(
      fc.record(
        {
          timeout: fc.integer({ min: 1, max: 2_678_400 }),
          prefixLength: fc.integer({ min: 1, max: 32 }),
          engine: fc.constantFrom("sip", undefined),
        },
        PLAIN,
      ),
      { nil: undefined },
    ),
  },
  PLAIN,
);

const tunnels = fc.constantFrom(
  tunnel(),
  tunnel({ type: "gue", port: 6080 }),
  tunnel({ type: "gue", port: 6081, checksum: "remote" }),
  tunnel({ type: "gre", checksum: "full" }),
);

const thresholds = fc
  .tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }))
  .map(([upperThreshold, less]) => ({
    upperThreshold,
    lowerThreshold: Math.max(0, upperThreshold - less),
  }));

const weights = fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(MOST));

/** One of a family that is not the service's is behind a tunnel. */
const memberOf = (ofIpv6: boolean): fc.Arbitrary<Destination> =>
  fc
    .tuple(
      fc.constantFrom(...MEMBERS, ...MEMBERS6),
      fc.oneof(
        tunnels,
        fc.constantFrom<Pick<Destination, "forwarding">>(
          { forwarding: { kind: "nat" } },
          { forwarding: { kind: "dr" } },
        ),
      ),
      tunnels,
      weights,
      thresholds,
    )
    .map(([name, forwarding, behindTunnel, weight, limits]) => {
      const mixed = name.startsWith("[") !== ofIpv6;
      return destination(name, { ...(mixed ? behindTunnel : forwarding), weight, ...limits });
    });

export const entries: fc.Arbitrary<ServiceEntry> = fc
  .constantFrom(...SERVICE_NAMES)
  .chain((name) => {
    const ofIpv6 = name.includes("[") || name.endsWith("ipv6");
    const members = fc.uniqueArray(memberOf(ofIpv6), { selector: destinationKey, maxLength: 5 });
    return fc.record(
      {
        service: words.map((rest): Service => service(name, rest)),
        destinations: members,
      },
      PLAIN,
    );
  });

export const tables: fc.Arbitrary<ServiceTable> = fc
  .uniqueArray(entries, { selector: (one) => serviceKey(one.service.target), maxLength: 5 })
  .map((list) => tableOf(...list));

/** A table, and the same with a few words changed: what a reload or somebody's `ipvsadm` does. */
export const neighbours: fc.Arbitrary<readonly [ServiceTable, ServiceTable]> = fc
  .tuple(tables, fc.array(entries, { maxLength: 2 }), fc.nat({ max: 3 }))
  .map(([table, others, dropped]) => {
    const kept = [...table.values()].map(({ service: one, destinations }) => ({
      service: one,
      destinations: destinations.filter((_, at) => at !== dropped),
    }));
    return [table, tableOf(...kept, ...others)] as const;
  });
