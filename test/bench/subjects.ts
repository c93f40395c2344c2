import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

type Part = (from: Package) => Promise<Section>;

/** What can be measured: `npm run bench -- SUBJECT [PART …]`. */
export const SUBJECTS: Readonly<Record<string, Readonly<Record<string, Part>>>> = {
  vrrp: {
    takeover: async (from) => (await import("./takeover.ts")).takeovers(from),
    mass: async (from) => (await import("./mass-takeover.ts")).massTakeover(from),
    cost: async (from) => (await import("./cost.ts")).cost(from),
    jitter: async (from) => (await import("./jitter.ts")).jitter(from),
    start: async (from) => (await import("./start.ts")).starts(from),
  },
  ipvs: {
    load: async (from) => (await import("./in-guest.ts")).inGuest("load", from),
    reload: async (from) => (await import("./servers-reload.ts")).serversReload(from),
    check: async (from) => (await import("./servers-check.ts")).serversCheck(from),
    probes: async (from) => (await import("./probe-cost.ts")).probeCost(from),
    failures: async (from) => (await import("./in-guest.ts")).inGuest("failures", from),
  },
  crash: {
    table: async (from) => (await import("./crash-table.ts")).crashes(from),
    all: async (from) => (await import("./crash-all.ts")).allCrashes(from),
    gate: async (from) => (await import("./crash-gate.ts")).gateCost(from),
  },
  policies: {
    trivial: async (from) => (await import("./trivial-check.ts")).trivialCheck(from),
    process: async (from) => (await import("./process-check.ts")).processCheck(from),
    http: async (from) => (await import("./http-check.ts")).httpCheck(from),
    adverts: async (from) => (await import("./checks-and-adverts.ts")).checksAndAdverts(from),
    stuck: async (from) => (await import("./stuck-policy.ts")).stuckPolicy(from),
    many: async (from) => (await import("./many-policies.ts")).manyPolicies(from),
    types: async (from) => (await import("./type-check.ts")).typeCheck(from),
    save: async (from) => (await import("./save-to-effect.ts")).saveToEffect(from),
    death: async (from) => (await import("./service-death.ts")).serviceDeath(from),
  },
};
