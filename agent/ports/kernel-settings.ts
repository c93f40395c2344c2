import type { KernelSettings } from "../config/kernel-settings.ts";

/** Of the network namespace that the main thread is in; `undefined`: ip_vs is not loaded. */
export type ReadKernelSettings = () => KernelSettings | undefined;
