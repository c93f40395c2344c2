import type { Instant } from "../core/time.ts";
import { after, milliseconds, seconds, since } from "../core/time.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import type { Clock } from "../ports/clock.ts";
import type { Router } from "./router.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Taken away this often within the span, an address is contested: another node had better have it. */
const CONTESTED = 3;
const SPAN = seconds(10);
/** A host that refuses all addresses of a router may grant them later; a peer has them meanwhile. */
const REFUSED_SPAN = seconds(120);
/** What comes sooner belongs to the same try. */
const NEXT_TRY = milliseconds(500);

interface Loss {
  readonly router: Router;
  readonly address: string;
  times: readonly Instant[];
  faulty: boolean;
  readonly slot: Slot;
}

/** Addresses that somebody else removes again and again, and the faults that follow. */
export class Losses {
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #changed: (router: Router) => void;
  readonly #losses = new Map<string, Loss>();

  /** `changed` hears when a router's faults are others than before. */
  constructor(clock: Clock, schedule: Schedule, changed: (router: Router) => void) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#changed = changed;
  }

  /** Answers whether the address should be put back. */
  lost(router: Router, address: string, tracked: boolean): boolean {
    const loss = this.#loss(router, address);
    const now = this.#clock.now();
    loss.times = [...loss.times.filter((at) => after(at, SPAN) > now), now].slice(-CONTESTED);
    loss.slot.set(after(now, SPAN));
    loss.faulty = tracked && loss.times.length >= CONTESTED;
    if (loss.faulty) this.#changed(router);
    return !loss.faulty;
  }

  /** The host refused every address of an active router. If the next try ends so too, it is in fault. */
  refused(router: Router): void {
    const loss = this.#loss(router, "all of its addresses");
    const now = this.#clock.now();
    const [first = now] = loss.times;
    loss.times = [first];
    loss.faulty = since(first, now) >= NEXT_TRY;
    loss.slot.set(after(now, REFUSED_SPAN));
    if (loss.faulty) this.#changed(router);
  }

  faultsOf(router: Router): readonly Fault[] {
    const faults: Fault[] = [];
    for (const loss of this.#losses.values()) {
      if (loss.router === router && loss.faulty) {
        faults.push({ cause: "address-lost", subject: loss.address });
      }
    }
    return faults;
  }

  #loss(router: Router, address: string): Loss {
    const key = `${router.id} ${address}`;
    const loss: Loss = this.#losses.get(key) ?? {
      router,
      address,
      times: [],
      faulty: false,
      slot: this.#schedule.slot(() => this.#forgive(key)),
    };
    this.#losses.set(key, loss);
    return loss;
  }

  #forgive(key: string): void {
    const loss = this.#losses.get(key);
    this.#losses.delete(key);
    if (loss?.faulty === true) this.#changed(loss.router);
  }
}
