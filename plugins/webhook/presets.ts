import { opsgenie, pagerduty, plainJson } from "./alert-presets.ts";
import { dingtalk, discord, feishu, ntfy, slack, teams, telegram, wecom } from "./chat-presets.ts";
import type { Preset } from "./preset.ts";

/** Every service whose form is known, by the name that policies use. */
const PRESETS: Readonly<Record<string, Preset>> = {
  slack,
  teams,
  discord,
  telegram,
  pagerduty,
  opsgenie,
  dingtalk,
  feishu,
  wecom,
  ntfy,
  json: plainJson,
};

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

export const presetOf = (name: string): Preset | undefined =>
  Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
