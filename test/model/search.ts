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
export interface SearchResult<Choice> {
  /** Different worlds that were reached. */
  readonly worlds: number;
  /** Those in which hosts reach a node. */
  readonly reachable: number;
  readonly steps: number;
  /** Every world that can be reached, in as many choices as were asked for, was looked at. */
  readonly complete: boolean;
  /** The shortest way to a world in which hosts reach two nodes. */
  readonly counterexample: readonly Choice[] | undefined;
}

/** Looks at every world of two routers that can be reached, on the given machine. */
export function search(machine: SimulatedMachine, bounds: Bounds): SearchResult<Choice> {
  const tick = new Tick(routers(bounds.nodes, bounds.preempt), machine);
  return explore(
    {
      beginning: beginning(bounds.nodes, bounds.faults),
      choices,
      next: (world, choice) => tick.run(world, choice),
      reachable: ({ nodes }: ModelWorld) => nodes.filter(isReachable).length,
    },
    bounds,
  );
}

/** What may come of what. Worlds are plain JSON: two that print alike are one. */
export interface Space<World, Choice> {
  readonly beginning: World;
  choices(world: World): readonly Choice[];
  next(world: World, choice: Choice): World;
  /** How many nodes hosts reach: never two. */
  reachable(world: World): number;
}

export interface Extent {
  /** Stops after so many worlds. */
  readonly limit: number;
  /** Choices in a row, at the most; `undefined`: any number. */
  readonly depth?: number;
}

/** Looks at every world that can be reached, breadth first. */
export function explore<World, Choice>(
  space: Space<World, Choice>,
  { limit, depth = Number.POSITIVE_INFINITY }: Extent,
): SearchResult<Choice> {
  const found = new Worlds(space, limit, depth);
  for (let from = found.next(); from !== undefined; from = found.next()) {
    for (const choice of space.choices(from.world)) {
      if (found.add(space.next(from.world, choice), { from, choice })) continue;
      return found.result();
    }
  }
  return found.result();
}

interface Found<World, Choice> {
  readonly world: World;
  readonly by: { readonly from: Found<World, Choice>; readonly choice: Choice } | undefined;
}

/** The worlds that were reached, and those of them that are still to be looked at. */
class Worlds<World, Choice> {
  readonly #space: Space<World, Choice>;
  readonly #limit: number;
  readonly #depth: number;
  /** Choices in a row that lead to the worlds that are looked at. */
  #at = -1;
  readonly #seen = new Set<string>();
  #edge: Found<World, Choice>[] = [];
  #next: Found<World, Choice>[] = [];
  #steps = 0;
  #reachable = 0;
  #broken: Found<World, Choice> | undefined;
  #complete = false;

  constructor(space: Space<World, Choice>, limit: number, depth: number) {
    this.#space = space;
    this.#limit = limit;
    this.#depth = depth;
    this.add(space.beginning, undefined);
  }

  next(): Found<World, Choice> | undefined {
    if (this.#edge.length === 0) {
      this.#at += 1;
      this.#edge = this.#next.reverse();
      this.#next = [];
    }
    const found = this.#edge.pop();
    this.#complete = found === undefined || this.#at === this.#depth;
    return this.#complete ? undefined : found;
  }

  /** Answers whether the search goes on. */
  add(world: World, by: Found<World, Choice>["by"]): boolean {
    this.#steps += 1;
    const key = JSON.stringify(world);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    const found = { world, by };
    this.#next.push(found);
    const count = this.#space.reachable(world);
    if (count > 0) this.#reachable += 1;
    if (count > 1) this.#broken = found;
    return this.#broken === undefined && this.#seen.size < this.#limit;
  }

  result(): SearchResult<Choice> {
    return {
      worlds: this.#seen.size,
      reachable: this.#reachable,
      steps: this.#steps,
      complete: this.#complete,
      counterexample: this.#broken === undefined ? undefined : wayTo(this.#broken),
    };
  }
}

function wayTo<World, Choice>(found: Found<World, Choice>): readonly Choice[] {
  const way: Choice[] = [];
  for (let at: Found<World, Choice> | undefined = found; at?.by !== undefined; at = at.by.from) {
    way.push(at.by.choice);
  }
  return way.reverse();
}
