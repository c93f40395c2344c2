import { seconds } from "../../agent/core/time.ts";
import type { FenceProblem } from "../../agent/core/witness/mandate.ts";
import { cutPower, start } from "./lifecycle.ts";
import type { Node } from "./node.ts";
import type { World } from "./world.ts";

/** What becomes of the agents that a host runs. */
export type FenceTrouble = "fails" | "hangs";

/** An agent is killed then, and has failed. */
export const FENCE_TIMEOUT = seconds(3);
/** The longest that a sound device takes. */
const SLOWEST = 1_500_000;
/** After so long at the most somebody switches on what was switched off. */
export const OPERATOR = 15_000_000;

const FAILED: FenceProblem = { reason: "the agent ended with status 1", remedy: null };
const KILLED: FenceProblem = { reason: "the agent did not end in time", remedy: null };

/** A device for each host, which cuts its power; every other host may use it. */
export class Fences {
  readonly trouble = new Map<Node, FenceTrouble>();
  /** Agents that were begun, ever. */
  begun = 0;
  /** Who ran the last one. */
  lastBy: Node | undefined;
  readonly #world: World;
  readonly #hosts: readonly Node[];

  constructor(world: World, hosts: readonly Node[]) {
    this.#world = world;
    this.#hosts = hosts;
  }

  heal(): void {
    this.trouble.clear();
  }

  /**
   * Runs the agents of all other hosts, one after the other: the first that fails ends it.
   * @param done `undefined`: all of them succeeded
   */
  run(host: Node, done: (problem: FenceProblem | undefined) => void): void {
    this.#turnOff(
      host,
      this.#hosts.filter((other) => other !== host),
      done,
    );
  }

  #turnOff(
    host: Node,
    [target, ...rest]: readonly Node[],
    done: (problem: FenceProblem | undefined) => void,
  ): void {
    if (target === undefined) {
      done(undefined);
      return;
    }
    this.begun += 1;
    this.lastBy = host;
    const { prng } = this.#world;
    const trouble = this.trouble.get(host);
    const took = trouble === "hangs" ? FENCE_TIMEOUT : 20_000 + prng.next() * SLOWEST;
    // One that hangs may have got through to its device: what was done is not known.
    const acts = trouble === undefined || (trouble === "hangs" && prng.chance(0.3));
    const at = took * prng.next();
    this.#world.after(at, () => {
      // Of a host that went off meanwhile the order may be on its way, or not.
      if (acts && (host.powered || prng.chance(0.5))) this.#cut(target);
    });
    this.#world.after(took, () => {
      if (!host.powered) return;
      if (trouble === "fails") done(FAILED);
      else if (trouble === "hangs") done(KILLED);
      else this.#turnOff(host, rest, done);
    });
  }

  #cut(target: Node): void {
    if (!target.powered) return;
    cutPower(target);
    const world = this.#world;
    world.after(world.prng.between(1_000_000, OPERATOR), () => start(world, target));
  }
}
