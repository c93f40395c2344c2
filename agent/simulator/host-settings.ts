import { NO_NOTIFICATIONS } from "../config/notifications.ts";
import type { Settings } from "../config/settings.ts";
import { NO_BALANCING } from "../config/virtual-servers.ts";
import type { DirectorSettings } from "../runtime/ipc.ts";

/** What a host of policies is told, where there is nothing else that a director would do. */
export const hostSettings = (
  own: Pick<DirectorSettings, "routerId" | "policiesDirectory" | "subjects"> & {
    readonly settings: Settings;
  },
): DirectorSettings => ({
  ...own,
  name: undefined,
  scheduling: {
    nice: undefined,
    realtimePriority: undefined,
    realtimeLimit: undefined,
    cpuAffinity: undefined,
    noSwap: false,
  },
  netNamespace: undefined,
  stateDirectory: "/var/lib/holdfast",
  trackers: [],
  notifications: NO_NOTIFICATIONS,
  balancing: NO_BALANCING,
  failover: { failsOver: false, directors: [] },
  leaveServices: false,
});
