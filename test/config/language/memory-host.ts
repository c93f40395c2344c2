import type { ConfigHost } from "../../../agent/config/keepalived/config-host.ts";
import { parseKeepalived } from "../../../agent/config/keepalived/parse-keepalived.ts";
import type { Statement, Word } from "../../../agent/config/keepalived/tree.ts";

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
