/** A span of time in whole microseconds. Fine enough for a skew at a 10 ms interval. */
export type Micros = number & { readonly __unit: "micros" };

/** A point on the monotonic clock, in microseconds since an arbitrary epoch. Never wall-clock. */
export type Instant = number & { readonly __unit: "instant" };

export const micros = (value: number): Micros => Math.trunc(value) as Micros;
export const centiseconds = (value: number): Micros => micros(value * 10_000);
export const milliseconds = (value: number): Micros => micros(value * 1_000);
export const seconds = (value: number): Micros => micros(Math.round(value * 1_000_000));

export const instant = (value: number): Instant => Math.trunc(value) as Instant;
export const after = (start: Instant, span: Micros): Instant => (start + span) as Instant;
export const since = (start: Instant, end: Instant): Micros => (end - start) as Micros;

export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);
export const sooner = (a: Instant, b: Instant): Instant => (a < b ? a : b);

/** The earliest of several deadlines; `undefined` when none is set. */
export function earliest(...deadlines: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const at of deadlines) {
    if (at !== undefined && (first === undefined || at < first)) first = at;
  }
  return first;
}
