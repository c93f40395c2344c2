import type { Micros } from "../../core/time.ts";
import { after } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule } from "../schedule.ts";

/** What a promise comes to, or `late()` when that takes longer. */
export function timeLimit<Answer>(
  { clock, schedule }: { readonly clock: Clock; readonly schedule: Schedule },
  time: Micros,
  answer: Promise<Answer>,
  late: () => Answer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const slot = schedule.slot(() => resolve(late()));
    slot.set(after(clock.now(), time));
    const settled = (): void => slot.set(undefined);
    answer.finally(settled).then(resolve, reject);
  });
}
