import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { requestStatus } from "../../agent/control/client.ts";
import type { CheckStatus } from "../../agent/control/protocol.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import { CheckFiles, policyText, vrrpScripts } from "./check-files.ts";
import { ProcessorAccount } from "./processor-account.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Row, Section } from "./row.ts";

/** Each once a second. */
const CHECKS = 200;
/** Seconds. Until the code of a program that compiles itself has been compiled. */
const SETTLED: Readonly<Record<ProgramName, number>> = { holdfast: 25, keepalived: 3 };
const MEASURED = 8;

/** The same look at the world, done both ways. */
export interface ComparedCheck {
  readonly title: string;
  readonly method: string;
  /** What the script does and what the check does. */
  readonly what: string;
  /** Line of a shell script. */
  readonly script: string;
  /** TypeScript of `run`. */
  readonly run: string;
  /** TypeScript of `permissions`, and the lines of holdfast.conf that grant them. */
  readonly permissions?: string;
  readonly grant?: readonly string[];
  /** Keepalived's way takes so many times as much, at least. */
  readonly aim: number;
  /** Starts what is looked at; answers how to end it. */
  readonly serve?: (node: LabNode) => Promise<() => void>;
}

/** Processor time of one check, in seconds. */
export async function checkCost(from: Package, check: ComparedCheck): Promise<Section> {
  const theirs = await costPerCheck("keepalived", from, check);
  const own = await costPerCheck("holdfast", from, check);
  const row: Row = {
    what: check.what,
    holdfast: micros(own),
    keepalived: micros(theirs),
    ratio: own / theirs,
    aim: `≤ 1/${check.aim} of keepalived's`,
    met: own <= theirs / check.aim,
  };
  return {
    title: check.title,
    method:
      `${CHECKS} checks, each once a second, for ${MEASURED} s: processor time of the program with all ` +
      `its processes, threads and children, less what it takes without checks, by the checks that ran. ` +
      check.method,
    rows: [row],
  };
}

const micros = (seconds: number): string => `${(seconds * 1e6).toFixed(0)} µs`;

async function costPerCheck(
  program: ProgramName,
  from: Package,
  check: ComparedCheck,
): Promise<number> {
  const { share: idle } = await idleOf(program, from);
  const { share, rate } = await load(program, from, { check, count: CHECKS });
  return (share - idle) / rate;
}

export interface Load {
  /** Seconds of processor time a second. */
  readonly share: number;
  /** Checks a second. */
  readonly rate: number;
}

const idle = new Map<ProgramName, Promise<Load>>();

/** What a program takes that checks nothing; measured once. */
export function idleOf(program: ProgramName, from: Package): Promise<Load> {
  const known = idle.get(program) ?? load(program, from, { check: NOTHING, count: 0 });
  idle.set(program, known);
  return known;
}

const NOTHING: Pick<ComparedCheck, "script" | "run"> = { script: "exit 0", run: "() => true" };

export interface Checked {
  readonly check: Pick<ComparedCheck, "script" | "run" | "permissions" | "grant" | "serve">;
  readonly count: number;
}

/** What a program takes with so many of these checks, each once a second. */
export async function load(
  program: ProgramName,
  from: Package,
  { check, count }: Checked,
): Promise<Load> {
  const lab = new Lab();
  const node = lab.node("checker");
  lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
  const files = new CheckFiles();
  const account = new ProcessorAccount(program);
  let unserve = (): void => undefined;
  const daemon = new Daemon(
    program,
    from,
    node,
    prepare(program, files, check, count),
    files.options,
  );
  try {
    unserve = (await check.serve?.(node)) ?? unserve;
    daemon.start();
    if (program === "holdfast") await allChecksRan(daemon, count);
    await delay(SETTLED[program] * 1_000);
    account.add(daemon.pids);
    const rate = await rateOf(daemon, count);
    const [before, started] = [account.seconds(), performance.now()];
    await delay(MEASURED * 1_000);
    const used = account.seconds() - before;
    const passed = (performance.now() - started) / 1_000;
    return { share: used / passed, rate: await rate() };
  } finally {
    await daemon.stop();
    unserve();
    daemon.dispose();
    account.dispose();
    files.dispose();
    lab.dispose();
  }
}

function prepare(
  program: ProgramName,
  files: CheckFiles,
  check: Checked["check"],
  count: number,
): string {
  if (program === "keepalived") {
    const { blocks, track } = vrrpScripts(count, files.script("check.sh", check.script));
    const more = count === 0 ? [] : track;
    return configText([{ interval: 1, more }], ["script_user root"], blocks);
  }
  const { permissions = "{}", grant, run } = check;
  if (grant !== undefined) files.grant(grant);
  for (let at = 0; at < count; at += 1) {
    files.policy(`check${at}`, policyText({ permissions, every: "1s", run }));
  }
  return configText([{ interval: 1 }]);
}

const LOADED_MS = 20_000;

/** Rejects when they do not all run and find that all is well. */
export async function allChecksRan(daemon: Daemon, count: number): Promise<readonly CheckStatus[]> {
  const deadline = performance.now() + LOADED_MS;
  for (;;) {
    const status = await requestStatus(daemon.control).catch(() => undefined);
    const checks = status?.director?.checks ?? [];
    const up = checks.filter(({ verdict }) => verdict === "up");
    if (status?.director && up.length === count) return checks;
    if (performance.now() > deadline) {
      const bad = checks.find(({ verdict }) => verdict !== "up");
      const why = `${up.length} of ${count} checks are up; ${bad?.name}: ${bad?.reason}`;
      throw new Error(`${why}\n${daemon.log.slice(-1_000)}`);
    }
    // A status of many checks is work that none of them should wait for.
    await delay(100 + count / 2);
  }
}

/** Begins to count; what it answers ends it, with the checks a second that ran. */
async function rateOf(daemon: Daemon, count: number): Promise<() => Promise<number>> {
  if (daemon.name === "keepalived") {
    // It has no count that could be asked for. Each script is a process, but others start some too.
    const [forks, begun] = [forksOfMachine(), performance.now()];
    return () => {
      const passed = (performance.now() - begun) / 1_000;
      return Promise.resolve(Math.min(count, (forksOfMachine() - forks) / passed));
    };
  }
  const runs = async (): Promise<number> => {
    const { director } = await requestStatus(daemon.control);
    return (director?.checks ?? []).reduce((sum, check) => sum + check.runs, 0);
  };
  const [before, started] = [await runs(), performance.now()];
  // What asking takes is no check's.
  await delay(200);
  return async () => ((await runs()) - before) / ((performance.now() - started) / 1_000);
}

const forksOfMachine = (): number =>
  Number(/^processes (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
