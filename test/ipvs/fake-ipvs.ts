import type { IpAddress } from "../../agent/core/address.ts";
import { addressBytes, familyOf, isLinkLocal, isMulticast } from "../../agent/core/address.ts";
import type { IpvsTimeouts, SyncDaemon, SyncRole } from "../../agent/core/ipvs/connections.ts";
import type { IpvsCommand } from "../../agent/core/ipvs/reconcile.ts";
import type {
  Destination,
  DestinationKey,
  Service,
  ServiceEntry,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "../../agent/core/ipvs/service.ts";
import { destinationKey, familyOfService, serviceKey } from "../../agent/core/ipvs/service.ts";
import type { DestinationCounters, TrafficCounters } from "../../agent/core/ipvs/traffic.ts";
import {
  refusal,
  refusedCommands,
  refusedSync,
  refusedTimeouts,
} from "../../agent/linux/netlink/ipvs-refusal.ts";
import type { KernelError } from "../../agent/ports/error.ts";
import type { Ipvs, IpvsPicture, ServiceCounters } from "../../agent/ports/ipvs.ts";

const NO_TRAFFIC: TrafficCounters = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
};
const IDLE: DestinationCounters = {
  ...NO_TRAFFIC,
  activeConnections: 0,
  inactiveConnections: 0,
  persistentConnections: 0,
};
const LARGEST = 2 ** 31 - 1;
/** Jiffies of a timeout are a signed 32-bit number; with 1,000 a second at most. */
const LONGEST_TIMEOUT = Math.floor(LARGEST / 1000);

interface Member {
  destination: Destination;
  counters: DestinationCounters;
}

interface Entry {
  service: Service;
  counters: TrafficCounters;
  readonly members: Map<DestinationKey, Member>;
}

/** What the pretended kernel has besides its table. */
export interface FakeHost {
  readonly schedulers: readonly string[];
  readonly engines: readonly string[];
  readonly interfaces: readonly string[];
}

const HOST: FakeHost = {
  schedulers: "rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf".split(" "),
  engines: ["sip"],
  interfaces: ["lo", "v0"],
};

/**
 * ip_vs in memory. Its refusals are the kernel's, in errno and in words; the suite in port-suite.ts and
 * random commands hold it equal to the real one. No packet flows: traffic is what a test says.
 */
export class FakeIpvs implements Ipvs {
  /** Everything that was carried out, by whom ever. */
  readonly done: IpvsCommand[] = [];
  /** Errno with which a command or question fails; `undefined`: as the kernel would. */
  failing: (command: IpvsCommand | "read") => string | undefined = () => undefined;
  readonly #host: FakeHost;
  readonly #entries = new Map<ServiceKey, Entry>();
  readonly #daemons = new Map<SyncRole, SyncDaemon>();
  #timeouts: IpvsTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };
  #closed = false;

  constructor(host: Partial<FakeHost> = {}) {
    this.#host = { ...HOST, ...host };
  }

  /** The table, without asking. */
  get table(): ServiceTable {
    return this.#picture([...this.#entries.values()]).table;
  }

  /** Carries out one command at once, as somebody else's `ipvsadm` would; answers its errno. */
  carryOut(command: IpvsCommand): string | undefined {
    const errno = this.failing(command) ?? this.#carryOut(command);
    if (errno === undefined) this.done.push(command);
    return errno;
  }

  /** What flows through a destination from now on. */
  traffic(
    service: ServiceTarget,
    destination: Pick<Destination, "address" | "port">,
    counters: Partial<DestinationCounters>,
  ): void {
    const member = this.#entries.get(serviceKey(service))?.members.get(destinationKey(destination));
    if (member === undefined) throw new TypeError("traffic of a destination that is not there");
    member.counters = { ...member.counters, ...counters };
  }

  read(targets?: readonly ServiceTarget[]): Promise<IpvsPicture | KernelError> {
    return this.#answer(() => this.look(targets));
  }

  /** What `read` answers, at once. */
  look(targets?: readonly ServiceTarget[]): IpvsPicture | KernelError {
    const errno = this.failing("read");
    if (errno !== undefined) return refusal(errno, "read ip_vs");
    if (targets === undefined) return this.#picture([...this.#entries.values()]);
    return this.#picture(targets.flatMap((one) => this.#entries.get(serviceKey(one)) ?? []));
  }

