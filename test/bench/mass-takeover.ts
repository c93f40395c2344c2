import { setTimeout as delay } from "node:timers/promises";
import type { Frame } from "../lab/capture.ts";
import { configText } from "../lab/instance-text.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import { ACTIVE, BACKUP, Pair } from "./pair.ts";
import type { Package, ProgramName } from "./program.ts";
import { PROGRAMS } from "./program.ts";
import type { Section } from "./row.ts";
import { ms } from "./row.ts";
import { median } from "./statistics.ts";

const COUNT = 255;
const VRIDS = Array.from({ length: COUNT }, (_, at) => at + 1);
const ROUNDS = 3;
/** Seconds. */
const INTERVAL = 0.5;
const PRIORITY = 100;
const ACTIVE_DOWN_INTERVAL = 3 * INTERVAL + ((256 - PRIORITY) * INTERVAL) / 256;
const AIM = 0.5;

/** What one takeover of all showed, in seconds. */
interface Sample {
  /** From the end of the last Active_Down_Interval to the last address's first announcement. */
  readonly done: number;
  /** From the first new advertisement to the same. */
  readonly work: number;
}

/** 255 routers of one process become active at the same moment. */
export async function massTakeover(from: Package): Promise<Section> {
  const samples = new Map<ProgramName, readonly Sample[]>();
  for (const program of PROGRAMS) samples.set(program, await measure(program, from));
  const of = (program: ProgramName, value: (sample: Sample) => number): number =>
    median((samples.get(program) ?? []).map(value));
  const row = (what: string, value: (sample: Sample) => number) => {
    const [own, theirs] = [of("holdfast", value), of("keepalived", value)];
    return {
      what,
      holdfast: ms(own),
      keepalived: ms(theirs),
      ratio: own / theirs,
      aim: "half of keepalived's",
      met: own <= theirs * AIM,
    };
  };
  return {
    title: `${COUNT} instances taken over at once`,
    method:
      `VRRP 3, one address each, ${INTERVAL} s, priority ${PRIORITY}; the active, keepalived in both ` +
      `cases, loses its link. Seen by tcpdump on a third node; medians of ${ROUNDS}. An address counts ` +
      `as announced at its first gratuitous ARP, which both programs send when the kernel has it.`,
    rows: [
      row("last down interval over → all announced", ({ done }) => done),
      row("first new advertisement → all announced", ({ work }) => work),
    ],
  };
}

async function measure(program: ProgramName, from: Package): Promise<readonly Sample[]> {
  const pair = await Pair.create(
    program,
    from,
    { active: config(250), backup: config(PRIORITY), activeProgram: "keepalived" },
    "ip proto 112 or arp",
  );
  const samples: Sample[] = [];
  try {
    pair.backup.start();
    pair.active.start();
    for (let round = 0; round < ROUNDS; round += 1) {
      pair.cable.setPlugged(true);
      await pair.until(() => pair.isSpeaker(ACTIVE, VRIDS), 20_000);
      // The second set of announcements comes a second after the first.
      await delay(1_500 + Math.random() * 500);
      samples.push(await failAll(pair));
    }
  } finally {
    pair.dispose();
  }
  return samples;
}

async function failAll(pair: Pair): Promise<Sample> {
  const failedAt = (performance.timeOrigin + performance.now()) / 1_000;
  pair.cable.setPlugged(false);
  const announced = () => firstAnnouncements(pair.framesSince(failedAt));
  await pair.until(() => announced().size === COUNT, 15_000);
  const held = pair.backup.node.exec("ip", ["-o", "-4", "address", "show", "dev", "eth0"]).stdout;
  const addresses = held.split("\n").filter((line) => line.includes(" 192.0.3.")).length;
  if (addresses !== COUNT) throw new Error(`${addresses} of ${COUNT} addresses are up`);
  const heard = advertisements(pair.framesSince(failedAt - 2 * INTERVAL));
  const last = heard.findLast(({ source }) => source === ACTIVE)?.at ?? Number.NaN;
  const first = heard.find(({ source }) => source === BACKUP)?.at ?? Number.NaN;
  const end = Math.max(...announced().values());
  await delay(1_500);
  return { done: end - last - ACTIVE_DOWN_INTERVAL, work: end - first };
}

const config = (priority: number): string =>
  configText(
    VRIDS.map((vrid) => ({
      name: `V${vrid}`,
      vrid,
      priority,
      interval: INTERVAL,
      addresses: [`192.0.3.${vrid}/32`],
    })),
    ["vrrp_garp_master_delay 1"],
  );

/** When each address was first announced. */
function firstAnnouncements(frames: readonly Frame[]): ReadonlyMap<number, number> {
  const seen = new Map<number, number>();
  for (const { at, bytes } of frames) {
    const isArp = bytes[12] === 0x08 && bytes[13] === 0x06;
    const [a, b, c, last = 0] = bytes.subarray(28, 32);
    if (!isArp || a !== 192 || b !== 0 || c !== 3 || seen.has(last)) continue;
    seen.set(last, at);
  }
  return seen;
}
