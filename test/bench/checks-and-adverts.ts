import { setTimeout as delay } from "node:timers/promises";
import { Lab } from "../../agent/linux/lab.ts";
import { Capture } from "../lab/capture.ts";
import { configText } from "../lab/instance-text.ts";
import { allChecksRan } from "./check-cost.ts";
import { CheckFiles, policyText, vrrpScripts } from "./check-files.ts";
import { deviationsIn, intervalRow } from "./interval-row.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Row, Section } from "./row.ts";

/** Each once a second. */
const CHECKS = 200;
/** Seconds. */
const INTERVAL = 0.01;
const SETTLED = 3;
const MEASURED = 12;
const REALTIME_PRIORITY = 50;
/** Microseconds. With its default of 10,000 the kernel kills it for starting so many scripts at once. */
const KEEPALIVED_LIMIT = "vrrp_rlimit_rttime 1000000";

const MODES = [
  { what: "real-time priority", aim: 0.001, global: [`vrrp_rt_priority ${REALTIME_PRIORITY}`] },
  { what: "no real-time priority", aim: 0.005, global: [] },
] as const;
type Mode = (typeof MODES)[number];

/** What checks do to advertisements. */
export async function checksAndAdverts(from: Package): Promise<Section> {
  const rows: Row[] = [];
  for (const mode of MODES) rows.push(await compare(mode, from));
  return {
    title: "Advertisements at 10 ms beside 200 checks a second",
    method:
      `One active VRRP 3 router with ${CHECKS} checks, each once a second: keepalived runs a script of ` +
      `\`exit 0\`, Holdfast a policy's \`() => true\`. tcpdump's times of ${MEASURED} s of ` +
      `advertisements; given is how far the time between two of them is from 10 ms. ` +
      `keepalived has ${KEEPALIVED_LIMIT}, or with real-time priority it would not live.`,
    rows,
  };
}

const compare = (mode: Mode, from: Package): Promise<Row> =>
  intervalRow(
    `beside 200 checks/s: p50 / p99 / p99.9 / worst, ${mode.what}`,
    mode.aim,
    from,
    (program) => deviations(program, mode, from),
  );

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
  const files = new CheckFiles();
  const config = prepare(program, mode, files);
  const daemon = new Daemon(program, from, near.node, config, files.options);
  try {
    const capture = await Capture.start(near.far.node, "eth0", "ip proto 112");
    daemon.start();
    await capture
      .until((frames) => frames.length > 100, 20_000)
      .catch((error: Error) => {
        throw new Error(`${error.message}:\n${daemon.log.slice(-1_000)}`);
      });
    if (program === "holdfast") await allChecksRan(daemon, CHECKS);
    await delay(SETTLED * 1_000);
    return await deviationsIn(capture, MEASURED, INTERVAL);
  } finally {
    daemon.dispose();
    lab.dispose();
    files.dispose();
  }
}

function prepare(program: ProgramName, mode: Mode, files: CheckFiles): string {
  const instance = { priority: 200, interval: INTERVAL };
  if (program === "keepalived") {
    const { blocks, track } = vrrpScripts(CHECKS, files.script("check.sh", "exit 0"));
    const global = ["script_user root", KEEPALIVED_LIMIT, ...mode.global];
    return configText([{ ...instance, more: track }], global, blocks);
  }
  for (let at = 0; at < CHECKS; at += 1) {
    files.policy(`check${at}`, policyText({ every: "1s", run: "() => true" }));
  }
  return configText([instance], mode.global);
}
