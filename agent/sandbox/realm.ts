import type { Completion, EngineModule, EngineRuntime, EngineValue } from "./engine.ts";
import { BUNDLE_FILE, Places } from "./places.ts";
import { startText } from "./realm-start.ts";
import type { Entry, EntryOutcome, PolicyBundle, SandboxFailure, SavedState } from "./sandbox.ts";
import { LIMITS } from "./sandbox.ts";
import { SETUP } from "./setup.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { RealmLoss, Told, Turn } from "./turn.ts";
import { nothingTold, readTold } from "./turn.ts";

/** From here on allocations may have failed, and the library does not notice all of them. */
const FULL_MODULE_BYTES = SETUP.moduleBytes - SETUP.heapBytes;
/** Jobs that are run before the clock is looked at: without a count they may never end. */
const JOBS_AT_ONCE = 16;
/** To hear what a policy logged before it was stopped. */
const LAST_WORDS_MS = 5;
/** More than the longest turn: effects, and calls of the largest size. */
const MOST_SAID = 4_194_304;

/** What the host says to the guest side: see `door` in guest.js. */
type GuestCommand =
  | "seed"
  | "start"
  | "view"
  | "check"
  | "balance"
  | "event"
  | "good"
  | "bad"
  | "abandon"
  | "flush"
  | "describe";

export interface RealmOptions {
  /** Wall-clock milliseconds that policies see. */
  readonly clock: () => number;
  /** Of `Math.random`; any whole number. */
  readonly seed: number;
  /** Number of the last call of an earlier one; 0 by default. */
  readonly lastCall?: number;
}

export type RealmLoad =
  | {
      readonly ok: true;
      readonly realm: Realm;
      readonly shape: string;
      readonly state: SavedState;
      /** What it said while it was evaluated. */
      readonly turn: Turn;
    }
  | { readonly ok: false; readonly loss: RealmLoss };

/**
 * One evaluated policy, in the thread of the caller: nothing here waits. What comes of a call is in
 * the turn that is answered. Guest code that never asks whether to stop holds the thread up, so all
 * but a simulator use it in a thread that can be terminated.
 */
export class Realm {
  readonly #module: EngineModule;
  readonly #engine: EngineRuntime;
  readonly #clock: () => number;
  readonly #stopwatch = new Stopwatch();
  readonly #places: Places;
  readonly #inFlight = new Set<number>();
  #door: EngineValue | undefined;
  #stopped = false;
  #waitingView: string | undefined;
  #lastCall: number;

  private constructor(module: EngineModule, bundle: PolicyBundle, options: RealmOptions) {
    this.#module = module;
    this.#clock = options.clock;
    this.#places = new Places(bundle.sourceMap);
    this.#lastCall = options.lastCall ?? 0;
    this.#stopwatch.start(LIMITS.loadMs);
    const { runtime, prelude } = module.open(() => {
      this.#stopped ||= this.#stopwatch.expired();
      return this.#stopped;
    });
    this.#engine = runtime;
    this.#door = prelude;
  }

