import type { ServerCheckConfig } from "../../../agent/config/virtual-servers.ts";
import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import { placeOf } from "./plan.ts";
import type { Time } from "./time.ts";

/** How one port of a host answers. */
export type Manner =
  | { readonly kind: "good"; readonly ms: number }
  | { readonly kind: "refuses" }
  | { readonly kind: "silent" };

export const WELL: Manner = { kind: "good", ms: 5 };

/** What is missed counts just before whoever looks notices. */
const EARLIER = 1;

/** The hosts that real servers run on, and the network between them and the checks. */
export class Hosts {
  /** The checks reach nobody. */
  unreachable = false;
  /** What a host says its weight is. */
  readonly says = new Map<number, number>();
  readonly #manners = new Map<string, Manner>();
  /** Since when a port answers as it does, or the network is as it is. */
  readonly #since = new Map<string, number>();
  /** Bad looks in a row, as whoever looked would know them. */
  readonly #misses = new Map<string, number>();
  #networkSince = 0;
  readonly #time: Time;

  constructor(time: Time) {
    this.#time = time;
  }

  set(last: number, port: number, manner: Manner): void {
    this.#manners.set(`${last}:${port}`, manner);
    this.#since.set(`${last}:${port}`, this.#time.now);
  }

  reach(reachable: boolean): void {
    if (this.unreachable === !reachable) return;
    this.unreachable = !reachable;
    this.#networkSince = this.#time.now;
  }

  /** What a check that looks long enough must find, and since when that is so. */
  truth(check: ServerCheckConfig): { readonly good: boolean; readonly since: number } {
    const { timing } = check;
    const place = placeOf(check);
    const manner = this.#manner(place);
    const since = this.#since.get(place) ?? 0;
    const good = !this.unreachable && manner.kind === "good" && manner.ms * 1_000 < timing.timeout;
    return { good, since: Math.max(since, this.#networkSince) };
  }

  /** How often in a row looks at it have failed. */
  misses(check: ServerCheckConfig): number {
    return this.#misses.get(placeOf(check)) ?? 0;
  }

  /** What its host says its weight is, unless it says nothing. */
  weight(check: ServerCheckConfig): number | undefined {
    return this.says.get(hostOf(placeOf(check)));
  }

  /** Nobody remembers what was looked at before: a director is new. */
  forget(): void {
    this.#misses.clear();
  }

  /** One look. `answer` is called when its answer arrives, if any does. */
  look(check: Pick<ServerCheckConfig, "probe">, timeout: number, answer: Answer): void {
    const place = placeOf(check);
    const manner = this.#manner(place);
    if (this.unreachable || manner.kind === "silent") {
      this.#time.later(timeout - EARLIER, () => this.#missed(place));
      return;
    }
    if (manner.kind === "refuses") {
      this.#time.later(1_000, () => {
        this.#missed(place);
        answer({ ok: false, reason: "connection refused", ms: 1 });
      });
      return;
    }
    const { ms } = manner;
    const weight = this.says.get(hostOf(place));
    if (ms * 1_000 >= timeout) this.#time.later(timeout - EARLIER, () => this.#missed(place));
    this.#time.later(ms * 1_000, () => {
      const outcome = { ok: true, reason: "connected", ms };
      const waits = answer(weight === undefined ? outcome : { ...outcome, weight });
      // Of an answer that waits nobody can tell when it came.
      if (waits || ms * 1_000 < timeout) this.#misses.set(place, 0);
    });
  }

  #manner(place: string): Manner {
    return this.#manners.get(place) ?? WELL;
  }

  #missed(place: string): void {
    this.#misses.set(place, (this.#misses.get(place) ?? 0) + 1);
  }
}

/** Answers whether it waits, as whoever looks does not run. */
type Answer = (outcome: ProbeOutcome) => boolean;

const hostOf = (place: string): number => Number(place.slice(0, place.indexOf(":")));
