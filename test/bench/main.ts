import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Package } from "./program.ts";
import { machine, markdown, rowCells } from "./report.ts";
import type { Section } from "./row.ts";

// npm run bench -- vrrp [name …]: measures Holdfast beside keepalived, in networks of its own on this
// machine. With all parts it writes RESULTS.md; with the names of some it only prints.

const ROOT = join(import.meta.dirname, "../..");
const RESULTS = join(import.meta.dirname, "RESULTS.md");

const PARTS: Readonly<Record<string, (from: Package) => Promise<Section>>> = {
  takeover: async (from) => (await import("./takeover.ts")).takeovers(from),
  mass: async (from) => (await import("./mass-takeover.ts")).massTakeover(from),
  cost: async (from) => (await import("./cost.ts")).cost(from),
  jitter: async (from) => (await import("./jitter.ts")).jitter(from),
  start: async (from) => (await import("./start.ts")).starts(from),
};

async function main(): Promise<number> {
  const [subject, ...names] = process.argv.slice(2);
  const unknown = names.find((name) => !(name in PARTS));
  if (subject !== "vrrp" || unknown !== undefined) {
    process.stderr.write(`usage: npm run bench -- vrrp [${Object.keys(PARTS).join(" | ")} …]\n`);
    return 2;
  }
  const problem = whyNotHere();
  if (problem !== undefined) {
    process.stderr.write(`bench: ${problem}\n`);
    return 1;
  }
  const built = spawnSync(process.execPath, [join(ROOT, "agent/build.ts")], { stdio: "inherit" });
  if (built.status !== 0) return 1;
  const where = machine(loadavg());
  process.stdout.write(`${where}\n`);
  const from = new Package();
  try {
    const sections: Section[] = [];
    for (const name of names.length === 0 ? Object.keys(PARTS) : names) {
      sections.push(await measured(name, from));
    }
    if (names.length === 0) {
      const when = new Date().toISOString().slice(0, 10);
      writeFileSync(RESULTS, markdown(sections, where, when));
    }
  } finally {
    from.dispose();
  }
  return 0;
}

async function measured(name: string, from: Package): Promise<Section> {
  const started = performance.now();
  const section = await PARTS[name]?.(from);
  if (section === undefined) throw new TypeError(`there is no part ${name}`);
  const took = ((performance.now() - started) / 1_000).toFixed(0);
  process.stdout.write(`\n${section.title} (${took} s)\n`);
  for (const row of section.rows) process.stdout.write(`  ${rowCells(row).join(" | ")}\n`);
  return section;
}

function whyNotHere(): string | undefined {
  if (process.getuid?.() !== 0)
    return "it makes network namespaces and raw sockets: run it as root";
  for (const program of ["keepalived", "tcpdump", "ip"]) {
    if (spawnSync(program, ["--version"]).error !== undefined) {
      return `${program} is not installed (apt-get install keepalived tcpdump iproute2)`;
    }
  }
  return undefined;
}

process.exitCode = await main();
// What a lab holds open ends with the process.
process.exit();
