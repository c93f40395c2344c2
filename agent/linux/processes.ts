import { fork } from "node:child_process";
import type {
  ChildListener,
  ChildProcess,
  ParentChannel,
  StartProcess,
} from "../ports/processes.ts";

const LAST_WORDS_MS = 200;

/**
 * Starts `program` with `--role ROLE` under Node with its arguments for that role. Its standard streams are ours; messages go as JSON over a
 * channel that also tells each side when the other is gone.
 */
export function processStarter<Role extends string>(
  program: string,
  nodeArguments: Readonly<Record<Role, readonly string[]>>,
  environment: Readonly<Record<string, string | undefined>>,
): StartProcess<Role> {
  return (role: Role, listener: ChildListener): ChildProcess => {
    const child = fork(program, ["--role", role], {
      env: environment,
      execArgv: [...nodeArguments[role]],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "json",
    });
    let ended = false;
    const end = (clean: boolean, cause: string): void => {
      if (ended) return;
      ended = true;
      listener.ended(clean, cause);
    };
    child.on("message", (message) => listener.message(message));
    child.on("error", (error) => {
      // Only a start that failed leaves no process; a failed message shows by the end of the process.
      if (child.pid === undefined) end(false, error.message);
    });
    child.on("exit", (status, signal) => {
      const cause = signal === null ? `status ${status}` : `signal ${signal}`;
      const last = (): void => end(status === 0, cause);
      if (!child.connected) {
        last();
        return;
      }
      // Its last words may still be in the channel; whoever holds the other end open is not waited for.
      const timer = setTimeout(last, LAST_WORDS_MS);
      child.once("disconnect", () => {
        clearTimeout(timer);
        last();
      });
    });
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(message as object, () => undefined);
      },
      kill: (signal) => {
        child.kill(signal);
      },
    };
  };
}

/** The channel to the process that started this one with `processStarter`. */
export function parentChannel(): ParentChannel {
  return {
    send: (message) => {
      // A parent that is gone shows by `lost`; what was to be said to it does not matter any more.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    listen: (message, lost) => {
      process.on("message", message);
      process.on("disconnect", lost);
    },
  };
}

/** Ends the process when what was sent to the parent is out. */
export function endAfterMessages(status: number): void {
  process.exitCode = status;
  if (!process.connected) process.exit(status);
  process.once("disconnect", () => process.exit(status));
  process.send?.({ kind: "bye" }, undefined, undefined, () => process.disconnect());
}
