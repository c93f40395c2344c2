import { setTimeout as delay } from "node:timers/promises";
import { Lab } from "../../agent/linux/lab.ts";
import { Capture } from "../lab/capture.ts";
import { configText } from "../lab/instance-text.ts";
import { WithoutIpvs } from "../lab/without-ipvs.ts";
import { deviationsIn } from "./interval-row.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon, PROGRAMS } from "./program.ts";
import type { Section } from "./row.ts";
import { ms } from "./row.ts";
import { serversText } from "./servers-text.ts";
import { median } from "./statistics.ts";

const SERVICES = 2_277;
const REAL_SERVERS = 16;
const RELOADS = 6;
/** Seconds between advertisements. */
const INTERVAL = 0.1;
/** Beyond that, an advertisement is late. */
const LATE = 0.05;
/** Seconds in which the advertisements are watched from a reload on. */
const WATCHED = 3;
const STARTED_MS = 60_000;
const RELOADED_MS = 30_000;

/** In the middle of the file. */
const CHANGED = ((SERVICES * REAL_SERVERS) >> 1) + 7;
/** What a program writes when it has found the change. */
const CHANGE: Readonly<Record<ProgramName, RegExp>> = {
  holdfast: /"change":"weight"/,
  keepalived: /Changing weight from /,
};
const STARTED: Readonly<Record<ProgramName, RegExp>> = {
  holdfast: /"kind":"configuration"/,
  keepalived: /Startup complete/,
};

interface Reloaded {
  /** Seconds from the signal to the line about the change. */
  readonly times: readonly number[];
  /** Seconds by which an advertisement was late, the latest of each reload. */
  readonly late: readonly number[];
}

/** How long a change of one weight in a large file takes, and what VRRP feels of it. */
export async function serversReload(from: Package): Promise<Section> {
  const ipvs = new WithoutIpvs();
  const measured: Partial<Record<ProgramName, Reloaded>> = {};
  try {
    for (const program of PROGRAMS) measured[program] = await reloads(program, from, ipvs);
  } finally {
    ipvs.dispose();
  }
  const time = (program: ProgramName): number => median(measured[program]?.times ?? []);
  const late = (program: ProgramName): number => Math.max(...(measured[program]?.late ?? []));
  const [own, theirs] = [time("holdfast"), time("keepalived")];
  return {
    title: "One change in a large file",
    method:
      `${SERVICES.toLocaleString("en")} services × ${REAL_SERVERS} real servers without checks, and an active VRRP 3 router that ` +
      `advertises each ${ms(INTERVAL, 0)}, watched by tcpdump for ${WATCHED} s. The weight of one real server is changed in the file; ` +
      `from SIGHUP to the line in the log that says so, which is when the kernel is told, medians of ${RELOADS}. ` +
      `There is no ip_vs: Holdfast goes on without it, keepalived is given a library that takes its commands.`,
    rows: [
      {
        what: "reload with one change in 36,432 real servers",
        holdfast: ms(own, 0),
        keepalived: ms(theirs, 0),
        ratio: own / theirs,
        aim: "no slower than keepalived",
        met: own <= theirs,
      },
      {
        what: "latest advertisement meanwhile: late by",
        holdfast: ms(late("holdfast")),
        keepalived: ms(late("keepalived")),
        ratio: late("holdfast") / late("keepalived"),
        aim: `≤ ${ms(LATE, 0)}`,
        met: late("holdfast") <= LATE,
      },
    ],
  };
}

const config = (weight: number): string =>
  configText([{ interval: INTERVAL }]) +
  serversText({
    ...{ services: SERVICES, realServers: REAL_SERVERS },
    weight: (at) => (at === CHANGED ? weight : 1),
  });

async function reloads(program: ProgramName, from: Package, ipvs: WithoutIpvs): Promise<Reloaded> {
  const lab = new Lab();
  const node = lab.node("director");
  const peer = lab.node("peer");
  const addresses = ["192.0.2.1/24"];
  lab.connect(node, { name: "eth0", addresses }, peer, { name: "eth0" });
  const start = { words: [], env: ipvs.env };
  const daemon = new Daemon(program, from, node, config(1), [], start);
  const log = new LogWatch(daemon);
  try {
    const capture = await Capture.start(peer, "eth0", "ip proto 112");
    const begun = log.first(STARTED[program], STARTED_MS);
    daemon.start((line) => log.hear(line));
    await begun;
    // The director works on after that.
    await delay(2 * WATCHED * 1_000);
    const times: number[] = [];
    const late: number[] = [];
    for (let round = 0; round < RELOADS; round += 1) {
      daemon.configure(config(2 + (round % 2)));
      const watched = deviationsIn(capture, WATCHED, INTERVAL);
      const changed = log.first(CHANGE[program], RELOADED_MS);
      const signalled = performance.now();
      daemon.reload();
      times.push(((await changed) - signalled) / 1_000);
      late.push(Math.max(...(await watched)));
    }
    await capture.stop();
    return { times, late };
  } finally {
    await daemon.kill();
    daemon.dispose();
    lab.dispose();
  }
}

/** When a daemon says what. */
class LogWatch {
  readonly #daemon: Daemon;
  #pattern: RegExp | undefined;
  #found: (at: number) => void = () => undefined;

  constructor(daemon: Daemon) {
    this.#daemon = daemon;
  }

  hear(line: string): void {
    if (this.#pattern?.test(line) !== true) return;
    this.#pattern = undefined;
    this.#found(performance.now());
  }

  /** Milliseconds of performance.now() at the next line of this kind. */
  first(pattern: RegExp, limitMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        const said = this.#daemon.log.slice(-1_000);
        reject(new Error(`no line like ${pattern} in ${limitMs} ms:\n${said}`));
      }, limitMs);
      this.#pattern = pattern;
      this.#found = (at) => {
        clearTimeout(limit);
        resolve(at);
      };
    });
  }
}
