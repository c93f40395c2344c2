import type { Simulation, World } from "../../../sdk/testing.ts";

/** One thing that a scenario has happen. */
export interface ScenarioStep {
  /** Milliseconds since the start. */
  readonly at: number;
  /** As it is written. */
  readonly text: string;
  /** Throws a TypeError for what cannot be. */
  readonly act: (sim: Simulation) => void | Promise<void>;
}

/** What happens to a policy, and when. */
export interface Scenario {
  readonly world: World;
  /** In the order of time. */
  readonly steps: readonly ScenarioStep[];
  /** Milliseconds. */
  readonly length: number;
}

/** A scenario while it is read. */
export interface Draft {
  world: World;
  readonly steps: ScenarioStep[];
  /** Milliseconds; `undefined`: nothing says so. */
  end: number | undefined;
}

/** What goes on after the last step when nothing else is said. */
const AFTERMATH_MS = 60_000;

/** Steps of one moment stay in their order. */
export function finished({ world, steps, end }: Draft): Scenario {
  const sorted = [...steps].sort((a, b) => a.at - b.at);
  const last = sorted.at(-1)?.at ?? 0;
  const length = end ?? last + AFTERMATH_MS;
  return { world, steps: sorted.filter(({ at }) => at <= length), length };
}
