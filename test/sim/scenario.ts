import type { IpAddress } from "../../agent/core/address.ts";
import type { Micros } from "../../agent/core/time.ts";
import { centiseconds, micros, seconds } from "../../agent/core/time.ts";
import { KERNEL_LATENESS } from "../../agent/core/vrrp/lease.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { MANDATE_GATE_MARGIN } from "../../agent/core/witness/gate-margin.ts";
import type { MandateRules } from "../../agent/core/witness/mandate.ts";
import { leaseTime } from "../../agent/core/witness/witness.ts";
import { Coupling } from "./coupling.ts";
import { FENCE_TIMEOUT, OPERATOR } from "./fences.ts";
import { Node } from "./node.ts";
import type { Prng } from "./prng.ts";

/** One group of routers, made from a seed. */
export interface Scenario {
  readonly nodes: readonly Node[];
  /** The longest interval in the group: the unit of the schedule. */
  readonly longestInterval: Micros;
  /** When, after the last fault, the group must have settled (microseconds). */
  readonly settleTime: number;
  /** What hosts need before one of their routers becomes active. */
  readonly mandate: MandateRules | undefined;
  /** How often hosts that are failsafe tell each other that they live. */
  readonly bfdInterval: Micros | undefined;
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
  /** Addresses have lifetimes: always behind a gate, and where the kernel has none. */
  readonly lifetimes: boolean;
}

function drawTemper(prng: Prng): Temper {
  const version = prng.chance(0.3) ? 2 : 3;
  const interval = version === 2 ? seconds(prng.whole(1, 3)) : prng.pick(INTERVALS);
  const preempt = prng.chance(0.7);
  const fenced = prng.chance(0.8);
  return {
    version,
    interval,
    mixedIntervals: version === 3 && prng.chance(0.2),
    preempt,
    preemptDelay: preempt && prng.chance(0.2) ? micros(interval * prng.whole(1, 8)) : micros(0),
    startupDelay: prng.chance(0.15) ? micros(interval * prng.whole(1, 5)) : micros(0),
    downTimerAdverts: prng.chance(0.8) ? 3 : prng.whole(2, 6),
    fenced,
    lifetimes: fenced || prng.chance(0.5),
  };
}

/**
 * Which groups are drawn. `near`: where intervals are mixed the longest is ten times the shortest at most.
 * `asking`: all require a lease. `guarded`: all are failsafe, or have fence devices, or both.
 */
export type Choice = "any" | "near" | "asking" | "guarded";

const isAsking = (choice: Choice): boolean => choice === "asking" || choice === "guarded";

function mixed(prng: Prng, interval: Micros, choice: Choice): Micros {
  const near = INTERVALS.filter((other) => other <= interval && other >= interval / 10);
  return prng.pick(choice === "near" ? near : INTERVALS);
}

const BFD_INTERVALS: readonly Micros[] = [centiseconds(30), centiseconds(50)];

/** The longest pause after a fencing in vain, the next one, and until somebody switches hosts on. */
const FENCED_SETTLE = seconds(60) + 3 * FENCE_TIMEOUT + 2 * OPERATOR;

/** Of groups that all ask; the shortest is drawn among any others. */
const ASKING_INTERVALS: readonly Micros[] = [centiseconds(10), centiseconds(50), seconds(1)];

/** Of any temper, but such that it may ask. */
const askingTemper = (prng: Prng, temper: Temper): Temper => ({
  ...temper,
  interval: temper.version === 2 ? temper.interval : prng.pick(ASKING_INTERVALS),
  mixedIntervals: false,
  fenced: true,
  lifetimes: true,
});

function drawRouter(
  prng: Prng,
  temper: Temper,
  { index, priority, choice }: { index: number; priority: number; choice: Choice },
): VirtualRouter {
  const { version, mixedIntervals, preempt, preemptDelay, startupDelay, downTimerAdverts } = temper;
  const interval = mixedIntervals ? mixed(prng, temper.interval, choice) : temper.interval;
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
    // Its silence, and the last words of one whose interval is a third of its own, make backups impatient.
    lowerPrioNoAdvert: prng.chance(0.15) && !mixedIntervals,
    higherPrioSendAdvert: true,
    ownerIgnoreAdverts: false,
    timerExpiredBackup: undefined,
    inSyncGroup: false,
    fenced: priority !== 255 && temper.fenced,
    primaryAddress: `192.0.2.${index + 1}` as IpAddress,
    announcement: {
      repeat: prng.whole(1, 5),
      delay: prng.chance(0.8) ? micros(interval * 5) : micros(0),
      refreshInterval: prng.chance(0.2) ? micros(interval * 4) : micros(0),
      refreshRepeat: 1,
      lowerPriorityRepeat: prng.whole(1, 3),
      lowerPriorityDelay: micros(interval * 2),
    },
  };
}

