/** The store of leases, as this node sees it. */
export interface StoreReport {
  /** Its kind: `etcd`. */
  readonly store: string;
  /** As they are configured. */
  readonly endpoints: readonly string[];
  /** `unknown`: it has not been asked yet. */
  readonly condition: "unknown" | "serves" | "unreachable" | "refused";
  /** Why it does not serve. */
  readonly reason: string | null;
  readonly remedy: string | null;
  /** Wall-clock milliseconds: since when it is so. */
  readonly since: number | null;
  readonly leases: readonly LeaseReport[];
}

export interface LeaseReport {
  /** The sync group, or the instance that is in none. */
  readonly group: string;
  /** Its name in the store. */
  readonly lease: string;
  /** `ours`: this node has it. While nobody here seeks it, as it was seen half a minute ago at the most. */
  readonly state: "unknown" | "free" | "ours" | "taken";
  readonly holder: string | null;
}
