import { seconds } from "../../core/time.ts";
import { parseSeconds } from "../keepalived/lower/literals.ts";
import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Named } from "../keepalived/lower/named.ts";
import { Programs } from "../keepalived/lower/programs.ts";
import type { Statement, Word } from "../keepalived/tree.ts";
import type { FenceSettings } from "../mandates.ts";
import type { Secrets } from "./secrets.ts";

/** Long enough for a power switch that answers slowly. */
const TIMEOUT = seconds(30);
const ACTION = "off";
/** Names that agents know: in NAME=VALUE lines there is no way to write others. */
const OPTION_NAME = /^[A-Za-z][\w-]*$/;
const LIKE_A_SECRET = /pass(wd|word|phrase)?$|secret|token/i;
/** Would be the end of the line. */
const LINE_END = /[\r\n\0]/;

/** fence NAME { program PATH … }. `undefined`, with errors, where nobody could be fenced. */
export function lowerFence(
  { name, statement }: Named,
  secrets: Secrets,
  lowering: Lowering,
): FenceSettings | undefined {
  const lines = statement.block ?? [];
  const wordOf = (keyword: string): Word | undefined =>
    lines.findLast((line) => line.keyword.text === keyword)?.words[0];
  const program = wordOf("program");
  if (program === undefined) {
    const message = `fence ${name.text} has no program`;
    report(lowering, "fence-invalid", name, message, "write program /usr/sbin/fence_…");
    return undefined;
  }
  checkProgram(program, name, lowering);
  const written = lines.filter(({ keyword }) => /^option(_secret)?$/.test(keyword.text));
  const options = readOptionLines(written, name, secrets, lowering);
  return {
    position: name.position,
    name: name.text,
    program: program.text,
    action: wordOf("action")?.text ?? ACTION,
    options: options.flatMap(({ keyword, option, value }) =>
      keyword === "option" ? [{ name: option, value }] : [],
    ),
    secretOptions: options.flatMap(({ keyword, option, value }) =>
      keyword === "option" ? [] : [{ name: option, secret: value }],
    ),
    timeout: parseSeconds(wordOf("timeout")?.text ?? "") ?? TIMEOUT,
  };
}

/** It runs as root, and turns machines off. */
function checkProgram(program: Word, name: Word, lowering: Lowering): void {
  if (!program.text.startsWith("/")) {
    const message = `the program of fence ${name.text} needs its whole path, not "${program.text}"`;
    report(lowering, "fence-invalid", program, message, "write the path from / on");
    return;
  }
  const found = new Programs(lowering.host).find(program.text);
  if (!found.ok) report(lowering, "fence-invalid", program, found.reason, found.hint);
  else if (found.exposed !== undefined) {
    const { reason, remedy } = found.exposed;
    report(lowering, "fence-exposed", program, reason, remedy);
  }
}

interface OptionLine {
  readonly keyword: string;
  readonly option: string;
  readonly value: string;
}

function readOptionLines(
  lines: readonly Statement[],
  fence: Word,
  secrets: Secrets,
  lowering: Lowering,
): readonly OptionLine[] {
  const taken = new Set<string>();
  return lines.flatMap(({ keyword, words: [option, value] }) => {
    if (option === undefined || value === undefined) {
      const message = `${keyword.text} of fence ${fence.text} needs a name and a value`;
      const hint = `write ${keyword.text} NAME ${keyword.text === "option" ? "VALUE" : "SECRET"}`;
      report(lowering, "fence-invalid", option ?? keyword, message, hint);
      return [];
    }
    checkOptionName(option, taken, lowering);
    taken.add(option.text);
    if (keyword.text === "option") checkOptionValue(option, value, lowering);
    else if (!secrets.has(value.text)) secrets.reportUnknown(value.text, value);
    return [{ keyword: keyword.text, option: option.text, value: value.text }];
  });
}

function checkOptionName(option: Word, taken: ReadonlySet<string>, lowering: Lowering): void {
  if (!OPTION_NAME.test(option.text)) {
    const message = `"${option.text}" cannot be the name of an agent's option`;
    report(lowering, "fence-invalid", option, message, "write letters, digits, _ and -");
  } else if (option.text === "action") {
    const message = "what the agent is to do is no option here";
    report(lowering, "fence-invalid", option, message, "write action off, without option");
  } else if (taken.has(option.text)) {
    const message = `the option ${option.text} is given already`;
    report(lowering, "fence-invalid", option, message, "keep one of the lines");
  }
}

function checkOptionValue(option: Word, value: Word, lowering: Lowering): void {
  if (LINE_END.test(value.text)) {
    const message = `the value of ${option.text} would be two lines for the agent`;
    report(lowering, "fence-invalid", option, message, "write it without a line feed");
  } else if (value.text.includes("${secret")) {
    const name = /\$\{secret:([^}]*)\}/.exec(value.text)?.[1] ?? "SECRET";
    const message = "an option has no references: the agent would get this text";
    const hint = `write option_secret ${option.text} ${name}`;
    report(lowering, "fence-invalid", value, message, hint);
  } else if (LIKE_A_SECRET.test(option.text)) {
    const message = `${option.text} looks like a password that stands in the file`;
    const hint = `write option_secret ${option.text} SECRET, and secret SECRET FILE outside the block`;
    report(lowering, "fence-secret-plain", option, message, hint);
  }
}
