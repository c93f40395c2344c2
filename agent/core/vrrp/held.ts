import type { IpAddress } from "../address.ts";
import type { Instant } from "../time.ts";
import { instant, later } from "../time.ts";

/** Until when the addresses may be reachable on another node, as far as was heard. */
export interface Held {
  /** Who advertised last; `undefined`: it resigned since, or nobody did. */
  readonly by: IpAddress | undefined;
  /** When its lease runs out, if it advertises no more. */
  readonly until: Instant;
  /** The same of all who advertised before it. */
  readonly othersUntil: Instant;
}

/** Before anything was heard: somebody may have advertised a moment ago. */
export const listening = (until: Instant): Held => ({
  by: undefined,
  until,
  othersUntil: instant(0),
});

export const heardHolding = (held: Held, source: IpAddress, until: Instant): Held =>
  held.by === source
    ? { ...held, until: later(held.until, until) }
    : { by: source, until, othersUntil: heldUntil(held) };

/** Who resigns has let go of the addresses; somebody else who was heard has not. */
export const resignedHolding = (held: Held, source: IpAddress): Held =>
  held.by === source ? { ...held, by: undefined, until: held.othersUntil } : held;

export const heldUntil = ({ until, othersUntil }: Held): Instant => later(until, othersUntil);
