import type { RouteConfig, RuleConfig } from "../config/config.ts";
import type { AddressRequest, Network, RequestOutcome } from "../ports/network.ts";
import type { AddressHolding, Holding, HoldingKind } from "./holding.ts";
import { batches, keyOf, request } from "./holding.ts";
import type { Item, Owner } from "./holding-item.ts";
import { isIdle, newItem, nextFor } from "./holding-item.ts";
import { LeftBehind } from "./left-behind.ts";

/** Hears what the host refused. */
export type Refused = (owners: readonly string[], holding: Holding, outcome: Refusal) => void;

type Refusal = Extract<RequestOutcome, { ok: false }>;

/** Sees to what must hold before an address is on the host, and as long as it is. */
export interface Guard {
  /** Also of an address that was there before us, and stays when we leave it. */
  readonly ofOthers: boolean;
  guards(holding: AddressHolding): boolean;
  /** Before the addresses are installed; answers why it cannot be done. */
  before(requests: readonly AddressRequest[]): Promise<Refusal | undefined>;
  /** Idempotent, also for what was never guarded. */
  release(request: AddressRequest): void;
}

const FIRST_IN: readonly HoldingKind[] = ["address", "rule", "route"];
const FIRST_OUT: readonly HoldingKind[] = ["route", "rule", "address"];

/**
 * What owners (virtual routers, the static section) hold on the host. The wishes of one turn become
 * one batch; what two owners hold stays until neither does; what was there before us stays for good.
 */
export class Holdings {
  readonly #network: Network;
  readonly #guards: readonly Guard[];
  readonly #refused: Refused;
  readonly #items = new Map<string, Item>();
  readonly #owners = new Map<string, Owner>();
  readonly #dirty = new Set<Item>();
  readonly #leftBehind = new LeftBehind();
  #scheduled = false;

  constructor(network: Network, guards: readonly Guard[], refused: Refused) {
    this.#network = network;
    this.#guards = guards;
    this.#refused = refused;
  }

  /** From now on, `name` wants exactly these on the host. */
  hold(name: string, wanted: readonly Holding[]): void {
    const owner = this.#owner(name);
    const dropped = new Set(owner.items);
    for (const holding of wanted) {
      const item = this.#item(holding);
      dropped.delete(item);
      item.wanted = holding;
      item.owners.add(owner);
      owner.items.add(item);
      this.#touch(item, owner);
    }
    for (const item of dropped) {
      owner.items.delete(item);
      item.owners.delete(owner);
      this.#touch(item, owner);
    }
  }

  /**
   * Calls `done` when the kernel has answered everything that `name` wanted: perhaps at once. `gone`:
   * nothing that it gave up is there any more, but for others' sake.
   */
  whenSettled(name: string, done: (gone: boolean) => void): void {
    const owner = this.#owners.get(name);
    if (owner === undefined || owner.unsettled.size === 0) done(owner?.stuck !== true);
    else owner.settled.push(done);
  }

