import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import { serviceKey } from "../../core/ipvs/service.ts";
import type { PoolEffect } from "../../core/virtual-server/pool.ts";
import type { EventReport } from "../ipc.ts";
import type { Served } from "./served.ts";
import { targetsOf } from "./service-targets.ts";

type Fact = Pick<EventReport, "kind" | "level" | "message" | "detail">;
type Of<Kind extends PoolEffect["kind"]> = Extract<PoolEffect, { readonly kind: Kind }>;

/** What happened to a virtual server, for the event log and everybody who hears of events. */
export const reportOf = (
  served: Served,
  effect: PoolEffect,
  before: VirtualServerConfig,
  at: number,
): EventReport => ({ at, subject: served.name, ...factOf(served, effect, before) });

function factOf(served: Served, effect: PoolEffect, before: VirtualServerConfig): Fact {
  switch (effect.kind) {
    case "server":
      return stateFact(served, effect, served.nameOf(effect.server, before));
    case "weight":
      return weightFact(served, effect, served.nameOf(effect.server, before));
    case "quorum":
      return quorumFact(served, effect);
    case "panic":
      return panicFact(effect);
    case "overruled":
      return overruledFact(effect);
    case "left": {
      const { server } = effect;
      const detail = { change: "left", service: served.name, server };
      const message = `${server} has left${whence(served)}`;
      return { kind: "real-server", level: "info", message, detail };
    }
  }
}

/** Of a target that is not configured any more, while the virtual server may be. */
function whence({ config }: Served): string {
  const [target, ...more] = config.realServers.length > 0 ? [] : targetsOf(config);
  if (target === undefined) return "";
  return ` ${serviceKey(target)}${more.length === 0 ? "" : ` and ${more.length} more`}`;
}

function stateFact(
  { name: service, state }: Served,
  { server, up, reason, start }: Of<"server">,
  realServer: string,
): Fact {
  const weight = state.servers[server]?.weight ?? 0;
  return {
    kind: "real-server",
    level: up ? "info" : "warn",
    message: `${realServer} is ${up ? "up" : "down"}${reason === "" ? "" : `: ${reason}`}`,
    detail: { change: "state", service, realServer, server, up, weight, reason, start },
  };
}

function weightFact(
  { name: service, state }: Served,
  { server, before, after: weight }: Of<"weight">,
  realServer: string,
): Fact {
  const up = state.servers[server]?.up ?? false;
  return {
    kind: "real-server",
    level: "info",
    message: `${realServer} changes its weight from ${before} to ${weight}`,
    detail: { change: "weight", service, realServer, server, up, weight, before },
  };
}

function quorumFact(
  { name: service, config: { sorryServer } }: Served,
  { up, weight, threshold, alive, start }: Of<"quorum">,
): Fact {
  const word = up ? "has its quorum" : "has no quorum";
  const sorry = sorryServer === undefined || up ? "" : "; the sorry server takes its traffic";
  return {
    kind: "quorum",
    level: up ? "info" : "warn",
    message: `${word}: weight ${weight}, where ${threshold} is wanted${sorry}`,
    detail: { service, up, start, weight, threshold, alive },
  };
}

const overruledFact = ({ emptied, of }: Of<"overruled">): Fact => ({
  kind: "alarm",
  level: emptied > 0 ? "error" : "info",
  message:
    emptied > 0
      ? `a policy gives weight 0 to ${emptied} of ${of} real servers, which is more than ` +
        "holdfast_panic allows: its weights do not count"
      : "the weights that a policy gives count again",
  detail: { alarm: "weights-overruled", emptied, of },
});

const panicFact = ({ held, up }: Of<"panic">): Fact => ({
  kind: "alarm",
  level: held > 0 ? "error" : "info",
  message:
    held > 0
      ? `${held} real servers fell at once and ${up} are left: they are held in the pool, ` +
        "as it may be this node that lost its network"
      : `real servers answer again (${up} of them): what fell is believed`,
  detail: { alarm: "mass-failure", held, up },
});
