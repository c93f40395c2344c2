import { createRequire } from "node:module";
import type { Logger } from "pino";
import type { Log, LogLine } from "./log.ts";

/**
 * Writes log lines to the standard output, as JSON or for people. The writer is loaded for the first
 * line: before, the children's start has the processors.
 */
export function openLog(format: "pretty" | "json", detail: boolean, color: boolean): Log {
  const waiting: LogLine[] = [];
  let logger: Logger | undefined;
  let loading: Promise<void> | undefined;
  const load = async (): Promise<void> => {
    // Never inside of the write that wants it.
    await new Promise((resolve) => setImmediate(resolve));
    const opened = loadLogger(format, detail, color);
    for (const line of waiting.splice(0)) writeLine(opened, line);
    logger = opened;
  };
  return {
    write(line) {
      if (logger !== undefined) {
        writeLine(logger, line);
        return;
      }
      waiting.push(line);
      loading ??= load();
    },
    async flush() {
      await loading;
      await new Promise<void>((resolve) => {
        if (logger === undefined) resolve();
        else logger.flush(() => resolve());
      });
    },
  };
}

const writeLine = (logger: Logger, { level, at, message, fields }: LogLine): void =>
  logger[level]({ ...fields, time: at }, message);

function loadLogger(format: "pretty" | "json", detail: boolean, color: boolean): Logger {
  // Not import(): of a CommonJS package, Node 22 has been seen to give a namespace without its names.
  const load = createRequire(import.meta.url);
  const { pino } = load("pino") as typeof import("pino");
  const options = {
    level: detail ? "debug" : "info",
    // The time of the event, not of the writing.
    timestamp: false,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === "json") return pino(options, pino.destination({ fd: 1, sync: true }));
  const { build: pretty } = load("pino-pretty") as typeof import("pino-pretty");
  const destination = pretty({
    colorize: color,
    sync: true,
    singleLine: true,
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
    // What the message says already.
    ignore: "sequence,kind,subject,detail,faults,from,to,reason,generation,alarm,times",
  });
  return pino(options, destination);
}
