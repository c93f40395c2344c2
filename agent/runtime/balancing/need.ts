import type { BalancingConfig } from "../../config/virtual-servers.ts";
import type { Kept } from "./balancing-store.ts";

/** Whether there is anything to do, or to clear away. */
export const isNeeded = (
  { virtualServers, syncDaemon, timeouts }: BalancingConfig,
  kept: Kept,
): boolean =>
  virtualServers.length > 0 ||
  syncDaemon !== undefined ||
  kept.targets.length > 0 ||
  Math.max(timeouts.tcp, timeouts.tcpFin, timeouts.udp) > 0;
