import { setTimeout as delay } from "node:timers/promises";
import type { IpAddress } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import { micros } from "../../agent/core/time.ts";
import { createAdvertisementSockets } from "../../agent/linux/advertisement-sockets.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { NO_SEQUENCES } from "../../agent/wire/authentication.ts";
import { encodePacket, packetTemplate } from "../../agent/wire/outgoing-packet.ts";
import type { Frame } from "../lab/capture.ts";
import { Capture } from "../lab/capture.ts";
import { configText } from "../lab/instance-text.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import { ACTIVE, BACKUP } from "./pair.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon, PROGRAMS } from "./program.ts";
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
      `VRRP 3, one address each, ${INTERVAL} s, priority ${PRIORITY}; the active, ` +
      `which the measurement itself plays, advertises all of them in one burst and falls silent. Seen by tcpdump on a third node; medians of ${ROUNDS}. An address counts ` +
      `as announced at its first gratuitous ARP, which both programs send when the kernel has it.`,
    rows: [
      row("last down interval over → all announced", ({ done }) => done),
      row("first new advertisement → all announced", ({ work }) => work),
    ],
  };
}

async function measure(program: ProgramName, from: Package): Promise<readonly Sample[]> {
  const lab = new Lab();
  const lan = lab.segment("lan");
  const attach = (name: string, address: string): LabInterface =>
    lab.attach(lab.node(name), lan, { name: "eth0", addresses: [`${address}/16`] });
  const [observer, active, backup] = [
    attach("observer", "192.0.2.250"),
    attach("active", ACTIVE),
    attach("backup", BACKUP),
  ];
  const daemon = new Daemon(program, from, backup.node, config());
  try {
    const capture = await Capture.start(observer.node, "eth0", "ip proto 112 or arp");
    const rival = openRival(active);
    daemon.start();
    const samples: Sample[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      samples.push(await failAll(rival, capture, daemon));
    }
    return samples;
  } finally {
    daemon.dispose();
    lab.dispose();
  }
}

/** Advertises all for two seconds, falls silent, and waits until all have been taken over. */
async function failAll(
  advertiseAll: () => void,
  capture: Capture,
  daemon: Daemon,
): Promise<Sample> {
  for (let times = 0; times < 10; times += 1) {
    advertiseAll();
    await delay(200);
  }
  const quietAt = (performance.timeOrigin + performance.now()) / 1_000;
  const since = (at: number) => capture.frames.filter((frame) => frame.at >= at);
  await capture.until(() => announcedSince(since(quietAt)).size === COUNT, 15_000);
  const shown = daemon.node.exec("ip", ["-o", "-4", "address", "show", "dev", "eth0"]).stdout;
  const addresses = shown.split("\n").filter((line) => line.includes(" 192.0.3.")).length;
  if (addresses !== COUNT) throw new Error(`${addresses} of ${COUNT} addresses are up`);
  const heard = advertisements(since(quietAt - 1));
  const last = heard.findLast(({ source }) => source === ACTIVE)?.at ?? Number.NaN;
  const first = heard.find(({ source, at }) => source === BACKUP && at > last)?.at ?? Number.NaN;
  const end = Math.max(...announcedSince(since(quietAt)).values());
  // The second set of announcements comes a second after the first.
  await delay(1_500);
  return { done: end - last - ACTIVE_DOWN_INTERVAL, work: end - first };
}

/** Sends one advertisement of every router, all within a few milliseconds. */
function openRival({ node, index }: LabInterface): () => void {
  const group = address("224.0.0.18");
  const endpoint = node.run(() =>
    createAdvertisementSockets().open(
      {
        family: "ipv4",
        protocol: 112,
        interfaceIndex: index,
        group,
        ttl: 255,
      },
      () => undefined,
      (errno) => {
        throw new Error(`the rival cannot send: ${errno}`);
      },
    ),
  );
  const packets = VRIDS.map((vrid) => {
    const template = packetTemplate({
      family: "ipv4",
      version: 3,
      vrid,
      maxAdvertiseInterval: micros(INTERVAL * 1e6),
      addresses: [address(`192.0.3.${vrid}`)],
      source: address(ACTIVE),
      destination: group,
      unicast: false,
      ttl: 255,
      checksum: "pseudo-header",
      credentials: { kind: "none" },
    });
    return encodePacket(template, 250, NO_SEQUENCES, 0, () => new Uint8Array(0)).packet;
  });
  return () => {
    for (const packet of packets) endpoint.send(packet, group);
  };
}

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new TypeError(`${text} is no address`);
  return parsed;
}

const config = (): string =>
  configText(
    VRIDS.map((vrid) => ({
      name: `V${vrid}`,
      vrid,
      priority: PRIORITY,
      interval: INTERVAL,
      addresses: [`192.0.3.${vrid}/32`],
    })),
    ["vrrp_garp_master_delay 1"],
  );

/** When each address was first announced. */
function announcedSince(frames: readonly Frame[]): ReadonlyMap<number, number> {
  const seen = new Map<number, number>();
  for (const { at, bytes } of frames) {
    const isArp = bytes[12] === 0x08 && bytes[13] === 0x06;
    const [a, b, c, last = 0] = bytes.subarray(28, 32);
    if (!isArp || a !== 192 || b !== 0 || c !== 3 || seen.has(last)) continue;
    seen.set(last, at);
  }
  return seen;
}
