import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import { memoryMib, processorSeconds, roleOf } from "./process-figures.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon, PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";

const LINKS = 8;
const PER_LINK = 250;
const COUNT = LINKS * PER_LINK;
const SECONDS = 20;

interface Figures {
  /** Processor time per advertisement, in microseconds. */
  readonly perAdvertisement: number;
  /** Share of one processor, in percent. */
  readonly share: number;
  readonly rate: number;
  readonly memory: readonly {
    readonly role: string;
    readonly resident: number;
    readonly own: number;
  }[];
}

/** What 2,000 active routers cost that advertise once a second. */
export async function cost(from: Package): Promise<Section> {
  const figures: Partial<Record<ProgramName, Figures>> = {};
  for (const program of PROGRAMS) figures[program] = await measure(program, from);
  const { holdfast: own, keepalived: theirs } = figures;
  if (own === undefined || theirs === undefined) throw new TypeError("nothing was measured");
  return {
    title: `${COUNT.toLocaleString("en")} instances at 1 s`,
    method:
      `${LINKS} links of ${PER_LINK} active VRRP 3 routers with one address each. Processor time of the ` +
      `VRRP process as the scheduler counts it, over ${SECONDS} s, by the packets that left meanwhile. ` +
      `The kernel's part of sending, which a veth does in the sender's time, is in both.`,
    rows: [
      cpuRow(own, theirs),
      {
        what: "processor share of the VRRP process",
        holdfast: `${own.share.toFixed(1)} % (${own.rate.toFixed(0)} adverts/s)`,
        keepalived: `${theirs.share.toFixed(1)} % (${theirs.rate.toFixed(0)} adverts/s)`,
        ratio: own.share / theirs.share,
        aim: "stated",
        met: true,
      },
      {
        what: "resident memory (in brackets: pages shared by several processes divided among them)",
        holdfast: memoryText(own),
        keepalived: memoryText(theirs),
        aim: "stated",
        met: true,
      },
    ],
  };
}

const cpuRow = (own: Figures, theirs: Figures): Row => ({
  what: "processor time per advertisement",
  holdfast: `${own.perAdvertisement.toFixed(1)} µs`,
  keepalived: `${theirs.perAdvertisement.toFixed(1)} µs`,
  ratio: own.perAdvertisement / theirs.perAdvertisement,
  aim: "no more than keepalived's",
  met: own.perAdvertisement <= theirs.perAdvertisement,
});

const memoryText = ({ memory }: Figures): string =>
  memory
    .map(({ role, resident, own }) => `${role} ${resident.toFixed(0)} MiB (${own.toFixed(0)})`)
    .join(", ");

async function measure(program: ProgramName, from: Package): Promise<Figures> {
  const lab = new Lab();
  const [sender, sink] = [lab.node("sender"), lab.node("sink")];
  for (let link = 0; link < LINKS; link += 1) {
    const address = `10.${link}.255.1/16`;
    lab.connect(sender, { name: `eth${link}`, addresses: [address] }, sink, { name: `eth${link}` });
  }
  const daemon = new Daemon(program, from, sender, config());
  try {
    daemon.start();
    await settled(sender);
    const pid = daemon.vrrpPid;
    const [packets, processor, started] = [sent(sender), processorSeconds(pid), performance.now()];
    await delay(SECONDS * 1_000);
    const used = processorSeconds(pid) - processor;
    const passed = (performance.now() - started) / 1_000;
    const count = sent(sender) - packets;
    return {
      perAdvertisement: (used / count) * 1e6,
      share: (used / passed) * 100,
      rate: count / passed,
      memory: daemon.pids.map((each) => ({
        role: each === pid ? "vrrp" : (roleOf(each) ?? "parent"),
        ...memoryMib(each),
      })),
    };
  } finally {
    await daemon.stop();
    daemon.dispose();
    lab.dispose();
  }
}

const config = (): string =>
  configText(
    Array.from({ length: COUNT }, (_, at) => {
      const [link, vrid] = [Math.floor(at / PER_LINK), (at % PER_LINK) + 1];
      return {
        name: `V${at}`,
        interface: `eth${link}`,
        vrid,
        priority: 200,
        interval: 1,
        addresses: [`10.${link}.0.${vrid}/32`],
      };
    }),
    ["vrrp_garp_master_delay 1"],
  );

/** Packets that left the node's links. */
function sent(node: LabNode): number {
  return node
    .run(() => readFileSync("/proc/thread-self/net/dev", "utf8"))
    .split("\n")
    .filter((line) => line.trim().startsWith("eth"))
    .reduce((sum, line) => sum + Number(line.replace(/^.*:/, "").trim().split(/\s+/)[9]), 0);
}

/** All are active, and their announcements are over. */
async function settled(node: LabNode): Promise<void> {
  let calm = 0;
  for (let second = 0; calm < 3; second += 1) {
    if (second > 60) throw new Error("the routers did not become active within a minute");
    const before = sent(node);
    await delay(1_000);
    const rate = sent(node) - before;
    calm = Math.abs(rate - COUNT) < COUNT / 10 ? calm + 1 : 0;
  }
}
