import type { Style } from "../style.ts";
import type { FailureKind } from "./expectation.ts";
import { expectationText, expectedOutage } from "./expectation.ts";
import { monotonicMs } from "./parts.ts";
import type { Scene } from "./scene.ts";
import { ADDRESS, TIMING } from "./scene.ts";
import type { Outage } from "./view.ts";
import { draw } from "./view.ts";

const REDRAW_MS = 100;
const SCREEN_ON = "\u001b[?1049h\u001b[?25l";
const SCREEN_OFF = "\u001b[?25h\u001b[?1049l";
/** An outage is known when the client has had answers for this long since. */
const SETTLED_MS = 400;
const WATCHED_MS = 10_000;

const FAILURES: Readonly<Record<string, FailureKind>> = {
  s: "stop",
  k: "kill",
  p: "pause",
  l: "cut",
};

/** What is being measured since a key was pressed. */
interface Watched extends Omit<Outage, "outageMs"> {
  readonly sinceMs: number;
}

/** The live view, until q or the end of the keyboard. */
export class Live {
  readonly #scene: Scene;
  readonly #style: Style;
  readonly #outages: Outage[] = [];
  #chosen = 0;
  #watched: Watched | undefined;
  #quit: () => void = () => undefined;

  constructor(scene: Scene, style: Style) {
    this.#scene = scene;
    this.#style = style;
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#quit = resolve;
    });
    const { stdin, stdout } = process;
    const press = (keys: Buffer): void => {
      for (const key of keys.toString()) this.#press(key);
    };
    stdout.write(SCREEN_ON);
    stdin.setRawMode(true).resume().on("data", press).on("end", this.#quit);
    const redraw = setInterval(() => void this.#turn(), REDRAW_MS);
    try {
      await ended;
    } finally {
      clearInterval(redraw);
      stdin.off("data", press).setRawMode(false).pause();
      stdout.write(SCREEN_OFF);
    }
  }

  #press(key: string): void {
    if (key === "q" || key === "\u0003" || key === "\u0004") this.#quit();
    else if (key === "1" || key === "2") this.#chosen = Number(key) - 1;
    else if (key === "r") this.#restore();
    else {
      const kind = FAILURES[key];
      if (kind !== undefined) this.#fail(kind);
    }
  }

  #fail(kind: FailureKind): void {
    const station = this.#scene.stations[this.#chosen];
    if (station === undefined || station.condition !== "running") return;
    const active = station.router?.state === "active";
    const expected = active
      ? expectationText(expectedOutage(kind, TIMING))
      : "none: it was a backup";
    this.#watch({ what: kind, node: station.name, expected, sinceMs: monotonicMs() });
    station.fail(kind);
  }

  #restore(): void {
    const station = this.#scene.stations[this.#chosen];
    if (station === undefined) return;
    this.#watch({ what: "restore", node: station.name, expected: "", sinceMs: monotonicMs() });
    station.restore();
  }

  #watch(watched: Watched): void {
    this.#conclude();
    this.#watched = watched;
  }

  async #turn(): Promise<void> {
    await this.#scene.refresh();
    const nowMs = monotonicMs();
    const { record } = this.#scene;
    if (this.#watched !== undefined && nowMs > this.#watched.sinceMs + WATCHED_MS) this.#conclude();
    const watched = this.#watched;
    const running: readonly Outage[] =
      watched !== undefined && (record.last?.sentMs ?? 0) > watched.sinceMs + SETTLED_MS
        ? [{ ...watched, outageMs: record.longestGap(watched.sinceMs) }]
        : [];
    const lines = draw(
      {
        address: ADDRESS,
        stations: this.#scene.stations,
        chosen: this.#chosen,
        client: record.last,
        nowMs,
        wallClock: Date.now(),
        outages: [...this.#outages, ...running],
        events: this.#scene.events,
        columns: process.stdout.columns,
        rows: process.stdout.rows,
      },
      this.#style,
    );
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K\r\n`).join("")}\u001b[J`);
  }

  #conclude(): void {
    const watched = this.#watched;
    if (watched === undefined) return;
    this.#watched = undefined;
    this.#outages.push({ ...watched, outageMs: this.#scene.record.longestGap(watched.sinceMs) });
  }
}
