import type { Json } from "../../sdk/index.ts";
import type { PermissionPart } from "./permission-parts.ts";
import { isRecord } from "./shape-reader.ts";

/** How members of `control` are called in a grant. */
const CONTROL_WORDS: Readonly<Record<string, readonly string[]>> = {
  routers: ["control"],
  realServers: ["real_server"],
  services: ["service"],
};

/** The line of a `grant` block that grants one part: `exec reload /usr/sbin/nginx -s reload`. */
export const grantLine = (part: PermissionPart): string => wordsOf(part).map(quoted).join(" ");

/** The same for messages, without quotes. */
export const grantWords = (part: PermissionPart): string => wordsOf(part).join(" ");

function wordsOf({ permission, value }: PermissionPart): readonly string[] {
  if (Array.isArray(value)) return [permission, ...texts(value)];
  const [entry] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined) return [permission];
  const [name, inner] = entry;
  switch (permission) {
    case "control":
      return [...(CONTROL_WORDS[name] ?? [permission]), ...texts(inner)];
    case "mail":
      return [permission, ...texts(inner)];
    case "exec":
      return [permission, name, ...texts(inner)];
    case "plugins":
      return ["plugin", name];
    default:
      return [permission, name];
  }
}

const texts = (value: Json): readonly string[] =>
  (Array.isArray(value) ? (value as readonly Json[]) : [value]).map((each) => String(each));

/** Words that the language of holdfast.conf would read otherwise stand in quotes; it has no escapes. */
const quoted = (word: string): string =>
  /^[^\s"#!{}$]+$/.test(word) ? word : `"${word.replaceAll('"', "'")}"`;

/** The block to add to holdfast.conf. */
export function grantBlock(policy: string, lines: readonly string[]): string {
  const inner = lines.map((line) => `        ${line}\n`).join("");
  return `policy ${policy} {\n    grant {\n${inner}    }\n}\n`;
}
