/** Exhaustiveness guard: does not compile while a case of a closed union is unhandled. */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}

/** States what must hold. A broken assertion ends the process; the supervisor makes that safe. */
export function assert(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new TypeError(`assertion failed: ${statement}`);
}
