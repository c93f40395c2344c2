import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { isObject } from "../call/arguments.ts";

const MOST_COMMANDS = 64;
const MOST_WORDS = 64;

/** Names of an author's own → program and fixed arguments. */
export const commandPermission: Pick<Plugin, "checkPermission" | "missing"> = {
  checkPermission(permission) {
    if (!isObject(permission)) {
      return 'exec has names with commands, such as { reload: ["/usr/sbin/nginx", "-s", "reload"] }';
    }
    const commands = Object.entries(permission);
    if (commands.length > MOST_COMMANDS) return `exec has more than ${MOST_COMMANDS} commands`;
    return commands
      .map(([name, words]) => problemOf(name, words))
      .find((problem) => problem !== undefined);
  },
  missing(asked, granted) {
    if (!isObject(asked)) return [];
    return Object.entries(asked)
      .filter(([name]) => !sameCommand(commandOf(asked, name), commandOf(granted, name)))
      .map(([name, words]) => `exec ${name} ${shown(words)}`.trimEnd());
  },
};

/** The program and arguments behind a name; `undefined`: there is none. */
export function commandOf(permission: Json, name: string): readonly string[] | undefined {
  if (!isObject(permission) || !Object.hasOwn(permission, name)) return undefined;
  const words = permission[name];
  return words !== undefined && isCommand(words) ? words : undefined;
}

function problemOf(name: string, words: Json): string | undefined {
  const shownName = JSON.stringify(name.slice(0, 64));
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return `${shownName} is no name for a command`;
  if (isCommand(words)) return undefined;
  return `${shownName} must be a program by its absolute path, and its arguments: ["/bin/true"]`;
}

function isCommand(words: Json): words is readonly string[] {
  return (
    Array.isArray(words) &&
    words.length <= MOST_WORDS &&
    words.every((word) => typeof word === "string" && !word.includes("\0")) &&
    words[0]?.startsWith("/") === true
  );
}

const sameCommand = (one: readonly string[] | undefined, other: readonly string[] | undefined) =>
  one !== undefined &&
  one.length === other?.length &&
  one.every((word, index) => word === other[index]);

const shown = (words: Json): string =>
  isCommand(words) ? words.join(" ").replaceAll(/[\n\r]/g, " ") : "";