/** Every third clock is as fast or slow as it may be. */
export function drawClockRate(prng: Prng, most: number): number {
  const drift = prng.between(-most, most);
  if (!prng.chance(1 / 3)) return 1 + drift;
  return drift < 0 ? 1 - most : 1 + most;
}

interface Guards {
  readonly leases: boolean;
  readonly failsafe: boolean;
  readonly fences: boolean;
}

const ASKS: Guards = { leases: true, failsafe: false, fences: false };

/** Failsafe twice as often as each of the others. */
const GUARDS: readonly Guards[] = [
  { leases: true, failsafe: true, fences: false },
  { leases: true, failsafe: true, fences: false },
  { leases: true, failsafe: true, fences: true },
  { leases: true, failsafe: false, fences: true },
  { leases: false, failsafe: false, fences: true },
];

/** Times as production derives them from how long the store keeps a lease. */
function drawMandate(prng: Prng, choice: Choice): MandateRules {
  const ttl = seconds(prng.pick([2, 3, 5]));
  const margin = micros(MANDATE_GATE_MARGIN + KERNEL_LATENESS);
  const mode = isAsking(choice) || prng.chance(0.8) ? "required" : "advisory";
  const guards = choice === "guarded" ? prng.pick(GUARDS) : ASKS;
  const { failsafe, fences } = guards;
  if (!guards.leases) return { lease: undefined, fences };
  const base = { mode, ttl, margin, patience: seconds(1), failsafe } as const;
  const counted = leaseTime({ ...base, renewEvery: ttl, requestTime: ttl });
  const requestTime = micros(Math.floor(counted / 6 / 50_000) * 50_000);
  // Halves of seconds: then what a quiet group does repeats itself soon.
  const renewEvery = micros(Math.floor((counted - 2 * requestTime) / 500_000) * 500_000);
  return { lease: { ...base, renewEvery, requestTime }, fences };
}

const mayAsk = ({ router }: Node): boolean => router.fenced;

/** Routers that need a mandate ask their group for it, also those that are alone in it. */
function ask(nodes: readonly Node[]): void {
  for (const node of nodes) {
    node.router = { ...node.router, inSyncGroup: true };
    node.coupling ??= new Coupling([node]);
  }
}

function drawPriorities(prng: Prng, count: number, owners: boolean): readonly number[] {
  const first = prng.whole(1, 254);
  const priorities = Array.from({ length: count }, () =>
    prng.chance(0.25) ? first : prng.whole(1, 254),
  );
  if (owners && prng.chance(0.1)) priorities[0] = 255;
  return priorities;
}

/** The router of the same host on a second segment: alike, but for its vrid and its address. */
function drawMate(node: Node): Node {
  const { router } = node;
  const primaryAddress = node.address.replace("192.0.2", "198.51.100") as IpAddress;
  const mate = { ...router, name: `${router.name}b`, vrid: 52, primaryAddress, inSyncGroup: true };
  const made = new Node(`${node.name}b`, mate, node.clockRate, node.clockOffset, 1);
  made.lifetimes = node.lifetimes;
  return made;
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
export function drawScenario(prng: Prng, choice: Choice, clockDrift: number): Scenario {
  const asking = isAsking(choice);
  const temper = asking ? askingTemper(prng, drawTemper(prng)) : drawTemper(prng);
  const count = prng.whole(2, choice === "guarded" ? 3 : 4);
  const single = drawPriorities(prng, count, !asking).map((priority, index) => {
    const router = drawRouter(prng, temper, { index, priority, choice });
    const node = new Node(`n${index}`, router, drawClockRate(prng, clockDrift), prng.whole(0, 1e9));
    node.lifetimes = temper.lifetimes && priority !== 255;
    return node;
  });
  const coupled = prng.chance(0.3) && single.every((node) => node.router.priority !== 255);
  const nodes = coupled ? couple(single) : single;
  const asked = single.every(mayAsk) && !temper.mixedIntervals && (asking || prng.chance(0.7));
  const mandate = asked ? drawMandate(prng, choice) : undefined;
  if (mandate !== undefined) ask(nodes);
  const longestInterval = micros(
    Math.max(...nodes.map((node) => node.router.advertisementInterval)),
  );
  // A member that asks its group in vain asks again one down interval later.
  const asks = coupled || mandate !== undefined ? 2 : 1;
  // A dead host's lease runs out first; whoever waits asks the store now and then.
  const leased = 3 * (mandate?.lease?.ttl ?? 0);
  const fenced = mandate?.fences === true ? FENCED_SETTLE : 0;
  const settle = settleTime(temper, longestInterval) * asks + leased + fenced;
  const bfdInterval = mandate?.lease?.failsafe ? prng.pick(BFD_INTERVALS) : undefined;
  return { nodes, longestInterval, settleTime: settle, mandate, bfdInterval };
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
