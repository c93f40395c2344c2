import type { HttpUrl } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { wholeOf } from "./lines.ts";
import type { PcreOptions } from "./pcre-options.ts";
import { noPcreOptions, PCRE_OPTIONS } from "./pcre-options.ts";
import { translatePattern } from "./pcre-pattern.ts";

const OFFSET = { low: 0, high: 4_294_967_295 };

/** regex and its options in a url. */
export function readBodyPattern(
  url: Statement,
  lines: Lines,
  lowering: Lowering,
): HttpUrl["regex"] {
  const at = lines.get("regex")?.words[0];
  if (at === undefined) {
    const idle = IDLE.map((word) => lines.get(word)?.keyword).find((word) => word !== undefined);
    if (idle !== undefined) {
      const message = `${idle.text} means nothing without a regex`;
      report(lowering, "setting-ignored", idle, message, "write regex PATTERN, or remove it");
    }
    return undefined;
  }
  const translated = translatePattern(at.text, readOptions(url, lowering));
  if (!translated.ok) {
    refuse(at, `this regex cannot be used: ${translated.reason}`, lowering);
    return undefined;
  }
  const { pattern, flags } = translated;
  return {
    pattern,
    flags,
    negated: lines.has("regex_no_match"),
    minOffset: wholeOf(lines, "regex_min_offset", OFFSET, lowering) ?? 0,
    maxOffset: wholeOf(lines, "regex_max_offset", OFFSET, lowering),
  };
}

const IDLE = ["regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset"];

/** Every line adds to them. */
function readOptions({ block = [] }: Statement, lowering: Lowering): PcreOptions {
  const options = noPcreOptions();
  for (const { keyword, words } of block) {
    if (keyword.text !== "regex_options") continue;
    for (const word of words) {
      const option = PCRE_OPTIONS.get(word.text);
      if (option !== undefined && "sets" in option) options[option.sets] = true;
      else if (option !== undefined) refuse(word, option.refused, lowering);
      else if (!PCRE_OPTIONS.has(word.text)) {
        const message = `"${word.text}" is no option of a regex`;
        const names = [...PCRE_OPTIONS.keys()].join(", ");
        report(lowering, "value-invalid", word, message, `write some of ${names}`);
      }
    }
  }
  return options;
}

function refuse(at: Word, message: string, lowering: Lowering): void {
  const hint = "write the pattern another way, or a check of your own: holdfast_check, MISC_CHECK";
  report(lowering, "regex-unsupported", at, message, hint);
}
