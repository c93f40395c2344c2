import type { Family, IpAddress } from "../address.ts";
import type { DestinationKey, Forwarding, Persistence, ServiceProtocol } from "../ipvs/service.ts";
import type { Instant, Micros } from "../time.ts";

// What the machine of a virtual server is told, and what it remembers.

/** What of a virtual_server's configuration the machine goes by. */
export interface PoolConfig {
  readonly targets: readonly PoolTarget[];
  readonly protocol: ServiceProtocol;
  readonly scheduler: string;
  readonly schedulerFlags: readonly [boolean, boolean, boolean];
  readonly onePacket: boolean;
  readonly persistence: Persistence | undefined;
  readonly quorum: number;
  readonly hysteresis: number;
  readonly sorryServer: PoolMember | undefined;
  readonly sorryServerInhibit: boolean;
  readonly drainTime: Micros;
  readonly slowStart: Micros;
  readonly panicThreshold: number;
  readonly realServers: readonly RealServer[];
}

export type PoolTarget =
  | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "fwmark"; readonly fwmark: number; readonly family: Family };

export interface PoolMember {
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: Forwarding;
}

export interface RealServer extends PoolMember {
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly inhibitOnFailure: boolean;
  readonly checks: readonly ServerCheck[];
}

export interface ServerCheck {
  readonly timing: {
    readonly interval: Micros;
    readonly retries: number;
    readonly retryInterval: Micros;
    readonly timeout: Micros;
    readonly startsDown: boolean;
  };
  /** Equal ones look at the same: what was found holds over a reload. */
  readonly probe: unknown;
}

/** What one check found last. */
export interface Finding {
  readonly verdict: "unknown" | "up" | "down";
  readonly reason: string;
  /** It says how much the server takes (misc_dynamic, a policy), in place of the configured weight. */
  readonly weight: number | undefined;
  /** It adds to the weight, or takes from it (FILE_CHECK). */
  readonly extra: number;
}

export const NOT_FOUND: Finding = { verdict: "unknown", reason: "", weight: undefined, extra: 0 };

/** What an operator said of a server; stronger than anything that was found. Kept over restarts. */
export type Override = {
  /** Who, as the control socket knows it, and wall-clock milliseconds. */
  readonly who: string;
  readonly at: number;
} & (
  | { readonly kind: "drain" }
  | { readonly kind: "disable" }
  | { readonly kind: "weight"; readonly weight: number }
);

/** What a policy does to a server. */
export type ServerClaim =
  | { readonly kind: "weight"; readonly weight: number }
  /** One of the weights of a whole service: they count together, or none does. */
  | { readonly kind: "balance"; readonly weight: number }
  | { readonly kind: "down"; readonly reason: string };

export interface ServerState {
  /** By index of the configured checks. */
  readonly found: readonly Finding[];
  /** What a check that found nothing yet counts as. */
  readonly presumed: boolean;
  /** Checks and policies let it take part, or it is held by the guard; an operator may not. */
  readonly up: boolean;
  /** Whether that was told, or need not be: it is so from an earlier run. */
  readonly told: boolean;
  /** Why it is what it is; empty where nothing was said. */
  readonly reason: string;
  readonly changedAt: Instant;
  /** When its checks last took it down, long ago if it began so; `undefined` while they do not. */
  readonly fellAt: Instant | undefined;
  /** Slow start: since when, and how many of `RAMP_STEPS` are done. */
  readonly ramp: { readonly from: Instant; readonly steps: number } | undefined;
  readonly override: Override | undefined;
  /** By source: `policy nginx`. */
  readonly claims: Readonly<Record<string, ServerClaim>>;
  /** What it is to have when it is up, slow start left out. */
  readonly weight: number;
}

/** Taken out of the configuration; it may finish its connections. */
export interface LeavingServer {
  readonly member: PoolMember;
  readonly until: Instant;
}

export interface PoolState {
  readonly quorum: boolean;
  readonly servers: Readonly<Record<DestinationKey, ServerState>>;
  readonly leaving: Readonly<Record<DestinationKey, LeavingServer>>;
  /** Most of the servers fell at once: these are held in the pool all the same. */
  readonly panic: { readonly held: readonly DestinationKey[] } | undefined;
  /** Policies' weights for the whole would empty it: they do not count. */
  readonly overruled: boolean;
  readonly deadlineAt: Instant | undefined;
}

export const RAMP_STEPS = 10;

export const EMPTY_POOL: PoolState = {
  quorum: false,
  servers: {},
  leaving: {},
  panic: undefined,
  overruled: false,
  deadlineAt: undefined,
};

export type PoolEvent =
  /** The director begins, or the virtual server is new. */
  | {
      readonly kind: "start";
      /** Of servers that the kernel knows already: whether they took part. */
      readonly presumed: Readonly<Record<DestinationKey, boolean>>;
      /** Weights that checks had answered, by index of the check: they hold until those have looked. */
      readonly answered?: Readonly<Record<DestinationKey, readonly (number | undefined)[]>>;
      /** As it was told last; `undefined`: it begins anew. */
      readonly quorum: boolean | undefined;
      readonly overrides: Readonly<Record<DestinationKey, Override>>;
      readonly leaving: Readonly<Record<DestinationKey, LeavingServer>>;
    }
  /** What checks found, all that came in one turn. */
  | { readonly kind: "found"; readonly found: readonly Found[] }
  | {
      readonly kind: "configured";
      readonly before: PoolConfig;
      /** Of those who are not configured any more; else the configuration's. */
      readonly drainTime?: Micros;
    }
  | {
      readonly kind: "override";
      readonly server: DestinationKey;
      readonly override: Override | undefined;
    }
  | {
      readonly kind: "claim";
      readonly server: DestinationKey;
      readonly source: string;
      readonly claim: ServerClaim | undefined;
    }
  /** The weights that a policy gives the whole service; who is not named has none of it. */
  | {
      readonly kind: "balance";
      readonly source: string;
      readonly weights: Readonly<Record<DestinationKey, number>>;
    }
  /** Active connections of servers that leave; a server that is not there has none. */
  | {
      readonly kind: "connections";
      readonly active: Readonly<Record<DestinationKey, number>>;
    }
  | { readonly kind: "tick" };

export interface Found {
  readonly server: DestinationKey;
  readonly check: number;
  readonly finding: Finding;
}

/** Facts, in the order in which keepalived tells them. `start`: it is so from the start. */
export type PoolEffect =
  | {
      readonly kind: "server";
      readonly server: DestinationKey;
      readonly up: boolean;
      readonly reason: string;
      readonly start: boolean;
    }
  | {
      readonly kind: "weight";
      readonly server: DestinationKey;
      readonly before: number;
      readonly after: number;
    }
  | {
      readonly kind: "quorum";
      readonly up: boolean;
      readonly start: boolean;
      /** Live weight that decided, the weight it was held against, and how many servers that is. */
      readonly weight: number;
      readonly threshold: number;
      readonly alive: number;
    }
  /** The guard holds so many servers in the pool, or does not any more. */
  | { readonly kind: "panic"; readonly held: number; readonly up: number }
  /** Policies gave 0 to so many of the servers that take part that none of their weights counts, or not any more. */
  | { readonly kind: "overruled"; readonly emptied: number; readonly of: number }
  | { readonly kind: "left"; readonly server: DestinationKey };
