import { Violation } from "../checker.ts";
import { Prng } from "../prng.ts";
import type { TrialResult } from "../trial.ts";
import { CHECKERS, takers } from "./checkers.ts";
import { COMMAND_CHECKERS } from "./command-checkers.ts";
import { FACT_CHECKERS } from "./fact-checkers.ts";
import { healAll, scheduleFaults } from "./faults.ts";
import type { SimulatedServices } from "./machine.ts";
import { install } from "./machine.ts";
import { drawService } from "./plan.ts";
import type { Watch } from "./world.ts";
import { World } from "./world.ts";

/** What a checker may look at while a trial runs. */
export interface ServicesTrial {
  readonly world: World;
  /** From when on the table must be right and stay so; `undefined` while it need not be. */
  calmSince: number | undefined;
  /** The checks reach nobody, with nothing else going on: since when, and how many took part before. */
  networkLost: { readonly at: number; readonly taking: ReadonlyMap<string, number> } | undefined;
}

export type MakeWatch = (trial: ServicesTrial) => Watch;

const SECOND = 1_000_000;
const TROUBLE = 90 * SECOND;
/** Checks, slow start, a drain, an audit and the kernel's backoff: the longest way to rest. */
const SETTLE = 90 * SECOND;
const CALM = 25 * SECOND;

/**
 * A director under random faults, then calm; a restart that must change nothing; the network of the
 * checks lost and won again; then a stop. The first broken invariant ends it. `watch` hears of all of it.
 */
export async function runServicesTrial(
  seed: number,
  machine: SimulatedServices,
  watch?: (world: World) => Watch,
): Promise<TrialResult> {
  const prng = new Prng(seed);
  const world = new World(machine, prng);
  const trial: ServicesTrial = {
    world,
    calmSince: undefined,
    networkLost: undefined,
  };
  const makers = [...COMMAND_CHECKERS, ...FACT_CHECKERS, ...CHECKERS];
  world.observe([
    ...(watch === undefined ? [] : [watch(world)]),
    ...makers.map((make) => make(trial)),
  ]);
  const restore = install(machine, () => world);
  let violation: Violation | undefined;
  let faults = 0;
  try {
    faults = await play(trial, prng);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  } finally {
    world.kill();
    restore();
  }
  return { seed, violation, events: world.time.events, faults, routerTime: world.now };
}

async function play(trial: ServicesTrial, prng: Prng): Promise<number> {
  const { world } = trial;
  world.leaveServices = prng.chance(0.3);
  for (let number = 1; number <= 3; number += 1) {
    world.addresses.add(`192.0.2.${number}`);
    if (number === 1 || prng.chance(0.5)) world.plan.push(drawService(prng, number));
  }
  world.start();
  const faults = scheduleFaults(world, prng, 0, TROUBLE);
  await world.runUntil(TROUBLE + 25 * SECOND);
  healAll(world, prng);
  await calm(trial, SETTLE);

  // A restart of what rests, whether by a crash or an upgrade. What policies say, and whom the guard
  // holds, is not known at once.
  const holds = [...world.states.values()].some(({ panic }) => panic !== undefined);
  if (world.claims.size === 0 && !holds) {
    world.kill();
    world.start();
    await world.runUntil(world.now + CALM);
  }
  trial.calmSince = undefined;

  const taking = new Map(world.inForce.map((one) => [one.name, takers(world, one)]));
  world.hosts.reach(false);
  trial.networkLost = { at: world.now, taking };
  await world.runUntil(world.now + 30 * SECOND);
  trial.networkLost = undefined;
  world.hosts.reach(true);
  await calm(trial, 45 * SECOND);
  trial.calmSince = undefined;
  await stop(world);
  return faults;
}

async function calm(trial: ServicesTrial, settle: number): Promise<void> {
  const { world } = trial;
  trial.calmSince = world.now + settle;
  await world.runUntil(trial.calmSince + CALM);
}

/** Ours go, and nothing else does; with -I they stay. */
async function stop(world: World): Promise<void> {
  const before = world.kernel.ours.length;
  world.stop();
  await world.runUntil(world.now + 5 * SECOND);
  const after = world.kernel.ours.length;
  if (world.life !== undefined) throw new Violation("stop", world.now, "it does not end");
  if (after === (world.leaveServices ? before : 0)) return;
  throw new Violation("stop", world.now, `${after} services of ${before} are there after a stop`);
}
