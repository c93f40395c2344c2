import type { EngineModule } from "../sandbox/engine.ts";
import type { FromWorker, ToWorker } from "../sandbox/messages.ts";
import { RUNNING_BYTES, RunningSlot } from "../sandbox/running.ts";
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
} from "../sandbox/sandbox.ts";
import { Shard } from "../sandbox/shard.ts";

export interface LocalSandboxPorts {
  readonly listener: SandboxListener;
  readonly openModule: () => Promise<EngineModule>;
  /** Wall-clock milliseconds that policies see. */
  readonly wallClock: () => number;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** Of `Math.random`. */
  readonly seed: number;
  /** Hears how each run ended. */
  readonly ended: (entry: Entry, outcome: EntryOutcome) => void;
  /** Hears of the state that a policy begins with. */
  readonly loaded: (state: SavedState) => void;
}

interface RunningEntry {
  readonly realm: RealmId;
  readonly entry: Entry;
  readonly resolve: (outcome: EntryOutcome) => void;
}

const CLOSED: SandboxFailure = { kind: "closed", message: "it does not run", stack: [] };
const closed: EntryOutcome = { ok: false, failure: CLOSED };

/**
 * What a worker thread does, in this thread: for simulations, whose policies nobody has to be guarded
 * from. One that does not let itself be interrupted holds the simulation up.
 */
export class LocalSandbox implements Sandbox {
  readonly #ports: LocalSandboxPorts;
  readonly #shard: Shard;
  readonly #waiting: ToWorker[] = [];
  readonly #entries = new Map<number, RunningEntry>();
  readonly #loads = new Map<RealmId, (outcome: LoadOutcome) => void>();
  #working = false;
  #defect: { readonly error: unknown } | undefined;
  #lastRealm = 0;
  #lastEntry = 0;
  /** Nothing runs any more. */
  dead = false;

  constructor(ports: LocalSandboxPorts) {
    this.#ports = ports;
    this.#shard = new Shard({
      openModule: ports.openModule,
      tell: (message) => this.#hear(message),
      running: new RunningSlot(new SharedArrayBuffer(RUNNING_BYTES)),
      clock: ports.wallClock,
      now: ports.now,
    });
  }

  /** Whether it has anything to do. Throws what went wrong in it, which is a defect of ours. */
  get busy(): boolean {
    if (this.#defect !== undefined) throw this.#defect.error;
    return this.#working;
  }

  load(bundle: PolicyBundle, state: SavedState, view: string): Promise<LoadOutcome> {
    this.#lastRealm += 1;
    const realm = this.#lastRealm;
    const { seed } = this.#ports;
    return new Promise((resolve) => {
      this.#loads.set(realm, resolve);
      this.#send({
        kind: "load",
        realm,
        bundle,
        state,
        view,
        lastCall: 0,
        seed,
        alone: false,
      });
    });
  }

  view(realm: RealmId, view: string): void {
    this.#send({ kind: "view", realm, view });
  }

  enter(realm: RealmId, entry: Entry): Promise<EntryOutcome> {
    if (this.dead) return Promise.resolve(closed);
    return new Promise((resolve) => {
      this.#lastEntry += 1;
      const id = this.#lastEntry;
      this.#entries.set(id, { realm, entry, resolve });
      this.#send({ kind: "enter", realm, id, entry });
    });
  }

  abandon(realm: RealmId, entry: Entry): void {
    for (const [id, running] of this.#entries) {
      if (running.realm !== realm || running.entry !== entry) continue;
      this.#entries.delete(id);
      running.resolve(closed);
      this.#send({ kind: "abandon", realm, id });
    }
  }

  settle(realm: RealmId, call: number, ok: boolean, text: string): void {
    if (!this.dead) this.#send({ kind: "settle", realm, call, ok, text });
  }

  unload(realm: RealmId): void {
    for (const [id, running] of this.#entries) {
      if (running.realm !== realm) continue;
      this.#entries.delete(id);
      running.resolve(closed);
    }
    this.#send({ kind: "unload", realm });
  }

  close(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  /** What runs has no outcome, and nothing else will run. */
  kill(): void {
    this.dead = true;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const { resolve } of entries) resolve(closed);
  }

  #send(message: ToWorker): void {
    this.#waiting.push(message);
    if (!this.#working) void this.#work();
  }

  /** One message after the other, as loading may wait for a module. */
  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        await this.#shard.obey(next);
      }
    } catch (error) {
      this.#defect = { error };
    }
    this.#working = false;
  }

  #hear(message: FromWorker): void {
    const { listener } = this.#ports;
    const { realm } = message;
    switch (message.kind) {
      case "outcome": {
        const running = this.#entries.get(message.id);
        if (running === undefined) return;
        this.#entries.delete(message.id);
        this.#ports.ended(running.entry, message.outcome);
        running.resolve(message.outcome);
        return;
      }
      case "call":
        listener.call(message);
        return;
      case "effect":
        listener.effect(message);
        return;
      case "struck":
        listener.struck(realm, message.failure);
        return;
      case "recovered":
        listener.recovered(realm);
        return;
      case "loaded": {
        const { result } = message;
        const resolve = this.#loads.get(realm);
        this.#loads.delete(realm);
        if (!result.ok) resolve?.(result);
        else {
          const { shape, state } = result;
          this.#ports.loaded(state);
          resolve?.({ ok: true, loaded: { realm, shape, state } });
        }
        return;
      }
    }
  }
}
