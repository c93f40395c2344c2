import type { CheckerState } from "../../core/check/checker.ts";
import { checker } from "../../core/check/checker.ts";
import type { Instant, Micros } from "../../core/time.ts";
import { instant, milliseconds } from "../../core/time.ts";

/**
 * A run begins at most this late, and at most this part of its interval. To be woken, process and
 * thread, costs several times as much as a run does.
 */
const GRAIN = milliseconds(50);
const GRAINS = 20;

/** The deadline; its turn a little later, with others: so many of them wake the process less often. */
export function wakeAt(state: CheckerState, every: Micros): Instant | undefined {
  const deadline = checker.deadline(state);
  if (deadline === undefined || deadline !== state.nextAt) return deadline;
  const grain = Math.max(1, Math.min(GRAIN, Math.floor(every / GRAINS)));
  return instant(Math.ceil(deadline / grain) * grain);
}
