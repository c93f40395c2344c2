import { setTimeout as delay } from "node:timers/promises";
import type { Terminal } from "../host.ts";
import type { Style } from "../style.ts";
import { table } from "../table.ts";
import type { Expectation, FailureKind } from "./expectation.ts";
import { expectationText, expectedOutage } from "./expectation.ts";
import { monotonicMs } from "./parts.ts";
import type { Scene } from "./scene.ts";
import { ADDRESS, TIMING } from "./scene.ts";
import type { Station } from "./station.ts";

/** `holdfast demo --json`. */
export interface DemoReport {
  readonly address: string;
  /** Milliseconds between advertisements. */
  readonly advertisementInterval: number;
  readonly failures: readonly MeasuredFailure[];
  readonly recovered: boolean;
}

export interface MeasuredFailure {
  readonly kind: FailureKind;
  readonly expected: Expectation;
  /** What the client saw, milliseconds; `null`: no answer came back in time. */
  readonly outage: number | null;
  /** The same while the node came back and took the address again. */
  readonly returnOutage: number | null;
}

/** As a cold and busy machine may take to start the agents. */
const PATIENCE_MS = 30_000;
const SETTLED_MS = 300;

const WORDS: Readonly<Record<FailureKind, string>> = {
  stop: "stop the agent (SIGTERM)",
  kill: "kill -9 everything on the node",
  pause: "pause everything on the node (SIGSTOP)",
  cut: "cut its cable",
};

/** One failure of each kind of the first node, and back. */
export async function playScript(scene: Scene, terminal: Terminal): Promise<DemoReport> {
  const [first, second] = scene.stations;
  terminal.err(`two nodes, one address (${ADDRESS}), one client; starting …\n`);
  const ready = await settles(scene, first);
  const failures: MeasuredFailure[] = [];
  if (ready) {
    for (const kind of ["stop", "kill", "pause", "cut"] as const) {
      terminal.err(`${first.name}: ${WORDS[kind]} …\n`);
      failures.push(await measure(scene, kind, first, second));
      if (failures.at(-1)?.returnOutage === null) break;
    }
  }
  return {
    address: ADDRESS,
    advertisementInterval: TIMING.advertisementMs,
    failures,
    recovered: failures.length === 4 && failures.every(({ returnOutage }) => returnOutage !== null),
  };
}

async function measure(
  scene: Scene,
  kind: FailureKind,
  failing: Station,
  other: Station,
): Promise<MeasuredFailure> {
  const expected = expectedOutage(kind, TIMING);
  const failedMs = monotonicMs();
  failing.fail(kind);
  if (!(await settles(scene, other))) return { kind, expected, outage: null, returnOutage: null };
  const outage = scene.record.longestGap(failedMs);
  const restoredMs = monotonicMs();
  failing.restore();
  const back = await settles(scene, failing);
  const returnOutage = back ? scene.record.longestGap(restoredMs) : null;
  return { kind, expected, outage, returnOutage };
}

/** Waits until the client gets answers of this node only, and the node itself says it is active. */
async function settles(scene: Scene, station: Station): Promise<boolean> {
  const untilMs = monotonicMs() + PATIENCE_MS;
  while (monotonicMs() < untilMs) {
    await station.refresh();
    const answering = scene.record.settledOn(station.name, monotonicMs(), SETTLED_MS);
    if (answering && station.router?.state === "active") return true;
    await delay(20);
  }
  return false;
}

const HEADING = ["FAILURE OF THE ACTIVE NODE", "CLIENT OUTAGE", "EXPECTED", "ON ITS RETURN"];

export function reportText(report: DemoReport, style: Style): string {
  const ms = (value: number | null): string =>
    value === null ? "not recovered" : `${Math.round(value)} ms`;
  const rows = report.failures.map((failure) => [
    { text: WORDS[failure.kind] },
    { text: ms(failure.outage), paint: failure.outage === null ? style.bad : style.strong },
    { text: expectationText(failure.expected) },
    { text: ms(failure.returnOutage) },
  ]);
  const verdict = report.recovered
    ? style.good("recovered from every failure")
    : style.bad("did not recover from every failure");
  return [
    ...(rows.length === 0 ? ["the nodes did not start"] : table(HEADING, rows, style.faint)),
    "",
    verdict,
    ...NOTES,
    "",
  ].join("\n");
}

export const NOTES: readonly string[] = [
  `advertisements every ${TIMING.advertisementMs} ms, a probe every 5 ms; expected is the formula of RFC 9568 §6.1`,
  "after kill -9 of everything, and while paused, the kernel of the node lets go of the address by itself:",
  "its gate has shut before the other node answers, and some seconds later the address is removed",
];
