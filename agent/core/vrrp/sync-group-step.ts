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

/** Where a router stands in the eyes of its group. */
export function memberStatus(state: VrrpState): MemberStatus {
  if (state.kind === "backup") return state.requested ? "requesting" : "backup";
  if (state.kind !== "fault") return state.kind;
  return state.faults.every((fault) => fault.cause === "sync-group") ? "held" : "fault";
}

/** What the group must be told of a step of its member; `undefined`: nothing. */
export function memberEvent(
  member: string,
  before: VrrpState,
  { state, effects }: VrrpTransition,
): SyncGroupEvent | undefined {
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
 * one fault faults them. The group runs no timer; a repeated request of a member is its retry.
 */
export function stepGroup(
  group: SyncGroup,
  state: SyncGroupState,
  event: SyncGroupEvent,
): SyncGroupTransition {
  if (event.kind === "member" && !group.members.includes(event.member)) {
    return { state, effects: [] };
  }
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
  const effects: SyncGroupEffect[] = [
    ...faultChanges(group, before, after),
    ...demotions(after),
    ...promotions(before, after, event),
  ];
  if (kind !== state.kind) effects.push({ kind: "transition", from: state.kind, to: kind, reason });
  return { state: { kind, members: Object.fromEntries(after) }, effects };
}

/** The agent stops: the others go within this very moment, and are not to become something else yet. */
function leave(state: SyncGroupState, after: Statuses): SyncGroupTransition {
  const over = [...after.values()].every((status) => status === "initialize");
  const kind = over ? "initialize" : state.kind;
  const members = Object.fromEntries(after);
  if (kind === state.kind) return { state: { kind, members }, effects: [] };
  return {
    state: { kind, members },
    effects: [{ kind: "transition", from: state.kind, to: kind, reason: "shutdown" }],
  };
}

type Statuses = ReadonlyMap<string, MemberStatus>;

const statuses = (group: SyncGroup, told: Readonly<Record<string, MemberStatus>>): Statuses =>
  new Map(group.members.map((member) => [member, told[member] ?? "initialize"]));

const some = (members: Statuses, ...wanted: readonly MemberStatus[]): boolean =>
  [...members.values()].some((status) => wanted.includes(status));

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

/** All want to be active, or are. */
const isReady = (members: Statuses): boolean =>
  members.size > 0 && [...members.values()].every((s) => s === "requesting" || s === "active");

function demotions(after: Statuses): readonly SyncGroupEffect[] {
  // A fault among them takes the others out of `active` by itself.
  if (isReady(after) || some(after, "fault")) return [];
  return membersWith(after, "active").map((member) => ({ kind: "demote", member }));
}

function promotions(
  before: Statuses,
  after: Statuses,
  event: SyncGroupEvent,
): readonly SyncGroupEffect[] {
  if (!isReady(after)) return [];
  const requesting = membersWith(after, "requesting");
  // They were told already; only who asks again is told again.
  const retold = (member: string) => event.kind === "member" && event.member === member;
  const due = isReady(before) ? requesting.filter(retold) : requesting;
  return due.map((member) => ({ kind: "promote", member }));
}

const membersWith = (members: Statuses, wanted: MemberStatus): readonly string[] =>
  [...members].flatMap(([member, status]) => (status === wanted ? [member] : []));
