import type { SimulatedMachine } from "../sim/machine.ts";
import type { Choice } from "./successors.ts";
import { beginning, choices, Tick } from "./successors.ts";
import type { ModelWorld } from "./world.ts";
import { isReachable, routers } from "./world.ts";

/** What is searched. */
export interface Bounds {
  readonly nodes: number;
  readonly preempt: boolean;
  /** Deaths and later starts, besides the first start of each. Stalls are without bound. */
  readonly faults: number;
  /** Stops after so many worlds. */
  readonly limit: number;
}

/** How a search ended. */
export interface SearchResult {
  /** Different worlds that were reached. */
  readonly worlds: number;
  /** Those in which hosts reach a node. */
  readonly reachable: number;
  readonly steps: number;
  /** Every world that can be reached was looked at. */
  readonly complete: boolean;
  /** The shortest way to a world in which hosts reach two nodes. */
  readonly counterexample: readonly Choice[] | undefined;
}

/** Looks at every world that can be reached, breadth first, on the given machine. */
export function search(machine: SimulatedMachine, bounds: Bounds): SearchResult {
  const found = new Worlds(bounds);
  const tick = new Tick(routers(bounds.nodes, bounds.preempt), machine);
  for (let from = found.next(); from !== undefined; from = found.next()) {
    for (const choice of choices(from.world)) {
      if (found.add(tick.run(from.world, choice), { from, choice })) continue;
      return found.result();
    }
  }
  return found.result();
}

interface Found {
  readonly world: ModelWorld;
  readonly by: { readonly from: Found; readonly choice: Choice } | undefined;
}

/** The worlds that were reached, and those of them that are still to be looked at. */
class Worlds {
  readonly #limit: number;
  readonly #seen = new Set<string>();
  #edge: Found[] = [];
  #next: Found[] = [];
  #steps = 0;
  #reachable = 0;
  #broken: Found | undefined;
  #complete = false;

  constructor({ nodes, faults, limit }: Bounds) {
    this.#limit = limit;
    this.add(beginning(nodes, faults), undefined);
  }

  next(): Found | undefined {
    if (this.#edge.length === 0) {
      this.#edge = this.#next.reverse();
      this.#next = [];
    }
    const found = this.#edge.pop();
    this.#complete = found === undefined;
    return found;
  }

  /** Answers whether the search goes on. */
  add(world: ModelWorld, by: Found["by"]): boolean {
    this.#steps += 1;
    const key = JSON.stringify(world);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    const found: Found = { world, by };
    this.#next.push(found);
    const count = world.nodes.filter(isReachable).length;
    if (count > 0) this.#reachable += 1;
    if (count > 1) this.#broken = found;
    return this.#broken === undefined && this.#seen.size < this.#limit;
  }

  result(): SearchResult {
    return {
      worlds: this.#seen.size,
      reachable: this.#reachable,
      steps: this.#steps,
      complete: this.#complete,
      counterexample: this.#broken === undefined ? undefined : wayTo(this.#broken),
    };
  }
}

function wayTo(found: Found): readonly Choice[] {
  const way: Choice[] = [];
  for (let at: Found | undefined = found; at?.by !== undefined; at = at.by.from) {
    way.push(at.by.choice);
  }
  return way.reverse();
}
