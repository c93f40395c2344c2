import type { RunOptions } from "../../agent/config/run-options.ts";
import { DEFAULT_SETTINGS_FILE } from "../../agent/config/settings.ts";
import { DEFAULT_POLICIES } from "../../agent/policy/discover.ts";

/** What `holdfast run` without a word means. */
export const DEFAULT_RUN_OPTIONS: RunOptions = {
  configFile: "/etc/keepalived/keepalived.conf",
  policiesDirectory: DEFAULT_POLICIES,
  settingsFile: DEFAULT_SETTINGS_FILE,
  stateDirectory: "/var/lib/holdfast",
  controlSocket: "/run/holdfast/control.sock",
  logFormat: "json",
  logDetail: false,
  syslogFacility: undefined,
  vrrpOnly: false,
  directorOnly: false,
  leaveServices: false,
  respawn: true,
  pidFiles: { supervisor: undefined, vrrp: undefined, director: undefined },
  configId: undefined,
  includesMustExist: false,
  reportAddresses: false,
  umask: undefined,
};
