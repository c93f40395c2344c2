import type { Micros } from "../time.ts";
import { milliseconds } from "../time.ts";

/**
 * A gate that a mandate's deadline shuts may learn of that deadline this late: later than that it is shut
 * at once. A quarter of the usual advertisement interval, as for the lease that advertisements give.
 */
export const MANDATE_GATE_MARGIN: Micros = milliseconds(250);
