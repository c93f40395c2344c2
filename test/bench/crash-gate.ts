import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { seconds } from "../../agent/core/time.ts";
import { lifetimeAlone, lifetimeOf } from "../../agent/core/vrrp/lifetime.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { AddressWatch } from "../lab/address-watch.ts";
import { configText } from "../lab/instance-text.ts";
import type { RefreshCost, RefreshCosts } from "./crash-refresh.ts";
import { processorSeconds } from "./process-figures.ts";
import type { Package } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Section } from "./row.ts";

const INSTANCES = 255;
/** After an instance has its address: from there on, for this long, it is measured. */
const FROM_SECONDS = { early: 3, late: 45 } as const;
const SECONDS = 20;
const REFRESH = join(import.meta.dirname, "crash-refresh.ts");
/** Microseconds, and percent of a processor. */
const AIMS = { refresh: 50, share: 1 } as const;
/** Seconds between two refreshes of addresses, with `gate` and with `lifetime`. */
const [USUAL, ALONE] = [lifetimeOf(seconds(1), 3), lifetimeAlone(seconds(1), 3)];

/** What it costs to keep gates open. */
export async function gateCost(from: Package): Promise<Section> {
  const refresh = refreshes();
  const [fenced, bare, alone] = await Promise.all([
    shares(from, "gate"),
    shares(from, "off"),
    shares(from, "lifetime"),
  ]);
  const of = (what: string, { processor, elapsed }: RefreshCost) => ({
    what,
    holdfast: `${processor.toFixed(0)} µs (${elapsed.toFixed(0)} µs)`,
    keepalived: "none",
    aim: `≤ ${AIMS.refresh} µs`,
    met: processor <= AIMS.refresh,
  });
  const shareRow = (what: string, share: number, whole: number) => ({
    what,
    holdfast: `${share.toFixed(2)} % (${whole.toFixed(2)} %)`,
    keepalived: "none",
    aim: `≤ ${AIMS.share} %`,
    met: share <= AIMS.share,
  });
  const lifetimes = ((alone.late - bare.late) * (ALONE?.refresh ?? 0)) / USUAL.refresh;
  const { early, late } = FROM_SECONDS;
  return {
    title: "Cost of the gate",
    method:
      "A refresh: the lease of one address extended, the next when the kernel has acknowledged the one " +
      "before; median processor time of all threads, of 40 times 50, after 1,000 and after 10,000, as it " +
      "takes some thousand until all is compiled. Instances: active VRRP 3 routers at 1 s with one address " +
      `each, processor time of the VRRP process over ${SECONDS} s, ${early} s and ${late} s after it has ` +
      "the addresses, with `holdfast_fencing gate` beyond that with `off` at the same time. In `gate` is " +
      "the refreshing of lifetimes. Its part is what `lifetime`, again at the same time, takes beyond " +
      "`off`, as much less as it is refreshed more seldom with `gate`.",
    rows: [
      of("one gate refresh, processor time (until acknowledged, on another thread)", refresh.early),
      of("the same in a process that has done 10,000", refresh.late),
      shareRow(
        `gate of ${INSTANCES} instances at 1 s, share of a processor (all of the process)`,
        fenced.early - bare.early,
        fenced.early,
      ),
      shareRow(`the same ${late - early} s later`, fenced.late - bare.late, fenced.late),
      shareRow("of that, the refreshing of lifetimes (`lifetime`)", lifetimes, alone.late),
    ],
  };
}

function refreshes(): RefreshCosts {
  const lab = new Lab();
  try {
    const { stdout, stderr } = lab.node("host").exec(process.execPath, [REFRESH]);
    if (stdout === "") throw new Error(`no refresh was measured:\n${stderr}`);
    return JSON.parse(stdout);
  } finally {
    lab.dispose();
  }
}

/** Percent of a processor that the VRRP process takes. */
interface Shares {
  readonly early: number;
  readonly late: number;
}

async function shares(from: Package, fencing: string): Promise<Shares> {
  const lab = new Lab();
  const node = lab.node("host");
  lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["10.0.255.1/16"] });
  const instances = Array.from({ length: INSTANCES }, (_, at) => ({
    ...{ name: `V${at + 1}`, vrid: at + 1, interval: 1, priority: 250 },
    addresses: [`10.0.1.${at}/32`],
  }));
  const config = configText(instances, [`holdfast_fencing ${fencing}`]);
  const daemon = new Daemon("holdfast", from, node, config);
  const watch = await AddressWatch.start([node], `10.0.1.${INSTANCES - 1}`);
  try {
    daemon.start();
    await watch.until([node], 60_000);
    const start = performance.now();
    const share = async (fromSeconds: number): Promise<number> => {
      await delay(start + fromSeconds * 1_000 - performance.now());
      const before = processorSeconds(daemon.vrrpPid);
      const begin = performance.now();
      await delay(SECONDS * 1_000);
      const took = (performance.now() - begin) / 1_000;
      return (100 * (processorSeconds(daemon.vrrpPid) - before)) / took;
    };
    return { early: await share(FROM_SECONDS.early), late: await share(FROM_SECONDS.late) };
  } finally {
    watch.close();
    daemon.dispose();
    lab.dispose();
  }
}
