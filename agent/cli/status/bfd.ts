import type { BfdReport, BfdSnapshot } from "../../core/bfd/snapshot.ts";
import type { Style } from "../style.ts";
import type { Cell } from "../table.ts";
import { table } from "../table.ts";
import { duration } from "./duration.ts";
import type { Problem } from "./problem.ts";

const SESSIONS = [
  "BFD",
  "STATE",
  "NEIGHBOUR",
  "INTERVAL",
  "DETECTION",
  "THEIRS",
  "SINCE",
  "FLAPS",
  "REASON",
] as const;

/** Every BFD session, with an empty line before them. */
export function bfdLines({ sessions }: BfdReport, now: number, style: Style): readonly string[] {
  if (sessions.length === 0) return [];
  const rows = sessions.map((session) => sessionRow(session, now, style));
  return ["", ...table(SESSIONS, rows, style.faint)];
}

function sessionRow(session: BfdSnapshot, now: number, style: Style): readonly Cell[] {
  const { verdict, state, remote, lastChange } = session;
  const paint = { up: style.good, down: style.bad, unknown: style.caution }[verdict];
  const scope = session.interface === null ? "" : `%${session.interface}`;
  const hops = session.hops === "multiple" ? " multihop" : "";
  return [
    { text: session.name, paint: style.strong },
    { text: state, paint },
    { text: `${session.neighbour}${scope}${hops}` },
    { text: session.transmitInterval === null ? "" : milliseconds(session.transmitInterval) },
    { text: session.detectionTime === null ? "" : milliseconds(session.detectionTime) },
    { text: remote === null ? "" : theirs(remote) },
    { text: duration(now - lastChange.at) },
    { text: session.flaps === 0 ? "" : String(session.flaps) },
    { text: reasonOf(session) },
  ];
}

/** What the neighbour says of itself: state, intervals and multiplier. */
const theirs = (remote: NonNullable<BfdSnapshot["remote"]>): string =>
  `${remote.state}, ${remote.multiplier} × ${milliseconds(remote.minTx)}`;

const reasonOf = ({ state, diagnostic, lastChange }: BfdSnapshot): string =>
  state === "up" || diagnostic === "none" ? lastChange.reason : diagnostic;

const milliseconds = (micros: number): string => `${Math.round(micros / 10) / 100} ms`;

/** A session that is down is told of at the routers that track it; one that cannot work, here. */
export const bfdProblems = ({ sessions }: BfdReport): readonly Problem[] =>
  sessions.flatMap(({ name, problem }) => {
    if (problem === null) return [];
    const [what = problem, next = "the log says more"] = problem.split("; ", 2);
    return [{ subject: `bfd ${name}`, problem: what, next }];
  });
