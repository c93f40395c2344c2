/** What the control server lets clients take. A misbehaving one is cut off; the agent never waits. */
export interface ControlLimits {
  readonly clients: number;
  /** Bytes of one request line. */
  readonly lineBytes: number;
  /** Requests of one client that are not answered yet. */
  readonly pending: number;
  /** Bytes that wait for a client that follows events. */
  readonly backlogBytes: number;
  /** How long a client may leave an answer unread. */
  readonly slowMs: number;
  /** How long a client may say nothing, unless it follows events. */
  readonly idleMs: number;
}

export const DEFAULT_LIMITS: ControlLimits = {
  clients: 32,
  lineBytes: 64 * 1024,
  pending: 8,
  backlogBytes: 1024 * 1024,
  slowMs: 10_000,
  idleMs: 60_000,
};
