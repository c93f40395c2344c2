import type { Micros } from "../../core/time.ts";
import { after, micros, milliseconds, seconds } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GatedAddress } from "../../ports/gate.ts";
import type { HolderProbes } from "../../ports/holder-probes.ts";
import type { Network } from "../../ports/network.ts";
import type { Router } from "../router.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** Each active router's turn comes so often, while there are few of them. */
const ROUND: Micros = seconds(5);
/** However many routers there are, the segments are asked no more often than this. */
const SHORTEST_PAUSE: Micros = milliseconds(50);
/** Nobody waits for these answers. */
const PATIENCE: Micros = milliseconds(100);
/** One answer, or one silence, may be that of a moment in which an address moves: it is asked again. */
const IN_A_ROW = 2;
const CONFIRMATION: Micros = seconds(1);

/** Another host that answers for an address. */
export interface OtherHolder {
  readonly address: string;
  /** Six octets, colons. */
  readonly mac: string;
}

export interface OtherHoldersParts {
  readonly probes: HolderProbes;
  readonly network: Pick<Network, "links">;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Where this router's addresses are, one of each family. */
  readonly askable: (router: Router) => readonly GatedAddress[];
  readonly found: (router: Router, holder: OtherHolder) => void;
  /** `left`: the router has given its addresses away. */
  readonly over: (router: Router, holder: OtherHolder, why: "silent" | "left") => void;
}

interface Watched {
  readonly router: Router;
  readonly again: Slot;
  answers: number;
  silences: number;
  told: OtherHolder | undefined;
}

/**
 * Asks, in turns, whether somebody else answers for the addresses of active routers. The rest of a node
 * that was killed is not heard: it advertises nothing and announces nothing, and answers for ever.
 */
export class OtherHolders {
  readonly #parts: OtherHoldersParts;
  readonly #watched = new Map<string, Watched>();
  readonly #turn: Slot;

  constructor(parts: OtherHoldersParts) {
    this.#parts = parts;
    this.#turn = parts.schedule.slot(() => this.#next());
  }

  /** The router has its addresses. Idempotent. */
  take(router: Router): void {
    if (this.#watched.has(router.id)) return;
    const again = this.#parts.schedule.slot(() => void this.#ask(watched));
    const watched: Watched = { router, again, answers: 0, silences: 0, told: undefined };
    this.#watched.set(router.id, watched);
    if (this.#turn.at === undefined) this.#pause();
  }

  /** What it was told of is of no concern to it now. */
  give(router: Router): void {
    const watched = this.#watched.get(router.id);
    this.#watched.delete(router.id);
    watched?.again.set(undefined);
    if (watched?.told !== undefined) this.#parts.over(router, watched.told, "left");
  }

  close(): void {
    for (const { again } of this.#watched.values()) again.set(undefined);
    this.#watched.clear();
    this.#turn.set(undefined);
  }

  #pause(): void {
    const count = this.#watched.size;
    const pause = micros(Math.max(SHORTEST_PAUSE, ROUND / Math.max(count, 1)));
    this.#turn.set(count === 0 ? undefined : after(this.#parts.clock.now(), pause));
  }

  /** Whose turn it was stands last. */
  #next(): void {
    const [first] = this.#watched;
    if (first !== undefined) {
      const [id, watched] = first;
      this.#watched.delete(id);
      this.#watched.set(id, watched);
      void this.#ask(watched);
    }
    this.#pause();
  }

  async #ask(watched: Watched): Promise<void> {
    const { router } = watched;
    // Until it has opened, its own question is under way.
    if (router.state.kind !== "active" || router.state.contest !== undefined) return;
    const { probes, askable } = this.#parts;
    const answers = await Promise.all(
      askable(router).map(async ({ interfaceIndex, address }) => {
        const answer = await probes.ask(interfaceIndex, address, PATIENCE);
        return { address, answer };
      }),
    );
    if (this.#watched.get(router.id) !== watched) return;
    const holders = answers.flatMap(({ address, answer }) =>
      answer.kind === "answered" && !this.#isOurs(answer.mac) ? { address, mac: answer.mac } : [],
    );
    const [holder] = holders;
    if (holder !== undefined) this.#answered(watched, holder);
    else if (answers.some(({ answer }) => answer.kind === "silent")) this.#silent(watched);
  }

  #answered(watched: Watched, holder: OtherHolder): void {
    watched.answers += 1;
    watched.silences = 0;
    if (watched.told?.mac === holder.mac) return;
    if (watched.answers < IN_A_ROW) {
      this.#confirm(watched);
      return;
    }
    if (watched.told !== undefined) this.#parts.over(watched.router, watched.told, "silent");
    watched.told = holder;
    this.#parts.found(watched.router, holder);
  }

  #silent(watched: Watched): void {
    watched.silences += 1;
    watched.answers = 0;
    if (watched.told === undefined) return;
    if (watched.silences < IN_A_ROW) {
      this.#confirm(watched);
      return;
    }
    this.#parts.over(watched.router, watched.told, "silent");
    watched.told = undefined;
  }

  #confirm({ again }: Watched): void {
    again.set(after(this.#parts.clock.now(), CONFIRMATION));
  }

  /** Also a virtual MAC, which both nodes have: there is no telling whose answer it is. */
  #isOurs(mac: string): boolean {
    return [...this.#parts.network.links().values()].some((link) => link.mac === mac);
  }
}
