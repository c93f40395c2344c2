import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describeTable } from "../../agent/config/keepalived/describe-keywords.ts";
import { settingsTable } from "../../agent/config/settings-file/keyword-table.ts";
import { DEFAULT_LEASE, LONGEST_LEASE } from "../../agent/core/policy/leases.ts";
import { STRIKES } from "../../agent/core/policy/strikes.ts";
import type { Micros } from "../../agent/core/time.ts";
import { CHECK_LIMITS } from "../../agent/policy/check-shape.ts";
import {
  CHECK_FAMILIES,
  DURATION,
  SERVER_FAMILIES,
  SERVICE_FAMILIES,
} from "../../agent/runtime/balancing/series-table.ts";
import { MOST_IN_DETAIL, MOST_WITH_BUCKETS } from "../../agent/runtime/balancing/service-series.ts";
import { HOOK_TIMEOUT } from "../../agent/runtime/policies/hook-queue.ts";
import { ROUTER_FAMILIES } from "../../agent/runtime/router-series.ts";
import { STORE_SERVES } from "../../agent/runtime/store-series.ts";
import { LIMITS } from "../../agent/sandbox/sandbox.ts";
import { SETUP } from "../../agent/sandbox/setup.ts";
import { BEGINNINGS, HAPPENINGS } from "../../agent/simulator/scenario/statements.ts";

// Parts of pages that are written from the sources.

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

const table = (heading: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(heading), `|${"---|".repeat(heading.length)}`, ...rows.map(row)].join("\n");

const kib = (bytes: number): string => `${bytes / 1_024} KiB`;

function time(value: Micros): string {
  const seconds = value / 1_000_000;
  if (seconds < 1) return `${seconds * 1_000} ms`;
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`;
}

/** What a policy may take. */
function limits(): string {
  const { shortestEvery, longestEvery, longestTimeout, mostInARow, mostChecks } = CHECK_LIMITS;
  return table(
    ["limit", ""],
    [
      ["processor time of a run or hook", `${LIMITS.entryMs} ms; ${LIMITS.loadMs} ms to load`],
      ["a worker without a word", `${LIMITS.watchdogMs} ms, then it is terminated`],
      [
        "strikes",
        `${STRIKES.count} in ${time(STRIKES.within)} are a quarantine, as is 1 that held a thread up`,
      ],
      [
        "quarantine",
        `${time(STRIKES.first)}, each next one twice as long, up to ${time(STRIKES.longest)}`,
      ],
      ["memory", `${SETUP.heapBytes / 1_048_576} MiB: about 200,000 small objects`],
      ["stack", kib(SETUP.stackBytes)],
      ["the file and what it imports", kib(LIMITS.bundleBytes)],
      ["`ctx.state`, `ctx.kv`", `${kib(LIMITS.stateBytes)} each`],
      ["calls open at once", String(LIMITS.callsInFlight)],
      [
        "arguments of a call, its answer",
        `${kib(LIMITS.messageBytes)}, ${kib(LIMITS.answerBytes)}`,
      ],
      ["lines of log", `${LIMITS.logLinesPerSecond} a second`],
      ["mail, webhooks, metrics, leases", `${LIMITS.effectsPerSecond} a second`],
      ["checks", `${mostChecks}, every ${time(shortestEvery)} – ${time(longestEvery)}`],
      ["`timeout`, `rise`, `fall`", `up to ${time(longestTimeout)}, ${mostInARow}, ${mostInARow}`],
      ["a hook", time(HOOK_TIMEOUT)],
      ["a lease", `${time(DEFAULT_LEASE)}, up to ${time(LONGEST_LEASE)}`],
    ],
  );
}

/** The policies that come with Holdfast, by what they say of themselves. */
function readyPolicies(): string {
  const files = globSync("policies/*.ts").filter((file) => !file.endsWith(".test.ts"));
  const rows = files.sort().map((file) => {
    const about = /^ {2}about: "(.*)",$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
    return [`[${basename(file, ".ts")}](../${file})`, about];
  });
  return table(["policy", ""], rows);
}

/** Every word of holdfast.conf. */
function settingsReference(): string {
  const rows = describeTable(settingsTable, "holdfast.conf").map((word) => {
    const { path, block, arguments: words } = word;
    const braces = block === undefined ? "" : " { … }";
    return [`\`${path}${words === "" ? "" : ` ${words}`}${braces}\``, word.default, word.meaning];
  });
  return table(["word", "default", "meaning"], rows);
}

/** What lines of a scenario may say. */
function scenarios(): string {
  const usages = (statements: ReadonlyMap<string, { readonly usage: string }>, when: string) =>
    [...statements.values()].map(({ usage }) => [`\`${usage}\``, when]);
  return table(
    ["line", "when"],
    [
      ...usages(BEGINNINGS, "at the start"),
      ["`journal FILE`", "at the start"],
      ...usages(HAPPENINGS, "at any time"),
      ["`end`", "with the time at which it ends"],
    ],
  );
}

/** The agent's own series. */
function series(): string {
  const kinds = [
    { families: ROUTER_FAMILIES, labels: ["router"] },
    { families: [{ ...STORE_SERVES, label: undefined }], labels: ["store"] },
    { families: SERVICE_FAMILIES, labels: ["service"] },
    { families: SERVER_FAMILIES, labels: ["service", "real_server"] },
    { families: CHECK_FAMILIES, labels: ["service", "real_server", "check"] },
    {
      families: [{ ...DURATION, type: "histogram", label: undefined }],
      labels: ["service", "real_server", "check"],
    },
  ];
  const rows = kinds.flatMap(({ families, labels }) =>
    families.map(({ name, type, help, label }) => [
      `\`${name}\``,
      type,
      [...labels, ...(label === undefined ? [] : [label])].map((one) => `\`${one}\``).join(", "),
      help,
    ]),
  );
  const brief = SERVER_FAMILIES.filter((family) => family.brief).map(({ name }) => `\`${name}\``);
  const count = (number: number): string => number.toLocaleString("en-US");
  return [
    table(["series", "", "labels", "meaning"], rows),
    "",
    `Where there are more than ${count(MOST_WITH_BUCKETS)} real servers, the histogram has its last bucket only; where there`,
    `are more than ${count(MOST_IN_DETAIL)}, a real server has only ${brief.join(" and ")}.`,
  ].join("\n");
}

/** By page, then by the name that its markers have. */
export const SECTIONS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "docs/policies.md": { limits, policies: readyPolicies },
  "docs/manual.md": { "holdfast.conf": settingsReference, scenarios, series },
};

/** The text of a page with its written sections as they should be. */
export function withSections(page: string): string {
  let text = readFileSync(page, "utf8");
  for (const [name, write] of Object.entries(SECTIONS[page] ?? {})) {
    const begin = `<!-- ${name}: written by npm run docs -->\n`;
    const end = `<!-- end of ${name} -->\n`;
    const [before, rest] = text.split(begin);
    const [, after] = rest?.split(end) ?? [];
    if (before === undefined || after === undefined) {
      throw new RangeError(`${page} has no section ${name} between its two comments`);
    }
    text = `${before}${begin}${write()}\n${end}${after}`;
  }
  return text;
}
