import type { Position } from "../position.ts";

/** A stretch of a line that came from one place; `fixed`: all of it stands for one place. */
interface Segment {
  readonly start: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly fixed: boolean;
}

/** A line of text that knows where each of its characters was written. */
export interface Line {
  readonly text: string;
  readonly segments: readonly Segment[];
}

export function line(text: string, file: string, number: number, column: number): Line {
  return { text, segments: [{ start: 0, file, line: number, column, fixed: false }] };
}

/** Where the character at `index` was written. */
export function positionAt(source: Line, index: number): Position {
  const segment = source.segments[segmentAt(source, index)];
  if (segment === undefined) return { file: "", line: 1, column: 1 };
  const column = segment.fixed ? segment.column : segment.column + index - segment.start;
  return { file: segment.file, line: segment.line, column };
}

/** Index of the last segment that starts at or before a character. */
function segmentAt(source: Line, index: number): number {
  let low = 0;
  let high = source.segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.segments[middle]?.start ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function slice(source: Line, from: number, to: number = source.text.length): Line {
  const segments: Segment[] = [];
  for (let i = segmentAt(source, from); i < source.segments.length; i += 1) {
    const segment = source.segments[i];
    if (segment === undefined || (segment.start >= to && segments.length > 0)) break;
    const cut = segment.fixed ? 0 : Math.max(0, from - segment.start);
    segments.push({
      ...segment,
      start: Math.max(0, segment.start - from),
      column: segment.column + cut,
    });
  }
  return { text: source.text.slice(from, to), segments };
}

/** Puts a line together from stretches of others, in time linear in its length. */
export class LineBuilder {
  readonly #parts: string[] = [];
  readonly #segments: Segment[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends `[from, to)` of a line, which keeps its places. */
  append(source: Line, from: number, to: number): void {
    if (from >= to) return;
    const part = slice(source, from, to);
    for (const segment of part.segments) {
      this.#segments.push({ ...segment, start: segment.start + this.#length });
    }
    this.#parts.push(part.text);
    this.#length += part.text.length;
  }

  /** Appends text all of which counts as written at one place. */
  appendAt(text: string, place: Position): void {
    this.#segments.push({ start: this.#length, ...place, fixed: true });
    this.#parts.push(text);
    this.#length += text.length;
  }

  line(): Line {
    return { text: this.#parts.join(""), segments: this.#segments };
  }
}
