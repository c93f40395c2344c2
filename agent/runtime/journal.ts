import type { Instant } from "../core/time.ts";
import type { VrrpEffect } from "../core/vrrp/effect.ts";
import type { VrrpEvent } from "../core/vrrp/event.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";

/** One step of one machine. Everything in it is immutable, so it is kept by reference. */
export interface Step {
  readonly router: VirtualRouter;
  readonly before: VrrpState;
  readonly event: VrrpEvent;
  readonly at: Instant;
  readonly after: VrrpState;
  readonly effects: readonly VrrpEffect[];
}

/** Rises when an older `replay` could misread a journal. */
export const JOURNAL_VERSION = 1;

/**
 * One line of a journal file. Configuration and state are written where they cannot be derived from
 * the line before of the same router.
 */
export type JournalLine =
  | { readonly journal: typeof JOURNAL_VERSION; readonly steps: number; readonly lost: number }
  | {
      readonly router: string;
      readonly at: Instant;
      readonly config?: VirtualRouter;
      readonly before?: VrrpState;
      readonly event: VrrpEvent;
      readonly after: VrrpState;
      readonly effects: readonly VrrpEffect[];
    };

/** The last steps of all machines of a process, oldest overwritten first. */
export class Journal {
  readonly #ring: (Step | undefined)[];
  #count = 0;

  constructor(capacity: number) {
    this.#ring = new Array<Step | undefined>(capacity).fill(undefined);
  }

  record(step: Step): void {
    this.#ring[this.#count % this.#ring.length] = step;
    this.#count += 1;
  }

  /** The steps that are kept now, oldest first. */
  steps(): readonly Step[] {
    const start = this.#count % this.#ring.length;
    const full = this.#count > this.#ring.length;
    const kept = full
      ? [...this.#ring.slice(start), ...this.#ring.slice(0, start)]
      : this.#ring.slice(0, this.#count);
    return kept.filter((step) => step !== undefined);
  }

  /** The journal as JSON documents, one a line. */
  *lines(): Generator<string> {
    const steps = this.steps();
    yield line({
      journal: JOURNAL_VERSION,
      steps: steps.length,
      lost: this.#count - steps.length,
    });
    const last = new Map<string, Step>();
    for (const step of steps) {
      const previous = last.get(step.router.name);
      last.set(step.router.name, step);
      yield line({
        router: step.router.name,
        at: step.at,
        ...(previous?.router === step.router ? {} : { config: step.router }),
        ...(previous?.after === step.before ? {} : { before: step.before }),
        event: step.event,
        after: step.after,
        effects: step.effects,
      });
    }
  }
}

const line = (value: JournalLine): string => JSON.stringify(value);
