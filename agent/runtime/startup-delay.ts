import type { InstanceConfig } from "../config/config.ts";
import { micros } from "../core/time.ts";

/** The same instance with this delay before its first decision, in microseconds. */
export function delayed(config: InstanceConfig, delay: number): InstanceConfig {
  const startupDelay = micros(delay);
  if (startupDelay === config.router.startupDelay) return config;
  return { ...config, router: { ...config.router, startupDelay } };
}
