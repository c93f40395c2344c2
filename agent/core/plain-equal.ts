/**
 * Whether two plain JSON values say the same. The order of an object's keys plays no part, an absent
 * key is as good as `undefined`, and keys in `ignored` are not looked at, at any depth.
 */
export function plainEqual(a: unknown, b: unknown, ignored: ReadonlySet<string>): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && sameItems(a, b, ignored);
  }
  return sameMembers(a as Members, b as Members, ignored);
}

type Members = Readonly<Record<string, unknown>>;

function sameItems(
  a: readonly unknown[],
  b: readonly unknown[],
  ignored: ReadonlySet<string>,
): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) {
    if (!plainEqual(a[at], b[at], ignored)) return false;
  }
  return true;
}

/** Makes no lists of keys: whole configurations are compared. What is plain inherits nothing to go through. */
function sameMembers(a: Members, b: Members, ignored: ReadonlySet<string>): boolean {
  for (const key in a) {
    if (ignored.has(key)) continue;
    if (!plainEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined, ignored)) return false;
  }
  for (const key in b) {
    if (!ignored.has(key) && b[key] !== undefined && !Object.hasOwn(a, key)) return false;
  }
  return true;
}
