import { assertNever } from "../assert.ts";
import type { TransitionReason } from "./effect.ts";
import type { VrrpTransition } from "./entry.ts";
import type { VrrpState } from "./state.ts";
import type {
  MemberStatus,
  SyncGroup,
  SyncGroupEffect,
  SyncGroupEvent,
  SyncGroupState,
  SyncGroupTransition,
} from "./sync-group.ts";
import { grant, mandateChange, taken, withdraw } from "./sync-group-mandate.ts";
import type { Statuses } from "./sync-group-statuses.ts";
import { isReady, membersWith, some, statuses } from "./sync-group-statuses.ts";

/** Where a router stands in the eyes of its group. */
export function memberStatus(state: VrrpState): MemberStatus {
  if (state.kind === "backup") return state.request === undefined ? "backup" : "requesting";
  if (state.kind !== "fault") return state.kind;
  return state.faults.every((fault) => fault.cause === "sync-group") ? "held" : "fault";
}

/** What the group must be told of a step of its member; `undefined`: nothing. */
export function memberEvent(
  member: string,
  before: VrrpState,
  { state, effects }: VrrpTransition,
): MembershipEvent | undefined {
  const status = memberStatus(state);
  let reason: TransitionReason | undefined;
  for (const effect of effects) {
    if (effect.kind === "transition" || effect.kind === "request-active") reason = effect.reason;
  }
  const asked = effects.some((effect) => effect.kind === "request-active");
  if (status === memberStatus(before) && !asked) return undefined;
  return { kind: "member", member, status, reason: reason ?? "sync-group" };
}

/**
 * Members become active when all of them want to, and leave together: one backup demotes the others,
 * one fault faults them. Where the group is mandated, a mandate is sought when all want to, and only with
 * it one of them becomes active. The group runs no timer; a repeated request of a member is its retry.
 */
export function stepGroup(
  group: SyncGroup,
  state: SyncGroupState,
  event: SyncGroupEvent,
): SyncGroupTransition {
  switch (event.kind) {
    case "member":
      return group.members.includes(event.member)
        ? stepMembers(group, state, event)
        : { state, effects: [] };
    case "configured":
      return stepMembers(group, state, event);
    case "mandate-granted":
      return grant(group, state);
    case "mandate-withdrawn":
      return withdraw(group, state);
    case "mandate-taken":
      return taken(state);
    default:
      return assertNever(event);
  }
}

type MembershipEvent = Extract<SyncGroupEvent, { readonly kind: "member" }>;
type MembersEvent = MembershipEvent | Extract<SyncGroupEvent, { readonly kind: "configured" }>;

function stepMembers(
  group: SyncGroup,
  state: SyncGroupState,
  event: MembersEvent,
): SyncGroupTransition {
  const told =
    event.kind === "configured"
      ? event.members
      : { ...state.members, [event.member]: event.status };
  // Over the former members: one that was taken out with its fault frees the others.
  const before: Statuses = new Map(Object.entries(state.members));
  const after = statuses(group, told);
  if (event.kind === "member" && event.reason === "shutdown") return leave(state, after);
  const kind = groupKind(after);
  const reason = event.kind === "configured" ? "reconfigured" : event.reason;
  const requests = requestsAfter(state, after, event);
  const mandate = mandateChange(group, state, after, { event, requests });
  const mayLead = !group.mandated || mandate.mandate === "granted";
  const effects: SyncGroupEffect[] = [
    ...faultChanges(group, before, after),
    ...demotions(after, mayLead, reason),
    ...(mayLead ? promotions(before, after, event) : []),
    ...mandate.effects,
  ];
  if (kind !== state.kind) effects.push({ kind: "transition", from: state.kind, to: kind, reason });
  const members = Object.fromEntries(after);
  return { state: { kind, members, requests, mandate: mandate.mandate }, effects };
}

/** The agent stops: the others go within this very moment, and are not to become something else yet. */
function leave(state: SyncGroupState, after: Statuses): SyncGroupTransition {
  const over = [...after.values()].every((status) => status === "initialize");
  const kind = over ? "initialize" : state.kind;
  const effects: SyncGroupEffect[] = [];
  if (state.mandate !== "none") effects.push({ kind: "return-mandate" });
  if (kind !== state.kind) {
    effects.push({ kind: "transition", from: state.kind, to: kind, reason: "shutdown" });
  }
  const members = Object.fromEntries(after);
  return { state: { kind, members, requests: {}, mandate: "none" }, effects };
}

function requestsAfter(
  { requests }: SyncGroupState,
  after: Statuses,
  event: MembersEvent,
): SyncGroupState["requests"] {
  const known = event.kind === "member" ? { ...requests, [event.member]: event.reason } : requests;
  return Object.fromEntries(
    membersWith(after, "requesting").flatMap((member) => {
      const reason = known[member];
      return reason === undefined ? [] : [[member, reason]];
    }),
  );
}

function groupKind(members: Statuses): SyncGroupState["kind"] {
  if (some(members, "fault", "held")) return "fault";
  if (members.size > 0 && !some(members, "initialize", "backup", "requesting")) return "active";
  return some(members, "backup", "requesting", "active") ? "backup" : "initialize";
}

/** A member is held while another one has a fault of its own. */
function faultChanges(
  group: SyncGroup,
  before: Statuses,
  after: Statuses,
): readonly SyncGroupEffect[] {
  const effects: SyncGroupEffect[] = [];
  for (const member of after.keys()) {
    const was = before.has(member) && isHeld(before, member);
    const is = isHeld(after, member);
    if (is && !was) effects.push({ kind: "raise-fault", member, subject: group.name });
    if (was && !is) effects.push({ kind: "clear-fault", member, subject: group.name });
  }
  return effects;
}

const isHeld = (members: Statuses, member: string): boolean =>
  [...members].some(([other, status]) => other !== member && status === "fault");

/**
 * Also where a reload says of active members that they need another mandate than before: it is not theirs,
 * so they leave, and ask as any other does.
 */
function demotions(
  after: Statuses,
  mayLead: boolean,
  reason: TransitionReason,
): readonly SyncGroupEffect[] {
  // A fault among them takes the others out of `active` by itself.
  if ((isReady(after) && mayLead) || some(after, "fault")) return [];
  const lost = isReady(after) || reason === "mandate-lost";
  return membersWith(after, "active").map((member) => ({
    kind: lost ? "withdraw" : "demote",
    member,
  }));
}

function promotions(
  before: Statuses,
  after: Statuses,
  event: MembersEvent,
): readonly SyncGroupEffect[] {
  if (!isReady(after)) return [];
  const requesting = membersWith(after, "requesting");
  // They were told already, and who asks again is told again; a reload may have freed them of a mandate.
  const retold = (member: string) => event.kind === "configured" || event.member === member;
  const due = isReady(before) ? requesting.filter(retold) : requesting;
  return due.map((member) => ({ kind: "promote", member }));
}
