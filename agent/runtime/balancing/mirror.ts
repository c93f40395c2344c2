import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import type {
  Destination,
  DestinationKey,
  Service,
  ServiceEntry,
  ServiceKey,
  ServiceTable,
} from "../../core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../core/ipvs/service.ts";

interface Reflection {
  service: Service;
  readonly members: Map<DestinationKey, Destination>;
}

/** What the kernel has, from what it was seen to have and what it has carried out since. */
export class Mirror {
  #seen: ServiceTable = new Map();
  /** Services that were changed since. */
  readonly #changed = new Map<ServiceKey, Reflection | undefined>();

  set(table: ServiceTable): void {
    this.#seen = table;
    this.#changed.clear();
  }

  put(key: ServiceKey, entry: ServiceEntry | undefined): void {
    this.#changed.set(key, entry && reflectionOf(entry));
  }

  get(key: ServiceKey): ServiceEntry | undefined {
    if (!this.#changed.has(key)) return this.#seen.get(key);
    const reflection = this.#changed.get(key);
    if (reflection === undefined) return undefined;
    return { service: reflection.service, destinations: [...reflection.members.values()] };
  }

  /** The kernel has done this. */
  apply(command: IpvsCommand): void {
    if (command.kind === "add-service" || command.kind === "edit-service") {
      const { service } = command;
      const known = this.#reflection(serviceKey(service.target));
      if (known === undefined) this.put(serviceKey(service.target), { service, destinations: [] });
      else known.service = service;
      return;
    }
    const key = serviceKey(command.target);
    if (command.kind === "delete-service") {
      this.#changed.set(key, undefined);
      return;
    }
    const { destination } = command;
    const members = this.#reflection(key)?.members;
    if (command.kind === "delete-destination") members?.delete(destinationKey(destination));
    else members?.set(destinationKey(destination), destination);
  }

  #reflection(key: ServiceKey): Reflection | undefined {
    if (!this.#changed.has(key)) this.put(key, this.#seen.get(key));
    return this.#changed.get(key);
  }
}

const reflectionOf = ({ service, destinations }: ServiceEntry): Reflection => ({
  service,
  members: new Map(destinations.map((each) => [destinationKey(each), each])),
});
