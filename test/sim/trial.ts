import type { SyncGroupEvent } from "../../agent/core/vrrp/sync-group.ts";
import type { Checker, Trial } from "./checker.ts";
import { Violation } from "./checker.ts";
import { CHECKERS } from "./checkers.ts";
import { CRASH_CHECKERS } from "./crash-checkers.ts";
import { healAll, scheduleFaults } from "./faults.ts";
import { Fences } from "./fences.ts";
import { GUARD_CHECKERS } from "./guard-checkers.ts";
import { start, stop } from "./lifecycle.ts";
import type { SimulatedMachine } from "./machine.ts";
import { Prng } from "./prng.ts";
import type { Scenario } from "./scenario.ts";
import { drawClockRate, drawScenario } from "./scenario.ts";
import { Segment } from "./segment.ts";
import { SEQUENCE_CHECKERS } from "./sequence-checkers.ts";
import { Sessions } from "./sessions.ts";
import { Store } from "./store.ts";
import { Wishes } from "./wishes.ts";
import { World } from "./world.ts";

/** How one seed went. */
export interface TrialResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly events: number;
  readonly faults: number;
  /** Simulated router time: nodes × duration, microseconds. */
  readonly routerTime: number;
  /** Simulated time of the group, where quiet time is skipped: all of it, and what was skipped. */
  readonly lived?: number;
  readonly skipped?: number;
}

/**
 * Which groups a trial is of: any; those that require a lease, whose trouble is mostly with the store; those
 * that are failsafe or fence, where every second seed has reloads that change what is needed.
 */
export type Focus = "any" | "asking" | "guarded";

/** Of the faults where a store is asked this part is about it. */
const STORE_PART: Readonly<Record<Focus, number>> = { any: 0.5, asking: 0.85, guarded: 0.6 };

/** Longest intervals of trouble, and of calm after the group had time to settle. */
const TROUBLE = 60;
const CALM = 12;

/** Where a third party is asked trouble takes as long at least: what is about it goes by seconds. */
const ASKING_TROUBLE = 12e6;

export const ALL_CHECKERS = [
  ...CHECKERS,
  ...SEQUENCE_CHECKERS,
  ...CRASH_CHECKERS,
  ...GUARD_CHECKERS,
];

/** Where a mandate is needed: a store with a clock of its own, and who asks it. */
export function equip(world: World, scenario: Scenario, machine: SimulatedMachine): void {
  const { nodes, mandate, bfdInterval } = scenario;
  if (mandate === undefined) return;
  const hosts = [...new Set(nodes.map((node) => node.mates[0] ?? node))];
  if (mandate.fences) world.fences = new Fences(world, hosts);
  if (bfdInterval !== undefined) world.sessions = new Sessions(world, hosts, bfdInterval);
  const store = new Store(world, drawClockRate(world.prng, machine.clockDrift));
  world.store = store;
  for (const coupling of new Set(nodes.map((node) => node.coupling))) {
    const host = coupling?.members[0];
    if (coupling === undefined || host === undefined) continue;
    const tellGroup = (event: SyncGroupEvent): void => coupling.tell(event, world.order);
    coupling.wishes = new Wishes({ world, machine, host, store, rules: mandate, tellGroup });
  }
}

/**
 * One group under random faults, then calm, then a graceful stop of the active router. The first
 * broken invariant ends it.
 */
export function runTrial(
  seed: number,
  machine: SimulatedMachine,
  focus: Focus = "any",
): TrialResult {
  const prng = new Prng(seed);
  const scenario = drawScenario(prng, focus, machine.clockDrift);
  const world = new World(scenario.nodes, new Segment(prng), machine, prng);
  equip(world, scenario, machine);
  const trial: Trial = { world, scenario, quietSince: undefined };
  const checkers: Checker[] = ALL_CHECKERS.map((make) => make(trial));
  world.observe(checkers);

  const unit = scenario.longestInterval;
  for (const node of world.nodes) {
    world.at(prng.between(0, 5 * unit), () => start(world, node));
  }
  const troubleEnd = Math.max(TROUBLE * unit, scenario.mandate === undefined ? 0 : ASKING_TROUBLE);
  const faults = scheduleFaults(
    {
      world,
      prng,
      unit,
      passing: false,
      storePart: STORE_PART[focus],
      reloads: focus === "guarded" && seed % 2 === 0,
    },
    troubleEnd,
  );
  world.at(troubleEnd + 13 * unit, () => {
    healAll(world);
    trial.quietSince = world.now;
  });
  const calmEnd = troubleEnd + 13 * unit + scenario.settleTime + CALM * unit;
  const stopEnd = calmEnd + scenario.settleTime + CALM * unit;
  let violation: Violation | undefined;
  try {
    world.runUntil(calmEnd);
    // A stop is a change again; the rest of the group must then settle anew.
    trial.quietSince = world.now;
    for (const node of world.nodes) if (node.state.kind === "active") stop(world, node);
    world.runUntil(stopEnd);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const routerTime = world.now * world.nodes.length;
  return { seed, violation, events: world.events, faults, routerTime };
}

export const describeViolation = ({ seed, violation }: TrialResult): string =>
  violation === undefined
    ? `seed ${seed}: every invariant held`
    : `seed ${seed}, ${(violation.time / 1e6).toFixed(3)} s: ${violation.checker}: ${violation.message}`;