  apply(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>> {
    const errnos = new Map<number, string>();
    for (const [index, command] of commands.entries()) {
      const errno = this.#closed ? "ECANCELED" : this.carryOut(command);
      if (errno !== undefined) errnos.set(index, errno);
    }
    return Promise.resolve(refusedCommands(commands, errnos));
  }

  timeouts(): Promise<IpvsTimeouts | KernelError> {
    return this.#answer(() => this.#timeouts);
  }

  setTimeouts({ tcp, tcpFin, udp }: IpvsTimeouts): Promise<KernelError | undefined> {
    return this.#answer(() => {
      if (Math.max(tcp, tcpFin, udp) > LONGEST_TIMEOUT) return refusedTimeouts("EINVAL");
      const before = this.#timeouts;
      this.#timeouts = {
        tcp: tcp || before.tcp,
        tcpFin: tcpFin || before.tcpFin,
        udp: udp || before.udp,
      };
      return undefined;
    });
  }

  syncDaemons(): Promise<readonly SyncDaemon[] | KernelError> {
    return this.#answer(() =>
      (["active", "backup"] as const).flatMap((role) => this.#daemons.get(role) ?? []),
    );
  }

  startSync(daemon: SyncDaemon): Promise<KernelError | undefined> {
    return this.#answer(() => {
      const errno = this.#startSync(daemon);
      return errno === undefined ? undefined : refusedSync(errno, daemon);
    });
  }

  stopSync(role: SyncRole): Promise<KernelError | undefined> {
    return this.#answer(() =>
      this.#daemons.delete(role) ? undefined : refusedSync("ESRCH", role),
    );
  }

  close(): void {
    this.#closed = true;
  }

  #answer<Value>(ask: () => Value): Promise<Value | KernelError> {
    return Promise.resolve(this.#closed ? refusal("ECANCELED", "ask ip_vs") : ask());
  }

  #picture(entries: readonly Entry[]): IpvsPicture {
    const table = new Map<ServiceKey, ServiceEntry>();
    const counters = new Map<ServiceKey, ServiceCounters>();
    for (const { service, members, counters: own } of entries) {
      const key = serviceKey(service.target);
      // The kernel has the newest first.
      const pool = [...members].reverse();
      table.set(key, { service, destinations: pool.map(([, member]) => member.destination) });
      counters.set(key, {
        service: own,
        destinations: new Map(pool.map(([name, member]) => [name, member.counters])),
      });
    }
    return { table, counters };
  }

  #carryOut(command: IpvsCommand): string | undefined {
    const target = "service" in command ? command.service.target : command.target;
    const entry = this.#entries.get(serviceKey(target));
    if (entry === undefined) {
      return command.kind === "add-service" ? this.#addService(command.service) : "ESRCH";
    }
    switch (command.kind) {
      case "add-service":
        return "EEXIST";
      case "edit-service":
        return this.#editService(entry, command.service);
      case "delete-service":
        this.#entries.delete(serviceKey(command.target));
        return undefined;
      case "add-destination":
        return this.#addDestination(entry, command.destination);
      case "edit-destination":
        return this.#editDestination(entry, command.destination);
      case "delete-destination":
        return entry.members.delete(destinationKey(command.destination)) ? undefined : "ENOENT";
    }
  }

  #addService(service: Service): string | undefined {
    const errno = this.#unfitService(service);
    if (errno !== undefined) return errno;
    const key = serviceKey(service.target);
    this.#entries.set(key, { service, counters: NO_TRAFFIC, members: new Map() });
    return undefined;
  }

  #editService(entry: Entry, service: Service): string | undefined {
    const errno = this.#unfitService(service);
    if (errno === undefined) entry.service = service;
    return errno;
  }

  #unfitService({ target, scheduler, persistence }: Service): string | undefined {
    const engine = persistence?.engine;
    if (!this.#host.schedulers.includes(scheduler)) return "ENOENT";
    if (engine !== undefined && !this.#host.engines.includes(engine)) return "ENOENT";
    if (familyOfService(target) === "ipv4" || persistence === undefined) return undefined;
    const { prefixLength } = persistence;
    return prefixLength < 1 || prefixLength > 128 ? "EINVAL" : undefined;
  }

  #addDestination({ service, members }: Entry, destination: Destination): string | undefined {
    const errno = this.#unfitDestination(service, destination);
    if (errno !== undefined) return errno;
    const key = destinationKey(destination);
    if (members.has(key)) return "EEXIST";
    if (!isUnicast(destination.address)) return "EINVAL";
    members.set(key, { destination, counters: IDLE });
    return undefined;
  }

  #editDestination({ service, members }: Entry, destination: Destination): string | undefined {
    const errno = this.#unfitDestination(service, destination);
    if (errno !== undefined) return errno;
    const member = members.get(destinationKey(destination));
    if (member === undefined) return "ENOENT";
    member.destination = destination;
    return undefined;
  }

  #unfitDestination({ target }: Service, destination: Destination): string | undefined {
    const { address, forwarding, weight, lowerThreshold, upperThreshold } = destination;
    const tunnel = forwarding.kind === "tunnel" ? forwarding.tunnel : undefined;
    const mixed = familyOf(address) !== familyOfService(target);
    if (mixed && (tunnel === undefined || this.#daemons.size > 0)) return "EINVAL";
    if (weight > LARGEST || lowerThreshold > upperThreshold) return "ERANGE";
    return tunnel?.type === "gue" && tunnel.port === 0 ? "EINVAL" : undefined;
  }

  #startSync(daemon: SyncDaemon): string | undefined {
    const { role, group } = daemon;
    if (group !== undefined && !isMulticast(group)) return "EINVAL";
    if (this.#hasMixed()) return "EINVAL";
    if (!this.#host.interfaces.includes(daemon.interface)) return "ENODEV";
    if (this.#daemons.has(role)) return "EEXIST";
    const chosen = group ?? ("224.0.0.81" as IpAddress);
    this.#daemons.set(role, {
      ...daemon,
      // Of an Ethernet of 1,500 bytes, less the headers.
      maxLength: daemon.maxLength ?? (familyOf(chosen) === "ipv4" ? 1472 : 1452),
      port: daemon.port ?? 8848,
      ttl: daemon.ttl ?? 1,
      group: chosen,
    });
    return undefined;
  }

  #hasMixed(): boolean {
    for (const { service, members } of this.#entries.values()) {
      for (const { destination } of members.values()) {
        if (familyOf(destination.address) !== familyOfService(service.target)) return true;
      }
    }
    return false;
  }
}

/** Also one of this host's own; which those are plays no part here. */
function isUnicast(address: IpAddress): boolean {
  if (isMulticast(address)) return false;
  const bytes = addressBytes(address);
  if (familyOf(address) === "ipv4") return bytes[0] !== 0 && address !== "255.255.255.255";
  return !isLinkLocal(address) && bytes.some((byte) => byte !== 0);
}
