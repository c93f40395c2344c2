import type { Json } from "../../sdk/index.ts";
import { CallError } from "../../sdk/plugin.ts";
import { durationMs } from "./duration.ts";

/** The error for an argument that is not what it must be. */
export const badArgument = (message: string): CallError => new CallError("argument", message);

/** At most this many arguments were given; throws a CallError otherwise. */
export function atMost(args: readonly Json[], most: number): void {
  if (args.length > most) {
    throw badArgument(`${args.length} arguments where there are ${most} at most`);
  }
}

/** A text of at most `limit` UTF-16 units; throws a CallError. `what` names it: `url`. */
export function textArgument(value: Json | undefined, what: string, limit: number): string {
  if (typeof value !== "string") throw badArgument(`${what} is ${kindOf(value)}, not a text`);
  if (value.length > limit) throw badArgument(`${what} is longer than ${limit} characters`);
  return value;
}

/** Reads one option; throws a CallError that names it. */
type Reader<T> = (value: Json, what: string) => T;

/** What options hold once they were read: every one of them may be missing. */
export type Options<Readers extends Readonly<Record<string, Reader<unknown>>>> = {
  readonly [K in keyof Readers]?: ReturnType<Readers[K]>;
};

/**
 * Reads an object of options. `null` or nothing: none. Throws a CallError for what is no object, for
 * an option that is not known, and for what its reader refuses.
 */
export function optionsArgument<const Readers extends Readonly<Record<string, Reader<unknown>>>>(
  value: Json | undefined,
  readers: Readers,
): Options<Readers> {
  const options: Record<string, unknown> = {};
  if (value === undefined || value === null) return options as Options<Readers>;
  if (!isObject(value)) throw badArgument(`options are ${kindOf(value)}, not an object`);
  for (const [key, given] of Object.entries(value)) {
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(", ");
      throw badArgument(`there is no option ${JSON.stringify(key.slice(0, 40))}; known: ${known}`);
    }
    options[key] = read(given, key);
  }
  return options as Options<Readers>;
}

export const readBoolean: Reader<boolean> = (value, what) => {
  if (typeof value !== "boolean")
    throw badArgument(`${what} is ${kindOf(value)}, not true or false`);
  return value;
};

/** Milliseconds of a duration. */
export const readDuration: Reader<number> = (value, what) => {
  const ms = typeof value === "string" ? durationMs(value) : undefined;
  if (ms === undefined || ms < 1) {
    throw badArgument(`${what} is not a duration such as "500ms", "2s" or "1.5m"`);
  }
  return ms;
};

export const readText =
  (limit: number): Reader<string> =>
  (value, what) =>
    textArgument(value, what, limit);

export const readInteger =
  (least: number, most: number): Reader<number> =>
  (value, what) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    throw badArgument(`${what} is not a whole number from ${least} to ${most}`);
  };

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In words, for messages. */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
