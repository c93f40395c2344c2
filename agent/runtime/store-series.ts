import type { StoreReport } from "../core/witness/store-report.ts";
import { labels, SeriesText } from "./series-text.ts";

export const STORE_SERVES = {
  name: "holdfast_witness_store_serves",
  type: "gauge",
  help: "1: the store of leases answered when it was last asked; nothing where no group needs a lease.",
} as const;

/** What there is to measure of the store of leases, in Prometheus' text format. */
export function storeSeries(report: StoreReport | undefined): string {
  const text = new SeriesText();
  // Before it was asked it is neither.
  if (report === undefined || report.condition === "unknown") return text.text();
  const { name, type, help } = STORE_SERVES;
  text.family(name, type, help);
  text.sample(name, labels({ store: report.store }), report.condition === "serves" ? 1 : 0);
  return text.text();
}
