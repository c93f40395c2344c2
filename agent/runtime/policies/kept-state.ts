import { after, seconds } from "../../core/time.ts";
import type { SavedState } from "../../sandbox/sandbox.ts";
import type { Slot } from "../schedule.ts";
import type { PolicyWorld } from "./policy-world.ts";

/** What changes within this time is written once. */
const SAVE_DELAY = seconds(1);

/** What one policy remembers: in memory, and a little later on disk. */
export class KeptState {
  readonly #world: PolicyWorld;
  readonly #policy: string;
  readonly #slot: Slot;
  #text: SavedState;
  #failed = false;

  constructor(world: PolicyWorld, policy: string) {
    this.#world = world;
    this.#policy = policy;
    this.#text = world.memory.load(policy);
    this.#slot = world.schedule.slot(() => this.#save());
  }

  get text(): SavedState {
    return this.#text;
  }

  keep(text: SavedState): void {
    if (text === undefined || text === this.#text) return;
    this.#text = text;
    if (this.#slot.at === undefined) {
      this.#slot.set(after(this.#world.ports.clock.now(), SAVE_DELAY));
    }
  }

  /** Writes what is not written yet. */
  flush(): void {
    if (this.#slot.at !== undefined) this.#save();
  }

  #save(): void {
    this.#slot.set(undefined);
    if (this.#text === undefined) return;
    const why = this.#world.memory.save(this.#policy, this.#text);
    const failed = why !== undefined;
    if (failed && !this.#failed) {
      const message = `the state of policy ${this.#policy} cannot be written: ${why}`;
      this.#world.outlet.log("warn", message);
    }
    this.#failed = failed;
  }
}
