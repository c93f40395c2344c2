import type { Family, IpAddress } from "../address.ts";
import { plainEqual } from "../plain-equal.ts";
import type { VirtualRouter } from "../vrrp/virtual-router.ts";

/** As much of an instance's configuration as a plan must know. All of it is plain JSON. */
export interface Plannable {
  readonly router: VirtualRouter;
  readonly interface: string | undefined;
  readonly transport:
    | { readonly mode: "multicast"; readonly group: IpAddress }
    | { readonly mode: "unicast" };
  readonly sourceAddress: IpAddress | undefined;
  readonly virtualLink: { readonly kind: string; readonly name: string } | undefined;
  readonly addresses: readonly object[];
  readonly excludedAddresses: readonly object[];
  readonly routes: readonly object[];
  readonly rules: readonly object[];
}

/** What becomes of one instance. Removals are to be done before additions. */
export type PlanStep<Instance extends Plannable> =
  /** The same virtual router: its machine runs on, and no advertisement is late. */
  | {
      readonly action: "keep";
      readonly from: Instance;
      readonly to: Instance;
      readonly changes: Changes<Instance>;
    }
  /** The same name for another virtual router, or one whose link must be made anew. */
  | { readonly action: "replace"; readonly from: Instance; readonly to: Instance }
  | { readonly action: "add"; readonly to: Instance }
  | { readonly action: "remove"; readonly from: Instance };

/** What is new about a kept instance; nothing at all when every list is empty. */
export interface Changes<Instance extends Plannable> {
  /** Parameters of the machine, which hears of them by `configured`. */
  readonly router: readonly (keyof VirtualRouter)[];
  /** To install, and to take away; the excluded ones are among them. */
  readonly addresses: Difference<Instance["addresses"][number]>;
  readonly routes: Difference<Instance["routes"][number]>;
  readonly rules: Difference<Instance["rules"][number]>;
  /** Settings besides these that differ, by name: `transport`, `authentication`, `accept`, … */
  readonly settings: readonly (string & keyof Instance)[];
}

export interface Difference<Item> {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
}

/** Where something stands in the file makes no difference. */
const IGNORED: ReadonlySet<string> = new Set(["position"]);
const DIFFED: ReadonlySet<string> = new Set([
  "position",
  "router",
  "addresses",
  "excludedAddresses",
  "routes",
  "rules",
]);

/** What tells one virtual router on this node from another, whatever its name. */
export function identityOf({ router, ...instance }: Plannable): string {
  const { transport, virtualLink } = instance;
  const family: Family = router.family;
  const path = transport.mode === "multicast" ? transport.group : instance.sourceAddress;
  const link = virtualLink === undefined ? undefined : [virtualLink.kind, virtualLink.name];
  return JSON.stringify([router.vrid, family, instance.interface, transport.mode, path, link]);
}

/**
 * What turns the old instances into the new ones. Instances are the same by their identity, and by
 * their name only where the identity is gone: so renaming one keeps it, and moving one replaces it.
 * Steps for new instances come in their order; removals stand in front.
 */
export function plan<Instance extends Plannable>(
  old: readonly Instance[],
  fresh: readonly Instance[],
): readonly PlanStep<Instance>[] {
  const { pairs, left } = pair(old, fresh);
  const steps = fresh.map((to): PlanStep<Instance> => {
    const from = pairs.get(to);
    if (from === undefined) return { action: "add", to };
    if (identityOf(from) !== identityOf(to)) return { action: "replace", from, to };
    // A link with another address or mode cannot be turned into the new one while it is used.
    if (!plainEqual(from.virtualLink, to.virtualLink, IGNORED)) {
      return { action: "replace", from, to };
    }
    return { action: "keep", from, to, changes: changesBetween(from, to) };
  });
  return [...left.map((from): PlanStep<Instance> => ({ action: "remove", from })), ...steps];
}

/** Whether a kept instance is exactly as it was. */
export const isUnchanged = <Instance extends Plannable>(changes: Changes<Instance>): boolean =>
  [changes.router, changes.settings].every((names) => names.length === 0) &&
  [changes.addresses, changes.routes, changes.rules].every(
    ({ added, removed }) => added.length === 0 && removed.length === 0,
  );

function pair<Instance extends Plannable>(old: readonly Instance[], fresh: readonly Instance[]) {
  const pairs = new Map<Instance, Instance>();
  const left = new Set(old);
  for (const keyOf of [identityOf, (instance: Plannable) => instance.router.name]) {
    const candidates = new Map<string, Instance>();
    for (const from of left) {
      const key = keyOf(from);
      if (!candidates.has(key)) candidates.set(key, from);
    }
    for (const to of fresh) {
      const from = pairs.has(to) ? undefined : candidates.get(keyOf(to));
      if (from === undefined || !left.delete(from)) continue;
      pairs.set(to, from);
    }
  }
  return { pairs, left: [...left] };
}

function changesBetween<Instance extends Plannable>(
  from: Instance,
  to: Instance,
): Changes<Instance> {
  type Address = Instance["addresses"][number];
  const all = ({ addresses, excludedAddresses }: Instance): readonly Address[] => [
    ...addresses,
    ...excludedAddresses,
  ];
  const settings = differingKeys(from, to).filter((key) => !DIFFED.has(key));
  // Installed either way, but the advertisements and what peers compare are others.
  const advertised = plainEqual(from.addresses, to.addresses, IGNORED) ? [] : ["addresses"];
  return {
    router: differingKeys(from.router, to.router),
    addresses: difference(all(from), all(to)),
    routes: difference(from.routes, to.routes),
    rules: difference(from.rules, to.rules),
    settings: [...settings, ...(advertised as (string & keyof Instance)[])],
  };
}

const differingKeys = <Value extends object>(a: Value, b: Value) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((key) => key as string & keyof Value)
    .filter((key) => !plainEqual(a[key], b[key], IGNORED));

function difference<Item>(from: readonly Item[], to: readonly Item[]): Difference<Item> {
  const lacking = (items: readonly Item[], others: readonly Item[]): readonly Item[] => {
    const keys = new Set(others.map(canonical));
    return items.filter((item) => !keys.has(canonical(item)));
  };
  return { added: lacking(to, from), removed: lacking(from, to) };
}

/** One text per meaning, so that long lists compare in linear time. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (key, held: unknown) => {
    if (IGNORED.has(key)) return undefined;
    if (typeof held !== "object" || held === null || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
