import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Lab } from "../../agent/linux/lab.ts";
import { AddressWatch } from "../lab/address-watch.ts";
import { configText } from "../lab/instance-text.ts";
import { processorSeconds } from "./process-figures.ts";
import type { Package } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Section } from "./row.ts";

const INSTANCES = 255;
const SECONDS = 20;
const REFRESH = join(import.meta.dirname, "crash-refresh.ts");
/** Microseconds, and percent of a processor. */
const AIMS = { refresh: 50, share: 1 } as const;

/** What it costs to keep gates open. */
export async function gateCost(from: Package): Promise<Section> {
  const { processor, elapsed } = refreshes();
  const [fenced, bare] = await Promise.all([share(from, "gate"), share(from, "off")]);
  const more = fenced - bare;
  return {
    title: "Cost of the gate",
    method:
      "A refresh: the lease of one address extended, the next when the kernel has acknowledged the one " +
      "before; median processor time of all threads, of 40 times 50. Instances: active VRRP 3 routers at " +
      `1 s with one address each, processor time of the VRRP process over ${SECONDS} s, with ` +
      "`holdfast_fencing gate` and with `off` at the same time.",
    rows: [
      {
        what: "one gate refresh, processor time (until acknowledged, on another thread)",
        holdfast: `${processor.toFixed(0)} µs (${elapsed.toFixed(0)} µs)`,
        keepalived: "none",
        aim: `≤ ${AIMS.refresh} µs`,
        met: processor <= AIMS.refresh,
      },
      {
        what: `gate of ${INSTANCES} instances at 1 s, share of a processor (all of the process)`,
        holdfast: `${more.toFixed(2)} % (${fenced.toFixed(2)} %)`,
        keepalived: "none",
        aim: `≤ ${AIMS.share} %`,
        met: more <= AIMS.share,
      },
    ],
  };
}

function refreshes(): { readonly processor: number; readonly elapsed: number } {
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
async function share(from: Package, fencing: string): Promise<number> {
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
    await delay(3_000);
    const before = processorSeconds(daemon.vrrpPid);
    const start = performance.now();
    await delay(SECONDS * 1_000);
    const took = (performance.now() - start) / 1_000;
    return (100 * (processorSeconds(daemon.vrrpPid) - before)) / took;
  } finally {
    watch.close();
    daemon.dispose();
    lab.dispose();
  }
}
