import type { IpvsTimeouts, SyncDaemon, SyncRole } from "../../core/ipvs/connections.ts";
import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import type {
  Destination,
  DestinationKey,
  ServiceEntry,
  ServiceKey,
  ServiceTarget,
} from "../../core/ipvs/service.ts";
import { destinationKey, familyOfService, serviceKey } from "../../core/ipvs/service.ts";
import type { DestinationCounters } from "../../core/ipvs/traffic.ts";
import { KernelError } from "../../ports/error.ts";
import type { Ipvs, IpvsPicture, OpenIpvs, ServiceCounters } from "../../ports/ipvs.ts";
import { CONTROLLER, decodeFamily, getFamily } from "../../wire/netlink/generic.ts";
import {
  deleteDaemon,
  encodeCommand,
  getDaemons,
  getDestinations,
  getService,
  getServices,
  getTimeouts,
  newDaemon,
  setTimeouts,
} from "../../wire/netlink/ipvs.ts";
import type { ServiceReport } from "../../wire/netlink/ipvs-answer.ts";
import {
  decodeDaemon,
  decodeDestination,
  decodeService,
  decodeTimeouts,
} from "../../wire/netlink/ipvs-answer.ts";
import { IPVS_FAMILY } from "../../wire/netlink/ipvs-numbers.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import { insideNamedNamespace } from "../namespace.ts";
import type { Dump } from "./channel.ts";
import { Channel } from "./channel.ts";
import {
  ipvsMissing,
  refusal,
  refusedCommands,
  refusedSync,
  refusedTimeouts,
} from "./ipvs-refusal.ts";

/** Commands that are made into bytes at once: a millisecond or two, so that the loop stays lively. */
const CHUNK = 256;

/**
 * ip_vs over generic netlink. Its socket belongs to the namespace in which it was opened. The kernel is asked for the
 * family by its name, and so loads the module itself where it can. Main thread only.
 */
