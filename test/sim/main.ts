import { parseArgs } from "node:util";
import { production } from "./machine.ts";
import { production as balancing } from "./services/machine.ts";
import { runServicesTrial } from "./services/trial.ts";
import type { TrialResult } from "./trial.ts";
import { describeViolation, runTrial } from "./trial.ts";
import { ONE_YEAR, runLife } from "./years.ts";

const YEAR = 365.25 * 86_400 * 1e6;
/** Between two lines that tell how far it is, seconds. */
const REPORT_EVERY = 60;

type Run = (seed: number) => TrialResult | Promise<TrialResult>;

/** What is simulated: the routers of a segment, or a director of virtual servers. */
const RUNS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ["vrrp", (seed) => runTrial(seed, production)],
  ["asking", (seed) => runTrial(seed, production, "asking")],
  ["guarded", (seed) => runTrial(seed, production, "guarded")],
  ["services", (seed) => runServicesTrial(seed, balancing)],
  ["years", (seed) => runLife(seed, production, ONE_YEAR)],
]);

interface Total {
  seeds: number;
  events: number;
  faults: number;
  routerTime: number;
  lived: number;
  skipped: number;
  broken: number;
}

function add(total: Total, result: TrialResult): void {
  total.seeds++;
  total.events += result.events;
  total.faults += result.faults;
  total.routerTime += result.routerTime;
  total.lived += result.lived ?? 0;
  total.skipped += result.skipped ?? 0;
  if (result.violation === undefined) return;
  total.broken++;
  process.stdout.write(`${describeViolation(result)}\n`);
}

function summary(name: string, from: number, total: Total, seconds: number): string {
  const years = (time: number): string => (time / YEAR).toFixed(3);
  const { lived, skipped } = total;
  const groups =
    lived > 0 ? `${years(lived)} cluster-years (${years(lived - skipped)} gone through), ` : "";
  return (
    `${name}: ${total.seeds} seeds from ${from}: ${total.events} events, ${total.faults} faults, ` +
    `${groups}${years(total.routerTime)} router-years, ${total.broken} broken, ` +
    `${seconds.toFixed(1)} s\n`
  );
}

/**
 * `npm run sim -- [--of vrrp|services|years] --seeds N [--from SEED]`: runs many trials, prints what broke,
 * exits 1 if any. `--years N`: the lives of N groups, a year each.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      of: { type: "string" },
      seeds: { type: "string", default: "10000" },
      years: { type: "string" },
      from: { type: "string", default: "1" },
    },
  });
  const name = values.of ?? (values.years === undefined ? "vrrp" : "years");
  const [count, from] = [Number(values.years ?? values.seeds), Number(values.from)];
  const run = RUNS.get(name);
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(from)) || run === undefined) {
    const known = [...RUNS.keys()].join(", ");
    process.stderr.write(
      `sim: --seeds, --years and --from take whole numbers, --of takes ${known}\n`,
    );
    process.exitCode = 2;
    return;
  }
  const total: Total = {
    ...{ seeds: 0, events: 0, faults: 0, routerTime: 0 },
    ...{ lived: 0, skipped: 0, broken: 0 },
  };
  const started = process.hrtime.bigint();
  const seconds = (): number => Number(process.hrtime.bigint() - started) / 1e9;
  let reportAt = REPORT_EVERY;
  for (let seed = from; seed < from + count; seed++) {
    add(total, await run(seed));
    if (seconds() < reportAt) continue;
    reportAt = seconds() + REPORT_EVERY;
    process.stderr.write(summary(name, from, total, seconds()));
  }
  process.stdout.write(summary(name, from, total, seconds()));
  process.exitCode = total.broken === 0 ? 0 : 1;
}

await main();
