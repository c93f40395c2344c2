import type { Config } from "../config/config.ts";
import type { AcceptedConfig } from "./accepted.ts";
import type { DirectorSettings, NotifySubject } from "./ipc.ts";
import type { RunOptions } from "./options.ts";

/** What the director must know of an accepted configuration. */
export function directorSettings(
  { config, settings }: Pick<AcceptedConfig, "config" | "settings">,
  { policiesDirectory, stateDirectory }: RunOptions,
): DirectorSettings {
  const { global, trackers, notifications } = config;
  return {
    name: global.processNames.director,
    scheduling: global.directorScheduling,
    routerId: global.routerId,
    policiesDirectory,
    stateDirectory,
    trackers,
    notifications,
    subjects: subjectsOf(config),
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
