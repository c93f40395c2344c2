// The test command. Plain JavaScript: it installs what is missing, then runs the tiers in order
// under the right Node, and ends with one line of counts.
//   node test/run.mjs [static|unit|sim|linux|lab|patient|interop|guest …]     no name: all
//   node test/run.mjs --exec FILE [arguments]                    one script under the right Node
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { installDependencies, nodeBinary, root } from "../agent/setup.mjs";
import { installPrograms, missingPrograms } from "./packages.mjs";

const inLab = (name) => join("test/lab", `${name}.test.ts`);
const inLinux = (name) => join("test/linux", `${name}.test.ts`);

/** Files of test/linux that measure times, or look at what the whole machine does. */
const LINUX_ALONE = [
  ...["file-watch", "flood", "gate", "gate-pause", "gate-upkeep", "holder-probes"],
  ...["last-will", "netlink-addresses", "netlink-lifetimes", "process-table", "receive-buffer"],
  ...["scheduling", "sleepless-clock", "timer"],
].map(inLinux);

/** Files of test/lab that wait more than they work, and measure nothing. */
const PATIENT = [
  ...["accept", "address-links", "advert-interfaces", "arbiters", "arbiters-refusals"],
  ...["balancing-keepalived", "demo-unprivileged", "documents", "fence-agent", "network"],
  ...["notifications", "notifications-mail", "notifications-secrets", "outbox-killed"],
  ...["pcre-pattern", "probes-leaks", "probes-source", "ready-policies", "ready-policies-host"],
  ...["real-server", "service", "tracking-scripts", "unit", "users-files"],
  ...["what-happens", "withdraw"],
].map(inLab);

/** Of those the ones that a busy processor beside them does least to. */
const PATIENT_BESIDE_GUEST = [
  ...["config-keepalived", "package", "probes-servers", "refusals"],
  ...["users-check", "users-scripts", "users-variants"],
].map(inLab);

/**
 * Tier → the folders of test/ that it runs (`flat`: without those below) or its files, how many at once,
 * which of them after the others and one at a time, and beside which tier it begins, if that one runs too.
 */
const TIERS = {
  static: undefined,
  unit: {
    folders: [
      ...["core", "wire", "config", "runtime", "control", "cli", "rfc", "fuzz", "docs"],
      ...["sdk", "sandbox", "policy", "plugins", "policies", "."],
    ],
    jobs: 2,
  },
  sim: { folders: ["sim", "model"], jobs: 2 },
  linux: { folders: ["linux"], jobs: 2, alone: LINUX_ALONE, host: true },
  lab: { folders: ["lab"], but: [...PATIENT, ...PATIENT_BESIDE_GUEST], jobs: 1, host: true },
  patient: { files: PATIENT, jobs: 2, host: true },
  interop: { folders: ["interop"], files: PATIENT_BESIDE_GUEST, jobs: 1, host: true },
  // On another kernel, which has what this one may lack. It runs test/guest/inside itself, on one
  // processor: the tier before it, which mostly waits, has the other.
  guest: { folders: ["guest"], flat: true, jobs: 1, host: true, beside: "interop" },
};

const STATIC = [
  ["types", "node_modules/typescript/bin/tsc", "-p", "."],
  ...["core", "wire", "config"].map((layer) => [
    `types of agent/${layer}`,
    "node_modules/typescript/bin/tsc",
    "-p",
    `agent/${layer}`,
  ]),
  [
    "format and lint",
    "node_modules/@biomejs/biome/bin/biome",
    "ci",
    "--colors=off",
    "--error-on-warnings",
    ".",
  ],
];

const inCi = process.env.CI === "true" || process.env.CI === "1";

