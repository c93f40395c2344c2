import type { PriorityContribution } from "../vrrp/snapshot.ts";
import type { Contribution } from "./interface.ts";

/** Says since when each contribution has its weight. `at`: wall-clock milliseconds. */
export const datedContributions = (
  found: readonly Contribution[],
  before: readonly PriorityContribution[],
  at: number,
): readonly PriorityContribution[] =>
  found.map(({ source, weight }) => {
    const known = before.find((other) => other.source === source);
    return known?.weight === weight ? known : { source, weight, since: at };
  });
