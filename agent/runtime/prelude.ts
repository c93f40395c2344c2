import type { TimedCommand } from "../config/notifications.ts";

/** What comes before the first router, once in a run: the startup script. */
export class Prelude {
  readonly #run: (script: TimedCommand) => Promise<string | undefined>;
  readonly #failed: (outcome: string) => void;
  #underWay: Promise<void> | undefined;
  #over = false;

  /** `run` answers in words how it failed. As in keepalived, its failure is told, and the start goes on. */
  constructor(
    run: (script: TimedCommand) => Promise<string | undefined>,
    failed: (outcome: string) => void,
  ) {
    this.#run = run;
    this.#failed = failed;
  }

  /** Resolves when nothing of it runs. */
  get done(): Promise<void> {
    return this.#underWay ?? Promise.resolve();
  }

  /** Goes on with `next` when it is over; who comes while it runs is served by who came first. */
  before(script: TimedCommand | undefined, next: () => void): void {
    if (script === undefined || this.#over) {
      this.#over = true;
      next();
      return;
    }
    this.#underWay ??= this.#run(script).then((outcome) => {
      this.#over = true;
      if (outcome !== undefined) this.#failed(outcome);
      next();
    });
  }
}
