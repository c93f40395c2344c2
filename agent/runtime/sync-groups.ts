import type { SyncGroupConfig } from "../config/config.ts";
import type { VrrpTransition } from "../core/vrrp/entry.ts";
import type { VrrpEvent } from "../core/vrrp/event.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import type {
  MemberStatus,
  SyncGroupEffect,
  SyncGroupEvent,
  SyncGroupState,
} from "../core/vrrp/sync-group.ts";
import { INITIAL_GROUP } from "../core/vrrp/sync-group.ts";
import { memberEvent, memberStatus, stepGroup } from "../core/vrrp/sync-group-step.ts";
import type { Handlers } from "./execute.ts";
import { execute } from "./execute.ts";
import type { GroupSnapshot } from "./ipc.ts";
import type { Router } from "./router.ts";

/** What groups do to their members, and tell. */
export interface GroupLinks {
  member(name: string): Router | undefined;
  deliver(router: Router, event: VrrpEvent): void;
  changed(
    group: string,
    transition: Extract<SyncGroupEffect, { readonly kind: "transition" }>,
  ): void;
}

interface Group {
  config: SyncGroupConfig;
  state: SyncGroupState;
}

/** Routers that are active together or not at all. */
export class SyncGroups {
  readonly #links: GroupLinks;
  readonly #groups = new Map<string, Group>();
  readonly #byMember = new Map<string, Group>();
  readonly #handlers: Handlers<Group, SyncGroupEffect>;

  constructor(links: GroupLinks) {
    this.#links = links;
    this.#handlers = {
      promote: (_, { member }) => this.#tell(member, { kind: "group-active" }),
      demote: (_, { member }) => this.#tell(member, { kind: "group-backup" }),
      "raise-fault": (_, { member, subject }) =>
        this.#tell(member, { kind: "fault-raised", fault: { cause: "sync-group", subject } }),
      "clear-fault": (_, { member, subject }) =>
        this.#tell(member, { kind: "fault-cleared", fault: { cause: "sync-group", subject } }),
      transition: (group, effect) => this.#links.changed(group.config.name, effect),
    };
  }

  configOf(router: string): SyncGroupConfig | undefined {
    return this.#byMember.get(router)?.config;
  }

  /** Routers of these names run already, or will be told of by `stepped`. */
  configure(configs: readonly SyncGroupConfig[]): void {
    const former = new Map(this.#byMember);
    const wanted = new Set(configs.map(({ name }) => name));
    for (const name of [...this.#groups.keys()]) if (!wanted.has(name)) this.#groups.delete(name);
    this.#byMember.clear();
    for (const config of configs) {
      const group = this.#groups.get(config.name) ?? { config, state: INITIAL_GROUP };
      group.config = config;
      this.#groups.set(config.name, group);
      for (const member of config.members) this.#byMember.set(member, group);
    }
    for (const [member, group] of former) {
      if (this.#byMember.get(member) === group) continue;
      const fault = { cause: "sync-group", subject: group.config.name } as const;
      this.#tell(member, { kind: "fault-cleared", fault });
    }
    for (const group of this.#groups.values()) {
      this.#step(group, { kind: "configured", members: this.#statuses(group) });
    }
  }

  /** A router took a step: its group may have to know. */
  stepped(router: Router, before: VrrpState, transition: VrrpTransition): void {
    const group = this.#byMember.get(router.name);
    // One that a reload replaced resigns on its own account.
    if (group === undefined || this.#links.member(router.name) !== router) return;
    const event = memberEvent(router.name, before, transition);
    if (event !== undefined) this.#step(group, event);
  }

  snapshot(): readonly GroupSnapshot[] {
    return [...this.#groups.values()].map(({ config, state }) => ({
      name: config.name,
      state: state.kind,
      members: config.members,
    }));
  }

  #statuses({ config }: Group): Readonly<Record<string, MemberStatus>> {
    const statuses: Record<string, MemberStatus> = {};
    for (const name of config.members) {
      const router = this.#links.member(name);
      if (router !== undefined) statuses[name] = memberStatus(router.state);
    }
    return statuses;
  }

  #step(group: Group, event: SyncGroupEvent): void {
    const { state, effects } = stepGroup(group.config, group.state, event);
    group.state = state;
    execute(this.#handlers, group, effects);
  }

  #tell(member: string, event: VrrpEvent): void {
    const router = this.#links.member(member);
    if (router !== undefined) this.#links.deliver(router, event);
  }
}