  /**
   * Resolves when nothing is on the host any more of the addresses that `name` gave up, but for others' sake.
   * `stuck` is called if the host does not let go of some.
   */
  async whenGone(name: string, stuck: (left: readonly AddressRequest[]) => void): Promise<void> {
    await new Promise<void>((resolve) => this.whenSettled(name, () => resolve()));
    const left = this.#leftBehind.of(name);
    if (left.length === 0) return;
    stuck(left);
    await new Promise<void>((resolve) => this.#leftBehind.whenNone(name, resolve));
  }

  /** The host did not let go of some address that nobody wants any more. */
  get leavesAddresses(): boolean {
    return this.#leftBehind.any;
  }

  isHeld(key: string): boolean {
    return this.#items.get(key)?.actual !== undefined;
  }

  /**
   * The kernel says that this is gone. Answers who holds it, if it was not we who removed it: it is
   * then not there any more, until `putBack`.
   */
  gone(key: string): readonly string[] {
    const item = this.#items.get(key);
    if (item === undefined) return [];
    if (item.expectedRemovals > 0) {
      item.expectedRemovals -= 1;
      if (item.expectedRemovals === 0) this.#forget(item);
      return [];
    }
    item.disturbed = item.inFlight;
    if (item.actual === undefined || item.inFlight) return [];
    item.actual = undefined;
    // What the host refused to remove has gone by itself.
    if (item.owners.size === 0) this.#mark(item);
    return [...item.owners].map((owner) => owner.name);
  }

  /** The key under which this route or rule is held. */
  keyOf(config: RouteConfig | RuleConfig): string | undefined {
    for (const { key, actual } of this.#items.values()) {
      if (actual?.kind === "route" && actual.route === config) return key;
      if (actual?.kind === "rule" && actual.rule === config) return key;
    }
    return undefined;
  }

  /** Kernel events were lost: the ones expected may never come. */
  forgetExpected(): void {
    for (const item of this.#items.values()) {
      item.expectedRemovals = 0;
      this.#forget(item);
    }
  }

  /** Tries again what is wanted and not there. */
  putBack(key: string): void {
    const item = this.#items.get(key);
    if (item !== undefined) for (const owner of item.owners) this.#touch(item, owner);
  }

  /** Tries again whatever is wanted and not there. */
  putBackMissing(): void {
    for (const item of this.#items.values()) {
      if (item.owners.size > 0 && item.actual === undefined && !item.inFlight)
        this.putBack(item.key);
    }
  }

  /** Tries again what the host refused, to install as well as to remove. Answers whose it is. */
  retry(): ReadonlySet<string> {
    const owners = new Set<string>();
    for (const item of this.#items.values()) {
      if (!item.refused && item.failures === 0) continue;
      for (const owner of item.owners) {
        owners.add(owner.name);
        this.#touch(item, owner);
      }
      item.refused = false;
      item.failures = 0;
      this.#mark(item);
    }
    return owners;
  }

  /** Nothing is under way. */
  get settled(): boolean {
    if (this.#dirty.size > 0) return false;
    for (const item of this.#items.values()) if (item.inFlight) return false;
    return true;
  }

  /** The addresses that are there by our doing. */
  *addresses(): Generator<readonly [key: string, request: AddressRequest]> {
    for (const item of this.#items.values()) {
      if (item.actual?.kind === "address" && !item.inFlight) yield [item.key, item.actual.request];
    }
  }

  /** An address that is there by our doing and still wanted, while nothing is under way with it. */
  kept(key: string): AddressHolding | undefined {
    const item = this.#items.get(key);
    if (item?.actual?.kind !== "address" || item.foreign || item.inFlight) return undefined;
    return item.owners.size > 0 ? item.actual : undefined;
  }

  #owner(name: string): Owner {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const owner: Owner = {
      name,
      items: new Set(),
      unsettled: new Set(),
      settled: [],
      stuck: false,
    };
    this.#owners.set(name, owner);
    return owner;
  }

  #item(holding: Holding): Item {
    const key = keyOf(holding);
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    const item = newItem(key, holding);
    this.#items.set(key, item);
    return item;
  }

