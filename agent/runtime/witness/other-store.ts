import type { WitnessSettings } from "../../config/mandates.ts";

/** While nodes ask different stores, each of them may be told that nobody has the lease. */
export const OTHER_STORE =
  "the store of leases is another one: until every node asks it, it may take VRRP to keep two from being active; reload the active node first";

/** The same while they ask for leases of different names. */
export const OTHER_LEASE =
  "its lease is another one: until every node asks for that, it may take VRRP to keep two from being active; reload the active node first";

export const HANDED_OVER = "it has the lease that the configuration asks for now";

/** After what is said of a store that the last reload, or one before it, has replaced. */
export const FORMER = " (the one before a reload)";

/**
 * Whether leases in the one are none in the other, as far as it can be seen: by any other name, or with
 * other endpoints altogether.
 */
export function isOtherStore(
  before: WitnessSettings | undefined,
  now: WitnessSettings | undefined,
): boolean {
  if (before === undefined || now === undefined) return false;
  const common = now.endpoints.some((endpoint) => before.endpoints.includes(endpoint));
  return !common || PLACE.some((name) => before[name] !== now[name]);
}

const PLACE = ["store", "prefix", "namespace", "datacenter", "database"] as const;
