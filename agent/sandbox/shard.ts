import type { EngineModule } from "./engine.ts";
import type { Bundled, FromWorker, ToWorker } from "./messages.ts";
import { Realm } from "./realm.ts";
import type { RunningSlot } from "./running.ts";
import type { RealmId, SandboxFailure, SavedState } from "./sandbox.ts";
import { LIMITS } from "./sandbox.ts";
import { SETUP } from "./setup.ts";
import { Throttle } from "./throttle.ts";
import type { RealmLoss, Turn } from "./turn.ts";

/** Realms in one module. */
const GROUP = SETUP.prepared;
/** A module with so much memory is left for another one: once it is full it is lost. */
const RECYCLE_BYTES = SETUP.moduleBytes * 0.75;

export interface ShardPorts {
  readonly openModule: () => Promise<EngineModule>;
  readonly tell: (message: FromWorker) => void;
  readonly running: RunningSlot;
  /** Wall-clock milliseconds. */
  readonly clock: () => number;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** One policy of this shard. */
interface Resident {
  readonly bundled: Bundled;
  readonly log: Throttle;
  readonly effects: Throttle;
  state: SavedState;
  view: string;
  lastCall: number;
  alone: boolean;
  realm: Realm | undefined;
  group: Group | undefined;
  /** Why there is no realm. */
  failure: SandboxFailure;
}

interface Group {
  readonly module: EngineModule;
  readonly members: Set<Resident>;
  readonly alone: boolean;
}

const CLOSED: SandboxFailure = { kind: "closed", message: "it is not loaded", stack: [] };
const MOVED: SandboxFailure = { kind: "moved", message: "it moved to another place", stack: [] };

/**
 * The realms of one thread: where they live, and what becomes of them when one fails. An interrupted
 * realm is made anew where it was; one that broke its module leaves the module, with all others in it,
 * to the garbage, and lives alone from then on.
 */
export class Shard {
  readonly #ports: ShardPorts;
  readonly #residents = new Map<RealmId, Resident>();
  readonly #groups = new Set<Group>();

  constructor(ports: ShardPorts) {
    this.#ports = ports;
  }

  async obey(message: ToWorker): Promise<void> {
    const resident = this.#residents.get(message.realm);
    switch (message.kind) {
      case "load":
        return this.#load(message);
      case "enter": {
        const realm = resident?.realm;
        if (resident === undefined || realm === undefined) {
          const failure = resident?.failure ?? CLOSED;
          const { realm: id } = message;
          const outcome = { ok: false, failure } as const;
          this.#ports.tell({ kind: "outcome", realm: id, id: message.id, outcome });
          return;
        }
        return this.#run(resident, () => realm.enter(message.id, message.entry));
      }
      case "settle": {
        const { call, ok, text } = message;
        return this.#run(resident, () => resident?.realm?.settle(call, ok, text));
      }
      case "abandon":
        return this.#run(resident, () => resident?.realm?.abandon(message.id));
      case "view":
        if (resident !== undefined) resident.view = message.view;
        resident?.realm?.view(message.view);
        return;
      case "unload":
        if (resident !== undefined) await this.#unload(resident);
        return;
    }
  }

  /** Lets guest code of a resident run, and carries out what came of it. */
  async #run(resident: Resident | undefined, act: () => Turn | undefined): Promise<void> {
    if (resident?.realm === undefined) return;
    const { running } = this.#ports;
    running.begin(resident.bundled.realm, "entry");
    const turn = act();
    running.end();
    if (turn === undefined) return;
    this.#hand(resident, turn);
    const { group } = resident;
    if (turn.lost !== undefined) await this.#recover(resident, turn.lost);
    else if (group !== undefined && group.module.memoryBytes() >= RECYCLE_BYTES) {
      await this.#recycle(group);
    }
  }

