import { after, seconds } from "../core/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { KernelError } from "../ports/error.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Between two tries of a kernel that could not. */
const RETRY = seconds(5);

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

  constructor(parts: KernelAbilityParts) {
    this.#parts = parts;
    this.#retry = parts.schedule.slot(() => void this.#probe());
  }

  get problem(): KernelError | undefined {
    return this.#problem;
  }

  /** The kernel has shown that it can. */
  get proven(): boolean {
    return this.#proven;
  }

  set(problem: KernelError | undefined, proven = problem === undefined): void {
    const before = this.#problem;
    const provenBefore = this.#proven;
    this.#problem = problem;
    this.#proven = proven;
    const { clock, failed, changed } = this.#parts;
    this.#retry.set(problem === undefined ? undefined : after(clock.now(), RETRY));
    if (problem !== undefined && problem.code !== before?.code) failed(problem);
    if ((problem === undefined) !== (before === undefined)) changed("problem");
    else if (proven !== provenBefore) changed("proven");
  }

  close(): void {
    this.#retry.set(undefined);
  }

  async #probe(): Promise<void> {
    this.set(await this.#parts.probe());
  }
}