function testFiles(folder, flat) {
  const base = join(root, "test", folder);
  try {
    return readdirSync(base, { recursive: !flat && folder !== ".", encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join("test", folder, name))
      .sort();
  } catch {
    return [];
  }
}

function runStatic() {
  let passed = 0;
  let failed = 0;
  for (const [name, script, ...args] of STATIC) {
    const run = spawnSync(nodeBinary(), [join(root, script), ...args], {
      cwd: root,
      stdio: "inherit",
    });
    process.stdout.write(`${run.status === 0 ? "✓" : "✗"} ${name}\n`);
    run.status === 0 ? passed++ : failed++;
  }
  return { passed, failed, skipped: 0 };
}

/** Files of a tier; ends the run where one that is named is not there. */
function filesOf({ folders = [], flat = false, but = [], files: named = [], alone = [] }) {
  const found = folders.flatMap((folder) => testFiles(folder, flat));
  const missing = [...but, ...named, ...alone].filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) fail(`there is no ${missing.join(", ")}`);
  return [...named, ...found.filter((file) => !but.includes(file) && !alone.includes(file))];
}

function add(total, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}

async function runFiles(files, jobs, write) {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const runner = spawn(
    nodeBinary(),
    ["--test", `--test-concurrency=${jobs}`, "--test-reporter=./test/reporter.mjs", ...files],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  let tail = "";
  runner.stdout.setEncoding("utf8").on("data", (text) => {
    write(text);
    tail = (tail + text).slice(-400);
  });
  const status = await new Promise((resolve) => runner.on("close", resolve));
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped [^\n]*\n$/.exec(tail);
  if (counts === null) return { passed: 0, failed: 1, skipped: 0 };
  const [passed, failed, skipped] = counts.slice(1).map(Number);
  // A runner that fails without a failed test lost a file on the way.
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

async function runTier(tier, write) {
  const counts = await runFiles(filesOf(tier), tier.jobs, write);
  add(counts, await runFiles(tier.alone ?? [], 1, write));
  return counts;
}

async function runNamed(name, write) {
  const tier = TIERS[name];
  const started = Date.now();
  write(`\n== ${name}\n`);
  const counts = tier === undefined ? runStatic() : await runTier(tier, write);
  write(`== ${name}: ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return counts;
}

/** What it says is kept: two tiers would talk at once. */
async function runAside(name) {
  const kept = [];
  const counts = await runNamed(name, (text) => kept.push(text));
  return { text: kept.join(""), counts };
}

async function runTiers(names) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const beside = names.filter((name) => names.includes(TIERS[name]?.beside));
  const under = [];
  for (const name of names) {
    if (beside.includes(name)) continue;
    for (const other of beside) {
      if (TIERS[other].beside === name) under.push(runAside(other));
    }
    add(total, await runNamed(name, (text) => process.stdout.write(text)));
  }
  for (const { text, counts } of await Promise.all(under)) {
    process.stdout.write(text);
    add(total, counts);
  }
  if (inCi && total.skipped > 0) {
    process.stdout.write(`${total.skipped} skipped tests count as failures in CI\n`);
    total.failed += total.skipped;
    total.skipped = 0;
  }
  process.stdout.write(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
  );
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function fail(message) {
  process.stderr.write(`test: ${message}\n`);
  process.exit(1);
}

const args = process.argv.slice(2);
const problem = installDependencies();
if (problem !== undefined) fail(problem);

if (args[0] === "--exec") {
  const run = spawnSync(nodeBinary(), args.slice(1), { cwd: root, stdio: "inherit" });
  process.exit(run.status ?? 1);
}
const unknown = args.filter((name) => !(name in TIERS));
if (unknown.length > 0)
  fail(`no tier ${unknown.join(", ")}; there are ${Object.keys(TIERS).join(", ")}`);
const names = args.length > 0 ? args : Object.keys(TIERS);
if (names.some((name) => TIERS[name]?.host)) {
  installPrograms();
  const missing = missingPrograms();
  if (missing.length > 0) process.stdout.write(`not on this machine: ${missing.join(", ")}\n`);
}
process.exit(await runTiers(names));
