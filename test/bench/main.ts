import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Package } from "./program.ts";
import { machine, markdown, rowCells, withFigures } from "./report.ts";
import type { Section } from "./row.ts";
import { SUBJECTS } from "./subjects.ts";

// npm run bench -- SUBJECT [PART …]: measures Holdfast beside keepalived, in networks of its own on this
// machine. With all parts it writes the subject's part of RESULTS.md, and the rows of it that the
// README shows; with the names of some it only prints.

const ROOT = join(import.meta.dirname, "../..");
const RESULTS = join(import.meta.dirname, "RESULTS.md");
const README = join(ROOT, "README.md");

async function main(): Promise<number> {
  const [subject = "", ...names] = process.argv.slice(2);
  const parts = SUBJECTS[subject];
  if (parts === undefined || names.some((name) => !(name in parts))) {
    const usages = Object.entries(SUBJECTS).map(
      ([each, known]) => `npm run bench -- ${each} [${Object.keys(known).join(" | ")} …]`,
    );
    process.stderr.write(`usage: ${usages.join("\n       ")}\n`);
    return 2;
  }
  const problem = whyNotHere(subject);
  if (problem !== undefined) {
    process.stderr.write(`bench: ${problem}\n`);
    return 1;
  }
  const built = spawnSync(process.execPath, [join(ROOT, "agent/build.ts")], { stdio: "inherit" });
  if (built.status !== 0) return 1;
  const where = `${machine(loadavg())}. ${new Date().toISOString().slice(0, 10)}`;
  process.stdout.write(`${where}\n`);
  const from = new Package();
  try {
    const sections: Section[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (names.length > 0 && !names.includes(name)) continue;
      sections.push(await measured(part, from));
    }
    if (names.length === 0) {
      const results = markdown(readFileSync(RESULTS, "utf8"), subject, sections, where);
      writeFileSync(RESULTS, results);
      writeFileSync(README, withFigures(readFileSync(README, "utf8"), results));
    }
  } finally {
    from.dispose();
  }
  return 0;
}

async function measured(
  part: (from: Package) => Promise<Section>,
  from: Package,
): Promise<Section> {
  const started = performance.now();
  const section = await part(from).catch((error: unknown) => {
    // Minutes of other parts are not to be lost for what a busy machine may do to one.
    process.stdout.write(`\nonce more: ${error instanceof Error ? error.message : error}\n`);
    return part(from);
  });
  const took = ((performance.now() - started) / 1_000).toFixed(0);
  process.stdout.write(`\n${section.title} (${took} s)\n`);
  for (const row of section.rows) process.stdout.write(`  ${rowCells(row).join(" | ")}\n`);
  return section;
}

const PACKAGES = "keepalived tcpdump iproute2 nginx curl";
const PROGRAMS: readonly string[] = ["keepalived", "tcpdump", "ip", "nginx", "curl"];
/** What only this subject needs besides. */
const MORE: Readonly<Record<string, { readonly programs: string[]; readonly packages: string }>> = {
  ipvs: {
    programs: ["ipvsadm", "tcc", "linux.uml"],
    packages: "ipvsadm tcc user-mode-linux kmod",
  },
  crash: { programs: ["tcc", "nft", "etcd"], packages: "tcc libc6-dev nftables etcd-server" },
};

function whyNotHere(subject: string): string | undefined {
  if (process.getuid?.() !== 0)
    return "it makes network namespaces and raw sockets: run it as root";
  const { programs = [], packages = "" } = MORE[subject] ?? {};
  for (const program of [...PROGRAMS, ...programs]) {
    if (spawnSync(program, ["--version"]).error !== undefined) {
      return `${program} is not installed (apt-get install ${`${PACKAGES} ${packages}`.trim()})`;
    }
  }
  return undefined;
}

process.exitCode = await main();
// What a lab holds open ends with the process.
process.exit();
