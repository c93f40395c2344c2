import type { ConfigHost } from "../config-host.ts";
import { Programs } from "./programs.ts";
import type { ScriptRules } from "./script-rules.ts";
import { ScriptUsers } from "./script-rules.ts";

/** What the programs of one configuration are held against. */
export interface CommandRules {
  readonly security: boolean;
  readonly users: ScriptUsers;
  readonly programs: Programs;
  /** Lines of scripts that were reported: one script may serve many instances. */
  readonly reported: Set<string>;
}

export const commandRules = (rules: ScriptRules, host: ConfigHost): CommandRules => ({
  security: rules.security,
  users: new ScriptUsers(rules, host),
  programs: new Programs(host),
  reported: new Set(),
});
