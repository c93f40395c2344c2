import type { Node } from "./node.ts";
import type { World } from "./world.ts";

/**
 * How long, in true time, one round of a quiet world is: after it everything is as it was, but so much
 * later. `undefined`: it is not quiet.
 *
 * Quiet: no fault is under way; on each segment one router is active, all others are backups that hear
 * it and wait. Then nothing happens but that the active host's timers come due, each a fixed time by its
 * clock after it did before: advertisements, refreshes of lifetimes and of announcements, renewals of
 * the lease. Backups and the store only ever answer to them. So the round is the least common multiple
 * of these times.
 */
export function quietRound(world: World): QuietRound | undefined {
  if (world.pending > 0 || world.arrivals > world.now || !world.segment.allClean) return undefined;
  if (world.store !== undefined && !world.store.healthy) return undefined;
  const active = world.nodes.filter(({ state }) => state.kind === "active");
  const host = active[0]?.mates[0];
  if (host === undefined || active.some((node) => node.mates[0] !== host)) return undefined;
  if (active.length !== host.mates.length) return undefined;
  if (!world.nodes.every((node) => isWell(node, active, world.now))) return undefined;
  const spans = active.flatMap((node) => timersOf(world, node));
  return {
    length: spans.reduce(leastCommonMultiple) / host.clockRate,
    longestTimer: Math.max(...spans) / host.clockRate,
  };
}

/** In true time, microseconds. */
export interface QuietRound {
  readonly length: number;
  /** After it each timer has come due once. */
  readonly longestTimer: number;
}

function isWell(node: Node, active: readonly Node[], now: number): boolean {
  if (!node.running || !node.linkUp) return false;
  const holder = active.find(({ lan }) => lan === node.lan);
  if (holder === undefined) return false;
  if (node.coupling?.wishes?.isSteady(node === holder) === false) return false;
  return node === holder ? holds(node, now) : waits(node, holder, now);
}

/** Reachable, with nothing left to say or to ask. */
function holds(node: Node, now: number): boolean {
  const { state } = node;
  if (state.kind !== "active" || state.contest !== undefined) return false;
  return state.announceAt === undefined && state.rival === undefined && node.isReachable(now);
}

/** A backup that hears who is active, and will not preempt it. */
function waits(node: Node, holder: Node, now: number): boolean {
  const { state, router } = node;
  if (state.kind !== "backup" || node.addresses.installed || node.letsIn(now)) return false;
  if (state.request !== undefined || state.resigned || state.preemptAt !== undefined) return false;
  if (state.active?.address !== holder.address) return false;
  if (state.active.priority !== holder.router.priority) return false;
  const preempting = router.preempt && holder.router.priority < router.priority;
  return !preempting && (state.held === undefined || state.held.othersUntil <= node.local(now));
}

function timersOf(world: World, node: Node): readonly number[] {
  const { advertisementInterval, announcement } = node.router;
  const renewal = node.coupling?.wishes?.rules.lease?.renewEvery;
  const lifetime = world.lifetimeOf(node)?.refresh;
  const all = [advertisementInterval, announcement.refreshInterval, renewal, lifetime];
  return all.filter((span) => span !== undefined && span > 0) as number[];
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
