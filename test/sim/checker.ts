import type { Scenario } from "./scenario.ts";
import type { Observer, World } from "./world.ts";

/** What a checker may look at while a trial runs. */
export interface Trial {
  readonly world: World;
  readonly scenario: Scenario;
  /** When the last fault ended; `undefined` while faults go on. */
  quietSince: number | undefined;
}

/** An invariant that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly checker: string;
  readonly time: number;

  constructor(checker: string, time: number, message: string) {
    super(message);
    this.checker = checker;
    this.time = time;
  }
}

/** Watches one invariant; throws a Violation at the moment when it is broken. */
export type Checker = Observer;

export type MakeChecker = (trial: Trial) => Checker;

export const ignore = (): void => undefined;
