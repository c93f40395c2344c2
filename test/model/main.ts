import { parseArgs } from "node:util";
import { production } from "../sim/machine.ts";
import { mandateSpace } from "./mandates.ts";
import type { SearchResult } from "./search.ts";
import { explore, search } from "./search.ts";

/**
 * `npm run model -- [--nodes N] [--faults N] [--limit WORLDS]`, or `--mandates DEPTH`, of two hosts that want one
 * lease: exits 1 when hosts reach two nodes.
 */
function main(): void {
  const { values } = parseArgs({
    options: {
      mandates: { type: "string" },
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
  if (values.mandates !== undefined) {
    const depth = Number(values.mandates);
    tell(`one lease, ${depth} choices in a row`, () =>
      explore(mandateSpace(production), { limit, depth }),
    );
    return;
  }
  for (const preempt of [true, false]) {
    tell(`${nodes} nodes, ${faults} deaths and starts, preempt ${preempt}`, () =>
      search(production, { nodes, faults, limit, preempt }),
    );
  }
}

function tell(what: string, run: () => SearchResult<unknown>): void {
  const started = performance.now();
  const { worlds, reachable, steps, complete, counterexample } = run();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const extent = complete ? "every world there is" : "stopped at the limit";
  const verdict = counterexample === undefined ? "hosts never reach two" : "hosts reach two";
  process.stdout.write(
    `${what}: ${worlds} worlds ` +
      `(${reachable} reachable), ${steps} steps, ${extent}, ${seconds} s: ${verdict}\n`,
  );
  for (const choice of counterexample ?? []) process.stdout.write(`  ${JSON.stringify(choice)}\n`);
  if (counterexample !== undefined) process.exitCode = 1;
}

main();
