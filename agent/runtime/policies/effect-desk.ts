import type { Json } from "../../../sdk/index.ts";
import type { RealmEffect } from "../../sandbox/sandbox.ts";
import { EffectLimit } from "./effect-limit.ts";
import type { PolicyEffect } from "./policy-effects.ts";
import { readEffect } from "./policy-effects.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { RouterLeases } from "./router-leases.ts";
import { ServerLeases } from "./server-leases.ts";

/** Does what one policy wants done, as far as it may. */
export class EffectDesk {
  readonly #world: PolicyWorld;
  readonly #policy: string;
  readonly #leases: RouterLeases;
  readonly #servers: ServerLeases;
  readonly #limit = new EffectLimit();

  constructor(world: PolicyWorld, policy: string) {
    this.#world = world;
    this.#policy = policy;
    this.#leases = new RouterLeases(world, policy);
    this.#servers = new ServerLeases(world, policy);
  }

  /** `decides`: it comes from the version that decides; one that is replaced moves nothing any more. */
  perform(
    effect: RealmEffect,
    permissions: Readonly<Record<string, Json>>,
    decides: boolean,
  ): void {
    const { outlet, ports, settings } = this.#world;
    const { admitted, over } = this.#limit.admit(effect.operation, ports.clock.now());
    if (over > 0) this.#complain(`it said too much; ${over} left out`);
    if (!admitted) return;
    const wanted = readEffect(effect, {
      policy: this.#policy,
      permissions,
      settingsFile: settings().settings.file,
      at: ports.clock.wallClock(),
    });
    if (wanted.kind === "log") {
      outlet.log(wanted.level, `policy ${this.#policy}: ${wanted.text}`);
    } else if (wanted.kind === "notice") ports.notify(wanted.notice);
    else if (wanted.kind === "lease") {
      if (decides) this.#leases.step(wanted.event);
    } else if (wanted.kind === "server-lease") {
      if (decides) this.#servers.step(wanted.event);
    } else {
      const wrong = wanted.kind === "refused" ? wanted.message : this.#measure(wanted);
      if (wrong !== undefined) this.#complain(wrong);
    }
  }

  /** Nothing of what it said holds any longer. */
  clear(): void {
    this.#leases.step({ kind: "clear-all" });
    this.#servers.step({ kind: "clear-all" });
    this.#world.ports.metrics.forget(this.#policy);
  }

  #measure({
    how,
    name,
    value,
    labels,
  }: Extract<PolicyEffect, { readonly kind: "metric" }>): string | undefined {
    return this.#world.ports.metrics[how](this.#policy, name, value, labels);
  }

  #complain(message: string): void {
    this.#world.outlet.log("warn", `policy ${this.#policy}: ${message}`);
  }
}
