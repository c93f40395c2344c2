import type { Verdict } from "../check/checker.ts";

/** What runs beside the machines and moves priorities: the checks that keepalived.conf names. */
export type TrackerKind = "script" | "file" | "process" | "track_bfd";

/** `script chk_nginx`: kind and name of a tracker, as status and events show it. */
export type TrackerId = `${TrackerKind} ${string}`;

export const trackerId = (kind: TrackerKind, name: string): TrackerId => `${kind} ${name}`;

/** One line of track_script, track_file or track_process, of an instance or a group. */
export interface TrackedCheck {
  readonly tracker: TrackerId;
  /**
   * 0: while it is down, a fault (a file: while its number is not 0). Else a change of the priority; a
   * file's number is multiplied by it.
   */
  readonly weight: number;
  readonly reverse: boolean;
}

/** What a tracker last found. */
export interface Reading {
  /** `failed`: it could not be looked at, which counts against a router, also with `reverse`. */
  readonly verdict: Verdict | "failed";
  /** track_file's number; 0 for the others. */
  readonly value: number;
  readonly reason: string;
  /** Nobody has looked yet: it holds only where nothing was found before. */
  readonly presumed?: true;
}

/** What a claim does to a router. */
export type ClaimEffect =
  | { readonly kind: "none" }
  | { readonly kind: "weight"; readonly weight: number }
  | { readonly kind: "fault"; readonly reason: string };

/**
 * What a policy does to one virtual router. The director is its author and keeps it up; `otherwise`
 * holds from when the director is gone.
 */
export interface Claim {
  readonly router: string;
  /** Unique for the router: `policy nginx/alive`, `policy nginx adjust`. */
  readonly source: string;
  readonly effect: ClaimEffect;
  readonly otherwise: ClaimEffect;
}
