import { readdirSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { balancingNodeOf } from "../config/kernel-settings.ts";
import type { RunOptions } from "../config/run-options.ts";
import { NO_BALANCING } from "../config/virtual-servers.ts";
import type { AcceptedConfig } from "./accepted.ts";
import type { DirectorSettings, NotifySubject } from "./ipc.ts";

/** What the director must know of an accepted configuration. */
export function directorSettings(
  { config, settings }: Pick<AcceptedConfig, "config" | "settings">,
  { policiesDirectory, stateDirectory, directorOnly, vrrpOnly, leaveServices }: RunOptions,
): DirectorSettings {
  const { global, trackers, notifications, balancing } = config;
  const { failsOver, directors } = balancingNodeOf(config);
  return {
    name: global.processNames.director,
    scheduling: global.directorScheduling,
    netNamespace: global.netNamespace,
    routerId: global.routerId,
    policiesDirectory,
    stateDirectory,
    // Real servers go by files too.
    trackers: directorOnly ? trackers.filter(({ kind }) => kind === "file") : trackers,
    notifications,
    balancing: vrrpOnly ? NO_BALANCING : balancing,
    failover: { failsOver, directors },
    leaveServices,
    subjects: directorOnly ? [] : subjectsOf(config),
    settings,
  };
}

const subjectsOf = ({ instances, syncGroups }: Config): readonly NotifySubject[] => [
  ...instances.map(
    ({ router: { name, priority }, notify }): NotifySubject => ({
      kind: "instance",
      name,
      priority,
      notify,
    }),
  ),
  ...syncGroups.map(
    ({ name, notify }): NotifySubject => ({ kind: "group", name, priority: 0, notify }),
  ),
];

/** Whether a director will have policies to speak for. What cannot be read holds none. */
export function holdsPolicies(directory: string | undefined): boolean {
  if (directory === undefined) return false;
  try {
    return readdirSync(directory).some((name) => name.endsWith(".ts"));
  } catch {
    return false;
  }
}
