import { AT, skipSpace } from "./character.ts";

/**
 * Reads the `@id` or `@^id` that a line begins with. Gives the index of what is conditional, or
 * `undefined` when the line is not for this node. A line without a condition begins at 0.
 */
export function readCondition(text: string, configId: string): number | undefined {
  if (text.charCodeAt(0) !== AT) return 0;
  const negated = text[1] === "^";
  const start = negated ? 2 : 1;
  const end = start + text.slice(start).search(/[ \t]|$/);
  if (end === text.length) return undefined;
  const matches = text.slice(start, end) === configId;
  return matches !== negated ? skipSpace(text, end) : undefined;
}
