import type { CallOptions } from "./network.ts";

/** Runs the commands of the permission `exec`, and no others. */
export interface Exec<Name extends string> {
  /**
   * Never rejects for what the program answers: `code` is its status, 128 + n after a signal. `stdout`
   * has at most 64 KiB. At the timeout the program and its children are killed, and the call rejects.
   */
  run(
    name: Name,
    options?: CallOptions,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly ms: number }>;
}

/** Reads files of the permission `read`. */
export interface Files {
  /** At most 64 KiB of UTF-8. Rejects when it is not there, with the code `ENOENT`. */
  readText(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
}

/**
 * Processes of the permission `process`.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { process: ["nginx"], control: { routers: ["VI_1"] } },
 *   checks: {
 *     running: {
 *       every: "10s",
 *       track: { routers: { VI_1: "fault" } },
 *       run: (ctx) => ctx.processes.count("nginx") > 0,
 *     },
 *   },
 * });
 */
export interface Processes<Name extends string> {
  /**
   * How many processes of this program run now. Costs nothing: the agent keeps count, and runs the checks
   * of the policy when it changes.
   */
  count(name: Name): number;
}

export interface InterfaceView {
  /** Switched on. */
  readonly up: boolean;
  /** A cable, or what stands for one. */
  readonly carrier: boolean;
  readonly mtu: number;
  /** Without prefix length; those of an interface that does not carry are not known. */
  readonly addresses: readonly string[];
  /** Counted by the kernel since the interface is there. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly errors: number;
}

export interface Interfaces<Name extends string> {
  /** Rejects when there is no such interface. */
  get(name: Name): Promise<InterfaceView>;
}
