import type { VirtualServerConfig } from "../../../virtual-servers.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { textOf } from "./lines.ts";

const SCHEDULERS: ReadonlySet<string> = new Set(
  "rr wrr lc wlc lblc sh mh dh fo ovf lblcr sed nq twos".split(" "),
);
const DEFAULT_SCHEDULER = "wlc";

/** lvs_sched or lb_algo; that a word is no scheduler is said where the words are looked up. */
export function schedulerOf(lines: Lines): string {
  const said = textOf(lines, "lvs_sched") ?? textOf(lines, "lb_algo");
  return said !== undefined && SCHEDULERS.has(said) ? said : DEFAULT_SCHEDULER;
}

/** The number of the flag in ip_vs, from 0, by keyword, and the scheduler that knows it. */
const FLAGS: readonly (readonly [keyword: string, flag: 0 | 1 | 2, scheduler?: string])[] = [
  ["flag-1", 0],
  ["flag-2", 1],
  ["flag-3", 2],
  ["sh-fallback", 0, "sh"],
  ["sh-port", 1, "sh"],
  ["mh-fallback", 0, "mh"],
  ["mh-port", 1, "mh"],
];

export function readSchedulerFlags(
  lines: Lines,
  lowering: Lowering,
): VirtualServerConfig["schedulerFlags"] {
  const flags: [boolean, boolean, boolean] = [false, false, false];
  const used = schedulerOf(lines);
  for (const [keyword, flag, scheduler = used] of FLAGS) {
    const at = lines.get(keyword)?.keyword;
    if (at === undefined) continue;
    if (scheduler === used) flags[flag] = true;
    else {
      const message = `${keyword} is for the scheduler ${scheduler}, not ${used}`;
      report(lowering, "setting-ignored", at, message, `write lvs_sched ${scheduler}`);
    }
  }
  return flags;
}
