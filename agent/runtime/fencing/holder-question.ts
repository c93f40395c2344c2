import type { Micros } from "../../core/time.ts";
import { after, milliseconds, since } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GatedAddress } from "../../ports/gate.ts";
import type { HolderProbes } from "../../ports/holder-probes.ts";
import type { Schedule, Slot } from "../schedule.ts";

/**
 * An answer on a segment takes less than a millisecond; a lost question must not count as silence, so
 * two in a row are asked.
 */
const ANSWER_LIMIT: Micros = milliseconds(10);
const SILENT_QUESTIONS = 2;
/** Later than this the answer was not waited for, but slept over. */
const LONGEST_QUESTION: Micros = milliseconds(30);
/** Whoever answered is asked again: it is about to let go. */
const PAUSE: Micros = milliseconds(5);

/** What it asks, and of whom. */
export interface Questions {
  readonly probes: HolderProbes;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Addresses of one router: one of each family is enough. */
  readonly addresses: readonly GatedAddress[];
  /** Nobody answers. */
  readonly silent: () => void;
}

/**
 * Asks the segment who holds some addresses, again and again until nobody answers. Where nothing can be
 * asked it never says so: then the lease of the other one has to run out.
 */
export class HolderQuestion {
  readonly #questions: Questions;
  readonly #pause: Slot;
  #silences = 0;
  #ended = false;

  constructor(questions: Questions) {
    this.#questions = questions;
    this.#pause = questions.schedule.slot(() => void this.#ask());
    if (questions.addresses.length > 0) void this.#ask();
  }

  end(): void {
    this.#ended = true;
    this.#pause.set(undefined);
  }

  async #ask(): Promise<void> {
    const { probes, addresses, clock, silent } = this.#questions;
    const askedAt = clock.now();
    const answers = await Promise.all(
      addresses.map(({ interfaceIndex, address }) =>
        probes.ask(interfaceIndex, address, ANSWER_LIMIT),
      ),
    );
    if (this.#ended || answers.some(({ kind }) => kind === "refused")) return;
    const nobody = answers.every(({ kind }) => kind === "silent");
    // After a stall it says nothing: somebody may have taken over meanwhile.
    const stale = since(askedAt, clock.now()) > LONGEST_QUESTION;
    this.#silences = nobody && !stale ? this.#silences + 1 : 0;
    if (this.#silences >= SILENT_QUESTIONS) silent();
    else if (nobody) void this.#ask();
    else this.#pause.set(after(clock.now(), PAUSE));
  }
}
