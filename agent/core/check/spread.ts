/**
 * A number from 0 up to 1 that depends on its arguments alone, and looks like chance: pure layers have
 * no other. The finalizer of MurmurHash3 (public domain).
 */
export function spread(seed: number, count: number): number {
  let mixed = (seed ^ Math.imul(count, 0x9e3779b1)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
}

/** A seed for `spread` made of a name: FNV-1a. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return hash | 0;
}
