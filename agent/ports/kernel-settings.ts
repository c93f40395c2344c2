import type { KernelSettings } from "../config/kernel-settings.ts";
import type { KernelError } from "./error.ts";

/**
 * Of the network namespace of this name; `""`: of the one that the machine started with, `undefined`: of
 * the one that the main thread is in. Answers `undefined` where ip_vs is not loaded, and why where the
 * namespace cannot be entered.
 */
export type ReadKernelSettings = (
  namespace: string | undefined,
) => KernelSettings | KernelError | undefined;
