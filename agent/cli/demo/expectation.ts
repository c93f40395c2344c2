/** A span of milliseconds in which an outage should lie. */
export interface Expectation {
  readonly fromMs: number;
  readonly toMs: number;
}

export type FailureKind = "stop" | "kill" | "pause" | "cut";

/** What the demo's nodes are configured with. */
export interface Timing {
  readonly advertisementMs: number;
  /** Of the node that takes over. */
  readonly backupPriority: number;
}

/**
 * What RFC 9568 §6.1 says: a router that resigns is followed after one skew time; one that falls silent,
 * after the Active_Down_Interval since its last advertisement, which lies up to an interval back.
 */
export function expectedOutage(kind: FailureKind, timing: Timing): Expectation {
  const { advertisementMs, backupPriority } = timing;
  const skew = ((256 - backupPriority) * advertisementMs) / 256;
  if (kind === "stop") return { fromMs: skew, toMs: skew };
  const down = 3 * advertisementMs + skew;
  return { fromMs: down - advertisementMs, toMs: down };
}

export function expectationText({ fromMs, toMs }: Expectation): string {
  const from = Math.round(fromMs);
  const to = Math.round(toMs);
  return from === to ? `${to} ms` : `${from}–${to} ms`;
}
