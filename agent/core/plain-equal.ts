/**
 * Whether two plain JSON values say the same. The order of an object's keys plays no part, an absent
 * key is as good as `undefined`, and keys in `ignored` are not looked at, at any depth.
 */
export function plainEqual(a: unknown, b: unknown, ignored: ReadonlySet<string>): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((value, at) => plainEqual(value, b[at], ignored))
    );
  }
  return sameMembers(a, b, ignored);
}

/** Makes no lists of entries: whole configurations are compared. */
function sameMembers(a: object, b: object, ignored: ReadonlySet<string>): boolean {
  for (const key of Object.keys(a)) {
    if (!ignored.has(key) && !plainEqual(member(a, key), member(b, key), ignored)) return false;
  }
  return Object.keys(b).every(
    (key) => ignored.has(key) || Object.hasOwn(a, key) || member(b, key) === undefined,
  );
}

const member = (value: object, key: string): unknown =>
  Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
