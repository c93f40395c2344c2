import type { Diagnostic, Severity } from "./diagnostic.ts";
import type { Position } from "./position.ts";

/** What is the same for every finding of one code. */
export interface DiagnosticCodeEntry {
  readonly severity: Severity;
  /** What the code means, as a noun phrase. */
  readonly summary: string;
  /** What the operator should do. */
  readonly remedy: string;
  /** What happens as the file stands; for an error: why it is refused. */
  readonly effect: string;
}

const entry = (
  severity: Severity,
  summary: string,
  remedy: string,
  effect: string,
): DiagnosticCodeEntry => ({ severity, summary, remedy, effect });

/**
 * The one table of configuration findings, sorted by code. An error refuses the file; it is
 * reserved for what would cost an instance its identity, addresses, authentication or a tracker.
 */
// biome-ignore format: one row per line keeps concurrent changes and reviews simple
export const diagnosticCodes = {
  "block-not-taken": entry("warning", "a block after a word that takes none", "Remove the braces and what is between them.", "The block is skipped."),
  "block-skipped": entry("warning", "a block with an unknown name", "Correct or remove the name.", "The whole block is skipped."),
  "brace-closes-wrong-block": entry("error", "a closing brace is missing", "Close the block that was opened first.", "What follows would belong to the wrong block."),
  "definition-too-deep": entry("error", "a definition that refers to itself, or a chain of definitions that is too long", "Break the circle of definitions.", "The line has no value."),
  "deprecated-keyword": entry("warning", "an old spelling", "Write the new word.", "Works as the new word does."),
  "duplicate-keyword": entry("warning", "the same word twice in one block", "Keep one of them.", "The last one counts."),
  "essential-misplaced": entry("error", "a word that an instance depends on, in the wrong block", "Move it to the block it belongs to.", "The instance would run without it."),
  "essential-unknown": entry("error", "a misspelt word that an instance depends on", "Correct the spelling.", "The instance would run without it."),
  "essential-value": entry("error", "a value that an instance depends on and that cannot be used", "Write a value of the expected kind.", "The instance would run without it."),
  "expansion-too-large": entry("error", "definitions or generators that produce too much", "Split the file, or generate less from one line.", "The rest of the expansion is missing."),
  "extra-words": entry("warning", "more words than the keyword takes", "Put them on a line of their own, or remove them.", "They are ignored."),
  "generator-invalid": entry("error", "a ~SEQ or ~LST that cannot be read", "Write ~SEQ(name, start, step, end) or ~LST(name, value, …).", "Its lines are missing."),
  "include-cycle": entry("error", "a file that includes itself", "Remove one of the include lines.", "The file would never end."),
  "include-failed": entry("error", "an included file that cannot be read", "Correct its path, permissions or kind.", "What it says is missing."),
  "include-unmatched": entry("warning", "an include that names no file", "Correct the pattern, or use includer for optional files.", "Nothing is included."),
  "include-unmatched-checked": entry("error", "a checked include that names no file", "Correct the pattern, or use plain include.", "What it should say is missing."),
  "keyword-misplaced": entry("warning", "a known word in the wrong block", "Move it to the block it belongs to.", "It is ignored."),
  "keyword-unknown": entry("warning", "a word that the language does not have", "Correct or remove it.", "The line is ignored."),
  "line-too-long": entry("warning", "a line of more than 1023 characters", "Break the line.", "keepalived ignores the line; it is used here."),
  "missing-argument": entry("error", "a keyword without its value", "Write the value on the same line.", "keepalived refuses to start."),
  "missing-block": entry("error", "a keyword without its block", "Write { … } after it.", "What should be in the block is lost."),
  "missing-closing-brace": entry("error", "a block that is never closed", "Add the missing }.", "What follows would belong to the wrong block."),
  "missing-opening-brace": entry("warning", "a block without its opening brace", "Add the missing {.", "Read as if the { were there."),
  "no-effect-yet": entry("warning", "a keyword that is understood but has no effect yet", "Nothing, or keep keepalived for this part.", "It is ignored."),
  "trailing-semicolon": entry("warning", "a semicolon at the end of a value", "Remove the semicolon.", "It is part of the value, which is therefore not recognised: the line is ignored, as keepalived does."),
  "unclosed-quote": entry("error", "a double quote without its partner", "Close the quote on the same line.", "The words of the line are unclear."),
  "undefined-definition": entry("error", "${NAME} outside quotes that is not defined", "Define it above with $NAME=value, or quote the text.", "keepalived takes its braces for those of a block."),
  "undefined-name": entry("warning", "a word that looks like a definition and is not defined", "Define it above with $NAME=value.", "It is taken literally."),
  "unexpected-closing-brace": entry("warning", "a closing brace with nothing to close", "Remove it, or find the block that ended too early.", "It is ignored."),
  "unexpected-opening-brace": entry("error", "an opening brace that belongs to no word", "Remove it and its closing brace, or name the block.", "The block is skipped."),
  "value-invalid": entry("warning", "a value of the wrong kind or out of range", "Write a value of the expected kind.", "The line is ignored; the default stands."),
} as const satisfies Record<string, DiagnosticCodeEntry>;

export type DiagnosticCode = keyof typeof diagnosticCodes;

/** Makes a finding; its severity is the table's. */
export function diagnose(
  code: DiagnosticCode,
  position: Position,
  text: string,
  message: string,
  hint?: string,
): Diagnostic {
  return { code, severity: diagnosticCodes[code].severity, position, message, text, hint };
}
