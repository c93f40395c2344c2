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
  row.ratio === undefined ? "" : row.ratio.toFixed(2),
  row.aim,
  row.met ? "yes" : "**no**",
];

export function markdown(sections: readonly Section[], where: string, when: string): string {
  return [
    "# Results of `npm run bench -- vrrp`",
    "",
    `${where}. ${when}.`,
    "",
    "Both programs are measured in the same run. A ratio is Holdfast's figure over keepalived's.",
    "",
    ...sections.flatMap(({ title, method, rows }) => [
      `## ${title}`,
      "",
      method,
      "",
      tableLine(HEAD),
      tableLine(["---", "---:", "---:", "---:", "---", "---"]),
      ...rows.map((row) => tableLine(rowCells(row))),
      "",
    ]),
  ].join("\n");
}

const tableLine = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
