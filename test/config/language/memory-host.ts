import type {
  ConfigHost,
  PathEntry,
  UserAccount,
} from "../../../agent/config/keepalived/config-host.ts";
import { parseKeepalived } from "../../../agent/config/keepalived/parse-keepalived.ts";
import type { Statement, Word } from "../../../agent/config/keepalived/tree.ts";

const USERS: ReadonlyMap<string, UserAccount> = new Map([
  ["root", { uid: 0, gid: 0, groups: [0] }],
  ["nobody", { uid: 65_534, gid: 65_534, groups: [65_534] }],
  ["checker", { uid: 1_000, gid: 100, groups: [100, 4] }],
]);
const GROUPS: ReadonlyMap<string, number> = new Map([
  ["root", 0],
  ["adm", 4],
  ["nogroup", 65_534],
]);

/** Files are root's and executable; what is above them are directories of root's. */
function entryIn(files: ReadonlyMap<string, string>, path: string): PathEntry {
  const rights = { ok: true, uid: 0, gid: 0, mode: 0o755, target: undefined } as const;
  if (files.has(path)) return { ...rights, kind: "file" };
  const inside = path === "/" ? path : `${path}/`;
  const holds = path === "/" || [...files.keys()].some((each) => each.startsWith(inside));
  return holds ? { ...rights, kind: "directory" } : { ok: false, errno: "ENOENT" };
}

/** A machine that consists of files in memory. */
export function memoryHost(
  files: Readonly<Record<string, string>> = {},
  more: Partial<ConfigHost> = {},
): ConfigHost {
  const all = new Map(Object.entries(files));
  return {
    workingDirectory: "/etc/keepalived",
    configId: "main",
    readFile: (path) => {
      const text = all.get(path);
      return text === undefined ? { ok: false, errno: "ENOENT" } : { ok: true, text };
    },
    glob: (pattern, directory) => {
      const whole = pattern.startsWith("/") ? pattern : `${directory}/${pattern}`;
      const escaped = whole.replace(/[.+^${}()|\\]/g, "\\$&");
      const matcher = new RegExp(`^${escaped.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}$`);
      return [...all.keys()].filter((path) => matcher.test(path)).sort();
    },
    env: (name) => (name === "SITE" ? "berlin" : undefined),
    random: (min) => min,
    hostName: "main.example.org",
    uid: 0,
    entry: (path) => entryIn(all, path),
    readProgram: (path) => {
      const text = all.get(path);
      return text === undefined ? { ok: false, errno: "ENOENT" } : { ok: true, text };
    },
    user: (name) => USERS.get(name),
    group: (name) => GROUPS.get(name),
    ...more,
  };
}

export function parse(text: string, host: ConfigHost = memoryHost()) {
  return parseKeepalived({ file: "k.conf", text }, host);
}

const wordText = (word: Word): string => (word.quoted ? JSON.stringify(word.text) : word.text);

/** The tree as text: one statement a line, blocks indented. */
export function treeText(tree: readonly Statement[], indent = ""): string {
  return tree
    .map(({ keyword, words, block }) => {
      const line = indent + [keyword, ...words].map(wordText).join(" ");
      return block === undefined ? line : `${line} {\n${treeText(block, `${indent}  `)}${indent}}`;
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** Findings as `line:column code text`. */
export function findingLines(text: string, host?: ConfigHost): readonly string[] {
  return parse(text, host).diagnostics.map(({ position, code, text: found }) => {
    return `${position.line}:${position.column} ${code} ${found}`.trimEnd();
  });
}
