import type { ServerCommand, ServerOrder } from "../../control/protocol.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { Override } from "../../core/virtual-server/pool.ts";
import type { EventReport } from "../ipc.ts";
import type { Served } from "./served.ts";
import type { OrderOver } from "./server-changes.ts";
import { isServer, isService, serverReference } from "./server-reference.ts";

export interface Ordered {
  readonly served: Served;
  readonly server: DestinationKey;
}

/** The real servers that `[SERVICE/]ADDRESS[:PORT]` means, of those that are there. */
export function serversOf(all: Iterable<Served>, text: string): readonly Ordered[] {
  const { server: wanted } = serverReference(text);
  return servicesOf(all, text).flatMap((served) => {
    const fitting = served.config.realServers.filter((real) => isServer(real, wanted));
    return [...new Set(fitting.map(destinationKey))].map((server) => ({ served, server }));
  });
}

/** The services that it may be of. Throws an Error for people where there is none. */
export function servicesOf(all: Iterable<Served>, text: string): readonly Served[] {
  const { service } = serverReference(text);
  if (service === undefined) return [...all];
  const services = [...all].filter(({ config }) => isService(config, service));
  if (services.length > 0) return services;
  throw new Error(`there is no virtual server ${service}; holdfast services shows those there are`);
}

/** An order is over, as the file says the same now. */
export function overReport(
  service: string,
  { kind, server, who }: OrderOver,
  at: number,
): EventReport {
  const message =
    kind === "added"
      ? `${server} is in the file now, which takes the place of ${who}'s holdfast add`
      : `${server} is not in the file any more: ${who}'s holdfast remove is over`;
  const detail = { change: "order-over", service, server, command: kind, who };
  return { at, kind: "real-server", level: "info", subject: service, message, detail };
}

/** Throws an Error for people. */
export function overrideOf(
  command: Exclude<ServerCommand, "add" | "remove">,
  { weight, who }: ServerOrder,
  at: number,
): Override | undefined {
  if (command === "undrain") return undefined;
  if (command !== "weight") return { kind: command, who, at };
  if (weight === undefined) throw new Error("say which weight");
  return { kind: "weight", weight, who, at };
}
