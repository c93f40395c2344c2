import type { Instant } from "../../core/time.ts";
import { seconds, since } from "../../core/time.ts";
import { LIMITS } from "../../sandbox/sandbox.ts";

const WINDOW = seconds(1);

/** How much a policy may say: so many lines of log, and so many other effects, a second. */
export class EffectLimit {
  #from: Instant | undefined;
  #lines = 0;
  #others = 0;
  #over = 0;

  /** `over`: so many were left out in the second before, to be told now. */
  admit(operation: string, now: Instant): { readonly admitted: boolean; readonly over: number } {
    let over = 0;
    if (this.#from === undefined || since(this.#from, now) >= WINDOW) {
      over = this.#over;
      this.#from = now;
      this.#lines = 0;
      this.#others = 0;
      this.#over = 0;
    }
    const line = operation.startsWith("log.");
    const used = line ? ++this.#lines : ++this.#others;
    const admitted = used <= (line ? LIMITS.logLinesPerSecond : LIMITS.effectsPerSecond);
    if (!admitted) this.#over += 1;
    return { admitted, over };
  }
}
