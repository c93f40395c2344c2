import { duration } from "../status/duration.ts";
import { reasonOf } from "../status/words.ts";
import type { Style } from "../style.ts";
import type { Cell } from "../table.ts";
import { table, textWidth } from "../table.ts";
import type { FailureKind } from "./expectation.ts";
import type { Answered } from "./outage.ts";
import type { SceneEvent } from "./scene.ts";
import type { Station } from "./station.ts";

/** Everything on the screen. */
export interface Picture {
  readonly address: string;
  readonly stations: readonly Pick<Station, "name" | "condition" | "plugged" | "router">[];
  readonly chosen: number;
  readonly client: Answered | undefined;
  readonly nowMs: number;
  readonly wallClock: number;
  readonly outages: readonly Outage[];
  readonly events: readonly SceneEvent[];
  readonly columns: number;
  readonly rows: number;
}

export interface Outage {
  readonly what: FailureKind | "restore";
  readonly node: string;
  readonly outageMs: number;
  readonly expected: string;
}

const KEYS = "1 2 choose · s stop · k kill -9 · p pause · l cut the link · r restore · q quit";

/** The screen as lines, none longer than it is wide. Pure. */
export function draw(picture: Picture, style: Style): readonly string[] {
  const nodes = picture.stations.map((station, index) => nodeRow(picture, station, index, style));
  const lines = [
    `${style.strong("Holdfast demo")}: ${picture.address} between two nodes`,
    "",
    ...table(["", "NODE", "AGENT", "LINK", "STATE", "PRIORITY", "WHY"], nodes, style.faint),
    "",
    clientLine(picture, style),
    ...picture.outages.slice(-4).map(outageLine),
    "",
    ...notes(picture, style),
    KEYS,
    "",
  ];
  const room = Math.max(0, picture.rows - lines.length - 1);
  const events =
    room === 0 ? [] : picture.events.slice(-room).map((event) => eventLine(event, style));
  return [...lines, ...events].map((line) => cut(line, picture.columns));
}

function nodeRow(
  picture: Picture,
  { name, condition, plugged, router }: Picture["stations"][number],
  index: number,
  style: Style,
): readonly Cell[] {
  const why =
    router === undefined || router.lastTransition === null
      ? ""
      : `${reasonOf(router)}, ${duration(picture.wallClock - router.lastTransition.at)}`;
  const state = router?.state ?? (condition === "running" ? "…" : "–");
  return [
    { text: index === picture.chosen ? "▸" : " " },
    { text: name, paint: style.strong },
    { text: condition, ...(condition === "running" ? {} : { paint: style.bad }) },
    { text: plugged ? "up" : "cut", ...(plugged ? {} : { paint: style.bad }) },
    { text: state, paint: state === "active" ? style.good : (text) => text },
    { text: router === undefined ? "" : String(router.priority.effective) },
    { text: why },
  ];
}

const SILENT_MS = 100;

function clientLine({ client, nowMs }: Picture, style: Style): string {
  if (client === undefined) return "client: no answer yet";
  const silence = nowMs - client.sentMs;
  return silence > SILENT_MS
    ? `client: ${style.bad(`no answer for ${Math.round(silence)} ms`)}`
    : `client: ${style.good(client.by)} answers`;
}

const outageLine = ({ what, node, outageMs, expected }: Outage): string =>
  `  ${what} ${node}: ${Math.round(outageMs)} ms without an answer${expected === "" ? "" : `, expected ${expected}`}`;

/** What is true and would surprise. */
function notes({ stations }: Picture, style: Style): readonly string[] {
  const left = stations.filter(({ condition }) => condition === "killed" || condition === "paused");
  return left.map(({ name }) =>
    style.caution(`${name}: its kernel lets go of the address by itself; r restores the agent`),
  );
}

function eventLine(event: SceneEvent, style: Style): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  return `${style.faint(time)} ${event.node}: ${event.message}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours' own bytes
const COLOR = /\u001b\[[0-9;]*m/g;

/** A longer line loses its colours with its end. */
function cut(line: string, columns: number): string {
  const plain = line.replaceAll(COLOR, "");
  if (textWidth(plain) <= columns) return line;
  return `${[...plain].slice(0, Math.max(0, columns - 1)).join("")}…`;
}
