import type { Json } from "../../sdk/index.ts";
import { isRecord } from "./shape-reader.ts";

/** The smallest part of a permission that is granted or not: one pattern, one command, one name. */
export interface PermissionPart {
  readonly permission: string;
  /** Where it stands in the permission. */
  readonly path: readonly string[];
  /** A permission that has this part only, in the SDK's form. */
  readonly value: Json;
}

/** Permissions whose members are lists; the members of the others are parts themselves. */
const OF_LISTS: ReadonlySet<string> = new Set(["mail", "control"]);

/** Takes a permission apart. Its form was checked before. */
export function partsOf(permission: string, asked: Json): readonly PermissionPart[] {
  if (Array.isArray(asked)) {
    return (asked as readonly Json[]).map((each, index) => ({
      permission,
      path: [String(index)],
      value: [each],
    }));
  }
  if (!isRecord(asked)) return [{ permission, path: [], value: asked }];
  return Object.entries(asked).flatMap(([name, value]) =>
    OF_LISTS.has(permission) && Array.isArray(value)
      ? (value as readonly Json[]).map((each, index) => ({
          permission,
          path: [name, String(index)],
          value: { [name]: [each] },
        }))
      : [{ permission, path: [name], value: { [name]: value } }],
  );
}

type PermissionSet = Readonly<Record<string, Json>>;

/** What either of two sets permits: lists are joined, objects member by member. */
export function mergePermissions(first: PermissionSet, second: PermissionSet): PermissionSet {
  const merged = new Map(Object.entries(first));
  for (const [name, value] of Object.entries(second)) {
    const before = merged.get(name);
    merged.set(name, before === undefined ? value : mergeValues(before, value));
  }
  return Object.fromEntries(merged);
}

function mergeValues(first: Json, second: Json): Json {
  if (Array.isArray(first) && Array.isArray(second)) return [...first, ...second];
  if (isRecord(first) && isRecord(second)) return mergePermissions(first, second);
  return second;
}
