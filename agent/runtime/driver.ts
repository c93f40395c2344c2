import type { Machine } from "../core/machine.ts";
import type { Instant } from "../core/time.ts";
import type { VrrpEffect } from "../core/vrrp/effect.ts";
import type { VrrpTransition } from "../core/vrrp/entry.ts";
import type { VrrpEvent } from "../core/vrrp/event.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";
import type { Clock } from "../ports/clock.ts";
import type { Handlers } from "./execute.ts";
import { execute } from "./execute.ts";
import type { Journal } from "./journal.ts";
import type { Router } from "./router.ts";

export type VrrpMachine = Machine<VirtualRouter, VrrpState, VrrpEvent, VrrpEffect>;
export type VrrpHandlers = Handlers<Router, VrrpEffect>;

const TICK: VrrpEvent = { kind: "tick" };

/**
 * Steps machines. An event that an effect brings about waits until the effects before it are done,
 * so every router sees events in one order, and never one within another.
 */
export class Driver {
  readonly #machine: VrrpMachine;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #handlers: VrrpHandlers;
  readonly #stepped: (router: Router, before: VrrpState, transition: VrrpTransition) => void;
  readonly #waiting: { readonly router: Router; readonly event: VrrpEvent }[] = [];
  #stepping = false;

  /** `stepped` hears of every step, after its effects were executed. */
  constructor(
    machine: VrrpMachine,
    clock: Clock,
    journal: Journal,
    handlers: VrrpHandlers,
    stepped: (router: Router, before: VrrpState, transition: VrrpTransition) => void,
  ) {
    this.#machine = machine;
    this.#stepped = stepped;
    this.#clock = clock;
    this.#journal = journal;
    this.#handlers = handlers;
  }

  tick(router: Router, now: Instant): void {
    this.deliver(router, TICK, now);
  }

  deliver(router: Router, event: VrrpEvent, now: Instant = this.#clock.now()): void {
    if (this.#stepping) {
      this.#waiting.push({ router, event });
      return;
    }
    this.#stepping = true;
    this.#step(router, event, now);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#step(next.router, next.event, this.#clock.now());
    }
    this.#stepping = false;
  }

  #step(router: Router, event: VrrpEvent, now: Instant): void {
    const before = router.state;
    const transition = this.#machine.step(router.effective, before, event, now);
    const { state, effects } = transition;
    router.state = state;
    this.#journal.record({
      router: router.effective,
      before,
      event,
      at: now,
      after: state,
      effects,
    });
    if (state !== before || event === TICK) router.slot.set(this.#machine.deadline(state));
    execute(this.#handlers, router, effects);
    this.#stepped(router, before, transition);
  }
}
