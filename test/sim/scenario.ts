import type { IpAddress } from "../../agent/core/address.ts";
import type { Micros } from "../../agent/core/time.ts";
import { centiseconds, micros, seconds } from "../../agent/core/time.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { Coupling } from "./coupling.ts";
import { Node } from "./node.ts";
import type { Prng } from "./prng.ts";

/** One group of routers, made from a seed. */
export interface Scenario {
  readonly nodes: readonly Node[];
  /** The longest interval in the group: the unit of the schedule. */
  readonly longestInterval: Micros;
  /** When, after the last fault, the group must have settled (microseconds). */
  readonly settleTime: number;
}

const INTERVALS: readonly Micros[] = [
  centiseconds(1),
  centiseconds(10),
  centiseconds(50),
  seconds(1),
  seconds(3),
];

interface Temper {
  readonly version: 2 | 3;
  readonly interval: Micros;
  readonly mixedIntervals: boolean;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly startupDelay: Micros;
  readonly downTimerAdverts: number;
  readonly fenced: boolean;
}

function drawTemper(prng: Prng): Temper {
  const version = prng.chance(0.3) ? 2 : 3;
  const interval = version === 2 ? seconds(prng.whole(1, 3)) : prng.pick(INTERVALS);
  const preempt = prng.chance(0.7);
  return {
    version,
    interval,
    mixedIntervals: version === 3 && prng.chance(0.2),
    preempt,
    preemptDelay: preempt && prng.chance(0.2) ? micros(interval * prng.whole(1, 8)) : micros(0),
    startupDelay: prng.chance(0.15) ? micros(interval * prng.whole(1, 5)) : micros(0),
    downTimerAdverts: prng.chance(0.8) ? 3 : prng.whole(2, 6),
    fenced: prng.chance(0.8),
  };
}

function drawRouter(prng: Prng, temper: Temper, index: number, priority: number): VirtualRouter {
  const { version, mixedIntervals, preempt, preemptDelay, startupDelay, downTimerAdverts } = temper;
  const interval = mixedIntervals ? prng.pick(INTERVALS) : temper.interval;
  return {
    name: `VI_${index}`,
    vrid: 51,
    family: "ipv4",
    version,
    priority,
    initialActive: false,
    advertisementInterval: interval,
    downTimerAdverts,
    preempt: priority === 255 ? true : preempt,
    preemptDelay: priority === 255 ? micros(0) : preemptDelay,
    startupDelay,
    lowerPrioNoAdvert: prng.chance(0.15),
    higherPrioSendAdvert: true,
    ownerIgnoreAdverts: false,
    timerExpiredBackup: undefined,
    inSyncGroup: false,
    fenced: priority !== 255 && temper.fenced,
    primaryAddress: `192.0.2.${index + 1}` as IpAddress,
    announcement: {
      repeat: prng.whole(1, 5),
      delay: prng.chance(0.8) ? micros(interval * 5) : micros(0),
      refreshInterval: prng.chance(0.2) ? micros(interval * 7) : micros(0),
      refreshRepeat: 1,
      lowerPriorityRepeat: prng.whole(1, 3),
      lowerPriorityDelay: micros(interval * 2),
    },
  };
}

function drawPriorities(prng: Prng, count: number): readonly number[] {
  const first = prng.whole(1, 254);
  const priorities = Array.from({ length: count }, () =>
    prng.chance(0.25) ? first : prng.whole(1, 254),
  );
  if (prng.chance(0.1)) priorities[0] = 255;
  return priorities;
}

/** The router of the same host on a second segment: alike, but for its vrid and its address. */
function drawMate(node: Node): Node {
  const { router } = node;
  const primaryAddress = node.address.replace("192.0.2", "198.51.100") as IpAddress;
  const mate = { ...router, name: `${router.name}b`, vrid: 52, primaryAddress, inSyncGroup: true };
  return new Node(`${node.name}b`, mate, node.clockRate, node.clockOffset, 1);
}

/** Puts each host's routers into a sync group that spans two segments. */
function couple(nodes: readonly Node[]): readonly Node[] {
  return nodes.flatMap((node) => {
    node.router = { ...node.router, inSyncGroup: true };
    const mates = [node, drawMate(node)];
    const coupling = new Coupling(mates);
    for (const mate of mates) mate.coupling = coupling;
    return mates;
  });
}

/** Makes a group of two to four hosts that share version and vrid. */
export function drawScenario(prng: Prng): Scenario {
  const temper = drawTemper(prng);
  const count = prng.whole(2, 4);
  const single = drawPriorities(prng, count).map((priority, index) => {
    const router = drawRouter(prng, temper, index, priority);
    // Clocks differ by up to 1e-3, as split-brain reasoning assumes, and start anywhere.
    return new Node(`n${index}`, router, 1 + prng.between(-5e-4, 5e-4), prng.whole(0, 1e9));
  });
  const coupled = prng.chance(0.3) && single.every((node) => node.router.priority !== 255);
  const nodes = coupled ? couple(single) : single;
  const longestInterval = micros(
    Math.max(...nodes.map((node) => node.router.advertisementInterval)),
  );
  // A member that asks its group in vain asks again one down interval later.
  const settle = settleTime(temper, longestInterval) * (coupled ? 2 : 1);
  return { nodes, longestInterval, settleTime: settle };
}

/**
 * The longest way to a settled group: a startup delay, a down interval adopted from the slowest
 * router, a preemption that waits for its delay and its own down interval, each with slack.
 */
function settleTime(temper: Temper, longest: Micros): number {
  const down = (temper.downTimerAdverts + 1) * Math.max(longest, 1_000_000 / 256);
  const skew = 1_000_000;
  return temper.startupDelay + temper.preemptDelay + 3 * (down + skew) + 100_000;
}
