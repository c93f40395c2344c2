import { after, milliseconds, seconds } from "../core/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { KernelError } from "../ports/error.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Between two tries of a kernel that could not. */
const RETRY = seconds(5);
/** The same where it could not just then. */
const SOON = milliseconds(500);

export interface KernelAbilityParts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly probe: () => Promise<KernelError | undefined>;
  /** A problem that was not there before, or another one. */
  readonly failed: (problem: KernelError) => void;
  /** There is a problem where there was none, or none any more; or, `proven`, only that is other. */
  readonly changed: (what: "problem" | "proven") => void;
}

/** Whether the kernel can do something that only some configurations ask for; tried again where not. */
export class KernelAbility {
  readonly #parts: KernelAbilityParts;
  readonly #retry: Slot;
  #problem: KernelError | undefined;
  #proven = false;
  /** A passing error was the last that was heard: once that is no problem. */
  #inDoubt = false;

  constructor(parts: KernelAbilityParts) {
    this.#parts = parts;
    this.#retry = parts.schedule.slot(() => void this.#probe());
  }

  /** Also one that should have passed, and goes on. */
  get problem(): KernelError | undefined {
    return this.#problem;
  }

  /** The kernel has shown that it can. */
  get proven(): boolean {
    return this.#proven;
  }

  /** It may be able to, or is again in a moment. */
  get isThinkable(): boolean {
    return this.#proven || this.#inDoubt;
  }

  set(problem: KernelError | undefined, proven = problem === undefined): void {
    if (problem?.passing === true) this.#doubt();
    else this.#decide(problem, proven, false);
  }

  close(): void {
    this.#retry.set(undefined);
  }

  /** What it is known to be unable to do, it is not thought able to by that. */
  #doubt(): void {
    if (!this.#inDoubt && this.#problem === undefined) this.#decide(undefined, this.#proven, true);
  }

  #decide(problem: KernelError | undefined, proven: boolean, inDoubt: boolean): void {
    const [before, thinkable] = [this.#problem, this.isThinkable];
    this.#problem = problem;
    this.#proven = proven;
    this.#inDoubt = inDoubt;
    const { clock, failed, changed } = this.#parts;
    const well = problem === undefined && !inDoubt;
    this.#retry.set(well ? undefined : after(clock.now(), inDoubt ? SOON : RETRY));
    if (problem !== undefined && problem.code !== before?.code) failed(problem);
    if ((problem === undefined) !== (before === undefined)) changed("problem");
    else if (this.isThinkable !== thinkable) changed("proven");
  }

  async #probe(): Promise<void> {
    const problem = await this.#parts.probe();
    if (problem?.passing !== true) this.set(problem);
    // What should have passed by now is a problem, whatever the kernel could before.
    else if (this.#inDoubt) this.#decide(problem, this.#proven, true);
    else this.#decide(this.#problem, this.#proven, false);
  }
}
