import type { CheckStatus } from "../../control/protocol.ts";
import type { Instant } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { CheckShape } from "../../policy/check-shape.ts";
import type { Slot } from "../schedule.ts";
import type { CheckAnswer } from "./check-answer.ts";
import type { CheckOwner } from "./policy-check.ts";
import { PolicyCheck } from "./policy-check.ts";
import type { PolicyWorld } from "./policy-world.ts";

/** Changes of what checks look at make them run at most this often. */
const HASTE = milliseconds(10);

/** The checks of one policy. They outlive its versions: a verdict is not forgotten for an edit. */
export class CheckSet {
  readonly #world: PolicyWorld;
  readonly #owner: CheckOwner;
  readonly #checks = new Map<string, PolicyCheck>();
  readonly #slot: Slot;
  #hastenedAt: Instant | undefined;

  constructor(world: PolicyWorld, owner: CheckOwner) {
    this.#world = world;
    this.#owner = owner;
    this.#slot = world.schedule.slot(() => this.#hasten());
  }

  get names(): readonly string[] {
    return [...this.#checks.keys()];
  }

  /** The last run of this check failed. */
  failing(name: string): boolean {
    return this.#checks.get(name)?.failing ?? false;
  }

  /** These are declared now. `found`: what first runs of them came to. */
  declare(shapes: readonly CheckShape[], found: ReadonlyMap<string, CheckAnswer>): void {
    const declared = new Set(shapes.map(({ name }) => name));
    for (const [name, check] of [...this.#checks]) {
      if (declared.has(name)) continue;
      this.#checks.delete(name);
      check.close();
    }
    for (const shape of shapes) {
      const { name } = shape;
      const known = this.#checks.get(name);
      const check = known ?? new PolicyCheck(this.#world, this.#owner, shape);
      this.#checks.set(name, check);
      if (known === undefined) check.start(found.get(name));
      else check.configure(shape, found.get(name));
    }
  }

  /** What they look at has changed. */
  hasten(): void {
    const earliest = this.#hastenedAt && after(this.#hastenedAt, HASTE);
    if (earliest === undefined || earliest <= this.#world.ports.clock.now()) this.#hasten();
    else if (this.#slot.at === undefined) this.#slot.set(earliest);
  }

  /** Runs that could not be: they can now. */
  retry(): void {
    for (const check of this.#checks.values()) check.retry();
  }

  status(): readonly CheckStatus[] {
    return [...this.#checks.values()].map((check) => check.status());
  }

  /** Resolves when each of them has run once. */
  async judged(): Promise<void> {
    await Promise.all([...this.#checks.values()].map(({ judged }) => judged));
  }

  /** They run no more; what they claim stays. */
  stop(): void {
    this.#slot.set(undefined);
    for (const check of this.#checks.values()) check.stop();
  }

  /** They are declared no more: nothing of them holds. */
  close(): void {
    this.#slot.set(undefined);
    for (const check of this.#checks.values()) check.close();
    this.#checks.clear();
  }

  #hasten(): void {
    this.#hastenedAt = this.#world.ports.clock.now();
    for (const check of this.#checks.values()) check.hasten();
  }
}
