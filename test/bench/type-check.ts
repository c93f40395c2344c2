import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkTypes } from "../../agent/policy/type-check.ts";
import { CheckFiles } from "./check-files.ts";
import type { Package } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import { median } from "./statistics.ts";

const POLICIES = 100;
const ROUNDS = 9;
/** Seconds. */
const AIM = 0.1;

/** How long the author of many policies waits for what the compiler says. */
export async function typeCheck(from: Package): Promise<Section> {
  const files = new CheckFiles();
  try {
    const text = readFileSync(join(import.meta.dirname, "../../policies/nginx.ts"), "utf8");
    const names = Array.from({ length: POLICIES }, (_, at) => `nginx${at}`);
    for (const name of names) files.policy(name, text);
    files.grant([
      "http http://127.0.0.1/*",
      "process nginx",
      "mail ops@example.org",
      "control VI_1",
    ]);
    const paths = names.map((name) => join(files.policies, `${name}.ts`));
    const compiler = await timed(() => compile(files, paths));
    const command = await timed(() => check(from, files));
    return {
      title: `Types of ${POLICIES} policies`,
      method:
        `The policy nginx.ts of this repository under ${POLICIES} names; medians of ${ROUNDS}. The compiler ` +
        `is TypeScript's native one, its process included; \`holdfast policy check\` starts Node, bundles ` +
        `each policy, reads what it asks for and compares that with the grants, besides.`,
      rows: [
        row(`type-check of ${POLICIES} policies`, compiler, true),
        row(`\`holdfast policy check\` of ${POLICIES} policies`, command, false),
      ],
    };
  } finally {
    files.dispose();
  }
}

const row = (what: string, seconds: number, aimed: boolean): Row => ({
  what,
  holdfast: ms(seconds, 0),
  keepalived: "–",
  aim: aimed ? `≤ ${ms(AIM, 0)}` : "stated",
  met: !aimed || seconds <= AIM,
});

async function timed(work: () => Promise<void> | void): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await work();
    times.push((performance.now() - started) / 1_000);
  }
  return median(times);
}

async function compile(files: CheckFiles, paths: readonly string[]): Promise<void> {
  const [finding] = await checkTypes({ directory: files.policies, files: paths });
  if (finding !== undefined) throw new Error(finding.message);
}

function check(from: Package, files: CheckFiles): void {
  const words = [from.program, "policy", "check", ...files.options];
  const run = spawnSync(process.execPath, words, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${run.stdout}${run.stderr}`.slice(0, 2_000));
}
