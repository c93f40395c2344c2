import type { Failure } from "../lab/crash/failure.ts";
import { bothAtMost } from "../lab/crash/failure.ts";
import { FAILURES } from "../lab/crash/failures.ts";
import type { Figures } from "../lab/crash/measure.ts";
import { phaseOf } from "../lab/crash/measure.ts";
import { castOf, timingOf } from "../lab/crash/scene.ts";
import { WITNESS_TTL_MS } from "../lab/crash/witness.ts";
import type { Outcome, Try } from "./crash-scenes.ts";
import { tryAll } from "./crash-scenes.ts";
import type { Package, ProgramName } from "./program.ts";
import { PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";

/** Raise it for a long run: the worst is shown. */
const ROUNDS = 1;
const AT_ONCE = 6;
const INTERVALS = [1, 0.1];
/** An address that stays is waited for as long as one that Holdfast leaves, at the most. */
const STALE_MS = 6_500;

/** Every failure at both intervals, before each program; and keepalived's beside its own. */
export async function allCrashes(from: Package): Promise<Section> {
  const kinds = INTERVALS.flatMap((interval) =>
    FAILURES.flatMap((failure) =>
      (failure.beside ?? PROGRAMS).map((other) => ({ failure, interval, other })),
    ),
  );
  const tries = kinds.flatMap(({ failure, interval, other }, kind) =>
    Array.from({ length: ROUNDS }, (_, round) => phaseOf(kind + round)).flatMap((phase) =>
      failers(failure, other).map(
        (failing): Try => ({ failure, failing, other, interval, phase, staleMs: STALE_MS }),
      ),
    ),
  );
  const outcomes = await tryAll(tries, from, AT_ONCE);
  return {
    title: "Every failure",
    method:
      `As above, each failure of the node that has the address: ${ROUNDS} of each kind (the worst is shown), ` +
      `${AT_ONCE} of all at the same time. Outage (ARP) / both answering (ARP, connections) / how long the failing node has the ` +
      `address, "–" if it still has it in the end. Holdfast fails before what is named; keepalived before ` +
      `its own. Without a witness nothing can keep two nodes apart that do not hear each other; where one ` +
      `is named Holdfast asks an etcd for leases of ${WITNESS_TTL_MS / 1_000} s, and keepalived asks nobody.`,
    rows: kinds.map(({ failure, interval, other }) => {
      const of = (failing: ProgramName): readonly Outcome[] =>
        outcomes.filter(
          ({ tried }) =>
            tried.failure === failure &&
            tried.interval === interval &&
            tried.other === other &&
            tried.failing === failing,
        );
      return rowOf(failure, interval, other, of);
    }),
  };
}

const failers = (failure: Failure, other: ProgramName): readonly ProgramName[] =>
  other === "keepalived" && failure.beside === undefined ? PROGRAMS : ["holdfast"];

function rowOf(
  failure: Failure,
  interval: number,
  other: ProgramName,
  of: (failing: ProgramName) => readonly Outcome[],
): Row {
  const own = of("holdfast");
  const theirs = of("keepalived");
  const both = bothAtMost(failure.expected, timingOf(castOf(failure, "holdfast", other, interval)));
  return {
    what: `${failure.name}, ${interval} s, before ${other === "holdfast" ? "Holdfast" : "keepalived"}`,
    holdfast: cell(own.map(({ figures }) => figures)),
    keepalived: theirs.length === 0 ? "" : cell(theirs.map(({ figures }) => figures)),
    aim: Number.isFinite(both) ? `${both > 0 ? "≤ " : ""}${both.toFixed(0)} ms for both` : "stated",
    met: own.every(({ shortfalls }) => shortfalls.length === 0),
  };
}

function cell(figures: readonly Figures[]): string {
  const worst = (value: (one: Figures) => number): string => {
    const most = Math.max(...figures.map(value));
    return `${most.toFixed(0)} ms`;
  };
  const kept = figures.some(({ stale }) => stale === undefined);
  const both = `${worst(({ who }) => who.both)}, ${worst(({ tcp }) => tcp.both)}`;
  const stale = kept ? "–" : worst((one) => one.stale ?? 0);
  return `${worst(({ who }) => who.outage)} / ${both} / ${stale}`;
}
