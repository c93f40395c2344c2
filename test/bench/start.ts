import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon, PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import { median } from "./statistics.ts";

const INSTANCES = 16_000;
const PER_LINK = 250;
const CHECKS = 3;
const STARTS = 7;
/** Seconds. */
const CHECK_AIM = 0.5;
const START_AIM = 0.3;

/** How long it takes to check a large file, and to start with a small one. */
export async function starts(from: Package): Promise<Section> {
  return {
    title: "Check and start",
    method:
      `Medians of ${CHECKS} checks of a file with ${INSTANCES.toLocaleString("en")} instances (\`holdfast ` +
      `check\`, \`keepalived -t\`), the process's start included, and of ${STARTS} starts with one ` +
      `instance, from the start of the first process to the state BACKUP in the log.`,
    rows: [checkRow(from), await startRow(from)],
  };
}

function checkRow(from: Package): Row {
  const lab = new Lab();
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-check-`));
  const file = join(folder, "keepalived.conf");
  try {
    writeFileSync(file, manyInstances());
    const node = lab.node("checker");
    const peer = lab.node("peer");
    for (let link = 0; link * PER_LINK < INSTANCES; link += 1) {
      const [name, address] = [`eth${link}`, `10.${link}.255.1/16`];
      lab.connect(node, { name, addresses: [address] }, peer, { name });
    }
    const timed = (command: string, args: readonly string[]): number => {
      const times = Array.from({ length: CHECKS }, () => {
        const started = performance.now();
        const run = node.run(() => spawnSync(command, args, { encoding: "utf8" }));
        if (run.status !== 0)
          throw new Error(`${command}: ${run.stdout}${run.stderr}`.slice(0, 2_000));
        return (performance.now() - started) / 1_000;
      });
      return median(times);
    };
    const own = timed(process.execPath, [from.program, "check", file]);
    const theirs = timed("keepalived", ["--config-test", "--use-file", file]);
    return {
      what: `check of ${INSTANCES.toLocaleString("en")} instances`,
      holdfast: ms(own, 0),
      keepalived: ms(theirs, 0),
      ratio: own / theirs,
      aim: `under ${ms(CHECK_AIM, 0)}`,
      met: own < CHECK_AIM,
    };
  } finally {
    lab.dispose();
    rmSync(folder, { recursive: true });
  }
}

const manyInstances = (): string =>
  configText(
    Array.from({ length: INSTANCES }, (_, at) => {
      const [link, vrid] = [Math.floor(at / PER_LINK), (at % PER_LINK) + 1];
      return {
        name: `V${at}`,
        interface: `eth${link}`,
        vrid,
        interval: 1,
        addresses: [`10.${link}.0.${vrid}/32`],
      };
    }),
  );

async function startRow(from: Package): Promise<Row> {
  const measured: Partial<Record<ProgramName, number>> = {};
  for (const program of PROGRAMS) {
    const times: number[] = [];
    for (let run = 0; run < STARTS; run += 1) times.push(await startToBackup(program, from));
    measured[program] = median(times);
  }
  const { holdfast: own = Number.NaN, keepalived: theirs = Number.NaN } = measured;
  return {
    what: "start → BACKUP, one instance",
    holdfast: ms(own, 0),
    keepalived: ms(theirs, 0),
    ratio: own / theirs,
    aim: `under ${ms(START_AIM, 0)}`,
    met: own < START_AIM,
  };
}

async function startToBackup(program: ProgramName, from: Package): Promise<number> {
  const lab = new Lab();
  const segment = lab.segment("lan");
  const node = lab.node("node");
  lab.attach(node, segment, { name: "eth0", addresses: ["192.0.2.1/24"] });
  const daemon = new Daemon(program, from, node, configText([{ interval: 1 }]));
  try {
    const started = performance.timeOrigin + performance.now();
    const at = await new Promise<number>((resolve, reject) => {
      setTimeout(() => reject(new Error(`no BACKUP in 10 s:\n${daemon.log}`)), 10_000).unref();
      daemon.start((line) => {
        const moment = backupAt(line);
        if (moment !== undefined) resolve(moment);
      });
    });
    await daemon.stop();
    return (at - started) / 1_000;
  } finally {
    daemon.dispose();
    lab.dispose();
  }
}

/** When the line says that it became backup: the line's own time, which keepalived's lack. */
function backupAt(line: string): number | undefined {
  if (line.includes("Entering BACKUP STATE")) return performance.timeOrigin + performance.now();
  if (!line.startsWith("{")) return undefined;
  const { to, time } = JSON.parse(line) as { readonly to?: string; readonly time?: number };
  return to === "backup" ? time : undefined;
}
