/** Labels of one series, as they are written: `{service="web",server="10.0.0.1:80"}`. */
export type Labels = string & { readonly __brand: "labels" };

/** Written once for all series that have them. */
export const labels = (given: Readonly<Record<string, string>>): Labels =>
  Object.entries(given)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, escaped)}"`)
    .join(",") as Labels;

const escaped = (character: string): string => (character === "\n" ? "\\n" : `\\${character}`);

/**
 * Prometheus' text format, version 0.0.4, for series of which there are many: they are written as they are
 * found, and nothing is kept of them. https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class SeriesText {
  readonly #lines: string[] = [];

  /** The samples that follow are of it. */
  family(name: string, type: "gauge" | "counter" | "histogram", help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  sample(name: string, of: Labels, value: number): void {
    this.#lines.push(of === "" ? `${name} ${value}` : `${name}{${of}} ${value}`);
  }

  /** `counts`: by bucket, each run once, one more than bounds; with `buckets` false only their sum. */
  histogram(
    name: string,
    of: Labels,
    { bounds, counts, sum, count }: Histogram,
    buckets: boolean,
  ): void {
    let below = 0;
    for (const [at, bound] of buckets ? bounds.entries() : []) {
      below += counts[at] ?? 0;
      this.#lines.push(`${name}_bucket{${of},le="${bound}"} ${below}`);
    }
    this.#lines.push(`${name}_bucket{${of},le="+Inf"} ${count}`);
    this.sample(`${name}_sum`, of, sum);
    this.sample(`${name}_count`, of, count);
  }

  text(): string {
    return this.#lines.length === 0 ? "" : `${this.#lines.join("\n")}\n`;
  }
}

export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly count: number;
}
