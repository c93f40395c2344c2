import type { DropReason } from "../core/vrrp/drop-reason.ts";
import type { RouterCounters } from "../core/vrrp/snapshot.ts";

type Mutable<Record> = { -readonly [Key in keyof Record]: Record[Key] };

/** One router's counts while it runs; the shape that the snapshot shows. */
export interface Counters
  extends Mutable<Omit<RouterCounters, "dropped" | "alarms" | "alarmTimes">> {
  readonly dropped: Mutable<RouterCounters["dropped"]>;
  readonly alarms: Mutable<RouterCounters["alarms"]>;
  readonly alarmTimes: Mutable<RouterCounters["alarmTimes"]>;
}

export type AlarmKind = keyof RouterCounters["alarms"];

export function newCounters(): Counters {
  return {
    advertisementsSent: 0,
    advertisementsReceived: 0,
    priorityZeroSent: 0,
    priorityZeroReceived: 0,
    becameActive: 0,
    released: 0,
    sendErrors: 0,
    gateLate: 0,
    leasesLapsed: 0,
    mandatesLost: 0,
    dropped: {},
    alarms: {},
    alarmTimes: {},
  };
}

export function countDrop(counters: Counters, reason: DropReason): void {
  counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
}

/** @param at wall-clock milliseconds */
export function countAlarm(counters: Counters, alarm: AlarmKind, at: number, lasts = false): void {
  counters.alarms[alarm] = (counters.alarms[alarm] ?? 0) + 1;
  counters.alarmTimes[alarm] = { at, lasts };
}

export function endAlarm({ alarmTimes }: Counters, alarm: AlarmKind): void {
  const time = alarmTimes[alarm];
  if (time !== undefined) alarmTimes[alarm] = { ...time, lasts: false };
}
