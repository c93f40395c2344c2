import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import type { Row, Section } from "./row.ts";

const HEAD = ["", "Holdfast", "keepalived", "ratio", "aim", "met"];

/** What the figures depend on, without the machine's name. */
export function machine(load: readonly number[]): string {
  const [processor] = cpus();
  const version = /v\d\S*/.exec(
    spawnSync("keepalived", ["--version"], { encoding: "utf8" }).stderr,
  );
  return [
    `${cpus().length} × ${processor?.model.trim() ?? "unknown processor"}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release().replace(/-.*/, "")}`,
    `Node ${process.versions.node}`,
    `keepalived ${version?.[0] ?? "unknown"}`,
    `load average before ${load.map((each) => each.toFixed(1)).join(", ")}`,
  ].join(" · ");
}

export const rowCells = (row: Row): readonly string[] => [
  row.what,
  row.holdfast,
  row.keepalived,
  row.ratio === undefined ? "" : ratioText(row.ratio),
  row.aim,
  row.met ? "yes" : "**no**",
];

/** What keepalived takes many times as long for would all be 0.01. */
const ratioText = (ratio: number): string =>
  ratio < 0.1 ? `1/${(1 / ratio).toFixed(0)}` : ratio.toFixed(2);

const TITLE = [
  "# Results of `npm run bench`",
  "",
  "Both programs are measured in the same run. A ratio is Holdfast's figure over keepalived's.",
  "",
].join("\n");

const subjectHead = (subject: string): string => `## \`npm run bench -- ${subject}\`\n`;

/** The page `before` with what was measured of one subject in the place of what it had of that. */
export function markdown(
  before: string,
  subject: string,
  sections: readonly Section[],
  where: string,
): string {
  const parts = before.split(/^(?=## )/m).filter((part) => part.startsWith("## "));
  const fresh = [
    subjectHead(subject),
    `${where}.`,
    "",
    ...sections.flatMap(({ title, method, rows }) => [
      `### ${title}`,
      "",
      method,
      "",
      tableLine(HEAD),
      tableLine(["---", "---:", "---:", "---:", "---", "---"]),
      ...rows.map((row) => tableLine(rowCells(row))),
      "",
    ]),
  ].join("\n");
  const at = parts.findIndex((part) => part.startsWith(subjectHead(subject)));
  parts.splice(at < 0 ? parts.length : at, 1, fresh);
  return [TITLE, ...parts.map((part) => `${part.trimEnd()}\n`)].join("\n");
}

/** The page `readme` with its rows as they are in the results now. */
export function withFigures(readme: string, results: string): string {
  const rows = new Map<string, string>(
    results.split("\n").flatMap((line) => (line.startsWith("| ") ? [[nameOf(line), line]] : [])),
  );
  return readme
    .split("\n")
    .map((line) => (line.startsWith("| ") ? (rows.get(nameOf(line)) ?? line) : line))
    .join("\n");
}

const nameOf = (line: string): string => line.split(" | ", 1)[0] ?? "";

const tableLine = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
