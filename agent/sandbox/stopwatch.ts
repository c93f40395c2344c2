import process from "node:process";

/**
 * Measures what guest code may take. It counts the time that this thread ran: on a busy machine a
 * policy must not be stopped for what others took.
 */
export class Stopwatch {
  #budgetMs = 0;
  #wallEndsAt = 0;
  #cpuEndsAt: number | undefined;

  start(budgetMs: number): void {
    this.#budgetMs = budgetMs;
    this.#wallEndsAt = performance.now() + budgetMs;
    this.#cpuEndsAt = undefined;
  }

  /** The thread's time is counted from the first question: what is over before it needs no count. */
  expired(): boolean {
    this.#cpuEndsAt ??= threadMs() + this.#budgetMs;
    return performance.now() > this.#wallEndsAt && threadMs() > this.#cpuEndsAt;
  }
}

/** Node learnt it in 22.19; before, the clock on the wall has to do. */
function threadMs(): number {
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
