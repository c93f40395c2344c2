import { setTimeout as delay } from "node:timers/promises";
import { configText } from "../lab/instance-text.ts";
import { ACTIVE, BACKUP, Pair } from "./pair.ts";
import type { Package, ProgramName } from "./program.ts";
import { PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import { median } from "./statistics.ts";

const FAILURES = ["SIGKILL", "link loss", "SIGTERM"] as const;
type Failure = (typeof FAILURES)[number];

interface Cell {
  readonly vrid: number;
  /** Seconds. */
  readonly interval: number;
  /** The backup's. */
  readonly priority: number;
}

const CELLS: readonly Cell[] = [1, 0.1, 0.01].flatMap((interval, i) =>
  [100, 250].map((priority, p) => ({ vrid: 1 + 2 * i + p, interval, priority })),
);
const VRIDS = CELLS.map(({ vrid }) => vrid);

const ROUNDS = 5;
/** Longer than the slowest takeover. */
const WATCHED_MS = 4_200;
const HANDED_OVER_MS = 1_500;
const TOLERANCE = 0.002;

/** RFC 9568 §6.1, in seconds. */
const skew = ({ interval, priority }: Cell): number => ((256 - priority) * interval) / 256;
const activeDownInterval = (cell: Cell): number => 3 * cell.interval + skew(cell);

/** What one failure showed of one cell, in seconds. */
interface Sample {
  readonly program: ProgramName;
  readonly failure: Failure;
  readonly cell: Cell;
  /** From the old active's last regular advertisement to the new one's first. */
  readonly takeover: number;
  /** From the signal to the new active's first. */
  readonly handOver: number;
}

/** Takeovers and hand-overs. Both programs run at the same time, each in a network of its own. */
export async function takeovers(from: Package): Promise<Section> {
  const configs = { active: config(() => 254), backup: config(({ priority }) => priority) };
  const pairs = await Promise.all(
    PROGRAMS.map((program) => Pair.create(program, from, configs, "ip proto 112")),
  );
  const samples: Sample[] = [];
  try {
    for (const pair of pairs) pair.backup.start();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const failure of FAILURES) samples.push(...(await failAll(pairs, failure)));
    }
  } finally {
    for (const pair of pairs) pair.dispose();
  }
  return {
    title: "Takeover and hand-over",
    method:
      `VRRP 3, IPv4, multicast; six virtual routers in one process; the active's priority is 254. ` +
      `Seen by tcpdump on a third node; medians of ${ROUNDS} failures each. A takeover counts from the ` +
      `active's last advertisement to the backup's first, a hand-over from the signal. The formula is ` +
      `3 intervals + skew (RFC 9568 §6.1).`,
    rows: [
      ...(["SIGKILL", "link loss"] as const).flatMap((failure) =>
        CELLS.map((cell) => takeoverRow(samples, failure, cell)),
      ),
      ...CELLS.map((cell) => handOverRow(samples, cell)),
    ],
  };
}

function config(priorityOf: (cell: Cell) => number): string {
  return configText(
    CELLS.map((cell) => ({
      name: `V${cell.vrid}`,
      vrid: cell.vrid,
      interval: cell.interval,
      priority: priorityOf(cell),
      addresses: [`192.0.2.${100 + cell.vrid}/32`],
    })),
  );
}

async function failAll(pairs: readonly Pair[], failure: Failure): Promise<readonly Sample[]> {
  for (const pair of pairs) {
    if (pair.active.ended) pair.active.start();
    else pair.cable.setPlugged(true);
  }
  await Promise.all(pairs.map((pair) => pair.until(() => pair.isSpeaker(ACTIVE, VRIDS), 15_000)));
  // Beyond the burst of announcements, and out of step with the advertisements.
  await delay(200 + Math.random() * 1_000);
  const failedAt = pairs.map((pair) => {
    const at = (performance.timeOrigin + performance.now()) / 1_000;
    if (failure === "SIGKILL") void pair.active.kill();
    else if (failure === "SIGTERM") void pair.active.stop();
    else pair.cable.setPlugged(false);
    return at;
  });
  await delay(failure === "SIGTERM" ? HANDED_OVER_MS : WATCHED_MS);
  return pairs.flatMap((pair, at) => samplesOf(pair, failure, failedAt[at] ?? 0));
}

function samplesOf(pair: Pair, failure: Failure, failedAt: number): readonly Sample[] {
  const heard = pair.heardSince(failedAt - 1.5);
  return CELLS.flatMap((cell) => {
    const ofCell = heard.filter(({ vrid }) => vrid === cell.vrid);
    const next = ofCell.find(({ at, source }) => source === BACKUP && at > failedAt);
    const last = ofCell.findLast(
      ({ at, source, priority }) => source === ACTIVE && priority > 0 && at < (next?.at ?? 0),
    );
    // One that had moved before anything failed, as a busy machine may cause at 10 ms, says nothing.
    const moved = ofCell.some(
      ({ at, source }) => source === BACKUP && at <= failedAt && at > failedAt - 0.05,
    );
    if (last === undefined || next === undefined || moved) return [];
    return [
      {
        program: pair.program,
        failure,
        cell,
        takeover: next.at - last.at,
        handOver: next.at - failedAt,
      },
    ];
  });
}

const figure = (
  samples: readonly Sample[],
  program: ProgramName,
  failure: Failure,
  cell: Cell,
  value: (sample: Sample) => number,
): number =>
  median(
    samples
      .filter((s) => s.program === program && s.failure === failure && s.cell === cell)
      .map(value),
  );

const label = ({ interval, priority }: Cell): string =>
  `${interval >= 0.1 ? `${interval} s` : ms(interval, 0)}, priority ${priority}`;

function takeoverRow(samples: readonly Sample[], failure: Failure, cell: Cell): Row {
  const expected = activeDownInterval(cell);
  const of = (program: ProgramName): number =>
    figure(samples, program, failure, cell, ({ takeover }) => takeover);
  const [own, theirs] = [of("holdfast"), of("keepalived")];
  const text = (value: number): string => `${ms(value)} (${signed(value - expected)})`;
  return {
    what: `takeover after ${failure}, ${label(cell)}`,
    holdfast: text(own),
    keepalived: text(theirs),
    ratio: own / theirs,
    aim: `${ms(expected)} ± 2 ms`,
    met: Math.abs(own - expected) <= TOLERANCE,
  };
}

function handOverRow(samples: readonly Sample[], cell: Cell): Row {
  const of = (program: ProgramName): number =>
    figure(samples, program, "SIGTERM", cell, ({ handOver }) => handOver);
  const [own, theirs] = [of("holdfast"), of("keepalived")];
  return {
    what: `hand-over after SIGTERM, ${label(cell)}`,
    holdfast: ms(own),
    keepalived: ms(theirs),
    ratio: own / theirs,
    aim: "no slower than keepalived",
    met: own <= theirs + TOLERANCE,
  };
}

const signed = (seconds: number): string => `${seconds < 0 ? "−" : "+"}${ms(Math.abs(seconds), 2)}`;
