import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * The folder of the file that called `called`: what a test names it names seen from itself, wherever it
 * is run. The working directory where no file did, as at a prompt. To be asked before anything is awaited.
 */
export function callerFolder(called: (...args: never) => unknown): string {
  const { prepareStackTrace } = Error;
  try {
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName();
    const traced: { stack?: unknown } = {};
    Error.captureStackTrace(traced, called);
    const file = traced.stack;
    if (typeof file !== "string") return process.cwd();
    if (file.startsWith("file:")) return dirname(fileURLToPath(file));
    return file.startsWith("/") ? dirname(file) : process.cwd();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}
