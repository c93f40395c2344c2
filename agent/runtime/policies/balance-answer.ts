import type { BalancedService } from "../../../sdk/index.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import type { ServerWeights } from "../../core/policy/server-weights.ts";
import type { EntryOutcome } from "../../sandbox/sandbox.ts";
import { MOST_SERVER_WEIGHT, oneLine } from "./check-answer.ts";
import { failureText } from "./refusal.ts";

/** How one run of `balance` ended. */
export type BalanceAnswer =
  | { readonly kind: "weights"; readonly weights: ServerWeights }
  /** It threw, was stopped, or answered nonsense. */
  | { readonly kind: "failed"; readonly reason: string }
  /** It did not run to its end, without fault of its own. */
  | { readonly kind: "lost" };

/** Real servers that a message names. */
const SHOWN = 4;

/** What a run came to for a service as it was shown. Made by a policy: nothing in it is believed. */
export function balanceAnswer(outcome: EntryOutcome, service: BalancedService): BalanceAnswer {
  if (!outcome.ok) {
    const { kind } = outcome.failure;
    if (kind === "moved" || kind === "closed") return { kind: "lost" };
    return failed(failureText(outcome.failure));
  }
  const value: unknown = parsed(outcome.result);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return failed('it answered no weights: write { "10.0.0.1:80": 50 }');
  }
  const known = new Set(service.realServers.map(({ key }) => key));
  const weights: Record<DestinationKey, number> = {};
  for (const [key, weight] of Object.entries(value) as readonly (readonly [string, unknown])[]) {
    if (!known.has(key)) return failed(`${key} is no real server of it; there ${serversOf(known)}`);
    if (!isWeight(weight)) {
      const most = `a whole number from 0 to ${MOST_SERVER_WEIGHT}`;
      return failed(`the weight of ${key} must be ${most}, not ${JSON.stringify(weight)}`);
    }
    weights[key as DestinationKey] = weight;
  }
  return { kind: "weights", weights };
}

const failed = (reason: string): BalanceAnswer => ({ kind: "failed", reason: oneLine(reason) });

const isWeight = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOST_SERVER_WEIGHT;

function serversOf(known: ReadonlySet<string>): string {
  if (known.size === 0) return "is none";
  const shown = [...known].slice(0, SHOWN).join(", ");
  return known.size > SHOWN ? `are ${shown} and ${known.size - SHOWN} more` : `are ${shown}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
