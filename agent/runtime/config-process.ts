import type { LoadedConfig } from "../config/load.ts";
import type { RunOptions } from "../config/run-options.ts";
import { KernelError } from "../ports/error.ts";
import type { ParentChannel } from "../ports/processes.ts";
import type { FromConfig, ToConfig } from "./ipc.ts";

/**
 * The process that reads the configuration, answers, and is gone. Whatever a file may do to a parser
 * (endless time, all memory), it does to this one.
 *
 * @param load throws a KernelError when the file itself cannot be read
 * @param exit called when the answer is on its way
 */
export function serveConfig(
  channel: ParentChannel,
  load: (options: RunOptions) => LoadedConfig,
  exit: () => void,
): void {
  channel.listen((message) => {
    const { kind, options } = message as ToConfig;
    if (kind !== "load") return;
    channel.send(answer(options, load));
    exit();
  }, exit);
}

function answer(options: RunOptions, load: (options: RunOptions) => LoadedConfig): FromConfig {
  try {
    return { kind: "loaded", ...load(options) };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const { code, message, remedy } = error;
    return { kind: "unreadable", problem: { code, message, remedy } };
  }
}
