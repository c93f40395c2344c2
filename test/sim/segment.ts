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

const CALM_DELIVERY = [170];

/** The paths of the LANs, each direction by itself, so that a link can fail one way. */
export class Segment {
  readonly #paths = new Map<Node, Map<Node, Path>>();
  /** Every packet takes the same time; nothing is drawn. Only while all paths are clean. */
  calm = false;
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  path(from: Node, to: Node): Path {
    const known = this.#paths.get(from)?.get(to);
    if (known !== undefined) return known;
    const path = { ...CLEAN };
    const paths = this.#paths.get(from) ?? new Map<Node, Path>();
    this.#paths.set(from, paths.set(to, path));
    return path;
  }

  /** The delays after which copies of one packet arrive; none when it is lost. */
  deliveries(from: Node, to: Node): readonly number[] {
    if (from.lan !== to.lan || !from.linkUp || !to.linkUp) return [];
    if (this.calm) return CALM_DELIVERY;
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

  get allClean(): boolean {
    return this.#all().every(
      ({ loss, delayMax, duplication }) =>
        loss === 0 && duplication === 0 && delayMax <= CLEAN.delayMax,
    );
  }

  heal(): void {
    for (const path of this.#all()) Object.assign(path, CLEAN);
  }

  #all(): readonly Path[] {
    return [...this.#paths.values()].flatMap((paths) => [...paths.values()]);
  }
}
