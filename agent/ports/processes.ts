/** A process that this one started, with a channel for messages. */
export interface ChildProcess {
  /** `undefined`: it could not be started; `ended` tells. */
  readonly pid: number | undefined;
  /** Never blocks and never throws; messages to a dead process are lost. */
  send(message: unknown): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** What a parent hears of its child. */
export interface ChildListener {
  message(message: unknown): void;
  /** Called once. `cause` says in words how it ended: `status 1`, `signal SIGKILL`. */
  ended(clean: boolean, cause: string): void;
}

/** Starts this program in one of its roles. */
export type StartProcess<Role extends string> = (
  role: Role,
  listener: ChildListener,
) => ChildProcess;

/** The channel of a child to its parent. */
export interface ParentChannel {
  send(message: unknown): void;
  /** `lost`: the parent is gone. */
  listen(message: (message: unknown) => void, lost: () => void): void;
}

/** Calls `then` once, `delayMs` later; the answer takes it back. For delays, not for deadlines. */
export type Later = (delayMs: number, then: () => void) => () => void;

/** Tells the service manager how the agent is (sd_notify(3)); does nothing without one. */
export interface ServiceNotifier {
  /** For example `READY=1`; several assignments are separated by newlines. */
  notify(state: string): void;
  /** How often to say WATCHDOG=1, in milliseconds; `undefined`: never. */
  readonly watchdogMs: number | undefined;
}
