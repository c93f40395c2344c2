import type { Micros } from "../../../core/time.ts";
import { centiseconds, seconds } from "../../../core/time.ts";
import { DEFAULTS } from "../../defaults.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";

interface Grid {
  /** The wire's unit. */
  readonly unit: Micros;
  readonly longest: Micros;
  readonly wanted: string;
}

/** RFC 3768 §5.3.7: whole seconds in one byte. */
const VERSION_2: Grid = {
  unit: seconds(1),
  longest: seconds(255),
  wanted: "whole seconds, 1 to 255",
};
/** RFC 9568 §5.2.7: centiseconds in twelve bits. */
const VERSION_3: Grid = {
  unit: centiseconds(1),
  longest: centiseconds(4095),
  wanted: "a multiple of 0.01 s, up to 40.95 s",
};

/** Advertisement_Interval as the version can carry it. */
export function completeInterval(
  said: Said<Micros> | undefined,
  version: 2 | 3,
  lowering: Lowering,
): Micros {
  if (said === undefined) return DEFAULTS.advertisementInterval;
  const grid = version === 2 ? VERSION_2 : VERSION_3;
  const rounded = Math.max(1, Math.round(said.value / grid.unit)) * grid.unit;
  const used = Math.min(rounded, grid.longest) as Micros;
  if (used !== said.value) {
    report(
      lowering,
      "value-adjusted",
      said.at,
      `advert_int of VRRP version ${version} is ${grid.wanted}; ${used / seconds(1)} s is used`,
      version === 2 ? "write whole seconds, or version 3 on every node" : `write ${grid.wanted}`,
    );
  }
  return used;
}
