import type { ProbeConfig } from "../config/virtual-servers.ts";

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
 * server sends.
 */
export type RunProbe<Probe extends ProbeConfig = ProbeConfig> = (
  probe: Probe,
  signal: AbortSignal,
) => Promise<ProbeOutcome>;
