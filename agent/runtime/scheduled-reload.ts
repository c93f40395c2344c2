import { readFileSync, rmSync } from "node:fs";
import type { ReloadConfig } from "../config/config.ts";
import type { Later } from "../ports/processes.ts";

/** How often the file is looked at: it holds whole seconds. */
const LOOK_MS = 1_000;
const FORM =
  /^(?:((?:[0-9]{2})?[0-9]{2})-([0-9]{1,2})-([0-9]{1,2})[ T])?([0-9]{1,2}):([0-9]{2}):([0-9]{2})(Z?)$/;

/** When a reload is due. */
export interface ReloadMoment {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** A date was given: it comes but once. */
  readonly dated: boolean;
}

/**
 * Reads `[[YY]YY-MM-DD ]HH:MM:SS[Z]`, in local time unless it ends in Z; without a date, the next time
 * after `now`. `undefined`: it is no moment.
 */
export function reloadMoment(text: string, now: number): ReloadMoment | undefined {
  const fields = FORM.exec(text.trim());
  if (fields === null) return undefined;
  const [, year, month, day, hour = "", minute = "", second = "", zone] = fields;
  const utc = zone === "Z";
  const clock = [hour, minute, second].map(Number) as [number, number, number];
  if (clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return undefined;
  if (year !== undefined) {
    const full = year.length === 2 ? 2_000 + Number(year) : Number(year);
    const date = [full, Number(month) - 1, Number(day)] as const;
    const at = moment(utc, ...date, ...clock);
    const same = utc ? new Date(at).getUTCDate() : new Date(at).getDate();
    // The 31st of a shorter month would be another day.
    return same === date[2] && date[1] < 12 ? { at, dated: true } : undefined;
  }
  const today = new Date(now);
  const date = utc
    ? ([today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()] as const)
    : ([today.getFullYear(), today.getMonth(), today.getDate()] as const);
  const at = moment(utc, ...date, ...clock);
  if (at > now) return { at, dated: false };
  return { at: moment(utc, date[0], date[1], date[2] + 1, ...clock), dated: false };
}

const moment = (
  utc: boolean,
  ...parts: [number, number, number, number, number, number]
): number => (utc ? Date.UTC(...parts) : new Date(...parts).getTime());

/** What a scheduled reload needs of its supervisor. */
export interface ReloadClock {
  readonly later: Later;
  readonly wallClock: () => number;
  readonly log: (level: "info" | "warn", message: string) => void;
  readonly reload: () => void;
}

/** reload_time_file: a reload at the moment that the file holds. */
export class ScheduledReload {
  readonly #clock: ReloadClock;
  #config: Pick<ReloadConfig, "timeFile" | "repeat"> = { timeFile: undefined, repeat: false };
  #cancel: () => void = () => undefined;
  #text: string | undefined;
  #moment: ReloadMoment | undefined;

  constructor(clock: ReloadClock) {
    this.#clock = clock;
  }

  configure(config: Pick<ReloadConfig, "timeFile" | "repeat">): void {
    if (config.timeFile !== this.#config.timeFile) this.#text = undefined;
    this.#config = config;
    this.#cancel();
    this.#look();
  }

  stop(): void {
    this.configure({ timeFile: undefined, repeat: false });
  }

  #look(): void {
    const { timeFile } = this.#config;
    if (timeFile === undefined) return;
    this.#read(timeFile);
    this.#cancel = this.#clock.later(LOOK_MS, () => this.#look());
    const due = this.#moment;
    if (due === undefined || this.#clock.wallClock() < due.at) return;
    this.#moment = undefined;
    if (!this.#config.repeat || due.dated) this.#remove(timeFile);
    // Of the same file, the next day's moment.
    this.#text = undefined;
    this.#clock.log("info", `the moment in ${timeFile} has come: reloading`);
    this.#clock.reload();
  }

  /** Where it cannot be removed it is as if it had been written anew. */
  #remove(file: string): void {
    try {
      rmSync(file, { force: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#clock.log("warn", `the file of a reload stays: ${reason}; remove it`);
    }
  }

  #read(file: string): void {
    const text = contents(file);
    if (text === this.#text) return;
    this.#text = text;
    const now = this.#clock.wallClock();
    this.#moment = text === undefined ? undefined : reloadMoment(text, now);
    if (text === undefined) return;
    if (this.#moment === undefined || this.#moment.at <= now) {
      this.#moment = undefined;
      const hint = "write HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC";
      this.#clock.log("warn", `${file} holds no moment to come ("${text.trim()}"); ${hint}`);
      return;
    }
    const when = new Date(this.#moment.at).toISOString();
    this.#clock.log("info", `a reload is scheduled for ${when} by ${file}`);
  }
}

/** The first line; a moment is short, whatever else the file may be. */
function contents(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n", 1)[0]?.slice(0, 64);
  } catch {
    return undefined;
  }
}
