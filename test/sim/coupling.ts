import type { VrrpTransition } from "../../agent/core/vrrp/entry.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import type {
  SyncGroup,
  SyncGroupEffect,
  SyncGroupEvent,
  SyncGroupState,
} from "../../agent/core/vrrp/sync-group.ts";
import { INITIAL_GROUP } from "../../agent/core/vrrp/sync-group.ts";
import { memberEvent, stepGroup } from "../../agent/core/vrrp/sync-group-step.ts";
import type { Node } from "./node.ts";
import type { Wishes } from "./wishes.ts";

const fault = { cause: "sync-group", subject: "G" } as const;

/**
 * The group of one host: the routers that it has on several segments, which are active together, or a
 * single one that needs a mandate.
 */
export class Coupling {
  readonly members: readonly Node[];
  /** Where its routers need leave of a third party. */
  wishes: Wishes | undefined;
  readonly #names: readonly string[];
  #state: SyncGroupState = INITIAL_GROUP;

  constructor(members: readonly Node[]) {
    this.members = members;
    this.#names = members.map(({ router }) => router.name);
  }

  reset(): void {
    this.#state = INITIAL_GROUP;
    this.wishes?.reset();
  }

  /** A member stepped. */
  hear(
    member: Node,
    before: VrrpState,
    transition: VrrpTransition,
    order: (member: Node, event: VrrpEvent) => void,
  ): void {
    const event = memberEvent(member.router.name, before, transition);
    if (event !== undefined) this.tell(event, order);
  }

  tell(event: SyncGroupEvent, order: (member: Node, event: VrrpEvent) => void): void {
    const group: SyncGroup = {
      name: "G",
      members: this.#names,
      mandated: this.wishes?.mandated === true,
    };
    const { state, effects } = stepGroup(group, this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#execute(effect, order);
  }

  #execute(effect: SyncGroupEffect, order: (member: Node, event: VrrpEvent) => void): void {
    if (effect.kind === "transition") return;
    if (effect.kind === "seek-mandate") this.wishes?.hear({ kind: "sought", fence: effect.fence });
    else if (effect.kind === "keep-mandate") this.wishes?.hear({ kind: "kept" });
    else if (effect.kind === "return-mandate") this.wishes?.hear({ kind: "returned" });
    else {
      const to = this.members.find(({ router }) => router.name === effect.member);
      if (to !== undefined) order(to, EVENTS[effect.kind]);
    }
  }
}

const EVENTS = {
  promote: { kind: "group-active" },
  demote: { kind: "group-backup" },
  withdraw: { kind: "mandate-lost" },
  call: { kind: "holder-elsewhere" },
  "raise-fault": { kind: "fault-raised", fault },
  "clear-fault": { kind: "fault-cleared", fault },
} as const;
