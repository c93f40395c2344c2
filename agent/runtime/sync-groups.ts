import type { SyncGroupConfig } from "../config/config.ts";
import type { MandateConfig } from "../config/mandates.ts";
import type { VrrpTransition } from "../core/vrrp/entry.ts";
import type { VrrpEvent } from "../core/vrrp/event.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import type {
  MemberStatus,
  SyncGroup,
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
  /** Not of the groups that nobody configured. */
  changed(
    group: string,
    transition: Extract<SyncGroupEffect, { readonly kind: "transition" }>,
  ): void;
  /** A mandate is wanted, by its name, or wanted no more. */
  sought(mandate: string, fence: boolean): void;
  /** The same of members that are active already. */
  kept(mandate: string): void;
  returned(mandate: string): void;
}

interface Group {
  shape: SyncGroup;
  /** `undefined`: nobody configured it; a single router needs a mandate. */
  config: SyncGroupConfig | undefined;
  state: SyncGroupState;
}

/** Routers that are active together or not at all, and those that need a mandate. */
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
      withdraw: (_, { member }) => this.#tell(member, { kind: "mandate-lost" }),
      call: (_, { member }) => this.#tell(member, { kind: "holder-elsewhere" }),
      "seek-mandate": ({ shape }, { fence }) => this.#links.sought(shape.name, fence),
      "keep-mandate": ({ shape }) => this.#links.kept(shape.name),
      "return-mandate": ({ shape }) => this.#links.returned(shape.name),
      "raise-fault": (_, { member, subject }) =>
        this.#tell(member, { kind: "fault-raised", fault: { cause: "sync-group", subject } }),
      "clear-fault": (_, { member, subject }) =>
        this.#tell(member, { kind: "fault-cleared", fault: { cause: "sync-group", subject } }),
      transition: ({ shape, config }, effect) => {
        if (config !== undefined) this.#links.changed(shape.name, effect);
      },
    };
  }

  configOf(router: string): SyncGroupConfig | undefined {
    return this.#byMember.get(router)?.config;
  }

  /** Routers of these names run already, or will be told of by `stepped`. */
  configure(configs: readonly SyncGroupConfig[], mandates: readonly MandateConfig[] = []): void {
    const former = new Map(this.#byMember);
    const mandated = new Set(
      [...former].flatMap(([name, { shape }]) => (shape.mandated ? name : [])),
    );
    const wanted = new Map(shapesOf(configs, mandates));
    for (const key of [...this.#groups.keys()]) if (!wanted.has(key)) this.#groups.delete(key);
    this.#byMember.clear();
    for (const [key, { shape, config }] of wanted) {
      const group = this.#groups.get(key) ?? { shape, config, state: INITIAL_GROUP };
      group.shape = shape;
      group.config = config;
      this.#groups.set(key, group);
      for (const member of shape.members) this.#byMember.set(member, group);
    }
    for (const [member, group] of former) {
      if (this.#byMember.get(member) === group) continue;
      const fault = { cause: "sync-group", subject: group.shape.name } as const;
      this.#tell(member, { kind: "fault-cleared", fault });
    }
    for (const group of this.#groups.values()) {
      const free = !group.shape.members.some((member) => mandated.has(member));
      this.#step(group, { kind: "configured", members: this.#statuses(group), free });
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

  /** What came of a mandate that was sought. */
  mandate(name: string, kind: "mandate-granted" | "mandate-withdrawn" | "mandate-taken"): void {
    for (const group of [...this.#groups.values()]) {
      if (group.shape.mandated && group.shape.name === name) this.#step(group, { kind });
    }
  }

  snapshot(): readonly GroupSnapshot[] {
    return [...this.#groups.values()].flatMap(({ config, shape, state }) =>
      config === undefined ? [] : [{ name: shape.name, state: state.kind, members: shape.members }],
    );
  }

  #statuses({ shape }: Group): Readonly<Record<string, MemberStatus>> {
    const statuses: Record<string, MemberStatus> = {};
    for (const name of shape.members) {
      const router = this.#links.member(name);
      if (router !== undefined) statuses[name] = memberStatus(router.state);
    }
    return statuses;
  }

  #step(group: Group, event: SyncGroupEvent): void {
    const { state, effects } = stepGroup(group.shape, group.state, event);
    group.state = state;
    execute(this.#handlers, group, effects);
  }

  #tell(member: string, event: VrrpEvent): void {
    const router = this.#links.member(member);
    if (router !== undefined) this.#links.deliver(router, event);
  }
}

/** Those that are configured, and one for each mandate of a router that is in none. */
function* shapesOf(
  configs: readonly SyncGroupConfig[],
  mandates: readonly MandateConfig[],
): Generator<readonly [key: string, Omit<Group, "state">]> {
  const grouped = new Set(configs.flatMap(({ members }) => members));
  const mandated = new Set(mandates.flatMap(({ members }) => members));
  for (const config of configs) {
    const { name, members } = config;
    const shape = { name, members, mandated: members.some((member) => mandated.has(member)) };
    yield [`group ${name}`, { shape, config }];
  }
  for (const { name, members } of mandates) {
    if (members.some((member) => grouped.has(member))) continue;
    yield [`mandate ${name}`, { shape: { name, members, mandated: true }, config: undefined }];
  }
}