export const openIpvs: OpenIpvs = async (namespace) => {
  const open = (): Channel => new Channel("generic");
  let channel: Channel;
  try {
    channel = namespace === undefined ? open() : insideNamedNamespace(namespace, open);
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
  const family = await familyOf(channel);
  // Whoever may not ask may not command either: known before anything depends on it.
  const kernel = family instanceof KernelError ? family : new KernelIpvs(channel, family);
  const problem = kernel instanceof KernelError ? kernel : await kernel.timeouts();
  if (!(problem instanceof KernelError)) return kernel;
  channel.close();
  return problem;
};

async function familyOf(channel: Channel): Promise<number | KernelError> {
  const { errno, messages } = await channel.ask(CONTROLLER, getFamily(IPVS_FAMILY));
  if (errno === "ENOENT") return ipvsMissing();
  if (errno !== undefined) return refusal(errno, "balance load");
  return messages.map(decodeFamily).find((type) => type !== undefined) ?? ipvsMissing();
}

class KernelIpvs implements Ipvs {
  readonly #channel: Channel;
  /** The message type of ip_vs. It changes when the module is loaded again. */
  #family: number;
  /** One list of commands at a time, as it was asked for. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(channel: Channel, family: number) {
    this.#channel = channel;
    this.#family = family;
  }

  async read(targets?: readonly ServiceTarget[]): Promise<IpvsPicture | KernelError> {
    const reports = await (targets === undefined ? this.#all() : this.#chosen(targets));
    if (reports instanceof KernelError) return reports;
    const table = new Map<ServiceKey, ServiceEntry>();
    const counters = new Map<ServiceKey, ServiceCounters>();
    for (const report of reports) {
      const pool = await this.#pool(report.service.target);
      if (pool instanceof KernelError) return pool;
      const key = serviceKey(report.service.target);
      table.set(key, { service: report.service, destinations: pool.destinations });
      counters.set(key, { service: report.counters, destinations: pool.counters });
    }
    return { table, counters };
  }

  apply(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>> {
    const refusals = this.#work.then(() => this.#carryOut(commands));
    this.#work = refusals;
    return refusals;
  }

  async timeouts(): Promise<IpvsTimeouts | KernelError> {
    const answer = await this.#ask(getTimeouts());
    if (answer instanceof KernelError) return answer;
    const timeouts = answer.map(decodeTimeouts).find((one) => one !== undefined);
    return timeouts ?? refusal("ENODATA", "read ip_vs");
  }

  async setTimeouts(timeouts: IpvsTimeouts): Promise<KernelError | undefined> {
    const errno = await this.#request(setTimeouts(timeouts));
    return errno === undefined ? undefined : refusedTimeouts(errno);
  }

  async syncDaemons(): Promise<readonly SyncDaemon[] | KernelError> {
    const messages = await this.#dump(getDaemons());
    return messages instanceof KernelError ? messages : messages.map(decodeDaemon).filter(isThere);
  }

  async startSync(daemon: SyncDaemon): Promise<KernelError | undefined> {
    const errno = await this.#request(newDaemon(daemon));
    return errno === undefined ? undefined : refusedSync(errno, daemon);
  }

  async stopSync(role: SyncRole): Promise<KernelError | undefined> {
    const errno = await this.#request(deleteDaemon(role));
    return errno === undefined ? undefined : refusedSync(errno, role);
  }

  close(): void {
    this.#channel.close();
  }

  async #carryOut(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>> {
    const errnos = new Map<number, string>();
    for (let start = 0; start < commands.length; start += CHUNK) {
      const messages = commands
        .slice(start, start + CHUNK)
        .map((command) => encodeMessage(this.#family, FLAG.request, encodeCommand(command)));
      for (const [at, { errno }] of await this.#channel.carryOut(messages)) {
        if (errno !== undefined) errnos.set(start + at, errno);
      }
    }
    return refusedCommands(commands, errnos);
  }

  async #all(): Promise<readonly ServiceReport[] | KernelError> {
    const messages = await this.#dump(getServices());
    return messages instanceof KernelError ? messages : messages.map(decodeService).filter(isThere);
  }

  async #chosen(
    targets: readonly ServiceTarget[],
  ): Promise<readonly ServiceReport[] | KernelError> {
    const reports: ServiceReport[] = [];
    for (const target of targets) {
      const { errno, messages } = await this.#channel.ask(this.#family, getService(target));
      if (errno === "ESRCH") continue;
      if (errno !== undefined) return refusal(errno, "read ip_vs");
      reports.push(...messages.map(decodeService).filter(isThere));
    }
    return reports;
  }

  /** Of one service. One that vanished since it was seen has none. */
  async #pool(target: ServiceTarget): Promise<Pool | KernelError> {
    const messages = await this.#dump(getDestinations(target));
    if (messages instanceof KernelError) return messages;
    const destinations: Destination[] = [];
    const counters = new Map<DestinationKey, DestinationCounters>();
    for (const message of messages) {
      const report = decodeDestination(message, familyOfService(target));
      if (report === undefined) continue;
      destinations.push(report.destination);
      counters.set(destinationKey(report.destination), report.counters);
    }
    return { destinations, counters };
  }

  #ask(body: Uint8Array): Promise<readonly NetlinkMessage[] | KernelError> {
    return this.#question((family) => this.#channel.ask(family, body));
  }

  #dump(body: Uint8Array): Promise<readonly NetlinkMessage[] | KernelError> {
    return this.#question((family) => this.#channel.dump(family, body));
  }

  /** No question of ours names what may be missing: ENOENT says that the module was loaded anew. */
  async #question(
    ask: (family: number) => Promise<Dump>,
  ): Promise<readonly NetlinkMessage[] | KernelError> {
    let { errno, messages } = await ask(this.#family);
    if (errno === "ENOENT") {
      const family = await familyOf(this.#channel);
      if (family instanceof KernelError) return family;
      this.#family = family;
      ({ errno, messages } = await ask(family));
    }
    return errno === undefined ? messages : refusal(errno, "read ip_vs");
  }

  async #request(body: Uint8Array): Promise<string | undefined> {
    const message = encodeMessage(this.#family, FLAG.request | FLAG.ack, body);
    const [answer] = await this.#channel.request([message]);
    return answer?.errno;
  }
}

interface Pool {
  readonly destinations: readonly Destination[];
  readonly counters: ReadonlyMap<DestinationKey, DestinationCounters>;
}

const isThere = <Value>(value: Value | undefined): value is Value => value !== undefined;
