import type { RealServer, ServerState } from "./pool.ts";
import { RAMP_STEPS } from "./pool.ts";

/** The kernel's. */
const MOST_WEIGHT = 2_147_483_647;

/**
 * What a server is to have while it is up, slow start left out. An operator's word counts for more
 * than a policy's, that for more than a check's, that for more than the configuration's; of several of
 * one rank the least. `overruled`: what policies say of the whole service does not count.
 */
export function targetWeight(
  { weight }: Pick<RealServer, "weight">,
  { found, claims, override }: Pick<ServerState, "found" | "claims" | "override">,
  overruled = false,
): number {
  if (override?.kind === "weight") return override.weight;
  if (override !== undefined) return 0;
  let claimed: number | undefined;
  for (const claim of Object.values(claims)) {
    if (claim.kind === "down" || (claim.kind === "balance" && overruled)) continue;
    claimed = Math.min(claimed ?? claim.weight, claim.weight);
  }
  if (claimed !== undefined) return claimed;
  let answered: number | undefined;
  let extra = 0;
  for (const finding of found) {
    extra += finding.extra;
    if (finding.weight !== undefined)
      answered = Math.min(answered ?? finding.weight, finding.weight);
  }
  return Math.max(0, Math.min((answered ?? weight) + extra, MOST_WEIGHT));
}

/** What it has now: during slow start a part of it, but never nothing. */
export function presentWeight({ weight, ramp }: Pick<ServerState, "weight" | "ramp">): number {
  if (ramp === undefined || weight === 0) return weight;
  return Math.max(1, Math.floor((weight * ramp.steps) / RAMP_STEPS));
}
