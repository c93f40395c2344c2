import type { RealServerConfig } from "../../config/virtual-servers.ts";
import type { ServerCommand, ServerOrder, ServerOrderOutcome } from "../../control/protocol.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventReport } from "../ipc.ts";
import { ChangedServices } from "./changed-services.ts";
import { misfit, newcomerAlone, newcomerLike, notesOn, usualPort } from "./newcomer.ts";
import type { Ordered } from "./orders.ts";
import { overReport, overrideOf, serversOf, servicesOf } from "./orders.ts";
import type { Served } from "./served.ts";
import type { AddedServer } from "./server-changes.ts";
import { withAdded, withoutServer } from "./server-changes.ts";
import { isServer, readEndpoint, serverReference } from "./server-reference.ts";

/** What an operator's orders are about, and who hears of them. */
export interface OperatorWorld {
  readonly clock: Clock;
  readonly served: () => Iterable<Served>;
  readonly event: (report: EventReport) => void;
  /** Answers why it could not be. */
  readonly save: () => string | undefined;
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
  /** Real servers beside the file. */
  readonly changed: ChangedServices;

  constructor(world: OperatorWorld) {
    this.#world = world;
    this.changed = new ChangedServices((service, order) =>
      world.event(overReport(service, order, world.clock.wallClock())),
    );
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
    for (const { served, server } of gone) this.changed.restore(served, server);
    return { ordered: all, said: command === "weight" ? `weight ${order.weight}` : command };
  }

  #add(order: ServerOrder): Done {
    const { server: text } = serverReference(order.server);
    const served = this.#service(order.server);
    const endpoint = readEndpoint(text);
    if (endpoint === undefined) throw new Error(`${text} is no ADDRESS[:PORT] of a real server`);
    const { file, changes } = this.changed.of(served);
    const like = this.#model(served, order.like);
    const port = endpoint.port ?? usualPort(file, like);
    const server = destinationKey({ address: endpoint.address, port });
    if (changes.removed[server] !== undefined) {
      if (order.weight !== undefined || order.like !== undefined) {
        throw new Error(`${server} is in the file, and comes back as it is there: say no more`);
      }
      this.changed.restore(served, server);
      return { ordered: [{ served, server }], said: "is there again" };
    }
    if (served.state.servers[server] !== undefined) {
      throw new Error(
        `${served.name} has ${server} already: holdfast weight and undrain change it`,
      );
    }
    const cousin = like && changes.added[destinationKey(like)];
    const { who, weight = cousin?.weight } = order;
    const newcomer = { address: endpoint.address, port, weight };
    const real = like === undefined ? newcomerAlone(file, newcomer) : newcomerLike(like, newcomer);
    const unfit = misfit(file, { ...endpoint, port }, real);
    if (unfit !== undefined) throw new Error(unfit);
    const added: AddedServer = {
      ...{ who, at: this.#world.clock.wallClock(), weight, server: real },
      like: cousin?.like ?? (like && destinationKey(like)),
    };
    this.changed.change(served, withAdded(changes, server, added));
    const words = like === undefined ? "added" : `added like ${destinationKey(like)}`;
    return { ordered: [{ served, server }], said: words, notes: notesOn(real, like) };
  }

  #remove(found: readonly Ordered[], { who }: ServerOrder): Done {
    const at = this.#world.clock.wallClock();
    for (const { served, server } of found) {
      const { changes } = this.changed.of(served);
      this.changed.change(served, withoutServer(changes, server, { who, at }));
    }
    return { ordered: found, said: "removed" };
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
    const all = [...served.config.realServers, ...this.changed.removedOf(served)];
    if (text === undefined) return all[0];
    const found = all.find((real) => isServer(real, text));
    if (found !== undefined) return found;
    throw new Error(`${served.name} has no real server ${text} that it could be like`);
  }

  #removed(text: string): readonly Ordered[] {
    const { server: wanted } = serverReference(text);
    return servicesOf(this.#world.served(), text).flatMap((served) =>
      this.changed
        .removedOf(served)
        .filter((real) => isServer(real, wanted))
        .map((real) => ({ served, server: destinationKey(real) })),
    );
  }

  /** Throws where there is none. */
  #some(found: readonly Ordered[], text: string): readonly Ordered[] {
    if (found.length > 0) return found;
    const { server } = serverReference(text);
    const [gone] = this.#removed(text);
    const said = gone && this.changed.of(gone.served).changes.removed[gone.server];
    if (said === undefined) {
      throw new Error(`there is no real server ${server}; holdfast services shows those there are`);
    }
    throw new Error(`${server} was removed by ${said.who}: holdfast undrain brings it back`);
  }

  #tell(subject: string, message: string, detail: EventReport["detail"], at: number): void {
    this.#world.event({ at, kind: "real-server", level: "info", subject, message, detail });
  }
}
