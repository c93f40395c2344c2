import type { Json } from "../../sdk/index.ts";
import type { PermissionPart } from "./permission-parts.ts";
import type { PermissionRule } from "./permission-rule.ts";
import { isRecord } from "./shape-reader.ts";

/** Whether what is granted of a permission covers one part of it. */
export function covers(
  part: PermissionPart,
  granted: Json | undefined,
  rules: readonly PermissionRule[],
): boolean {
  if (granted === undefined) return false;
  const { permission, value } = part;
  if (permission === "plugins") return coversPlugin(value, granted, rules);
  if (permission === "webhook") return coversWebhook(value, granted);
  const rule = rules.find((each) => each.permission === permission);
  if (rule !== undefined) return rule.missing(value, granted).length === 0;
  return permission === "exec" ? coversCommand(value, granted) : coversJson(value, granted);
}

/** An operator's own plugin judges its own permission; a grant of its name alone is for all of it. */
function coversPlugin(value: Json, granted: Json, rules: readonly PermissionRule[]): boolean {
  const [entry] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined) return true;
  const [name, asked] = entry;
  const given = memberOf(granted, name);
  if (given === undefined) return false;
  if (grantsAll(given)) return true;
  const rule = rules.find((each) => each.name === name);
  return rule === undefined ? coversJson(asked, given) : rule.missing(asked, given).length === 0;
}

/** A grant of a name alone (`webhook slack`) leaves the URL to the policy. */
function coversWebhook(value: Json, granted: Json): boolean {
  const [entry] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined) return true;
  const [name, target] = entry;
  if (Array.isArray(granted)) return granted.includes(name) || granted.includes("*");
  // `null` is what a name alone is, so it is no want of one.
  const own = memberOf(granted, name);
  const given = own === undefined ? memberOf(granted, "*") : own;
  if (given === undefined) return false;
  return grantsAll(given) || coversJson(target, given);
}

/** What a grant of a name alone is. */
const grantsAll = (given: Json): boolean => given === null || given === true || given === "*";

const memberOf = (value: Json, name: string): Json | undefined =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** Lists cover their elements, objects their members, texts what fits them. */
function coversJson(asked: Json, granted: Json): boolean {
  if (Array.isArray(asked)) {
    return Array.isArray(granted) && asked.every((each: Json) => fitsOne(each, granted));
  }
  if (!isRecord(asked)) return asked === granted;
  return Object.entries(asked).every(([name, value]) => {
    const given = memberOf(granted, name);
    return given !== undefined && coversJson(value, given);
  });
}

/** Word by word: nothing in a command is a pattern, and their order counts. */
function coversCommand(value: Json, granted: Json): boolean {
  const [entry] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined) return true;
  const [name, command] = entry;
  return JSON.stringify(memberOf(granted, name)) === JSON.stringify(command);
}

const fitsOne = (asked: Json, granted: readonly Json[]): boolean =>
  granted.some((each) =>
    typeof each === "string" && typeof asked === "string" ? fits(each, asked) : each === asked,
  );

/** `*` in a pattern stands for any text. */
export function fits(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