  async #load(bundled: Bundled): Promise<void> {
    const resident: Resident = {
      bundled,
      log: new Throttle(LIMITS.logLinesPerSecond),
      effects: new Throttle(LIMITS.effectsPerSecond),
      state: bundled.state,
      view: bundled.view,
      lastCall: bundled.lastCall,
      alone: bundled.alone,
      realm: undefined,
      group: undefined,
      failure: CLOSED,
    };
    const { realm } = bundled;
    this.#residents.set(realm, resident);
    const loaded = await this.#evaluate(resident);
    if (!loaded.ok) {
      this.#residents.delete(realm);
      const { failure } = loaded.loss;
      this.#ports.tell({ kind: "loaded", realm, result: { ok: false, failure } });
      await this.#abandonGroup(resident, loaded.loss);
      return;
    }
    const { shape } = loaded;
    this.#ports.tell({ kind: "loaded", realm, result: { ok: true, shape, state: resident.state } });
    this.#hand(resident, loaded.turn);
  }

  async #evaluate(resident: Resident) {
    const group = await this.#place(resident);
    const { running, clock } = this.#ports;
    const { bundle, realm, seed } = resident.bundled;
    running.begin(realm, "load");
    const { state, view, lastCall } = resident;
    const loaded = Realm.load(group.module, bundle, state, view, { clock, seed, lastCall });
    running.end();
    if (loaded.ok) {
      resident.realm = loaded.realm;
      resident.state = loaded.state ?? resident.state;
    } else resident.failure = loaded.loss.failure;
    return loaded;
  }

  /** A module with room for it. */
  async #place(resident: Resident): Promise<Group> {
    const fits = (group: Group): boolean =>
      !group.alone && group.members.size < GROUP && group.module.memoryBytes() < RECYCLE_BYTES;
    let group = resident.alone ? undefined : [...this.#groups].find(fits);
    if (group === undefined) {
      const module = await this.#ports.openModule();
      group = { module, members: new Set(), alone: resident.alone };
      this.#groups.add(group);
    }
    group.members.add(resident);
    resident.group = group;
    return group;
  }

  async #unload(resident: Resident): Promise<void> {
    this.#residents.delete(resident.bundled.realm);
    const { realm, group } = resident;
    if (realm === undefined || group === undefined) return;
    // Freeing a large heap takes its time, and its size is the policy's.
    this.#ports.running.begin(resident.bundled.realm, "load");
    const poisoned = !realm.dispose();
    this.#ports.running.end();
    resident.realm = undefined;
    await this.#abandonGroup(resident, { failure: CLOSED, poisoned });
  }

  /** After a strike: it runs again with its last good state. */
  async #recover(resident: Resident, loss: RealmLoss): Promise<void> {
    const { realm } = resident.bundled;
    this.#ports.tell({ kind: "struck", realm, failure: loss.failure });
    resident.realm = undefined;
    resident.alone ||= loss.poisoned || loss.failure.kind === "out-of-memory";
    await this.#abandonGroup(resident, loss);
    await this.#revive(resident);
  }

  async #revive(resident: Resident): Promise<void> {
    const { realm } = resident.bundled;
    const loaded = await this.#evaluate(resident);
    if (loaded.ok) {
      this.#ports.tell({ kind: "recovered", realm });
      this.#hand(resident, loaded.turn);
      return;
    }
    this.#ports.tell({ kind: "struck", realm, failure: loaded.loss.failure });
    await this.#abandonGroup(resident, loaded.loss);
  }

  /** It leaves its module; when that cannot be trusted any more, so do all others. */
  async #abandonGroup(resident: Resident, { poisoned }: RealmLoss): Promise<void> {
    const { group } = resident;
    resident.group = undefined;
    if (group === undefined) return;
    group.members.delete(resident);
    if (poisoned) await this.#moveAll(group);
    else if (group.members.size === 0) this.#groups.delete(group);
  }

  /** The module grew: its memory never shrinks, and when it is full it is lost. */
  async #recycle(group: Group): Promise<void> {
    const largest = largestOf(group.members);
    if (largest !== undefined && group.members.size > 1) largest.alone = true;
    await this.#moveAll(group);
  }

  async #moveAll(group: Group): Promise<void> {
    this.#groups.delete(group);
    const moving = [...group.members];
    group.members.clear();
    for (const resident of moving) {
      const { realm } = resident.bundled;
      const outcome = { ok: false, failure: MOVED } as const;
      for (const id of resident.realm?.inFlight ?? []) {
        this.#ports.tell({ kind: "outcome", realm, id, outcome });
      }
      resident.realm = undefined;
      resident.group = undefined;
      await this.#revive(resident);
    }
  }

  #hand(resident: Resident, turn: Turn): void {
    const { tell } = this.#ports;
    const { realm } = resident.bundled;
    for (const call of turn.calls) {
      resident.lastCall = call.call;
      tell({ kind: "call", realm, ...call });
    }
    this.#handEffects(resident, turn);
    for (const { id, outcome } of turn.outcomes) {
      if (outcome.ok && outcome.state !== undefined) resident.state = outcome.state;
      tell({ kind: "outcome", realm, id, outcome });
    }
  }

  #handEffects(resident: Resident, { effects, dropped }: Turn): void {
    if (effects.length === 0 && dropped === 0) return;
    const { tell } = this.#ports;
    const { realm } = resident.bundled;
    const now = this.#ports.now();
    resident.effects.drop(dropped);
    for (const effect of effects) {
      const throttle = effect.operation.startsWith("log.") ? resident.log : resident.effects;
      if (throttle.admits(now)) tell({ kind: "effect", realm, ...effect });
    }
    for (const [what, throttle] of [
      [`more than ${LIMITS.logLinesPerSecond} log lines a second`, resident.log],
      [`more than ${LIMITS.effectsPerSecond} effects a second`, resident.effects],
    ] as const) {
      const lost = throttle.takeDropped(now);
      if (lost === 0) continue;
      const text = JSON.stringify([`${what}: dropped ${lost}`]);
      tell({ kind: "effect", realm, operation: "log.warn", arguments: text });
    }
  }
}

function largestOf(residents: Iterable<Resident>): Resident | undefined {
  let largest: Resident | undefined;
  let most = 0;
  for (const resident of residents) {
    const bytes = resident.realm?.heapBytes() ?? 0;
    if (bytes <= most) continue;
    most = bytes;
    largest = resident;
  }
  return largest;
}
