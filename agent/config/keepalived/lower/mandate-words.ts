import { STORE_KEY, WITNESS_MODES } from "../../mandates.ts";
import type { Statement, Word } from "../tree.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import { firstWord, reportValue } from "./values.ts";

/** One line of holdfast_witness. */
export interface WitnessWord {
  /** The keyword. */
  readonly at: Word;
  readonly mode: (typeof WITNESS_MODES)[number];
  /** The lease's name, where it is written. */
  readonly key: Word | undefined;
  readonly failsafe: Word | undefined;
}

/** What a group, or an instance, says of its mandate. */
export interface MandateWords {
  witness: WitnessWord | undefined;
  fences: readonly Word[];
  /** The keyword of the first line, whatever it says. */
  at: Word | undefined;
}

export const emptyMandate = (): MandateWords => ({ witness: undefined, fences: [], at: undefined });

export const MANDATE_KEYWORDS = ["holdfast_witness", "holdfast_fence"] as const;

/** holdfast_witness or holdfast_fence of a group or an instance. */
export function readMandate(words: MandateWords, statement: Statement, lowering: Lowering): void {
  words.at ??= statement.keyword;
  if (statement.keyword.text === "holdfast_fence") words.fences = readFences(statement, lowering);
  else words.witness = readWitness(statement, lowering);
}

/** holdfast_witness of global_defs: a name would be one lease for all groups. */
export function readGlobalWitness(
  statement: Statement,
  lowering: Lowering,
): WitnessWord | undefined {
  const said = readWitness(statement, lowering);
  if (said?.key === undefined) return said;
  const message = `one lease "${said.key.text}" for all would let one group be active at a time`;
  const hint = "write the name in vrrp_sync_group or vrrp_instance; here write the mode alone";
  report(lowering, "witness-invalid", said.key, message, hint);
  return { ...said, key: undefined };
}

/** off | advisory [NAME] | required [NAME] [failsafe]. */
function readWitness(statement: Statement, lowering: Lowering): WitnessWord | undefined {
  const word = firstWord(statement, lowering);
  if (word === undefined) return undefined;
  const mode = WITNESS_MODES.find((each) => each === word.text);
  if (mode === undefined) {
    reportValue(statement, word, WITNESS_MODES.join(", "), lowering);
    return undefined;
  }
  const [, second, third] = statement.words;
  const failsafe = [second, third].find((each) => each?.text === "failsafe");
  const key = second === failsafe ? undefined : second;
  if (third !== undefined && third !== failsafe) {
    const message = `"${third.text}" is no word of holdfast_witness`;
    report(lowering, "witness-invalid", third, message, "write required [NAME] [failsafe]");
  }
  if (mode === "off" && second !== undefined) {
    const message = `holdfast_witness off takes no "${second.text}"`;
    report(
      lowering,
      "witness-invalid",
      second,
      message,
      "write advisory or required, or off alone",
    );
  } else if (mode === "advisory" && failsafe !== undefined) {
    const message = "failsafe is for required: advisory goes on without the store in any case";
    report(lowering, "witness-invalid", failsafe, message, "remove failsafe, or write required");
  }
  if (key !== undefined && !STORE_KEY.test(key.text)) reportKey(key, lowering);
  return { at: statement.keyword, mode, key, failsafe };
}

/** A name that stores could not keep, or not as it is written. */
export function reportKey(key: Word, lowering: Lowering): void {
  report(
    lowering,
    "witness-invalid",
    key,
    `"${key.text}" cannot be the name of a lease`,
    "write 1 to 64 letters, digits, - _ and ., in parts with / between: holdfast_witness required site/web",
  );
}

function readFences(statement: Statement, lowering: Lowering): readonly Word[] {
  const names = new Set<string>();
  return statement.words.filter((word) => {
    if (!names.has(word.text)) {
      names.add(word.text);
      return true;
    }
    const message = `the fence ${word.text} is named twice: it would run twice`;
    report(lowering, "fence-invalid", word, message, "name each device once");
    return false;
  });
}
