import type { ServerCommand, ServerOrder } from "../../control/protocol.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { Override } from "../../core/virtual-server/pool.ts";
import type { Served } from "./served.ts";

export interface Ordered {
  readonly served: Served;
  readonly server: DestinationKey;
}

/** The real servers that `[SERVICE/]ADDRESS[:PORT]` means. Throws an Error for people. */
export function serversOf(all: Iterable<Served>, text: string): readonly Ordered[] {
  const slash = text.lastIndexOf("/");
  const service = slash < 0 ? undefined : text.slice(0, slash);
  const wanted = text.slice(slash + 1);
  const services = [...all].filter(({ name }) => service === undefined || name === service);
  const found = services.flatMap((served) => fitting(served, wanted));
  if (found.length > 0) return found;
  const why =
    services.length === 0 && service !== undefined
      ? `there is no virtual server ${service}`
      : `there is no real server ${wanted}`;
  throw new Error(`${why}; holdfast services shows those there are`);
}

function fitting(served: Served, wanted: string): readonly Ordered[] {
  const keys = served.config.realServers
    .filter((real) => [destinationKey(real), real.address, real.name].includes(wanted))
    .map(destinationKey);
  return [...new Set(keys)].map((server) => ({ served, server }));
}

/** Throws an Error for people. */
export function overrideOf(
  command: ServerCommand,
  { weight, who }: ServerOrder,
  at: number,
): Override | undefined {
  if (command === "undrain") return undefined;
  if (command !== "weight") return { kind: command, who, at };
  if (weight === undefined) throw new Error("say which weight");
  return { kind: "weight", weight, who, at };
}
