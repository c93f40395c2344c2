import { setTimeout as delay } from "node:timers/promises";
import type { Capture } from "../lab/capture.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Package, ProgramName } from "./program.ts";
import { PROGRAMS } from "./program.ts";
import type { Row } from "./row.ts";
import { ms } from "./row.ts";
import { quantile } from "./statistics.ts";

/** Seconds that each interval of `program` was too long or too short. */
export type Deviations = (program: ProgramName, from: Package) => Promise<readonly number[]>;

/** How regular the advertisements of both programs are. `aim`: of ours, at p99.9, in seconds. */
export async function intervalRow(
  what: string,
  aim: number,
  from: Package,
  deviations: Deviations,
): Promise<Row> {
  const measured: Partial<Record<ProgramName, readonly number[]>> = {};
  for (const program of PROGRAMS) measured[program] = await deviations(program, from);
  const at = (program: ProgramName, q: number): number => quantile(measured[program] ?? [], q);
  const text = (program: ProgramName): string =>
    [0.5, 0.99, 0.999, 1].map((q) => ms(at(program, q), 2)).join(" / ");
  return {
    what,
    holdfast: text("holdfast"),
    keepalived: text("keepalived"),
    ratio: at("holdfast", 0.999) / at("keepalived", 0.999),
    aim: `p99.9 ≤ ${ms(aim, 0)}`,
    met: at("holdfast", 0.999) <= aim,
  };
}

/** Watches advertisements for so many seconds; answers how far each is from `interval` seconds. */
export async function deviationsIn(
  capture: Capture,
  seconds: number,
  interval: number,
): Promise<readonly number[]> {
  const first = capture.frames.length;
  await delay(seconds * 1_000);
  const times = advertisements(capture.frames.slice(first)).map((one) => one.at);
  return times.slice(1).map((at, index) => Math.abs(at - (times[index] ?? 0) - interval));
}
