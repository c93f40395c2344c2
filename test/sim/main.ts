import { parseArgs } from "node:util";
import { production } from "./machine.ts";
import { production as balancing } from "./services/machine.ts";
import { runServicesTrial } from "./services/trial.ts";
import type { TrialResult } from "./trial.ts";
import { describeViolation, runTrial } from "./trial.ts";

const YEAR = 365.25 * 86_400 * 1e6;

type Run = (seed: number) => TrialResult | Promise<TrialResult>;

/** What is simulated: the routers of a segment, or a director of virtual servers. */
const RUNS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ["vrrp", (seed) => runTrial(seed, production)],
  ["services", (seed) => runServicesTrial(seed, balancing)],
]);

/**
 * `npm run sim -- [--of vrrp|services] --seeds N [--from SEED]`: runs many trials, prints what broke,
 * exits 1 if any.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      of: { type: "string", default: "vrrp" },
      seeds: { type: "string", default: "10000" },
      from: { type: "string", default: "1" },
    },
  });
  const [count, from] = [Number(values.seeds), Number(values.from)];
  const run = RUNS.get(values.of);
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(from)) || run === undefined) {
    const known = [...RUNS.keys()].join(" or ");
    process.stderr.write(`sim: --seeds and --from take whole numbers, --of takes ${known}\n`);
    process.exitCode = 2;
    return;
  }
  const total = { events: 0, faults: 0, routerTime: 0, broken: 0 };
  const started = process.hrtime.bigint();
  for (let seed = from; seed < from + count; seed++) {
    const result = await run(seed);
    total.events += result.events;
    total.faults += result.faults;
    total.routerTime += result.routerTime;
    if (result.violation === undefined) continue;
    total.broken++;
    process.stdout.write(`${describeViolation(result)}\n`);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stdout.write(
    `${values.of}: ${count} seeds from ${from}: ${total.events} events, ${total.faults} faults, ` +
      `${(total.routerTime / YEAR).toFixed(3)} years, ${total.broken} broken, ` +
      `${seconds.toFixed(1)} s\n`,
  );
  process.exitCode = total.broken === 0 ? 0 : 1;
}

await main();
