import type { TransitionReason } from "./effect.ts";
import type {
  SyncGroup,
  SyncGroupEffect,
  SyncGroupEvent,
  SyncGroupState,
  SyncGroupTransition,
} from "./sync-group.ts";
import type { Statuses } from "./sync-group-statuses.ts";
import { isReady, membersWith, statuses } from "./sync-group-statuses.ts";

/** Whoever asks for one of these heard the active router a moment ago: it lets go of the addresses. */
const HEARD: ReadonlySet<TransitionReason | undefined> = new Set(["active-resigned", "preemption"]);

const NOTHING: readonly SyncGroupEffect[] = [];

/** What a step of the members means for the mandate. */
export function mandateChange(
  group: SyncGroup,
  { mandate }: SyncGroupState,
  after: Statuses,
  what: { readonly event: SyncGroupEvent; readonly requests: SyncGroupState["requests"] },
): Pick<SyncGroupTransition, "effects"> & Pick<SyncGroupState, "mandate"> {
  // One that a reload takes away is nobody's to return.
  if (!group.mandated) return { mandate: "none", effects: NOTHING };
  if (!isReady(after)) {
    return {
      mandate: "none",
      effects: mandate === "none" ? NOTHING : [{ kind: "return-mandate" }],
    };
  }
  if (isNew(mandate, after, what.event)) {
    return { mandate: "granted", effects: [{ kind: "keep-mandate" }] };
  }
  const asked = what.event.kind === "member" && what.event.status === "requesting";
  if (!asked || mandate === "granted") return { mandate, effects: NOTHING };
  // Active ones without a mandate leave, and ask later.
  const all = membersWith(after, "requesting");
  if (all.length < after.size) return { mandate, effects: NOTHING };
  const fence = !all.every((member) => HEARD.has(what.requests[member]));
  return { mandate: "sought", effects: [{ kind: "seek-mandate", fence }] };
}

/** A reload asks active members for it, who were no worse off a minute before: they go on while it is sought. */
const isNew = (
  mandate: SyncGroupState["mandate"],
  after: Statuses,
  event: SyncGroupEvent,
): boolean =>
  mandate === "none" &&
  event.kind === "configured" &&
  event.free &&
  membersWith(after, "active").length === after.size;

/** Who sought it becomes active. */
export function grant(group: SyncGroup, state: SyncGroupState): SyncGroupTransition {
  if (!group.mandated || state.mandate !== "sought") return { state, effects: NOTHING };
  const effects = requesting(group, state).map((member) => ({ kind: "promote", member }) as const);
  return { state: { ...state, mandate: "granted" }, effects };
}

/** All leave; with their next requests it is sought anew. */
export function withdraw(group: SyncGroup, state: SyncGroupState): SyncGroupTransition {
  if (state.mandate === "none") return { state, effects: NOTHING };
  const active = membersWith(statuses(group, state.members), "active");
  const lost = active.map((member) => ({ kind: "withdraw", member }) as const);
  return { state: { ...state, mandate: "none" }, effects: [...lost, { kind: "return-mandate" }] };
}

/**
 * Only who is about to preempt asks a holder elsewhere to yield, and who is not waits in silence; but whoever
 * counts on a word of the active router must know that somebody holds on to it.
 */
export function taken(state: SyncGroupState): SyncGroupTransition {
  if (state.mandate !== "sought") return { state, effects: NOTHING };
  const told = Object.entries(state.requests).filter(([, reason]) => HEARD.has(reason));
  return { state, effects: told.map(([member]) => ({ kind: "call", member })) };
}

const requesting = (group: SyncGroup, { members }: SyncGroupState): readonly string[] =>
  membersWith(statuses(group, members), "requesting");
