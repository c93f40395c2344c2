import type { CheckResult } from "../../core/check/checker.ts";
import type { EntryOutcome } from "../../sandbox/sandbox.ts";
import { failureText } from "./refusal.ts";

/** How one run of a check ended. */
export interface CheckAnswer {
  readonly result: CheckResult;
  /** One line; empty when it says nothing. */
  readonly reason: string;
  /** It threw, was stopped, or answered nonsense: no verdict of the policy, but a failure of it. */
  readonly failed: boolean;
  /** For the real servers that the check tracks. */
  readonly weight?: number;
}

const LONGEST_REASON = 200;

/** What a run came to. What it answered was made by a policy: nothing in it is believed. */
export function checkAnswer(outcome: EntryOutcome): CheckAnswer {
  if (!outcome.ok) {
    const { kind } = outcome.failure;
    const result = kind === "moved" || kind === "closed" ? "lost" : "bad";
    const reason = oneLine(failureText(outcome.failure));
    return { result, reason, failed: result === "bad" };
  }
  const value = parse(outcome.result);
  if (value === "skip") return { result: "skipped", reason: "", failed: false };
  if (typeof value === "boolean") return verdict(value, "");
  if (typeof value === "object" && value !== null && "ok" in value) {
    if (typeof value.ok === "boolean") return answerOf(value.ok, value);
  }
  const reason = 'it answered neither true, false, "skip" nor { ok }';
  return { result: "bad", reason, failed: true };
}

export const TIMED_OUT: CheckAnswer = { result: "bad", reason: "timeout", failed: true };

const verdict = (ok: boolean, reason: string): CheckAnswer => ({
  result: ok ? "good" : "bad",
  reason: oneLine(reason),
  failed: false,
});

function answerOf(ok: boolean, answer: object): CheckAnswer {
  const reason = "reason" in answer && typeof answer.reason === "string" ? answer.reason : "";
  const weight = "weight" in answer ? serverWeight(answer.weight) : undefined;
  return { ...verdict(ok, reason), ...(weight === undefined ? {} : { weight }) };
}

/** A policy's range of a real server's weight. */
export const MOST_SERVER_WEIGHT = 65_535;

function serverWeight(value: unknown): number | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  return Math.max(0, Math.min(Math.round(value), MOST_SERVER_WEIGHT));
}

/** As it may stand in a line of a log. */
export const oneLine = (text: string, longest = LONGEST_REASON): string =>
  text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, longest);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
