import type { SchedulingConfig } from "../../config.ts";
import { DEFAULTS } from "../../defaults.ts";

/** What a process of the agent is to run as. */
export interface SchedulingDraft {
  nice?: number;
  realtimePriority?: number;
  realtimeLimit?: number;
  cpuAffinity?: readonly number[];
  noSwap?: boolean;
}

export function completeScheduling(draft: SchedulingDraft): SchedulingConfig {
  const limit = draft.realtimePriority === undefined ? undefined : DEFAULTS.realtimeLimit;
  return {
    nice: draft.nice,
    realtimePriority: draft.realtimePriority,
    realtimeLimit: draft.realtimeLimit ?? limit,
    cpuAffinity: draft.cpuAffinity,
    noSwap: draft.noSwap === true,
  };
}

/**
 * One process does the work of two of keepalived's: what either of them is to have, and of two wishes the
 * more urgent one. Of two lists of processors the first one's counts.
 */
export function together(one: SchedulingDraft, other: SchedulingDraft): SchedulingDraft {
  const nice = either(Math.min, one.nice, other.nice);
  const realtimePriority = either(Math.max, one.realtimePriority, other.realtimePriority);
  const realtimeLimit = either(Math.max, one.realtimeLimit, other.realtimeLimit);
  return {
    ...other,
    ...one,
    ...(nice === undefined ? {} : { nice }),
    ...(realtimePriority === undefined ? {} : { realtimePriority }),
    ...(realtimeLimit === undefined ? {} : { realtimeLimit }),
    noSwap: one.noSwap === true || other.noSwap === true,
  };
}

const either = (
  choose: (one: number, other: number) => number,
  one: number | undefined,
  other: number | undefined,
): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : choose(one, other);
