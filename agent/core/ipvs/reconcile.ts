import type {
  Destination,
  DestinationKey,
  Forwarding,
  Persistence,
  Service,
  ServiceEntry,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "./service.ts";
import { destinationKey } from "./service.ts";

/** One thing for the kernel to do. They are carried out in order, each by itself. */
export type IpvsCommand =
  | { readonly kind: "add-service"; readonly service: Service }
  | { readonly kind: "edit-service"; readonly service: Service }
  | { readonly kind: "delete-service"; readonly target: ServiceTarget }
  | {
      readonly kind: "add-destination" | "edit-destination" | "delete-destination";
      readonly target: ServiceTarget;
      readonly destination: Destination;
    };

/**
 * The least commands that make the kernel's table what it should be; a flush is never one of them.
 * Services that are neither `desired` nor `ours` are somebody else's and stay. Whatever else is in a
 * desired service goes.
 *
 * Capacity comes before it goes: on the way a service never weighs less than before or after,
 * whichever is less. Nothing is removed and added again, which would cut its connections.
 */
export function reconcile(
  desired: ServiceTable,
  actual: ServiceTable,
  ours: ReadonlySet<ServiceKey>,
): readonly IpvsCommand[] {
  const commands: IpvsCommand[] = [];
  for (const [key, entry] of desired) {
    const known = actual.get(key);
    if (known === undefined) add(commands, entry);
    else mend(commands, entry, known);
  }
  for (const key of ours) {
    const left = actual.get(key);
    if (desired.has(key) || left === undefined) continue;
    commands.push({ kind: "delete-service", target: left.service.target });
  }
  return commands;
}

function add(commands: IpvsCommand[], { service, destinations }: ServiceEntry): void {
  const { target } = service;
  commands.push({ kind: "add-service", service });
  for (const destination of destinations) {
    commands.push({ kind: "add-destination", target, destination });
  }
}

function mend(commands: IpvsCommand[], wanted: ServiceEntry, actual: ServiceEntry): void {
  const { service } = wanted;
  const { target } = service;
  if (!sameService(service, actual.service)) commands.push({ kind: "edit-service", service });
  const left = new Map<DestinationKey, Destination>();
  for (const destination of actual.destinations) left.set(destinationKey(destination), destination);
  const lowered: IpvsCommand[] = [];
  for (const destination of wanted.destinations) {
    const key = destinationKey(destination);
    const before = left.get(key);
    left.delete(key);
    if (before === undefined) {
      commands.push({ kind: "add-destination", target, destination });
    } else if (!sameDestination(destination, before)) {
      const edit: IpvsCommand = { kind: "edit-destination", target, destination };
      (destination.weight >= before.weight ? commands : lowered).push(edit);
    }
  }
  commands.push(...lowered);
  for (const destination of left.values()) {
    commands.push({ kind: "delete-destination", target, destination });
  }
}

// Written out, as tens of thousands are compared at every look. Their keys are the same already.

const sameService = (one: Service, other: Service): boolean =>
  one.scheduler === other.scheduler &&
  one.onePacket === other.onePacket &&
  one.schedulerFlags.every((flag, at) => flag === other.schedulerFlags[at]) &&
  samePersistence(one.persistence, other.persistence);

const samePersistence = (one: Persistence | undefined, other: Persistence | undefined): boolean =>
  one?.timeout === other?.timeout &&
  one?.prefixLength === other?.prefixLength &&
  one?.engine === other?.engine;

const sameDestination = (one: Destination, other: Destination): boolean =>
  one.weight === other.weight &&
  one.upperThreshold === other.upperThreshold &&
  one.lowerThreshold === other.lowerThreshold &&
  sameForwarding(one.forwarding, other.forwarding);

function sameForwarding(one: Forwarding, other: Forwarding): boolean {
  if (one.kind !== "tunnel" || other.kind !== "tunnel") return one.kind === other.kind;
  return (
    one.tunnel.type === other.tunnel.type &&
    one.tunnel.port === other.tunnel.port &&
    one.tunnel.checksum === other.tunnel.checksum
  );
}