  #touch(item: Item, owner: Owner): void {
    item.refused = false;
    item.failures = 0;
    item.waiting.add(owner);
    owner.unsettled.add(item);
    this.#mark(item);
  }

  #mark(item: Item): void {
    this.#dirty.add(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After all effects of this turn: the takeover of 255 routers is one batch.
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const remove: Item[] = [];
    const install: Item[] = [];
    for (const item of this.#dirty) {
      if (item.inFlight) continue;
      this.#dirty.delete(item);
      const next = nextFor(item);
      if (next === "remove") remove.push(item);
      else if (next === "install") install.push(item);
      else this.#settle(item);
    }
    for (const kind of FIRST_OUT) {
      for (const batch of batches(remove, kind, (item) => item.actual ?? item.wanted)) {
        this.#remove(batch);
      }
    }
    for (const kind of FIRST_IN) {
      for (const batch of batches(install, kind, (item) => item.wanted)) this.#install(batch);
    }
  }

  #remove(batch: readonly Item[]): void {
    // Of routes and rules the port tells only what others removed.
    for (const item of batch) if (item.wanted.kind === "address") item.expectedRemovals += 1;
    const holdings = batch.map((item) => item.actual ?? item.wanted);
    this.#ask("remove", batch, holdings, (item, holding, outcome) => {
      item.doubtful = false;
      if (outcome.ok) {
        item.actual = undefined;
        item.failures = 0;
        return;
      }
      // It stays, and with it the duty to remove it: a peer may have it already.
      item.failures += 1;
      item.expectedRemovals = Math.max(0, item.expectedRemovals - 1);
      this.#tell(item, holding, outcome);
    });
  }

  #install(batch: readonly Item[]): void {
    const holdings = batch.map((item) => item.wanted);
    this.#ask("install", batch, holdings, (item, holding, outcome) => {
      const { disturbed } = item;
      item.disturbed = false;
      if (outcome.ok) {
        item.actual = disturbed ? undefined : holding;
        item.foreign = outcome.foreign;
        this.#release(
          holding,
          (guard) => !guards(guard, holding) || (item.foreign && !guard.ofOthers),
        );
      } else {
        item.refused = true;
        item.doubtful = outcome.errno === "ETIMEDOUT";
        this.#tell(item, holding, outcome);
      }
    });
  }

  #tell(item: Item, holding: Holding, outcome: Refusal): void {
    const owners = new Set([...item.owners, ...item.waiting]);
    this.#refused(
      [...owners].map((owner) => owner.name),
      holding,
      outcome,
    );
  }

  #ask(
    verb: "install" | "remove",
    batch: readonly Item[],
    holdings: readonly Holding[],
    apply: (item: Item, holding: Holding, outcome: RequestOutcome) => void,
  ): void {
    for (const item of batch) item.inFlight = true;
    // A rejection would be a bug of the port's: it answers outcomes. It then ends the process.
    void this.#request(verb, holdings).then((outcomes) => {
      for (const [at, item] of batch.entries()) {
        const outcome = outcomes[at];
        const holding = holdings[at];
        item.inFlight = false;
        this.#dirty.add(item);
        if (outcome !== undefined && holding !== undefined) apply(item, holding, outcome);
      }
      this.#flush();
    });
  }

  async #request(
    verb: "install" | "remove",
    holdings: readonly Holding[],
  ): Promise<readonly RequestOutcome[]> {
    for (const guard of verb === "install" ? this.#guards : []) {
      const guarded = holdings.flatMap((one) =>
        one.kind === "address" && guard.guards(one) ? one.request : [],
      );
      const problem = guarded.length === 0 ? undefined : await guard.before(guarded);
      // A batch is guarded as a whole. Without that, nothing of it may be on the host.
      if (problem !== undefined) return holdings.map(() => problem);
    }
    return request(this.#network, verb, holdings);
  }

  #release(holding: Holding, which: (guard: Guard) => boolean = () => true): void {
    if (holding.kind !== "address") return;
    for (const guard of this.#guards) if (which(guard)) guard.release(holding.request);
  }

  #settle(item: Item): void {
    const waiting = [...item.waiting];
    item.waiting.clear();
    const stuck = item.owners.size === 0 && item.actual !== undefined;
    if (!stuck) this.#leftBehind.forget(item);
    for (const owner of waiting) {
      if (stuck) this.#leftBehind.note(owner.name, item);
      owner.unsettled.delete(item);
      owner.stuck ||= stuck;
      if (owner.unsettled.size > 0) continue;
      for (const done of owner.settled.splice(0)) done(!owner.stuck);
      owner.stuck = false;
      if (owner.items.size === 0 && owner.unsettled.size === 0) this.#owners.delete(owner.name);
    }
    this.#forget(item);
  }

  #forget(item: Item): void {
    const idle = isIdle(item) && !this.#dirty.has(item);
    if (idle) this.#release(item.wanted);
    if (idle && item.expectedRemovals === 0) this.#items.delete(item.key);
  }
}

const guards = (guard: Guard, holding: Holding): boolean =>
  holding.kind === "address" && guard.guards(holding);
