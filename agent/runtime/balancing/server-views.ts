import type { ServiceView } from "../../../sdk/index.ts";
import type { DestinationKey, ServiceKey } from "../../core/ipvs/service.ts";
import { serviceKey } from "../../core/ipvs/service.ts";
import { takesPart } from "../../core/virtual-server/settle.ts";
import { presentWeight } from "../../core/virtual-server/weight.ts";
import { targetsOf } from "./adoption.ts";
import type { Counted } from "./connections.ts";
import type { Served } from "./served.ts";

type Count = (services: readonly ServiceKey[], server: DestinationKey) => Counted | undefined;

/** Services as policies see them. */
export const serverViews = (all: Iterable<Served>, count: Count): readonly ServiceView[] =>
  [...all].map((served): ServiceView => {
    const { name, state, config } = served;
    const services = targetsOf(config).map(serviceKey);
    return {
      name,
      quorum: state.quorum,
      realServers: [...served.names()].map(({ server, name: reference }) => {
        const found = state.servers[server];
        const up = found !== undefined && takesPart(found);
        return {
          name: reference,
          up,
          weight: up ? presentWeight(found) : 0,
          activeConnections: count(services, server)?.active ?? 0,
        };
      }),
    };
  });
