import type { Lowering } from "../keepalived/lower/lowering.ts";
import type { Statement, Word } from "../keepalived/tree.ts";
import type { SettingValue } from "../settings.ts";
import type { Secrets } from "./secrets.ts";

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["true", true],
  ["yes", true],
  ["off", false],
  ["false", false],
  ["no", false],
]);
const NUMBER = /^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$/;

/**
 * Lines `NAME VALUE …` as an object. A line without a value is true; several values, on one line or
 * on several, are a list. What stands in quotes is text.
 */
export function readOptions(
  statement: Statement,
  secrets: Secrets,
  lowering: Lowering,
): { readonly [key: string]: SettingValue } {
  const options = new Map<string, readonly SettingValue[]>();
  for (const { keyword, words } of statement.block ?? []) {
    for (const word of words) secrets.checkReferences(word, lowering);
    const values = words.length === 0 ? [true] : words.map(settingValue);
    options.set(keyword.text, [...(options.get(keyword.text) ?? []), ...values]);
  }
  return Object.fromEntries(
    [...options].map(([name, values]) => [
      name,
      values.length === 1 ? (values[0] ?? null) : values,
    ]),
  );
}

function settingValue({ text, quoted }: Word): SettingValue {
  if (quoted) return text;
  return WORDS.get(text) ?? (NUMBER.test(text) ? Number(text) : text);
}
