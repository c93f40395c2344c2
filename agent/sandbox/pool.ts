import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { Lane } from "./lane.ts";
import type { FromWorker } from "./messages.ts";
import { Places } from "./places.ts";
import { compileQuickjs } from "./quickjs.ts";
import type { Running } from "./running.ts";
import type {
  Entry,
  EntryOutcome,
  LoadOutcome,
  PolicyBundle,
  RealmId,
  Sandbox,
  SandboxFailure,
  SandboxListener,
  SavedState,
} from "./sandbox.ts";
import { Watchdog } from "./watchdog.ts";

export interface SandboxOptions {
  readonly listener: SandboxListener;
  /** Most threads at once, the standby not counted. Default: one less than there are cores. */
  readonly mostWorkers?: number;
}

const POLICIES_PER_WORKER = 250;
const STANDBY_DELAY_MS = 250;

interface Resident {
  readonly realm: RealmId;
  readonly bundle: PolicyBundle;
  readonly places: Places;
  readonly entries: Map<number, RunningEntry>;
  lane: Lane;
  state: SavedState;
  view: string;
  lastCall: number;
  alone: boolean;
  /** Who waits for it to be loaded for the first time. */
  loaded: ((outcome: LoadOutcome) => void) | undefined;
  /** It cannot run any more: it held its thread up while it was loaded anew. */
  dead: SandboxFailure | undefined;
}

interface RunningEntry {
  readonly entry: Entry;
  readonly resolve: (outcome: EntryOutcome) => void;
}

/** Starts the threads that policies run in; each is good for 250 policies. */
export function openSandbox(options: SandboxOptions): Sandbox {
  return new WorkerPool(options);
}

class WorkerPool implements Sandbox {
  readonly #listener: SandboxListener;
  readonly #mostWorkers: number;
  readonly #code = compileQuickjs();
  readonly #residents = new Map<RealmId, Resident>();
  /** Lanes with the number of their residents. */
  readonly #lanes = new Map<Lane, number>();
  readonly #closing = new Set<Promise<unknown>>();
  readonly #watchdog: Watchdog;
  #standby: Lane | undefined;
  #standbyTimer: NodeJS.Timeout | undefined;
  #lastRealm = 0;
  #lastEntry = 0;
  #closed = false;