  /** Evaluates a bundle. `view`: JSON of `{ node, routers, peers, nodes, services, processes }`. */
  static load(
    module: EngineModule,
    bundle: PolicyBundle,
    state: SavedState,
    view: string,
    options: RealmOptions,
  ): RealmLoad {
    let realm: Realm;
    try {
      realm = new Realm(module, bundle, options);
    } catch (error) {
      return { ok: false, loss: { failure: hostFailure(error, module), poisoned: true } };
    }
    const told = nothingTold();
    const turn = realm.#turn(LIMITS.loadMs, told, () => {
      realm.#evaluate(bundle, state, options.seed, told);
    });
    if (turn.lost !== undefined) return { ok: false, loss: turn.lost };
    if (told.loaded === undefined) {
      const failed = told.outcomes[0]?.outcome;
      const failure = failed?.ok === false ? failed.failure : invalid("it answered nothing");
      const placed = { ...failure, stack: realm.#places.frames(failure.stack.join("\n")) };
      return { ok: false, loss: { failure: placed, poisoned: !realm.#disposed() } };
    }
    realm.view(view);
    return { ok: true, realm, ...told.loaded, turn };
  }

  /** Number of the last call that it made. */
  get lastCall(): number {
    return this.#lastCall;
  }

  /** Entries that have no outcome yet. */
  get inFlight(): readonly number[] {
    return [...this.#inFlight];
  }

  /** What `ctx` shows from the next entry on. */
  view(view: string): void {
    this.#waitingView = view;
  }

  /** Runs a check, a hook or `balance`. `id` is the caller's: any whole number that is not in flight. */
  enter(id: number, entry: Entry): Turn {
    const view = this.#waitingView;
    this.#waitingView = undefined;
    this.#inFlight.add(id);
    const told = nothingTold();
    return this.#turn(LIMITS.entryMs, told, () => {
      if (view !== undefined) this.#command("view", 0, view, told);
      if (entry.kind === "check") this.#command("check", id, entry.name, told);
      else if (entry.kind === "balance") this.#command("balance", id, entry.event, told);
      else {
        const text = `{"name":${JSON.stringify(entry.name)},"event":${entry.event}}`;
        this.#command("event", id, text, told);
      }
    });
  }

  /** Answers a call. `text`: JSON of the value, or of `{ code, message }`; empty for no value. */
  settle(call: number, ok: boolean, text: string): Turn {
    const told = nothingTold();
    if (text.length > LIMITS.answerBytes) {
      const large = { code: "too-large", message: "the answer is larger than a policy may have" };
      return this.settle(call, false, JSON.stringify(large));
    }
    return this.#turn(LIMITS.entryMs, told, () =>
      this.#command(ok ? "good" : "bad", call, text, told),
    );
  }

  /** Gives an entry up: it has no outcome, and what it still does counts for nothing. */
  abandon(id: number): Turn {
    this.#inFlight.delete(id);
    const told = nothingTold();
    return this.#turn(LIMITS.entryMs, told, () => this.#command("abandon", id, "", told));
  }

  /** Bytes that its objects take; takes milliseconds. The realm is of no use afterwards. */
  heapBytes(): number {
    try {
      return this.#engine.heapBytes();
    } catch {
      // It has no memory left to count in.
      return 0;
    }
  }

  /** Answers whether the module is as good as before; if not, it must be left alone. */
  dispose(): boolean {
    return this.#disposed();
  }

  #evaluate(bundle: PolicyBundle, state: SavedState, seed: number, told: Told): void {
    this.#command("seed", seed, "", told);
    const policy = this.#defaultExport(bundle.code, told);
    if (policy === undefined) return;
    const text = startText(bundle.permissions, state, this.#lastCall);
    this.#command("start", 0, text, told, policy);
    this.#engine.free(policy);
  }

  #defaultExport(code: string, told: Told): EngineValue | undefined {
    const module = this.#engine.module(code, BUNDLE_FILE);
    let policy: Completion | undefined = module;
    if (!module.threw) {
      this.#runJobs();
      policy = this.#engine.defaultExport(module.value);
      this.#engine.free(module.value);
    }
    if (policy?.threw === false) return policy.value;
    if (policy !== undefined) this.#tellThrown(0, policy.value, told);
    else told.outcomes.push(failed(0, invalid("what it awaits at its top level never comes")));
    return undefined;
  }

  /** Does something with guest code, and reads what came of it. */
  #turn(budgetMs: number, told: Told, act: () => void): Turn {
    let poisoned: SandboxFailure | undefined;
    this.#stopped = false;
    this.#stopwatch.start(budgetMs);
    try {
      act();
      if (!this.#stopped && this.#engine.hasJobs()) {
        this.#runJobs();
        if (!this.#stopped) this.#command("flush", 0, "", told);
      }
    } catch (error) {
      poisoned = hostFailure(error, this.#module);
    }
    const full = this.#module.memoryBytes() >= FULL_MODULE_BYTES;
    if (poisoned === undefined && full) poisoned = OUT_OF_MEMORY;
    if (poisoned !== undefined) return this.#lose({ failure: poisoned, poisoned: true }, told);
    if (this.#stopped) return this.#stopRealm(budgetMs, told);
    const starved = told.outcomes.some(({ outcome }) => isOutOfMemory(outcome));
    if (starved) return this.#lose({ failure: OUT_OF_MEMORY, poisoned: !this.#disposed() }, told);
    if (told.broken) return this.#lose({ failure: BROKEN, poisoned: !this.#disposed() }, told);
    return this.#finish(told, undefined);
  }

  /** Runs jobs of promises within the same time as the rest of the turn. */
  #runJobs(): void {
    while (this.#engine.hasJobs()) {
      this.#stopped ||= this.#stopwatch.expired();
      if (this.#stopped) return;
      this.#engine.runJobs(JOBS_AT_ONCE);
    }
  }

  #stopRealm(budgetMs: number, told: Told): Turn {
    const failure: SandboxFailure = {
      kind: "interrupted",
      message: `it ran for more than ${budgetMs} ms without waiting for anything`,
      stack: [],
    };
    const last = nothingTold();
    let disposed = false;
    try {
      this.#stopped = false;
      this.#stopwatch.start(LAST_WORDS_MS);
      if (this.#door !== undefined) this.#command("flush", 0, "", last);
      disposed = this.#disposed();
    } catch {
      // It has nothing more to say.
    }
    told.effects.push(...last.effects);
    return this.#lose({ failure, poisoned: !disposed }, told);
  }

  #lose(loss: RealmLoss, told: Told): Turn {
    const failures = [...this.#inFlight].map((id) => failed(id, loss.failure));
    told.outcomes.splice(0, told.outcomes.length, ...failures);
    this.#inFlight.clear();
    return this.#finish({ ...told, calls: [] }, loss);
  }

  #finish(told: Told, lost: RealmLoss | undefined): Turn {
    this.#lastCall = told.calls.at(-1)?.call ?? this.#lastCall;
    const outcomes = told.outcomes
      .filter(({ id }) => this.#inFlight.delete(id) || lost !== undefined)
      .map(({ id, outcome }) => ({ id, outcome: this.#placed(outcome) }));
    return { calls: told.calls, effects: told.effects, dropped: told.dropped, outcomes, lost };
  }

  #placed(outcome: EntryOutcome): EntryOutcome {
    if (outcome.ok) return outcome;
    const { failure } = outcome;
    return {
      ok: false,
      failure: { ...failure, stack: this.#places.frames(failure.stack.join("\n")) },
    };
  }

  #command(command: GuestCommand, id: number, text: string, told: Told, value?: EngineValue): void {
    if (this.#door === undefined) return;
    const args = [command, id, text, this.#clock(), ...(value === undefined ? [] : [value])];
    const answer = this.#engine.call(this.#door, args);
    const said = answer.threw ? undefined : this.#engine.text(answer.value, MOST_SAID);
    this.#engine.free(answer.value);
    // It catches what a policy throws, so this policy broke what it is made of, or has no memory.
    if (said === undefined || !readTold(said, told)) told.broken = true;
  }

  /** What was thrown outside of a run; only the guest side may look at it. */
  #tellThrown(id: number, thrown: EngineValue, told: Told): void {
    this.#command("describe", id, "", told, thrown);
    this.#engine.free(thrown);
  }

  #disposed(): boolean {
    try {
      if (this.#door !== undefined) this.#engine.free(this.#door);
      this.#door = undefined;
      this.#engine.dispose();
      return true;
    } catch {
      return false;
    }
  }
}

const OUT_OF_MEMORY: SandboxFailure = {
  kind: "out-of-memory",
  message: "it used more memory than it may",
  stack: [],
};

const BROKEN: SandboxFailure = {
  kind: "invalid",
  message: "it broke what carries its answers",
  stack: [],
};

const invalid = (message: string): SandboxFailure => ({ kind: "invalid", message, stack: [] });

const failed = (id: number, failure: SandboxFailure) => ({
  id,
  outcome: { ok: false, failure } as const,
});

const isOutOfMemory = (outcome: EntryOutcome): boolean =>
  !outcome.ok && outcome.failure.message === "InternalError: out of memory";

/** The engine itself failed: on its way its own stack or the module's memory came to an end. */
function hostFailure(error: unknown, module: EngineModule): SandboxFailure {
  if (module.memoryBytes() >= FULL_MODULE_BYTES) return OUT_OF_MEMORY;
  const message =
    error instanceof RangeError
      ? "it needed a deeper stack than there is"
      : "it broke the engine that it ran in";
  return { kind: "interrupted", message, stack: [] };
}
