import type { Micros } from "../../core/time.ts";
import { micros, milliseconds, seconds } from "../../core/time.ts";
import { KERNEL_LATENESS } from "../../core/vrrp/lease.ts";
import { MANDATE_GATE_MARGIN } from "../../core/witness/gate-margin.ts";
import { witnessProblem } from "../../core/witness/witness.ts";
import { parseSeconds } from "../keepalived/lower/literals.ts";
import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Word } from "../keepalived/tree.ts";
import type { WitnessSettings } from "../mandates.ts";
import type { StoreRules } from "./store-rules.ts";

type Times = Pick<WitnessSettings, "ttl" | "renewEvery" | "requestTime" | "margin" | "patience">;

/** The gate may learn late of a deadline, and the kernel shut late. */
const MARGIN: Micros = micros(MANDATE_GATE_MARGIN + KERNEL_LATENESS);

/** A store that needs longer for an answer is in trouble. */
const LONGEST_USUAL_REQUEST = seconds(1);
/** Less than this is no time for an answer, nor between two renewals. */
const SHORTEST = milliseconds(20);

/** Hundredths of a second, downwards: what may be written instead. */
const shown = (time: Micros): string => String(Math.max(0, Math.floor(time / 10_000)) / 100);

/**
 * What is not written is derived from the ttl: two renewals in a row go unanswered before a third of it
 * is left.
 */
export function readTimes(
  words: ReadonlyMap<string, Word | undefined>,
  { title, leastTtl, leastTtlReason, usualTtl }: StoreRules,
  at: Word,
  lowering: Lowering,
): Times | undefined {
  const time = (word: string): Micros | undefined => parseSeconds(words.get(word)?.text ?? "");
  const ttl = time("ttl") ?? usualTtl;
  const place = words.get("ttl") ?? at;
  if (ttl < leastTtl) {
    const message = `${title} keeps no lease for ${words.get("ttl")?.text} s: the least is ${shown(leastTtl)} s, ${leastTtlReason}`;
    report(lowering, "witness-times", place, message, `write ttl ${shown(leastTtl)}, or more`);
    return undefined;
  }
  const usualRequest = micros(Math.min(ttl / 6, LONGEST_USUAL_REQUEST));
  const requestTime = time("request_timeout") ?? usualRequest;
  const ask = (renewEvery: Micros) => ({
    ttl,
    renewEvery,
    requestTime,
    margin: MARGIN,
    // A store that could answer has answered by then.
    patience: requestTime,
  });
  const longest = longestRenewal(ask(SHORTEST));
  if (requestTime < SHORTEST || longest < SHORTEST) {
    const most = shown(micros((longest + 2 * requestTime - SHORTEST) / 2));
    const message = `requests of ${shown(requestTime)} s are no time of a ttl of ${shown(ttl)} s: one may go unanswered, and the next must come in time`;
    const hint = `write request_timeout from 0.02 to ${most}`;
    report(lowering, "witness-times", words.get("request_timeout") ?? place, message, hint);
    return undefined;
  }
  const times = ask(time("renew_interval") ?? micros(Math.min(ttl / 3, longest)));
  if (times.renewEvery >= SHORTEST && times.renewEvery <= longest) return times;
  const message = `renewed every ${shown(times.renewEvery)} s, a lease of ${shown(ttl)} s is lost by one renewal that goes unanswered for ${shown(requestTime)} s`;
  const hint = `write renew_interval ${shown(longest)} or less, or a longer ttl`;
  report(lowering, "witness-times", words.get("renew_interval") ?? place, message, hint);
  return undefined;
}

/** 0 or less: there is none. */
function longestRenewal(times: Times): Micros {
  const impossible = { ...times, mode: "required", renewEvery: times.ttl } as const;
  return witnessProblem(impossible)?.longestRenewEvery ?? times.ttl;
}
