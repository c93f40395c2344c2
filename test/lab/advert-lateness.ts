import { quantile } from "../bench/statistics.ts";
import type { SeenAdvertisement } from "./vrrp-frames.ts";

/** From and to, in seconds since 1970. */
export type Span = readonly [from: number, to: number];

/** How late the advertisements of a router were, in milliseconds. */
export class Lateness {
  readonly values: readonly number[];

  /** `adverts`: of one router. Each counts that came, or was due, in one of the spans. */
  constructor(adverts: readonly SeenAdvertisement[], intervalMs: number, spans: readonly Span[]) {
    this.values = adverts.slice(1).flatMap(({ at }, index): readonly number[] => {
      const before = adverts[index]?.at ?? at;
      const within = spans.some(([from, to]) => at > from && before < to);
      return within ? [Math.max(0, (at - before) * 1_000 - intervalMs)] : [];
    });
  }

  at(share: number): number {
    return quantile(this.values, share);
  }

  get worst(): number {
    return this.at(1);
  }

  toString(): string {
    const [half, most, nearlyAll, all] = [0.5, 0.99, 0.999, 1].map((share) =>
      this.at(share).toFixed(2),
    );
    return `late by ${half} / ${most} / ${nearlyAll} / ${all} ms of ${this.values.length}`;
  }
}
