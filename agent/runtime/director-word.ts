import type { Board, BoardEffect, BoardEvent, BoardState } from "../core/track/board.ts";
import type { ClaimInForce } from "../core/track/readings.ts";
import { claims, claimsOn, readingOf, readings } from "../core/track/readings.ts";
import type { Claim, Reading, TrackerId } from "../core/track/tracking.ts";
import type { Clock } from "../ports/clock.ts";
import type { TrackingMessage } from "./ipc.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Who has to know that the director's word is another one. */
export interface WordListener {
  trackersChanged(trackers: readonly string[]): void;
  claimsChanged(routers: readonly string[]): void;
  /** Anything may have changed. */
  allChanged(): void;
  /** Nobody keeps these up any more, and what was to hold then does. */
  lapsed(what: "readings" | "claims", keys: readonly string[]): void;
}

/** What the director says of trackers and routers, for as long as it holds. */
export class DirectorWord {
  readonly #readings: Post<Reading>;
  readonly #claims: Post<readonly Claim[]>;

  constructor(clock: Clock, schedule: Schedule, listener: WordListener) {
    this.#readings = new Post(readings, clock, schedule, {
      changed: (keys) => listener.trackersChanged(keys),
      spoken: () => listener.allChanged(),
      lapsed: (keys) => listener.lapsed("readings", keys),
    });
    this.#claims = new Post(claims, clock, schedule, {
      changed: (keys) => listener.claimsChanged(keys),
      spoken: () => listener.allChanged(),
      lapsed: (keys) => listener.lapsed("claims", keys),
    });
  }

  hear(message: TrackingMessage): void {
    const { complete } = message;
    if (message.kind === "readings") {
      this.#readings.step({ kind: "said", complete, entries: message.entries });
    } else {
      this.#claims.step({ kind: "said", complete, entries: message.entries });
    }
  }

  /** It is gone, or is waited for from now on: the time for its word runs. */
  lost(): void {
    this.#readings.step({ kind: "lost" });
    this.#claims.step({ kind: "lost" });
  }

  reading(tracker: TrackerId): Reading {
    return readingOf(this.#readings.state, tracker);
  }

  claims(router: string): readonly ClaimInForce[] {
    return claimsOn(this.#claims.state, router);
  }

  /** Policies may be about to claim something: nothing was said yet, and there is time left. */
  get claimsExpected(): boolean {
    const { spoken, lapsed } = this.#claims.state;
    return !spoken && !lapsed;
  }
}

interface Effects {
  changed(keys: readonly string[]): void;
  spoken(): void;
  lapsed(keys: readonly string[]): void;
}

/** A board with its deadline. */
class Post<Value> {
  state: BoardState<Value>;
  readonly #board: Board<Value>;
  readonly #clock: Clock;
  readonly #effects: Effects;
  readonly #slot: Slot;

  constructor(board: Board<Value>, clock: Clock, schedule: Schedule, effects: Effects) {
    this.state = board.initial;
    this.#board = board;
    this.#clock = clock;
    this.#effects = effects;
    this.#slot = schedule.slot(() => this.step({ kind: "tick" }));
  }

  step(event: BoardEvent<Value>): void {
    const { state, effects } = this.#board.step(undefined, this.state, event, this.#clock.now());
    this.state = state;
    this.#slot.set(this.#board.deadline(state));
    for (const effect of effects) this.#act(effect);
  }

  #act(effect: BoardEffect): void {
    if (effect.kind === "changed") this.#effects.changed(effect.keys);
    else if (effect.kind === "spoken") this.#effects.spoken();
    else this.#effects.lapsed(Object.keys(this.state.entries));
  }
}
