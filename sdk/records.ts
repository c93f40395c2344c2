import type { Json } from "./values.ts";

/** A little durable memory of the policy's own: 64 KiB in all, on disk, over restarts. */
export interface Kv {
  /** `undefined`: nothing is kept under this key. */
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Prometheus series of the policy's own; the label `policy` is added. */
export interface Metrics {
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Adds `by`, 1 by default. */
  count(name: string, by?: number, labels?: Readonly<Record<string, string>>): void;
}

/** What goes along with a line of the log. */
export type LogFields = Readonly<Record<string, Json>>;

/** Lines in the agent's log. More than 20 a second are counted, not written. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
