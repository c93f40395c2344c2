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
} from "../../../agent/sandbox/sandbox.ts";
import type { Json } from "../../../sdk/index.ts";

/** What a scripted policy is handed. */
export interface FakeContext {
  readonly view: { readonly [key: string]: Json };
  state: Json;
  call(operation: string, ...args: Json[]): Promise<Json>;
  say(operation: string, ...args: Json[]): void;
}

type Run = (ctx: FakeContext, event?: Json) => unknown;

/** A policy as its author's functions, without a compiler and an engine. */
export interface FakeProgram {
  readonly checks?: Readonly<
    Record<string, { readonly run: Run; readonly [key: string]: unknown }>
  >;
  readonly on?: Readonly<Record<string, Run>>;
  readonly balance?: { readonly run: Run; readonly [key: string]: unknown };
  readonly stateVersion?: number;
  readonly initial?: Json;
}

/** Thrown by a scripted run: the sandbox reports this failure, and a strike if it is one by force. */
export class Forced extends Error {
  readonly kind: SandboxFailure["kind"];

  constructor(kind: SandboxFailure["kind"], message = "") {
    super(message);
    this.kind = kind;
  }
}

interface FakeRealm {
  readonly program: FakeProgram;
  readonly bundle: PolicyBundle;
  view: string;
  state: Json;
  kept: string | undefined;
  readonly entries: Map<string, (outcome: EntryOutcome) => void>;
  readonly calls: Map<number, { resolve(value: Json): void; reject(error: Error): void }>;
}

const STRIKES: ReadonlySet<string> = new Set(["interrupted", "out-of-memory", "stuck"]);

/** Runs scripted policies in this process, and counts what is left behind. */
export class FakeSandbox implements Sandbox {
  readonly realms = new Map<RealmId, FakeRealm>();
  readonly entered: string[] = [];
  readonly abandoned: string[] = [];
  loads = 0;
  /** What was stopped by force is made anew. */
  comesBack = true;
  closed = false;
  readonly #listener: SandboxListener;
  readonly #programs: ReadonlyMap<string, FakeProgram>;
  #calls = 0;

  /** `programs`: by the code of their bundles. */
  constructor(listener: SandboxListener, programs: ReadonlyMap<string, FakeProgram>) {
    this.#listener = listener;
    this.#programs = programs;
  }

  load(bundle: PolicyBundle, state: SavedState, view: string): Promise<LoadOutcome> {
    this.loads += 1;
    const program = this.#programs.get(bundle.code);
    if (program === undefined) {
      const failure = {
        kind: "exception",
        message: "Error: no program",
        stack: ["a.ts:2:3"],
      } as const;
      return Promise.resolve({ ok: false, failure });
    }
    const kept = state === undefined ? undefined : (JSON.parse(state) as { value: Json }).value;
    const first = kept ?? program.initial ?? {};
    const text = `{"version":${program.stateVersion ?? 0},"value":${JSON.stringify(first)}}`;
    const realm: FakeRealm = {
      program,
      bundle,
      view,
      state: first,
      kept: program.stateVersion === undefined ? undefined : text,
      entries: new Map(),
      calls: new Map(),
    };
    this.realms.set(this.loads, realm);
    const checks = Object.entries(program.checks ?? {}).map(([name, { run, ...rest }]) => [
      name,
      rest,
    ]);
    const { run: _, ...balance } = program.balance ?? {};
    const shape = JSON.stringify({
      checks: Object.fromEntries(checks),
      balance: program.balance === undefined ? undefined : balance,
      events: Object.keys(program.on ?? {}),
      stateVersion: program.stateVersion,
    });
    return Promise.resolve({ ok: true, loaded: { realm: this.loads, shape, state: realm.kept } });
  }

  view(realm: RealmId, view: string): void {
    const known = this.realms.get(realm);
    if (known !== undefined) known.view = view;
  }

  enter(realm: RealmId, entry: Entry): Promise<EntryOutcome> {
    const known = this.realms.get(realm);
    if (known === undefined) return Promise.resolve(closed);
    const key = `${entry.kind} ${entry.name}`;
    this.entered.push(`${known.bundle.name} ${key}`);
    return new Promise((resolve) => {
      known.entries.set(key, resolve);
      void this.#run(realm, known, entry).then((outcome) => {
        if (known.entries.get(key) === resolve) known.entries.delete(key);
        resolve(outcome);
        if (!outcome.ok && STRIKES.has(outcome.failure.kind)) {
          this.#listener.struck(realm, outcome.failure);
          if (this.comesBack) this.#listener.recovered(realm);
        }
      });
    });
  }

  abandon(realm: RealmId, entry: Entry): void {
    const key = `${entry.kind} ${entry.name}`;
    const known = this.realms.get(realm);
    this.abandoned.push(key);
    known?.entries.get(key)?.(closed);
    known?.entries.delete(key);
  }

  settle(realm: RealmId, call: number, ok: boolean, text: string): void {
    const waiting = this.realms.get(realm)?.calls.get(call);
    this.realms.get(realm)?.calls.delete(call);
    const value = JSON.parse(text) as Json;
    if (ok) waiting?.resolve(value);
    else {
      const { code, message } = value as { code: string; message: string };
      waiting?.reject(Object.assign(new Error(message), { code }));
    }
  }

  unload(realm: RealmId): void {
    for (const end of this.realms.get(realm)?.entries.values() ?? []) end(closed);
    this.realms.delete(realm);
  }

  close(): Promise<void> {
    this.closed = true;
    for (const realm of [...this.realms.keys()]) this.unload(realm);
    return Promise.resolve();
  }

  /** What happens to a neighbour of a policy that was stopped by force. */
  recover(realm: RealmId): void {
    this.#listener.recovered(realm);
  }

  async #run(id: RealmId, realm: FakeRealm, entry: Entry): Promise<EntryOutcome> {
    const { program } = realm;
    const runs = {
      check: program.checks?.[entry.name]?.run,
      event: program.on?.[entry.name],
      balance: program.balance?.run,
    };
    const run = runs[entry.kind];
    const who = { kind: entry.kind, name: entry.name };
    const ctx: FakeContext = {
      view: JSON.parse(realm.view) as { [key: string]: Json },
      get state() {
        return realm.state;
      },
      set state(value: Json) {
        realm.state = value;
      },
      call: (operation, ...args) =>
        new Promise((resolve, reject) => {
          this.#calls += 1;
          const call = this.#calls;
          realm.calls.set(call, { resolve, reject });
          const text = JSON.stringify(args);
          this.#listener.call({ realm: id, call, entry: who, operation, arguments: text });
        }),
      say: (operation, ...args) =>
        this.#listener.effect({ realm: id, operation, arguments: JSON.stringify(args) }),
    };
    try {
      const event = entry.kind !== "check" ? (JSON.parse(entry.event) as Json) : undefined;
      const result = JSON.stringify((await run?.(ctx, event)) ?? null);
      const { stateVersion } = program;
      const state =
        stateVersion === undefined
          ? undefined
          : `{"version":${stateVersion},"value":${JSON.stringify(realm.state)}}`;
      const changed = state === realm.kept ? undefined : state;
      realm.kept = state;
      return { ok: true, result, state: changed };
    } catch (error) {
      const kind = error instanceof Forced ? error.kind : "exception";
      return { ok: false, failure: { kind, message: String(error), stack: ["a.ts:5:7"] } };
    }
  }
}

const closed: EntryOutcome = {
  ok: false,
  failure: { kind: "closed", message: "closed", stack: [] },
};
