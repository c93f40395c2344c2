import type { IpAddress } from "../../../agent/core/address.ts";
import type { DestinationKey } from "../../../agent/core/ipvs/service.ts";
import { seconds } from "../../../agent/core/time.ts";
import { desired } from "../../../agent/core/virtual-server/desired.ts";
import type {
  Finding,
  Override,
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolState,
  RealServer,
  ServerCheck,
} from "../../../agent/core/virtual-server/pool.ts";
import { NOT_FOUND } from "../../../agent/core/virtual-server/pool.ts";
import { virtualServer } from "../../../agent/core/virtual-server/virtual-server.ts";
import { at } from "../vrrp/example.ts";

const CHECK: ServerCheck = {
  timing: {
    interval: seconds(5),
    retries: 0,
    retryInterval: seconds(1),
    timeout: seconds(1),
    startsDown: false,
  },
  probe: { kind: "tcp" },
};

export const checkLike = (
  timing: Partial<ServerCheck["timing"]> = {},
  probe: unknown = CHECK.probe,
): ServerCheck => ({ timing: { ...CHECK.timing, ...timing }, probe });

/** 10.0.0.`last`:80, with one check. */
export const server = (last: number, part: Partial<RealServer> = {}): RealServer => ({
  address: `10.0.0.${last}` as IpAddress,
  port: 80,
  forwarding: { kind: "dr" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  inhibitOnFailure: false,
  checks: [CHECK],
  ...part,
});

export const key = (last: number): DestinationKey => `10.0.0.${last}:80` as DestinationKey;

/** 192.0.2.1:80 with servers 1 and 2. */
export const pool = (part: Partial<PoolConfig> = {}): PoolConfig => ({
  targets: [{ kind: "address", address: "192.0.2.1" as IpAddress, port: 80 }],
  protocol: "tcp",
  scheduler: "wlc",
  schedulerFlags: [false, false, false],
  onePacket: false,
  persistence: undefined,
  quorum: 1,
  hysteresis: 0,
  sorryServer: undefined,
  sorryServerInhibit: false,
  drainTime: seconds(0),
  slowStart: seconds(0),
  panicThreshold: 0,
  realServers: [server(1), server(2)],
  ...part,
});

/** Takes the traffic without quorum. */
export const SORRY = {
  address: "10.0.0.99" as IpAddress,
  port: 80,
  forwarding: { kind: "dr" },
} as const;

export const START: Extract<PoolEvent, { readonly kind: "start" }> = {
  kind: "start",
  presumed: {},
  quorum: undefined,
  overrides: {},
  leaving: {},
};

export const drain: Override = { kind: "drain", who: "root", at: 1 };

/** A virtual server with its clock; effects and weights as short words. */
export class Pool {
  state: PoolState = virtualServer.initial;
  config: PoolConfig;
  seconds = 0;

  constructor(config: PoolConfig, start: PoolEvent = START) {
    this.config = config;
    this.first = this.step(start);
  }

  readonly first: readonly string[];

  step(event: PoolEvent): readonly string[] {
    const now = at(this.seconds * 1_000_000);
    const { state, effects } = virtualServer.step(this.config, this.state, event, now);
    this.state = state;
    return effects.map(words);
  }

  find(
    last: number,
    verdict: "up" | "down",
    part: Partial<Finding> = {},
    check = 0,
  ): readonly string[] {
    const finding = { ...NOT_FOUND, verdict, reason: verdict, ...part };
    return this.step({ kind: "found", found: [{ server: key(last), check, finding }] });
  }

  wait(time: number): readonly string[] {
    this.seconds += time;
    return this.step({ kind: "tick" });
  }

  say(last: number, override: Override | undefined): readonly string[] {
    return this.step({ kind: "override", server: key(last), override });
  }

  configure(config: PoolConfig): readonly string[] {
    const before = this.config;
    this.config = config;
    return this.step({ kind: "configured", before });
  }

  /** `1=5 2=0`: last number of the address and weight. */
  get weights(): string {
    const [entry] = desired(this.config, this.state);
    const found = (entry?.destinations ?? []).map(
      ({ address, weight }) => `${address.split(".").at(-1)}=${weight}`,
    );
    return found.sort().join(" ");
  }
}

function words(effect: PoolEffect): string {
  switch (effect.kind) {
    case "server":
      return `${effect.start ? "start " : ""}${effect.server} ${effect.up ? "up" : "down"}`;
    case "weight":
      return `${effect.server} ${effect.before}→${effect.after}`;
    case "quorum":
      return `${effect.start ? "start " : ""}quorum ${effect.up ? "up" : "down"} ${effect.weight}/${effect.threshold}`;
    case "overruled":
      return `overruled ${effect.emptied}/${effect.of}`;
    case "panic":
      return `held ${effect.held}, up ${effect.up}`;
    case "left":
      return `${effect.server} left`;
  }
}
