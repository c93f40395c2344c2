import type { CheckStatus } from "../../control/protocol.ts";
import type { BalanceShape } from "../../policy/balance-shape.ts";
import { isBalanced } from "../../policy/balance-shape.ts";
import type { BalanceAnswer } from "./balance-answer.ts";
import type { PolicyWorld } from "./policy-world.ts";
import type { BalanceOwner } from "./service-balance.ts";
import { ServiceBalance } from "./service-balance.ts";

const NOTHING: ReadonlyMap<string, BalanceAnswer> = new Map();

/** The services that one policy balances. They outlive its versions. */
export class BalanceSet {
  readonly #world: PolicyWorld;
  readonly #owner: BalanceOwner;
  readonly #balances = new Map<string, ServiceBalance>();
  /** Services that it asks for and that there are. */
  readonly #wanted = new Set<string>();
  /** Those of them that it was told it does not have. */
  readonly #refused = new Set<string>();
  /** Names that it asks for and that were said not to be there. */
  readonly #missing = new Set<string>();
  #shape: BalanceShape | undefined;

  constructor(world: PolicyWorld, owner: BalanceOwner) {
    this.#world = world;
    this.#owner = owner;
  }

  /** Services that a shape would balance now: not those that are another policy's. */
  servicesOf(shape: BalanceShape): readonly string[] {
    const { policy } = this.#owner;
    return this.#asked(shape).filter((service) => {
      const holder = this.#world.seats.holder(service);
      return holder === undefined || policy <= holder;
    });
  }

  /** The last run for this service failed. */
  failing(service: string): boolean {
    return this.#balances.get(service)?.failing ?? false;
  }

  /** This is declared now; `undefined`: nothing. `found`: what first runs came to, by service. */
  declare(shape: BalanceShape | undefined, found: ReadonlyMap<string, BalanceAnswer>): void {
    this.#shape = shape;
    if (shape !== undefined) {
      for (const balance of this.#balances.values()) {
        if (isBalanced(shape, balance.service))
          balance.configure(shape, found.get(balance.service));
      }
    }
    this.look(found);
  }

  /** There may be other services. */
  look(found: ReadonlyMap<string, BalanceAnswer> = NOTHING): void {
    if (this.#shape === undefined && this.#wanted.size === 0) return;
    const asked = new Set(this.#shape === undefined ? [] : this.#asked(this.#shape));
    this.#warnOfStrangers();
    for (const service of [...this.#wanted]) if (!asked.has(service)) this.#leave(service);
    const { seats } = this.#world;
    for (const service of asked) {
      if (this.#wanted.has(service)) continue;
      this.#wanted.add(service);
      seats.want(service, this.#owner.policy, () => this.#seated(service, NOTHING));
      this.#seated(service, found);
    }
  }

  /** A real server of this service came up, went down, or an operator said something of it. */
  hasten(service: string): void {
    this.#balances.get(service)?.hasten();
  }

  /** Runs that could not be: they can now. */
  retry(): void {
    for (const balance of this.#balances.values()) balance.retry();
  }

  status(): readonly CheckStatus[] {
    return [...this.#balances.values()].map((balance) => balance.status());
  }

  /** Nothing is asked any more; what holds stays. */
  stop(): void {
    for (const balance of this.#balances.values()) balance.stop();
  }

  /** Nothing of it holds any more. */
  close(): void {
    this.#shape = undefined;
    this.look();
  }

  #asked(shape: BalanceShape): readonly string[] {
    const names = this.#world.ports.services?.names() ?? [];
    return names.filter((service) => isBalanced(shape, service));
  }

  /** A misspelt name would move nothing, in silence. */
  #warnOfStrangers(): void {
    const there = new Set(this.#world.ports.services?.names());
    // They all come at once.
    if (there.size === 0) return;
    for (const service of this.#shape?.services ?? []) {
      if (service.includes("*") || there.has(service)) this.#missing.delete(service);
      else if (!this.#missing.has(service)) {
        this.#missing.add(service);
        const message = `there is no virtual_server ${service} for it to balance`;
        this.#owner.tell("warn", message, { service });
      }
    }
  }

  #leave(service: string): void {
    this.#wanted.delete(service);
    this.#refused.delete(service);
    this.#balances.get(service)?.close();
    this.#balances.delete(service);
    this.#world.seats.leave(service, this.#owner.policy);
  }

  /** It has the service now, or another policy has. */
  #seated(service: string, found: ReadonlyMap<string, BalanceAnswer>): void {
    const { policy } = this.#owner;
    const holder = this.#world.seats.holder(service);
    if (holder === policy) {
      this.#refused.delete(service);
      if (this.#balances.has(service) || this.#shape === undefined) return;
      const balance = new ServiceBalance(this.#world, this.#owner, this.#shape, service);
      this.#balances.set(service, balance);
      balance.start(found.get(service));
      return;
    }
    this.#balances.get(service)?.close();
    this.#balances.delete(service);
    if (this.#refused.has(service)) return;
    this.#refused.add(service);
    const message =
      `it may not balance ${service}: the policy ${holder} does, and of two the first in the ` +
      "alphabet; take the service out of one of them";
    this.#owner.tell("error", message, { service, holder });
  }
}
