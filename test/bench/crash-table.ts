import type { Figures } from "../lab/crash/measure.ts";
import { phaseOf } from "../lab/crash/measure.ts";
import type { Outcome, Try } from "./crash-scenes.ts";
import { failureNamed, tryAll } from "./crash-scenes.ts";
import type { Package, ProgramName } from "./program.ts";
import { PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;
/** Those who never let go are watched for so long. */
const FOR_EVER_MS = 20_000;
const AT_ONCE = 4;

const KILLED = "SIGKILL of the vrrp process";
const ALL_KILLED = "SIGKILL of everything at once";
const STOPPED = "SIGSTOP of everything, and SIGCONT";

/** Milliseconds that are to be reached. */
const AIMS = { outage: 100, stale: 6_250, silent: 2_500, silentShort: 250 } as const;

/** What clients notice of the worst failures: each program before another one of its own. */
export async function crashes(from: Package): Promise<Section> {
  const kinds = [
    ...[KILLED, ALL_KILLED, STOPPED].map((name) => ({ name, interval: 1 })),
    ...[ALL_KILLED, STOPPED].map((name) => ({ name, interval: 0.1 })),
  ];
  const tries = kinds.flatMap(({ name, interval }) =>
    Array.from({ length: ROUNDS }, (_, round) =>
      PROGRAMS.map((program): Try => {
        const patience = program === "keepalived" ? { staleMs: FOR_EVER_MS } : {};
        const failure = failureNamed(name);
        const phase = phaseOf(round);
        return { failure, failing: program, other: program, interval, phase, ...patience };
      }),
    ).flat(),
  );
  const hasty = ({ failure }: Try): boolean => failure.name === KILLED;
  const outcomes: Outcome[] = [];
  // Both programs, and nobody else: who starts would take the processors from who hands over.
  const hurried = tries.filter(hasty);
  while (hurried.length > 0) outcomes.push(...(await tryAll(hurried.splice(0, 2), from, 2)));
  const others = tries.filter((one) => !hasty(one));
  outcomes.push(...(await tryAll(others, from, AT_ONCE)));
  const of = (name: string, interval: number) => (program: ProgramName) =>
    outcomes
      .filter(
        ({ tried }) =>
          tried.failure.name === name && tried.interval === interval && tried.failing === program,
      )
      .map(({ figures }) => figures);
  return {
    title: "Crashes and stalls",
    method:
      `One address, the backup has priority 250; VRRP 2 at 1 s, VRRP 3 at 0.1 s. A client asks by ARP and ` +
      `opens a TCP connection to the address every 5 ms, and notes who answers. ${ROUNDS} failures each, ` +
      `all over the interval, ${AT_ONCE} at the same time where nothing depends on processors. An outage is the longest time without an ` +
      `answer (median and worst); both answer from the first answer of the new one until the last of the ` +
      `old one (worst; connections count by when they were begun). What does not end is measured for ` +
      `${FOR_EVER_MS / 1_000} s.`,
    rows: [
      outageRow(of(KILLED, 1)),
      bothRow("kill -9 of everything, 1 s", of(ALL_KILLED, 1)),
      staleRow(of(ALL_KILLED, 1)),
      silentRow("1 s", of(ALL_KILLED, 1), AIMS.silent),
      bothRow("SIGSTOP of everything, 1 s", of(STOPPED, 1), CONTINUED),
      bothRow("kill -9 of everything, 0.1 s", of(ALL_KILLED, 0.1)),
      silentRow("0.1 s", of(ALL_KILLED, 0.1), AIMS.silentShort),
      bothRow("SIGSTOP of everything, 0.1 s", of(STOPPED, 0.1), CONTINUED),
    ],
  };
}

type Of = (program: ProgramName) => readonly Figures[];

const text = (ms: number): string => `${ms.toFixed(ms < 1_000 ? 1 : 0)} ms`;

function outageRow(of: Of): Row {
  const outages = (program: ProgramName): readonly number[] =>
    of(program).map(({ who, tcp }) => Math.max(who.outage, tcp.outage));
  const cell = (program: ProgramName): string =>
    `${text(median(outages(program)))} (worst ${text(Math.max(...outages(program)))})`;
  const own = median(outages("holdfast"));
  return {
    what: "kill -9 of the VRRP process, 1 s: outage",
    holdfast: cell("holdfast"),
    keepalived: cell("keepalived"),
    ratio: own / median(outages("keepalived")),
    aim: `≤ ${AIMS.outage} ms`,
    met: own <= AIMS.outage,
  };
}

/** How it ended for those for whom it did not end by itself. */
const NEVER_ENDED = "to the end of the measurement";
const CONTINUED = "until it was continued";

function bothRow(what: string, of: Of, ending = NEVER_ENDED): Row {
  const worst = (program: ProgramName) =>
    Math.max(...of(program).flatMap(({ who, tcp }) => [who.both, tcp.both]));
  const own = worst("holdfast");
  return {
    what: `${what}: both answering`,
    holdfast: text(own),
    keepalived: endless(worst("keepalived"), ending),
    aim: "0 ms",
    met: own === 0,
  };
}

function staleRow(of: Of): Row {
  const worst = (program: ProgramName) =>
    Math.max(...of(program).map(({ stale, lasted }) => stale ?? lasted));
  const own = worst("holdfast");
  const gone = of("holdfast").every(({ stale }) => stale !== undefined);
  return {
    what: "kill -9 of everything, 1 s: stale address on the interface",
    holdfast: text(own),
    keepalived: endless(worst("keepalived")),
    aim: `≤ ${AIMS.stale} ms`,
    met: gone && own <= AIMS.stale,
  };
}

function silentRow(what: string, of: Of, aim: number): Row {
  const worst = (program: ProgramName) =>
    Math.max(...of(program).map(({ heardUntil }) => heardUntil));
  const own = worst("holdfast");
  return {
    what: `kill -9 of everything, ${what}: last word of the dead one`,
    holdfast: text(own),
    keepalived: endless(worst("keepalived")),
    aim: `≤ ${aim} ms`,
    met: own <= aim,
  };
}

/** What lasted for nearly all of the time would have lasted longer. */
const endless = (value: number, ending = NEVER_ENDED): string =>
  value > 0.75 * FOR_EVER_MS ? `${text(value)}, ${ending}` : text(value);
