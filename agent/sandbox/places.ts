import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** Name of a bundle in the engine. */
export const BUNDLE_FILE = "policy.js";

const FRAME = /\(?policy\.js:(\d+):(\d+)\)?/g;
const MOST_FRAMES = 16;

/** Turns places in a bundle into places in the author's files. The map is read when first needed. */
export class Places {
  readonly #text: string;
  #map: TraceMap | undefined;

  /** `sourceMap`: JSON; empty: places are answered as they are in the bundle. */
  constructor(sourceMap: string) {
    this.#text = sourceMap;
  }

  /** `nginx.ts:14:15` and the like out of the engine's stack, innermost first. */
  frames(stack: string): readonly string[] {
    const frames: string[] = [];
    for (const [, line, column] of stack.matchAll(FRAME)) {
      const place = this.#place(Number(line), Number(column));
      if (place !== undefined && frames.at(-1) !== place) frames.push(place);
      if (frames.length === MOST_FRAMES) break;
    }
    return frames;
  }

  #place(line: number, column: number): string | undefined {
    if (this.#text === "") return `${BUNDLE_FILE}:${line}:${column}`;
    if (line < 1) return undefined;
    this.#map ??= new TraceMap(this.#text);
    const found = originalPositionFor(this.#map, { line, column: Math.max(0, column - 1) });
    if (found.source === null) return undefined;
    return `${found.source}:${found.line}:${found.column + 1}`;
  }
}
