import { plainEqual } from "../plain-equal.ts";
import type {
  Destination,
  DestinationKey,
  Service,
  ServiceEntry,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "./service.ts";
import { destinationKey } from "./service.ts";

/** One thing for the kernel to do. They are carried out in order, each by itself. */
export type IpvsCommand =
  | { readonly kind: "add-service" | "edit-service"; readonly service: Service }
  | { readonly kind: "delete-service"; readonly target: ServiceTarget }
  | {
      readonly kind: "add-destination" | "edit-destination" | "delete-destination";
      readonly target: ServiceTarget;
      readonly destination: Destination;
    };

/**
 * The least commands that make the kernel's table what it should be; a flush is never one of them.
 * Services that are neither `desired` nor `ours` are somebody else's and stay.
 *
 * The order is such that capacity comes before it goes: no service is without destinations in between
 * that has some before and after.
 */
export function reconcile(
  desired: ServiceTable,
  actual: ServiceTable,
  ours: ReadonlySet<ServiceKey>,
): readonly IpvsCommand[] {
  const commands: IpvsCommand[] = [];
  for (const [key, entry] of desired) service(commands, entry, actual.get(key));
  for (const key of ours) {
    const left = actual.get(key);
    if (desired.has(key) || left === undefined) continue;
    commands.push({ kind: "delete-service", target: left.service.target });
  }
  return commands;
}

function service(
  commands: IpvsCommand[],
  wanted: ServiceEntry,
  actual: ServiceEntry | undefined,
): void {
  if (actual === undefined) commands.push({ kind: "add-service", service: wanted.service });
  else if (!sameService(wanted.service, actual.service)) {
    commands.push({ kind: "edit-service", service: wanted.service });
  }
  const { target } = wanted.service;
  const known = byKey(actual?.destinations ?? []);
  const kept = new Set<DestinationKey>();
  const raised: IpvsCommand[] = [];
  const lowered: IpvsCommand[] = [];
  for (const destination of wanted.destinations) {
    const key = destinationKey(destination);
    kept.add(key);
    const before = known.get(key);
    if (before === undefined) raised.push({ kind: "add-destination", target, destination });
    else if (!plainEqual(before, destination, NOTHING)) {
      const edit: IpvsCommand = { kind: "edit-destination", target, destination };
      (destination.weight >= before.weight ? raised : lowered).push(edit);
    }
  }
  commands.push(...raised, ...lowered);
  for (const [key, destination] of known) {
    if (!kept.has(key)) commands.push({ kind: "delete-destination", target, destination });
  }
}

const NOTHING: ReadonlySet<string> = new Set();

const sameService = (one: Service, other: Service): boolean => plainEqual(one, other, NOTHING);

const byKey = (destinations: readonly Destination[]): Map<DestinationKey, Destination> =>
  new Map(destinations.map((destination) => [destinationKey(destination), destination]));