  constructor({ listener, mostWorkers = availableParallelism() - 1 }: SandboxOptions) {
    this.#listener = listener;
    this.#mostWorkers = Math.max(1, mostWorkers);
    this.#watchdog = new Watchdog(
      () => this.#lanes.keys(),
      (lane, culprit) => this.#lose(lane, culprit),
    );
    this.#lanes.set(this.#newLane(), 0);
    this.#prepareStandby(0);
  }

  load(bundle: PolicyBundle, state: SavedState, view: string): Promise<LoadOutcome> {
    if (this.#closed) return Promise.resolve({ ok: false, failure: CLOSED });
    return new Promise((resolve) => {
      const resident: Resident = {
        realm: ++this.#lastRealm,
        bundle,
        places: new Places(bundle.sourceMap),
        entries: new Map(),
        lane: this.#roomiestLane(),
        state,
        view,
        lastCall: 0,
        alone: false,
        loaded: resolve,
        dead: undefined,
      };
      this.#residents.set(resident.realm, resident);
      this.#settle(resident, resident.lane);
    });
  }

  view(realm: RealmId, view: string): void {
    const resident = this.#residents.get(realm);
    if (resident === undefined) return;
    resident.view = view;
    this.#send(resident, { kind: "view", realm, view });
  }

  enter(realm: RealmId, entry: Entry): Promise<EntryOutcome> {
    const resident = this.#residents.get(realm);
    const failure = resident === undefined ? CLOSED : resident.dead;
    if (resident === undefined || failure !== undefined) {
      return Promise.resolve({ ok: false, failure: failure ?? CLOSED });
    }
    return new Promise((resolve) => {
      const id = ++this.#lastEntry;
      resident.entries.set(id, { entry, resolve });
      this.#send(resident, { kind: "enter", realm, id, entry });
    });
  }

  abandon(realm: RealmId, entry: Entry): void {
    const resident = this.#residents.get(realm);
    for (const [id, running] of resident?.entries ?? []) {
      if (running.entry !== entry || resident === undefined) continue;
      resident.entries.delete(id);
      running.resolve({ ok: false, failure: CLOSED });
      this.#send(resident, { kind: "abandon", realm, id });
    }
  }

  settle(realm: RealmId, call: number, ok: boolean, text: string): void {
    const resident = this.#residents.get(realm);
    if (resident !== undefined) this.#send(resident, { kind: "settle", realm, call, ok, text });
  }

  unload(realm: RealmId): void {
    const resident = this.#residents.get(realm);
    if (resident === undefined) return;
    this.#forget(resident);
    this.#send(resident, { kind: "unload", realm });
    resident.loaded?.({ ok: false, failure: CLOSED });
    failEntries(resident, CLOSED);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchdog.stop();
    clearTimeout(this.#standbyTimer);
    for (const lane of this.#lanes.keys()) this.#retire(lane);
    if (this.#standby !== undefined) this.#retire(this.#standby);
    this.#lanes.clear();
    for (const resident of this.#residents.values()) {
      resident.loaded?.({ ok: false, failure: CLOSED });
      failEntries(resident, CLOSED);
    }
    this.#residents.clear();
    await Promise.all(this.#closing);
  }

  #newLane(): Lane {
    return new Lane(this.#code, {
      heard: (lane, messages) => {
        for (const message of messages) this.#hear(lane, message);
      },
      ended: (lane) => this.#lose(lane, lane.running()),
    });
  }

  /** The one with the fewest policies; a new one when all are full, and there may be one more. */
  #roomiestLane(): Lane {
    const [roomiest] = [...this.#lanes].sort(([, a], [, b]) => a - b);
    const full = roomiest === undefined || roomiest[1] >= POLICIES_PER_WORKER;
    return full && this.#lanes.size < this.#mostWorkers
      ? this.#takeStandby()
      : (roomiest?.[0] ?? this.#takeStandby());
  }

  #takeStandby(): Lane {
    const lane = this.#standby ?? this.#newLane();
    this.#standby = undefined;
    this.#lanes.set(lane, 0);
    this.#prepareStandby(STANDBY_DELAY_MS);
    return lane;
  }

  /** Not at once after a loss: what was lost comes first. */
  #prepareStandby(delayMs: number): void {
    clearTimeout(this.#standbyTimer);
    this.#standbyTimer = setTimeout(() => {
      this.#standby ??= this.#newLane();
    }, delayMs);
    this.#standbyTimer.unref();
  }

  /** Sends a policy to a lane, as it is now. */
  #settle(resident: Resident, lane: Lane): void {
    const { realm, bundle, state, view, lastCall, alone } = resident;
    resident.lane = lane;
    this.#lanes.set(lane, (this.#lanes.get(lane) ?? 0) + 1);
    const seed = randomInt(2 ** 31);
    // The map stays here: places are looked up when somebody is told of them.
    const bare = { ...bundle, sourceMap: "" };
    this.#send(resident, { kind: "load", realm, bundle: bare, state, view, lastCall, seed, alone });
  }

  #send(resident: Resident, message: Parameters<Lane["send"]>[0]): void {
    if (resident.dead !== undefined) return;
    resident.lane.send(message);
    this.#watchdog.wake();
  }

  #hear(lane: Lane, message: FromWorker): void {
    const resident = this.#residents.get(message.realm);
    if (resident === undefined || resident.lane !== lane) return;
    const { realm } = resident;
    switch (message.kind) {
      case "outcome":
        this.#answer(resident, message.id, message.outcome);
        break;
      case "call": {
        const { call, operation, arguments: args } = message;
        resident.lastCall = call;
        this.#listener.call({ realm, call, operation, arguments: args });
        break;
      }
      case "effect": {
        const { operation, arguments: args } = message;
        this.#listener.effect({ realm, operation, arguments: args });
        break;
      }
      case "loaded":
        this.#loaded(resident, message.result);
        break;
      case "struck":
        this.#listener.struck(realm, placed(resident, message.failure));
        break;
      case "recovered":
        this.#listener.recovered(realm);
        break;
    }
  }

  #answer(resident: Resident, id: number, outcome: EntryOutcome): void {
    if (outcome.ok && outcome.state !== undefined) resident.state = outcome.state;
    const running = resident.entries.get(id);
    resident.entries.delete(id);
    if (outcome.ok) running?.resolve(outcome);
    else running?.resolve({ ok: false, failure: placed(resident, outcome.failure) });
  }

  #loaded(resident: Resident, result: (FromWorker & { kind: "loaded" })["result"]): void {
    const { realm, loaded } = resident;
    resident.loaded = undefined;
    if (result.ok) {
      const { shape, state } = result;
      resident.state = state ?? resident.state;
      if (loaded === undefined) this.#listener.recovered(realm);
      else loaded({ ok: true, loaded: { realm, shape, state } });
      return;
    }
    const failure = placed(resident, result.failure);
    if (loaded === undefined) this.#bury(resident, failure);
    else {
      this.#forget(resident);
      loaded({ ok: false, failure });
    }
  }

  /** A thread is gone: all that lived in it move to the standby, and who held it up comes last. */
  #lose(lane: Lane, running: Running | undefined): void {
    this.#retire(lane);
    if (lane === this.#standby) {
      this.#standby = undefined;
      this.#prepareStandby(STANDBY_DELAY_MS);
    }
    if (!this.#lanes.delete(lane)) return;
    const lost = [...this.#residents.values()].filter((resident) => resident.lane === lane);
    const next = this.#takeStandby();
    const culprit = lost.find(({ realm }) => realm === running?.realm);
    for (const resident of lost) {
      if (resident === culprit) continue;
      failEntries(resident, MOVED);
      if (resident.dead === undefined) this.#settle(resident, next);
    }
    if (culprit !== undefined) this.#punish(culprit, next, running?.act);
  }

  #punish(culprit: Resident, next: Lane, act: Running["act"] | undefined): void {
    if (culprit.loaded !== undefined && act === "load") {
      this.#forget(culprit);
      culprit.loaded({ ok: false, failure: STUCK });
      failEntries(culprit, STUCK);
    } else if (act === "load") {
      this.#bury(culprit, STUCK);
    } else {
      this.#listener.struck(culprit.realm, STUCK);
      culprit.alone = true;
      failEntries(culprit, STUCK);
      this.#settle(culprit, next);
    }
  }

  /** Not even loading it works any more. It stays known, and every entry of it fails. */
  #bury(resident: Resident, failure: SandboxFailure): void {
    resident.dead = failure;
    this.#listener.struck(resident.realm, failure);
    failEntries(resident, failure);
  }

  #forget(resident: Resident): void {
    this.#residents.delete(resident.realm);
    const count = this.#lanes.get(resident.lane);
    if (count !== undefined) this.#lanes.set(resident.lane, count - 1);
  }

  #retire(lane: Lane): void {
    const closing = lane.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

const CLOSED: SandboxFailure = { kind: "closed", message: "it is not loaded", stack: [] };
const MOVED: SandboxFailure = { kind: "moved", message: "it moved to another thread", stack: [] };
const STUCK: SandboxFailure = {
  kind: "stuck",
  message: "it held its thread up, and could not be interrupted",
  stack: [],
};

const placed = ({ places }: Resident, failure: SandboxFailure): SandboxFailure => ({
  ...failure,
  stack: places.frames(failure.stack.join("\n")),
});

function failEntries(resident: Resident, failure: SandboxFailure): void {
  const entries = [...resident.entries.values()];
  resident.entries.clear();
  for (const { resolve } of entries) resolve({ ok: false, failure });
}
