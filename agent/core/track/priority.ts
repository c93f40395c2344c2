import { OWNER_PRIORITY } from "../vrrp/virtual-router.ts";
import type { Contribution } from "./interface.ts";

/**
 * The priority that is advertised: base and contributions, kept within 1–254, as 0 and 255 have
 * meanings of their own. An owner stays owner.
 */
export function effectivePriority(base: number, contributions: readonly Contribution[]): number {
  if (base === OWNER_PRIORITY) return OWNER_PRIORITY;
  const sum = contributions.reduce((total, { weight }) => total + weight, base);
  return Math.min(OWNER_PRIORITY - 1, Math.max(1, sum));
}
