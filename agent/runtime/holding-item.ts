import type { Holding } from "./holding.ts";
import { guardsOf, sameHolding } from "./holding.ts";

/** One thing on the host, with everybody who wants it there. */
export interface Item {
  readonly key: string;
  readonly owners: Set<Owner>;
  /** Owners that wait for an answer; those that gave it up included. */
  readonly waiting: Set<Owner>;
  wanted: Holding;
  /** As it is there by our doing, or was there before; `undefined`: it is not there. */
  actual: Holding | undefined;
  /** It was there before and is somebody else's: never removed. */
  foreign: boolean;
  /** Tried, and refused; not tried again before somebody asks anew. */
  refused: boolean;
  inFlight: boolean;
  /** Somebody removed it while it was being installed: it may be gone again. */
  disturbed: boolean;
  /** An install got no answer: it may be there although we do not count on it. */
  doubtful: boolean;
  /** Removals in a row that the host refused; it is there still. */
  failures: number;
  /** Removals of ours whose kernel event has not come in yet. */
  expectedRemovals: number;
}

export interface Owner {
  readonly name: string;
  readonly items: Set<Item>;
  readonly unsettled: Set<Item>;
  settled: ((gone: boolean) => void)[];
  /** Given up, but the host did not let go of it. */
  stuck: boolean;
}

/** So often in a row a removal is tried; the next try is for `retry`. */
const REMOVAL_TRIES = 3;

export const newItem = (key: string, wanted: Holding): Item => ({
  key,
  owners: new Set(),
  waiting: new Set(),
  wanted,
  actual: undefined,
  foreign: false,
  refused: false,
  inFlight: false,
  disturbed: false,
  doubtful: false,
  failures: 0,
  expectedRemovals: 0,
});

/** Nobody wants it, and it is not there. */
export const isIdle = ({ owners, actual, doubtful, inFlight }: Item): boolean =>
  owners.size === 0 && actual === undefined && !doubtful && !inFlight;

/** What brings the host nearer to what is wanted; `undefined`: nothing does. */
export function nextFor(item: Item): "install" | "remove" | undefined {
  const next = item.owners.size > 0 ? nextWanted(item) : nextUnwanted(item);
  return next === "remove" && item.failures >= REMOVAL_TRIES ? undefined : next;
}

function nextUnwanted(item: Item): "remove" | undefined {
  if (item.actual === undefined) return item.doubtful ? "remove" : undefined;
  if (!item.foreign) return "remove";
  item.actual = undefined;
  item.foreign = false;
  return undefined;
}

function nextWanted({ actual, wanted, foreign, refused }: Item): "install" | "remove" | undefined {
  if (actual === undefined) return refused ? undefined : "install";
  if (!foreign && !sameHolding(actual, wanted)) return "remove";
  // Only what guards it is new: the address itself stays where it is.
  return guardsOf(actual) === guardsOf(wanted) || refused ? undefined : "install";
}
