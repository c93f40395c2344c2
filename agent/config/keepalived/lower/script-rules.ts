import type { RunAs } from "../../trackers.ts";
import type { ConfigHost } from "../config-host.ts";
import type { Word } from "../tree.ts";

/** What global_defs says of the programs that the agent runs. */
export interface ScriptRules {
  /** enable_script_security: what others than root can change does not run as root. */
  readonly security: boolean;
  /** set_supplementary_groups. */
  readonly supplementaryGroups: boolean;
  /** The words of script_user. */
  readonly user: readonly Word[] | undefined;
}

export const NO_SCRIPT_RULES: ScriptRules = {
  security: false,
  supplementaryGroups: false,
  user: undefined,
};

/** Who a program runs as; `undefined`: as the agent. */
export type ScriptUser =
  | { readonly ok: true; readonly runAs: RunAs | undefined }
  | { readonly ok: false; readonly reason: string; readonly hint: string };

/** keepalived's own: programs run as this user where it exists. */
const DEFAULT_USER = "keepalived_script";

const AS_AGENT: ScriptUser = { ok: true, runAs: undefined };

/** Finds the users that programs run as, each asked for once. */
export class ScriptUsers {
  readonly #rules: ScriptRules;
  readonly #host: ConfigHost;
  readonly #known = new Map<string, ScriptUser>();
  #default: ScriptUser | undefined;

  constructor(rules: ScriptRules, host: ConfigHost) {
    this.#rules = rules;
    this.#host = host;
  }

  /** @param words a user, and maybe a group; none: script_user, or keepalived's default */
  find(words: readonly Word[]): ScriptUser {
    const [user, group] = words;
    if (user !== undefined) return this.#named(user.text, group?.text);
    this.#default ??= this.#findDefault();
    return this.#default;
  }

  #findDefault(): ScriptUser {
    const [user, group] = this.#rules.user ?? [];
    if (user !== undefined) return this.#named(user.text, group?.text);
    // Only root may become somebody else.
    if (this.#host.uid !== 0) return AS_AGENT;
    const account = this.#named(DEFAULT_USER, undefined);
    if (account.ok || !this.#rules.security) return account.ok ? account : AS_AGENT;
    return {
      ok: false,
      reason: `enable_script_security wants a user for it, and there is no user ${DEFAULT_USER}`,
      hint: `write script_user NAME in global_defs, or: useradd --system --no-create-home --shell /usr/sbin/nologin ${DEFAULT_USER}`,
    };
  }

  #named(user: string, group: string | undefined): ScriptUser {
    const key = `${user} ${group ?? ""}`;
    const found = this.#known.get(key) ?? this.#look(user, group);
    this.#known.set(key, found);
    return found;
  }

  #look(user: string, group: string | undefined): ScriptUser {
    const account = this.#host.user(user);
    if (account === undefined) return unknown("user", user);
    const gid = group === undefined ? account.gid : this.#host.group(group);
    if (gid === undefined) return unknown("group", group ?? "");
    const groups = this.#rules.supplementaryGroups ? account.groups : [];
    return { ok: true, runAs: { uid: account.uid, gid, groups } };
  }
}

const unknown = (kind: "user" | "group", name: string): ScriptUser => ({
  ok: false,
  reason: `there is no ${kind} ${name} on this host`,
  hint: `name a ${kind} that exists (getent ${kind === "user" ? "passwd" : "group"})`,
});
