import type {
  CheckTiming,
  RealServerConfig,
  ServerCheckConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { micros, seconds } from "../../../agent/core/time.ts";
import type { Prng } from "../prng.ts";

// The virtual servers that a trial is about, made from a seed.

const POSITION = { file: "/etc/keepalived/keepalived.conf", line: 1, column: 1 };

/** Last numbers of the addresses of the hosts that may be real servers: 10.0.0.1 and so on. */
export const HOSTS = [1, 2, 3, 4, 5, 6];
export const SORRY_HOST = 99;

const hostAddress = (last: number): IpAddress => `10.0.0.${last}` as IpAddress;

export const lastOf = (address: string): number => Number(address.split(".").at(-1));

function drawTiming(prng: Prng): CheckTiming {
  const interval = seconds(prng.pick([2, 3, 6]));
  return {
    interval,
    retries: prng.pick([0, 0, 1, 2]),
    retryInterval: seconds(1),
    warmup: prng.chance(0.5) ? interval : micros(0),
    timeout: seconds(prng.pick([1, 2])),
    startsDown: prng.chance(0.3),
    logAllFailures: false,
  };
}

/** A program that looks at one port of a host, and may hear how much that takes. */
const checkOf = (last: number, port: number, timing: CheckTiming): ServerCheckConfig => ({
  position: POSITION,
  timing,
  probe: {
    kind: "misc",
    command: { position: POSITION, argv: ["/bin/look", `${last}:${port}`], runAs: undefined },
    timeout: timing.timeout,
    dynamic: true,
  },
});

/** What it looks at: `3:8001`. */
export function placeOf({ probe }: Pick<ServerCheckConfig, "probe">): string {
  const place = probe.kind === "misc" ? probe.command.argv[1] : undefined;
  if (place === undefined) throw new TypeError(`nothing looks with ${probe.kind}`);
  return place;
}

/** What the real servers of one virtual server have in common. */
export interface Habit {
  readonly number: number;
  readonly timing: CheckTiming;
  readonly inhibit: boolean;
  /** Ports that are looked at, of each real server; some have no check at all. */
  readonly ports: readonly number[];
}

export function drawReal(
  prng: Prng,
  last: number,
  { timing, inhibit, ports }: Habit,
): RealServerConfig {
  const checked = prng.chance(0.9) ? ports : [];
  return {
    position: POSITION,
    name: `[${hostAddress(last)}]:tcp:80`,
    address: hostAddress(last),
    port: 80,
    forwarding: { kind: "dr" },
    weight: prng.chance(0.1) ? 0 : prng.whole(1, 10),
    upperThreshold: 0,
    lowerThreshold: 0,
    inhibitOnFailure: inhibit,
    notifyUp: undefined,
    notifyDown: undefined,
    mail: prng.chance(0.2),
    checks: checked.map((port) => checkOf(last, port, timing)),
  };
}

/** A virtual server, and what it is drawn by when it is changed. */
export interface Planned {
  readonly habit: Habit;
  readonly config: VirtualServerConfig;
}

export function drawService(prng: Prng, number: number): Planned {
  const marked = prng.chance(0.2);
  const address = `192.0.2.${number}` as IpAddress;
  const habit: Habit = {
    number,
    timing: drawTiming(prng),
    inhibit: prng.chance(0.25),
    ports: prng.chance(0.25) ? [8_000 + number, 9_000 + number] : [8_000 + number],
  };
  const members = HOSTS.filter(() => prng.chance(0.6));
  const quorum = prng.chance(0.4) ? 1 : prng.whole(1, 12);
  const config: VirtualServerConfig = {
    position: POSITION,
    name: marked ? `FWM ${number}` : `[${address}]:tcp:80`,
    targets: [
      marked
        ? { kind: "fwmark", fwmark: number, family: "ipv4" }
        : { kind: "address", address, port: 80 },
      ...(prng.chance(0.15) ? [{ kind: "address" as const, address, port: 443 }] : []),
    ],
    protocol: "tcp",
    scheduler: prng.pick(["rr", "wlc"]),
    schedulerFlags: [false, false, false],
    onePacket: false,
    persistence: undefined,
    quorum,
    hysteresis: prng.chance(0.5) ? prng.whole(0, quorum) : 0,
    quorumUp: undefined,
    quorumDown: undefined,
    sorryServer: prng.chance(0.4)
      ? { address: hostAddress(SORRY_HOST), port: 80, forwarding: { kind: "dr" } }
      : undefined,
    sorryServerInhibit: prng.chance(0.3),
    omega: prng.chance(0.2),
    haSuspend: prng.chance(0.15),
    mail: false,
    drainTime: seconds(prng.pick([0, 20, 40, 40])),
    slowStart: seconds(prng.pick([0, 0, 20])),
    panicThreshold: prng.pick([0, 0, 50, 70]),
    realServers: members.map((last) => drawReal(prng, last, habit)),
  };
  return { habit, config };
}

/** The same virtual server as somebody might have edited it. */
export function editService(prng: Prng, { habit, config }: Planned): Planned {
  const { realServers } = config;
  switch (prng.whole(0, 6)) {
    case 0:
      return {
        habit,
        config: { ...config, realServers: realServers.filter(() => prng.chance(0.6)) },
      };
    case 1: {
      const absent = HOSTS.filter((last) =>
        realServers.every((one) => lastOf(one.address) !== last),
      );
      const added = absent
        .filter(() => prng.chance(0.5))
        .map((last) => drawReal(prng, last, habit));
      return { habit, config: { ...config, realServers: [...realServers, ...added] } };
    }
    case 2: {
      const weighed = realServers.map((one) => ({ ...one, weight: prng.whole(0, 10) }));
      return { habit, config: { ...config, realServers: weighed } };
    }
    case 3:
      return { habit, config: { ...config, scheduler: prng.pick(["rr", "wlc", "wrr"]) } };
    case 4:
      return { habit, config: { ...config, quorum: prng.whole(1, 12), hysteresis: 0 } };
    case 5: {
      const timing = drawTiming(prng);
      const checked = realServers.map((one) => ({
        ...one,
        checks: one.checks.map((check) => ({ ...check, timing })),
      }));
      return { habit: { ...habit, timing }, config: { ...config, realServers: checked } };
    }
    default:
      return { habit, config: { ...config, drainTime: seconds(prng.pick([0, 20, 40])) } };
  }
}
