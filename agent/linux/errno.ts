import { constants } from "node:os";

const NAMES: ReadonlyMap<number, string> = namesByNumber();

/** The name of an errno, for example 1 → "EPERM"; "E<number>" for one that Node does not know. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

function namesByNumber(): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(constants.errno)) {
    // Aliases (EWOULDBLOCK, ENOTSUP) share a number: the first name in the list is the usual one.
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}
