import type { RealServerConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { ServerCommand, ServerOrder, ServerOrderOutcome } from "../../control/protocol.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { seconds } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventReport } from "../ipc.ts";
import { misfit, newcomerAlone, newcomerLike, notesOn, usualPort } from "./newcomer.ts";
import type { Ordered } from "./orders.ts";
import { overrideOf, serversOf, servicesOf } from "./orders.ts";
import type { Served } from "./served.ts";
import type { AddedServer, OrderOver, ServerChanges } from "./server-changes.ts";
import {
  held,
  isEmpty,
  NO_CHANGES,
  withAdded,
  withChanges,
  withoutServer,
  withRestored,
} from "./server-changes.ts";
import { isServer, readEndpoint, serverReference } from "./server-reference.ts";

/** How long one that is taken away may finish its connections where the file does not say. */
const DRAIN = seconds(3_600);

/** What an operator's orders are about, and who hears of them. */
export interface OperatorWorld {
  readonly clock: Clock;
  readonly served: () => Iterable<Served>;
  readonly event: (report: EventReport) => void;
  /** Answers why it could not be. */
  readonly save: () => string | undefined;
}

/** One virtual server's real servers beside the file. */
interface Changed {
  readonly file: VirtualServerConfig;
  readonly changes: ServerChanges;
}

interface Done {
  readonly ordered: readonly Ordered[];
  /** What was done, for the event: `drain`, `added like 10.0.0.1:80`. */
  readonly said: string;
  readonly notes?: readonly string[];
}

/** What operators say of real servers: overrides, and servers beside the file. */
export class Operator {
  readonly #world: OperatorWorld;
  /** By name of the virtual server. */
  readonly #all = new Map<string, Changed>();
  /** Of virtual servers that are not configured yet. */
  readonly #kept = new Map<string, ServerChanges>();

  constructor(world: OperatorWorld) {
    this.#world = world;
  }

  /** As it was when the director before this one ended. */
  restore(kept: Readonly<Record<string, ServerChanges>>): void {
    for (const [name, changes] of Object.entries(kept)) this.#kept.set(name, changes);
  }

  /** The virtual server as it is to be: what the file has carried out by itself is over, and told. */
  configured(file: VirtualServerConfig): VirtualServerConfig {
    const { name } = file;
    const known = this.#all.get(name)?.changes ?? this.#kept.get(name) ?? NO_CHANGES;
    this.#kept.delete(name);
    const { changes, over } = held(file, known);
    for (const order of over) this.#tellOver(name, order);
    this.#all.set(name, { file, changes });
    return isEmpty(changes) ? file : withChanges(file, changes);
  }

  /** The virtual server is in no file any more. */
  forget(name: string): void {
    this.#all.delete(name);
  }

  changesOf(name: string): ServerChanges {
    return this.#all.get(name)?.changes ?? NO_CHANGES;
  }

  /** Real servers of the file that were taken away. */
  removedOf(name: string): readonly RealServerConfig[] {
    const { file, changes } = this.#all.get(name) ?? {};
    return (file?.realServers ?? []).filter((real) => changes?.removed[destinationKey(real)]);
  }

  /** What is to outlive this director. */
  get toKeep(): Readonly<Record<string, ServerChanges>> {
    const all = [...this.#all].map(([name, { changes }]) => [name, changes] as const);
    return Object.fromEntries(all.filter(([, changes]) => !isEmpty(changes)));
  }

  /** Throws an Error for people; then nothing is done, unless it says so. */
  obey(command: ServerCommand, order: ServerOrder | undefined): ServerOrderOutcome {
    if (order === undefined) throw new Error("say which real server");
    const { ordered, said, notes } = this.#carryOut(command, order);
    const { who } = order;
    const at = this.#world.clock.wallClock();
    const servers = ordered.map(({ served, server }) => ({ service: served.name, server }));
    for (const { service, server } of servers) {
      const detail = { change: "override", service, server, command, who };
      this.#tell(service, `${server}: ${said}, by ${who}`, detail, at);
    }
    const failed = this.#world.save();
    if (failed !== undefined) {
      throw new Error(`it is done, but a restart would forget it: ${failed}`);
    }
    return notes === undefined ? { servers } : { servers, notes };
  }

  #carryOut(command: ServerCommand, order: ServerOrder): Done {
    if (command === "add") return this.#add(order);
    const found = serversOf(this.#world.served(), order.server);
    if (command === "remove") return this.#remove(this.#some(found, order.server), order);
    const gone = command === "undrain" ? this.#removed(order.server) : [];
    const override = overrideOf(command, order, this.#world.clock.wallClock());
    const all = [...found, ...gone];
    if (gone.length === 0) this.#some(found, order.server);
    for (const { served, server } of found) served.take({ kind: "override", server, override });
    for (const { served, server } of gone) this.#restore(served, server);
    return { ordered: all, said: command === "weight" ? `weight ${order.weight}` : command };
  }

  #add(order: ServerOrder): Done {
    const { server: text } = serverReference(order.server);
    const served = this.#service(order.server);
    const endpoint = readEndpoint(text);
    if (endpoint === undefined) throw new Error(`${text} is no ADDRESS[:PORT] of a real server`);
    const { file, changes } = this.#changed(served);
    const like = this.#model(served, order.like);
    const port = endpoint.port ?? usualPort(file, like);
    const server = destinationKey({ address: endpoint.address, port });
    if (changes.removed[server] !== undefined) {
      if (order.weight !== undefined || order.like !== undefined) {
        throw new Error(`${server} is in the file, and comes back as it is there: say no more`);
      }
      this.#restore(served, server);
      return { ordered: [{ served, server }], said: "is there again" };
    }
    if (served.realServer(server) !== undefined && served.state.servers[server] !== undefined) {
      throw new Error(
        `${served.name} has ${server} already: holdfast weight and undrain change it`,
      );
    }
    const { weight, who } = order;
    const newcomer = { address: endpoint.address, port, weight };
    const real = like === undefined ? newcomerAlone(file, newcomer) : newcomerLike(like, newcomer);
    const unfit = misfit(file, { ...endpoint, port }, real);
    if (unfit !== undefined) throw new Error(unfit);
    const added: AddedServer = {
      ...{ who, at: this.#world.clock.wallClock(), weight, server: real },
      like: like && (changes.added[destinationKey(like)]?.like ?? destinationKey(like)),
    };
    this.#change(served, withAdded(changes, server, added));
    const words = like === undefined ? "added" : `added like ${destinationKey(like)}`;
    return { ordered: [{ served, server }], said: words, notes: notesOn(real, like) };
  }

  #remove(found: readonly Ordered[], { who }: ServerOrder): Done {
    const at = this.#world.clock.wallClock();
    for (const { served, server } of found) {
      const { changes } = this.#changed(served);
      this.#change(served, withoutServer(changes, server, { who, at }));
    }
    return { ordered: found, said: "removed" };
  }

  #restore(served: Served, server: DestinationKey): void {
    this.#change(served, withRestored(this.#changed(served).changes, server));
  }

  #change(served: Served, changes: ServerChanges): void {
    const { file } = this.#changed(served);
    this.#all.set(served.name, { file, changes });
    served.configure(withChanges(file, changes), file.drainTime === 0 ? DRAIN : file.drainTime);
  }

  #changed(served: Served): Changed {
    return this.#all.get(served.name) ?? { file: served.config, changes: NO_CHANGES };
  }

  /** The one service that `SERVICE/…` means. */
  #service(text: string): Served {
    const services = servicesOf(this.#world.served(), text);
    const [served] = services;
    if (serverReference(text).service === undefined || served === undefined) {
      throw new Error("say of which service: SERVICE/ADDRESS[:PORT]");
    }
    if (services.length === 1) return served;
    const names = services.map(({ name }) => name).join(" and ");
    throw new Error(`${names} are meant by that: name one of them`);
  }

  /** Whom a new one is to be like; `undefined`: there is nobody. */
  #model(served: Served, text: string | undefined): RealServerConfig | undefined {
    const all = [...served.config.realServers, ...this.removedOf(served.name)];
    if (text === undefined) return all[0];
    const found = all.find((real) => isServer(real, text));
    if (found !== undefined) return found;
    throw new Error(`${served.name} has no real server ${text} that it could be like`);
  }

  #removed(text: string): readonly Ordered[] {
    const { server: wanted } = serverReference(text);
    return servicesOf(this.#world.served(), text).flatMap((served) =>
      this.removedOf(served.name)
        .filter((real) => isServer(real, wanted))
        .map((real) => ({ served, server: destinationKey(real) })),
    );
  }

  /** Throws where there is none. */
  #some(found: readonly Ordered[], text: string): readonly Ordered[] {
    if (found.length > 0) return found;
    const { server } = serverReference(text);
    const [gone] = this.#removed(text);
    const said = gone && this.changesOf(gone.served.name).removed[gone.server];
    if (said === undefined) {
      throw new Error(`there is no real server ${server}; holdfast services shows those there are`);
    }
    throw new Error(`${server} was removed by ${said.who}: holdfast undrain brings it back`);
  }

  #tellOver(service: string, { kind, server, who }: OrderOver): void {
    const message =
      kind === "added"
        ? `${server} is in the file now, which takes the place of ${who}'s holdfast add`
        : `${server} is not in the file any more: ${who}'s holdfast remove is over`;
    const detail = { change: "order-over", service, server, command: kind, who };
    this.#tell(service, message, detail, this.#world.clock.wallClock());
  }

  #tell(subject: string, message: string, detail: EventReport["detail"], at: number): void {
    this.#world.event({ at, kind: "real-server", level: "info", subject, message, detail });
  }
}
