import type { VrrpTransition } from "../../agent/core/vrrp/entry.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import type { SyncGroupState } from "../../agent/core/vrrp/sync-group.ts";
import { INITIAL_GROUP } from "../../agent/core/vrrp/sync-group.ts";
import { memberEvent, stepGroup } from "../../agent/core/vrrp/sync-group-step.ts";
import type { Node } from "./node.ts";

/** What a sync group asks of one of its members. */
export interface Order {
  readonly member: Node;
  readonly event: VrrpEvent;
}

/** The sync group of one host: the routers that it has on several segments. */
export class Coupling {
  readonly members: readonly Node[];
  #state: SyncGroupState = INITIAL_GROUP;

  constructor(members: readonly Node[]) {
    this.members = members;
  }

  reset(): void {
    this.#state = INITIAL_GROUP;
  }

  /** A member stepped; answers what the group has its members do about it, in order. */
  hear(member: Node, before: VrrpState, transition: VrrpTransition): readonly Order[] {
    const event = memberEvent(member.router.name, before, transition);
    if (event === undefined) return [];
    const names = this.members.map(({ router }) => router.name);
    const { state, effects } = stepGroup({ name: "G", members: names }, this.#state, event);
    this.#state = state;
    return effects.flatMap((effect): readonly Order[] => {
      if (effect.kind === "transition") return [];
      const to = this.members.find(({ router }) => router.name === effect.member);
      if (to === undefined) return [];
      const fault = { cause: "sync-group", subject: "G" } as const;
      if (effect.kind === "promote") return [{ member: to, event: { kind: "group-active" } }];
      if (effect.kind === "demote") return [{ member: to, event: { kind: "group-backup" } }];
      const kind = effect.kind === "raise-fault" ? "fault-raised" : "fault-cleared";
      return [{ member: to, event: { kind, fault } }];
    });
  }
}
