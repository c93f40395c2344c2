import type { BalancedService } from "../../sdk/index.ts";
import type { ServerChange, ServiceStart } from "../../sdk/testing.ts";
import type { DestinationKey } from "../core/ipvs/service.ts";
import type { ServerWeights } from "../core/policy/server-weights.ts";
import type { PoolEffect, ServerClaim } from "../core/virtual-server/pool.ts";
import type { EventReport } from "../runtime/ipc.ts";
import type { ServicePorts } from "../runtime/policies/ports.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { VirtualService } from "./virtual-service.ts";

/** Who hears of what happens to services. */
export interface ServicesListener {
  /** As the agent tells it. */
  happened(report: EventReport): void;
  /** Weights that a policy gave: for the timeline, and no event. */
  weighed(report: EventReport): void;
}

/** The services of the node, as policies see and move them. */
export class VirtualServices implements ServicePorts {
  readonly #clock: VirtualClock;
  readonly #listener: ServicesListener;
  readonly #services = new Map<string, VirtualService>();
  /** Counts what a view would show otherwise. */
  changes = 0;

  constructor(clock: VirtualClock, listener: ServicesListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Throws a TypeError for what cannot be. */
  add(name: string, start: ServiceStart): void {
    this.#services.set(name, new VirtualService(this.#clock, name, start));
  }

  names(): readonly string[] {
    return [...this.#services.keys()];
  }

  views(): readonly BalancedService[] {
    return [...this.#services.values()].map((service) => service.view());
  }

  look(service: string): Promise<BalancedService | undefined> {
    return Promise.resolve(this.#services.get(service)?.view());
  }

  /** Throws a TypeError when there is none. */
  view(name: string): BalancedService {
    return this.#service(name).view();
  }

  /** A real server, `service/address:port`, is another one from now on. Throws a TypeError for none. */
  change(name: string, change: ServerChange): void {
    const slash = name.lastIndexOf("/");
    const service = this.#service(name.slice(0, Math.max(slash, 0)));
    const key = service.keyOf(name.slice(slash + 1));
    this.#came(service, service.change(key, change));
    if (change.order === undefined) return;
    const { order } = service.view().realServers.find((each) => each.key === key) ?? {};
    const detail = { change: "override", service: service.name, server: key };
    const message = `${key}: ${order ?? "undrain"}, by operator`;
    this.#listener.happened(this.#report("real-server", service, message, detail));
  }

  claim(name: string, source: string, claim: ServerClaim | undefined): void {
    const slash = name.lastIndexOf("/");
    const service = this.#services.get(name.slice(0, Math.max(slash, 0)));
    const server = name.slice(slash + 1);
    if (service?.has(server) !== true) return;
    this.#came(service, service.take({ kind: "claim", server, source, claim }));
  }

  balance(name: string, source: string, weights: ServerWeights | undefined): void {
    const service = this.#services.get(name);
    if (service === undefined) return;
    this.#came(service, service.take({ kind: "balance", source, weights: weights ?? {} }));
    const now = service.view().realServers.map(({ key, weight }) => `${key} ${weight}`);
    const message = `weights ${weights === undefined ? "as configured" : "by the policy"}: ${now.join(", ")}`;
    this.#listener.weighed(this.#report("real-server", service, message, {}));
  }

  #service(name: string): VirtualService {
    const found = this.#services.get(name);
    if (found !== undefined) return found;
    const there = this.names().join(", ");
    throw new TypeError(`there is no service ${name}; there is ${there || "none"}`);
  }

  #came(service: VirtualService, effects: readonly PoolEffect[]): void {
    this.changes += 1;
    for (const effect of effects) {
      const report = this.#reportOf(service, effect);
      if (report !== undefined) this.#listener.happened(report);
    }
  }

  #reportOf(service: VirtualService, effect: PoolEffect): EventReport | undefined {
    const { name } = service;
    switch (effect.kind) {
      case "server": {
        const { server, up, reason } = effect;
        const words = `${server} is ${up ? "up" : "down"}${reason === "" ? "" : `: ${reason}`}`;
        const detail = {
          change: "state",
          service: name,
          server,
          up,
          weight: weightIn(service, server),
        };
        return this.#report("real-server", service, words, detail);
      }
      case "weight": {
        const { server, before, after: weight } = effect;
        const up = service.view().realServers.some((each) => each.key === server && each.up);
        const words = `${server} changes its weight from ${before} to ${weight}`;
        const detail = { change: "weight", service: name, server, up, weight };
        return this.#report("real-server", service, words, detail);
      }
      case "quorum": {
        const { up, alive } = effect;
        const words = up ? "has its quorum" : "has no quorum";
        return this.#report("quorum", service, words, { service: name, up, alive });
      }
      case "panic": {
        const words = effect.held > 0 ? `${effect.held} are held in the pool` : "none is held";
        return this.#report("alarm", service, words, { alarm: "mass-failure" });
      }
      case "overruled": {
        const { emptied, of } = effect;
        const words =
          emptied > 0 ? `weight 0 for ${emptied} of ${of}: no weight counts` : "weights count";
        return this.#report("alarm", service, words, { alarm: "weights-overruled" });
      }
      case "left":
        return undefined;
    }
  }

  #report(
    kind: EventReport["kind"],
    { name }: VirtualService,
    message: string,
    detail: EventReport["detail"],
  ): EventReport {
    return { at: this.#clock.wallClock(), kind, level: "info", subject: name, message, detail };
  }
}

const weightIn = (service: VirtualService, server: DestinationKey): number =>
  service.view().realServers.find(({ key }) => key === server)?.weight ?? 0;
