import { parseArgs } from "node:util";
import { production } from "../sim/machine.ts";
import { search } from "./search.ts";

/** `npm run model -- [--nodes N] [--faults N] [--limit WORLDS]`: exits 1 when hosts reach two nodes. */
function main(): void {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "2" },
      faults: { type: "string", default: "4" },
      limit: { type: "string", default: "3000000" },
    },
  });
  const [nodes, faults, limit] = [
    Number(values.nodes),
    Number(values.faults),
    Number(values.limit),
  ];
  if (![nodes, faults, limit].every(Number.isInteger) || nodes < 1 || nodes > 3) {
    process.stderr.write("model: --nodes 1 to 3, --faults and --limit take whole numbers\n");
    process.exitCode = 2;
    return;
  }
  for (const preempt of [true, false]) {
    const started = performance.now();
    const found = search(production, { nodes, faults, limit, preempt });
    const { worlds, reachable, steps, complete, counterexample } = found;
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    const extent = complete ? "every world there is" : "stopped at the limit";
    const verdict = counterexample === undefined ? "hosts never reach two" : "hosts reach two";
    process.stdout.write(
      `${nodes} nodes, ${faults} deaths and starts, preempt ${preempt}: ${worlds} worlds ` +
        `(${reachable} reachable), ${steps} steps, ${extent}, ${seconds} s: ${verdict}\n`,
    );
    for (const choice of counterexample ?? [])
      process.stdout.write(`  ${JSON.stringify(choice)}\n`);
    if (counterexample !== undefined) process.exitCode = 1;
  }
}

main();
