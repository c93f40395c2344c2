import { parseArgs } from "node:util";
import { production } from "./machine.ts";
import { describeViolation, runTrial } from "./trial.ts";

const YEAR = 365.25 * 86_400 * 1e6;

/** `npm run sim -- --seeds N [--from SEED]`: runs many trials, prints what broke, exits 1 if any. */
function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "10000" },
      from: { type: "string", default: "1" },
    },
  });
  const [count, from] = [Number(values.seeds), Number(values.from)];
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(from))) {
    process.stderr.write("sim: --seeds and --from take whole numbers\n");
    process.exitCode = 2;
    return;
  }
  const total = { events: 0, faults: 0, routerTime: 0, broken: 0 };
  const started = process.hrtime.bigint();
  for (let seed = from; seed < from + count; seed++) {
    const result = runTrial(seed, production);
    total.events += result.events;
    total.faults += result.faults;
    total.routerTime += result.routerTime;
    if (result.violation === undefined) continue;
    total.broken++;
    process.stdout.write(`${describeViolation(result)}\n`);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stdout.write(
    `${count} seeds from ${from}: ${total.events} events, ${total.faults} faults, ` +
      `${(total.routerTime / YEAR).toFixed(3)} router-years, ${total.broken} broken, ` +
      `${seconds.toFixed(1)} s\n`,
  );
  process.exitCode = total.broken === 0 ? 0 : 1;
}

main();
