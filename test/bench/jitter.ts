import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { Lab } from "../../agent/linux/lab.ts";
import { Capture } from "../lab/capture.ts";
import { configText } from "../lab/instance-text.ts";
import { deviationsIn, intervalRow } from "./interval-row.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Row, Section } from "./row.ts";

/** Seconds. */
const INTERVAL = 0.01;
const SECONDS = 15;
const SPINNERS = 2;
const REALTIME_PRIORITY = 50;
/** Seconds, of p99.9. */
const AIMS = { realtime: 0.001, ordinary: 0.005 } as const;

type Mode = keyof typeof AIMS;

/** How regular advertisements are while other processes want all processors. */
export async function jitter(from: Package): Promise<Section> {
  const rows: Row[] = [];
  for (const mode of ["realtime", "ordinary"] as const) rows.push(await compare(mode, from));
  return {
    title: "Advertisements at 10 ms while the processors are taken",
    method:
      `One active VRRP 3 router, ${SPINNERS} processes beside it that spin, pinned nowhere; tcpdump's ` +
      `times of ${SECONDS} s of advertisements. Given is how far the time between two of them is from ` +
      `10 ms.`,
    rows,
  };
}

function compare(mode: Mode, from: Package): Promise<Row> {
  const how =
    mode === "realtime" ? `vrrp_rt_priority ${REALTIME_PRIORITY}` : "no real-time priority";
  return intervalRow(`p50 / p99 / p99.9 / worst, ${how}`, AIMS[mode], from, (program) =>
    deviations(program, mode, from),
  );
}

/** Seconds that each interval was too long or too short. */
async function deviations(
  program: ProgramName,
  mode: Mode,
  from: Package,
): Promise<readonly number[]> {
  const lab = new Lab();
  const [near] = lab.connect(
    lab.node("sender"),
    { name: "eth0", addresses: ["192.0.2.1/24"] },
    lab.node("observer"),
    { name: "eth0" },
  );
  const { node: observer } = near.far;
  const daemon = new Daemon(program, from, near.node, config(mode));
  let spinners: readonly ChildProcess[] = [];
  try {
    const capture = await Capture.start(observer, "eth0", "ip proto 112");
    daemon.start();
    await capture.until((frames) => frames.length > 100, 20_000);
    spinners = Array.from({ length: SPINNERS }, () =>
      spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
    );
    await delay(1_000);
    return await deviationsIn(capture, SECONDS, INTERVAL);
  } finally {
    for (const spinner of spinners) spinner.kill("SIGKILL");
    daemon.dispose();
    lab.dispose();
  }
}

const config = (mode: Mode): string =>
  configText(
    [{ priority: 200, interval: INTERVAL }],
    mode === "realtime" ? [`vrrp_rt_priority ${REALTIME_PRIORITY}`] : [],
  );
