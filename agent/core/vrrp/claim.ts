import type { IpAddress } from "../address.ts";
import type { DropReason } from "./drop-reason.ts";

/** What is wrong between this router and another that uses its VRID here. Closed; also the counter's name. */
export type ClaimAlarm =
  /** Another virtual router, for other addresses. */
  | "vrid-clash"
  /** One for the same addresses, and neither takes the other's advertisements. */
  | "version-mismatch"
  | "authentication-mismatch"
  /** Some of its addresses are ours, and not all. */
  | "address-list-mismatch"
  | "interval-mismatch";

/** What an intact advertisement says that was refused. */
export interface Claim {
  readonly version: 2 | 3;
  readonly priority: number;
  readonly addresses: readonly IpAddress[];
}

/**
 * Why an advertisement may be refused although its sender holds what it says. Others prove nothing: it
 * was damaged, came from afar, or is an old one that somebody repeats.
 */
const CLAIMING: Readonly<Partial<Record<DropReason, ClaimAlarm | "unsaid">>> = {
  version: "version-mismatch",
  "auth-type": "authentication-mismatch",
  "auth-data": "authentication-mismatch",
  "auth-stale": "unsaid",
  "interval-mismatch": "interval-mismatch",
  "first-address-not-link-local": "unsaid",
  "address-list": "address-list-mismatch",
  "owner-ignores": "unsaid",
};

/** What a refused advertisement means. */
export interface Judgement {
  /** Its sender says that it holds an address of this router. */
  readonly claims: boolean;
  /** `undefined`: the reason for which it was refused says all. */
  readonly alarm: ClaimAlarm | undefined;
}

export const mayClaim = (reason: DropReason): boolean => CLAIMING[reason] !== undefined;

/** @param own the addresses that this router advertises */
export function judge(reason: DropReason, claim: Claim, own: readonly IpAddress[]): Judgement {
  const said = CLAIMING[reason];
  if (said === undefined) return { claims: false, alarm: undefined };
  if (isForeign(claim.addresses, own)) return { claims: false, alarm: "vrid-clash" };
  return { claims: true, alarm: said === "unsaid" ? undefined : said };
}

/** The addresses of another virtual router: none of them is ours. */
export const isForeign = (theirs: readonly IpAddress[], own: readonly IpAddress[]): boolean =>
  theirs.length > 0 && own.length > 0 && !theirs.some((address) => own.includes(address));
