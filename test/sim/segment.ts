import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";

/** Faults of one direction between two nodes. */
export interface Path {
  /** Probability that a packet is lost; 1: cut. */
  loss: number;
  /** Greatest delay in microseconds; more than one interval reorders. */
  delayMax: number;
  duplication: number;
}

export const CLEAN: Readonly<Path> = { loss: 0, delayMax: 300, duplication: 0 };

/** The paths of the LANs, each direction by itself, so that a link can fail one way. */
export class Segment {
  readonly #paths = new Map<string, Path>();
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  path(from: Node, to: Node): Path {
    const key = `${from.name}>${to.name}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = { ...CLEAN };
      this.#paths.set(key, path);
    }
    return path;
  }

  /** The delays after which copies of one packet arrive; none when it is lost. */
  deliveries(from: Node, to: Node): readonly number[] {
    if (from.lan !== to.lan || !from.linkUp || !to.linkUp) return [];
    const { loss, delayMax, duplication } = this.path(from, to);
    if (this.#prng.chance(loss)) return [];
    const delay = (): number => 20 + this.#prng.next() * delayMax;
    return this.#prng.chance(duplication) ? [delay(), delay()] : [delay()];
  }

  /** Everything that one sends reaches the other, soon. */
  isClean(from: Node, to: Node): boolean {
    if (from.lan !== to.lan) return false;
    const path = this.path(from, to);
    return from.linkUp && to.linkUp && path.loss === 0 && path.delayMax <= CLEAN.delayMax;
  }

  heal(): void {
    for (const path of this.#paths.values()) Object.assign(path, CLEAN);
  }
}
