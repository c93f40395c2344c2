import type { Checker, Trial } from "./checker.ts";
import { Violation } from "./checker.ts";
import { drawFault } from "./faults.ts";
import { start } from "./lifecycle.ts";
import type { SimulatedMachine } from "./machine.ts";
import { Prng } from "./prng.ts";
import type { QuietRound } from "./quiet.ts";
import { quietRound } from "./quiet.ts";
import { drawScenario } from "./scenario.ts";
import { Segment } from "./segment.ts";
import type { TrialResult } from "./trial.ts";
import { ALL_CHECKERS, equip } from "./trial.ts";
import type { Observer } from "./world.ts";
import { World } from "./world.ts";

const YEAR = 365.25 * 86_400 * 1e6;

/** How long one seed's group lives, and through how much. */
export interface Life {
  /** True time, microseconds. */
  readonly span: number;
  readonly faults: number;
  /** Quiet time is not gone through; without it a run is the same, and takes for ever. */
  readonly skips: boolean;
}

/** 1,000 of them are 1,000 years with a million faults: one in nine hours. */
export const ONE_YEAR: Life = { span: YEAR, faults: 1_000, skips: true };

export interface LifeResult extends TrialResult {
  readonly lived: number;
  readonly skipped: number;
}

/** Somebody else who looks on. `age`: how long the group has lived. */
export type Watch = (age: () => number) => Observer;

/** Faults come in swarms of so many at the most, within so many intervals of each other. */
const SWARM = 4;
const SWARM_INTERVALS = 8;

/** So long after its last fault ended a group has long been quiet, in times that it may take to settle. */
const PATIENCE = 4;

/**
 * A group's life: swarms of faults that each end by themselves, hours of quiet between them. The first
 * broken invariant ends it.
 */
export function runLife(
  seed: number,
  machine: SimulatedMachine,
  life: Life,
  watch?: Watch,
): LifeResult {
  const prng = new Prng(seed);
  const scenario = drawScenario(prng, "near", machine.clockDrift);
  const world = new World(scenario.nodes, new Segment(prng), machine, prng);
  equip(world, scenario, machine);
  const trial: Trial = { world, scenario, quietSince: undefined };
  const run = new LifeRun(trial, life);
  const checkers: Checker[] = ALL_CHECKERS.map((make) => make(trial));
  if (watch !== undefined) checkers.push(watch(() => world.now + run.skipped));
  world.observe(checkers);
  let violation: Violation | undefined;
  try {
    for (const node of world.nodes) start(world, node);
    run.live();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { faults, skipped } = run;
  const lived = world.now + skipped;
  const routerTime = lived * world.nodes.length;
  return { seed, violation, events: world.events, faults, routerTime, lived, skipped };
}

class LifeRun {
  faults = 0;
  skipped = 0;
  readonly #trial: Trial;
  readonly #life: Life;

  constructor(trial: Trial, life: Life) {
    this.#trial = trial;
    this.#life = life;
  }

  live(): void {
    const { world, scenario } = this.#trial;
    const { prng } = world;
    const { span, faults } = this.#life;
    const meanGap = (span / faults) * ((1 + SWARM) / 2);
    while (this.faults < faults) {
      // Exponential: when the next one comes has nothing to do with the last.
      this.#quiet(-Math.log(1 - prng.next()) * meanGap);
      const size = Math.min(prng.whole(1, SWARM), faults - this.faults);
      this.#trial.quietSince = undefined;
      const trouble = {
        world,
        prng,
        unit: scenario.longestInterval,
        passing: true,
        storePart: 0.5,
        reloads: false,
      };
      for (let i = 0; i < size; i++) {
        if (i > 0) {
          const gap = prng.between(0, SWARM_INTERVALS) * scenario.longestInterval;
          world.runUntil(world.now + gap);
        }
        drawFault(trouble, true)(trouble);
        this.faults += 1;
      }
      this.#untilOver();
    }
    this.#quiet(Math.max(0, span - world.now - this.skipped));
  }

  /** Until every fault has ended by itself. */
  #untilOver(): void {
    const { world, scenario } = this.#trial;
    while (world.pending > 0) world.runUntil(world.now + scenario.longestInterval);
    // What had no end of its own.
    world.segment.heal();
    this.#trial.quietSince = world.now;
  }

  /** Lets so much time pass, from the end of the last faults. */
  #quiet(span: number): void {
    const { world, scenario } = this.#trial;
    const end = world.now + span;
    const patience = world.now + PATIENCE * scenario.settleTime;
    while (world.now < end) {
      const round = quietRound(world);
      if (round !== undefined && this.#pass(end, round)) return;
      if (world.now > patience) throw this.#restless();
      world.runUntil(Math.min(end, world.now + scenario.longestInterval));
    }
  }

  /** Answers whether it was quiet until the end. */
  #pass(end: number, { longestTimer }: QuietRound): boolean {
    const { world } = this.#trial;
    world.setCalm(true);
    // What was drawn before the calm is over when each timer has come due since, and a packet arrived.
    world.runUntil(Math.min(end, world.now + 2 * longestTimer));
    const round = quietRound(world);
    if (round !== undefined) {
      const rounds = Math.floor((end - world.now) / round.length);
      const skipped = this.#life.skips ? rounds * round.length : 0;
      this.skipped += skipped;
      world.skip(skipped);
      world.runUntil(end - skipped);
    }
    world.setCalm(false);
    return round !== undefined;
  }

  #restless(): Violation {
    return new Violation("settles", this.#trial.world.now, "the group does not come to rest");
  }
}
