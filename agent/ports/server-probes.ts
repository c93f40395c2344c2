import type { ProbeConfig } from "../config/virtual-servers.ts";
import type { Micros } from "../core/time.ts";

export type ProbeKind = ProbeConfig["kind"];

export type ProbeOf<Kind extends ProbeKind> = Extract<ProbeConfig, { readonly kind: Kind }>;

/** What one look at a server came to. */
export interface ProbeOutcome {
  readonly ok: boolean;
  /** For people, one line: `HTTP 503`, `connection refused`. */
  readonly reason: string;
  /** The server says how much it can take: 0–2,147,483,647. */
  readonly weight?: number;
  /** Milliseconds from the start to the answer. */
  readonly ms: number;
  /** Something to be told of a server that is up: a certificate that soon ends. */
  readonly warning?: string;
}

/**
 * Looks once. Never rejects, settles soon after `signal` aborts, and is bounded in memory whatever the
 * server sends. The caller gives up after `timeout`, and aborts then: a probe that takes silence for
 * good answers a little sooner. What is to be remembered from one look to the next, such as whose turn
 * it is of several URLs, is remembered for the object `probe`.
 */
export type RunProbe<Probe extends ProbeConfig = ProbeConfig> = (
  probe: Probe,
  signal: AbortSignal,
  timeout: Micros,
) => Promise<ProbeOutcome>;
