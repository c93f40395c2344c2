import { setTimeout as delay } from "node:timers/promises";
import { requestStatus } from "../../agent/control/client.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import { allChecksRan, load } from "./check-cost.ts";
import { CheckFiles, policyText } from "./check-files.ts";
import { memoryMib, roleOf } from "./process-figures.ts";
import { ProcessorAccount } from "./processor-account.ts";
import type { Package } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Section } from "./row.ts";
import { ms } from "./row.ts";

const POLICIES = 1_000;
/** Seconds. */
const SETTLED = 16;
const MEASURED = 8;
const LOAD_AIM = 1;
/** Of one core. */
const SHARE_AIM = 0.15;
const MEMORY_AIM_MIB = 120;

/** What a node costs that has very many policies. */
export async function manyPolicies(from: Package): Promise<Section> {
  const scripts = await load("keepalived", from, {
    check: { script: "exit 0", run: "" },
    count: POLICIES,
  });
  const empty = await measure(from, 0);
  const full = await measure(from, POLICIES);
  const above = full.director - empty.director;
  const count = POLICIES.toLocaleString("en");
  return {
    title: `${count} policies, a check a second each`,
    method:
      `Each a file of its own with \`() => true\`; keepalived runs ${count} scripts of \`exit 0\`. ` +
      `Processor time of all processes of the program over ${MEASURED} s, as a share of one core. ` +
      `Memory that is not shared, of the director with its threads and the bundler that it starts. ` +
      `Loading counts from the start of the director's process to the last policy that runs.`,
    rows: [
      {
        what: `${count} policies: processor share`,
        holdfast: percent(full.share),
        keepalived: `${percent(scripts.share)} (${scripts.rate.toFixed(0)} started/s)`,
        ratio: full.share / scripts.share,
        aim: `≤ ${percent(SHARE_AIM)}`,
        met: full.share <= SHARE_AIM,
      },
      {
        what: `${count} policies: memory above an empty director`,
        holdfast: `${above.toFixed(0)} MiB (${full.director.toFixed(0)} − ${empty.director.toFixed(0)})`,
        keepalived: "–",
        aim: `≤ ${MEMORY_AIM_MIB} MiB`,
        met: above <= MEMORY_AIM_MIB,
      },
      {
        what: `${count} policies: time to load`,
        holdfast: ms(full.loaded, 0),
        keepalived: "–",
        aim: `≤ ${ms(LOAD_AIM, 0)}`,
        met: full.loaded <= LOAD_AIM,
      },
    ],
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

interface Figures {
  readonly share: number;
  /** MiB. */
  readonly director: number;
  /** Seconds. */
  readonly loaded: number;
}

async function measure(from: Package, count: number): Promise<Figures> {
  const lab = new Lab();
  const node = lab.node("checker");
  lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
  const files = new CheckFiles();
  for (let at = 0; at < count; at += 1) {
    files.policy(`check${at}`, policyText({ every: "1s", run: "() => true" }));
  }
  const account = new ProcessorAccount("many");
  const daemon = new Daemon("holdfast", from, node, configText([{ interval: 1 }]), files.options);
  try {
    daemon.start();
    await allChecksRan(daemon, count);
    const { director, processes } = await requestStatus(daemon.control);
    const loadedAt = Math.max(0, ...(director?.policies ?? []).map((each) => each.loadedAt ?? 0));
    const startedAt = processes.director.startedAt ?? Number.NaN;
    await delay((count === 0 ? 3 : SETTLED) * 1_000);
    account.add(daemon.pids);
    const [before, started] = [account.seconds(), performance.now()];
    await delay(MEASURED * 1_000);
    const used = account.seconds() - before;
    return {
      share: used / ((performance.now() - started) / 1_000),
      director: directorMib(daemon),
      loaded: (loadedAt - startedAt) / 1_000,
    };
  } finally {
    await daemon.stop();
    daemon.dispose();
    account.dispose();
    files.dispose();
    lab.dispose();
  }
}

/** Of the director and what it has started. */
const directorMib = (daemon: Daemon): number =>
  daemon.pids
    .filter((pid) => pid !== daemon.pids[0] && roleOf(pid) !== "vrrp")
    .reduce((sum, pid) => sum + memoryMib(pid).own, 0);
