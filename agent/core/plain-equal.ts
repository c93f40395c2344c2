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
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (!ignored.has(key) && !plainEqual(left.get(key), right.get(key), ignored)) return false;
  }
  return true;
}
