import type { LogLevel } from "./ipc.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: LogLevel;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Log {
  write(line: LogLine): void;
  /** Everything is out when it resolves. */
  flush(): Promise<void>;
}
