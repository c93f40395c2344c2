import type { MemberStatus, SyncGroup } from "./sync-group.ts";

/** Where each member of a group stands. */
export type Statuses = ReadonlyMap<string, MemberStatus>;

export const statuses = (
  group: SyncGroup,
  told: Readonly<Record<string, MemberStatus>>,
): Statuses => new Map(group.members.map((member) => [member, told[member] ?? "initialize"]));

export const some = (members: Statuses, ...wanted: readonly MemberStatus[]): boolean =>
  [...members.values()].some((status) => wanted.includes(status));

/** All want to be active, or are. */
export const isReady = (members: Statuses): boolean =>
  members.size > 0 && [...members.values()].every((s) => s === "requesting" || s === "active");

export const membersWith = (members: Statuses, wanted: MemberStatus): readonly string[] =>
  [...members].flatMap(([member, status]) => (status === wanted ? [member] : []));
