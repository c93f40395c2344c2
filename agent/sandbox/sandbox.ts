// What the rest of the agent sees of the place where policies run. Only text crosses its border.

/** A policy as one file of JavaScript. */
export interface PolicyBundle {
  /** Name of the policy; for messages. */
  readonly name: string;
  /** An ES module whose default export is the policy. At most 256 KiB. */
  readonly code: string;
  /** Source map of `code`, as JSON; to tell places in the author's files. */
  readonly sourceMap: string;
  /** The permissions that it has: the members of `ctx` are made of them. JSON. */
  readonly permissions: string;
}

/** State as it was kept: JSON of `{ version, value }`. */
export type SavedState = string | undefined;

/** What an evaluated policy declares, as it came out of the sandbox: JSON, to be checked by its reader. */
export interface LoadedRealm {
  readonly realm: RealmId;
  /** JSON of `{ about, checks: { NAME: { every, timeout, … } }, balance: { every, … },
   * events: [NAME], stateVersion }`. */
  readonly shape: string;
  readonly state: SavedState;
}

/** One evaluated policy; numbers are never used again. */
export type RealmId = number;

/** Why something in the sandbox failed. */
export interface SandboxFailure {
  readonly kind: /** The policy threw. The realm is as good as before. */
    | "exception"
    /** It used more time, jobs, memory or stack than it may. The realm was made anew. */
    | "interrupted"
    | "out-of-memory"
    | "stuck"
    /** What it answered is no JSON of the form and size that it must have. */
    | "invalid"
    /** Another policy of its group failed, or the realm was closed: to be tried again. */
    | "moved"
    | "closed";
  readonly message: string;
  /** `nginx.ts:14:15` and the like, innermost first; empty when not known. */
  readonly stack: readonly string[];
}

export type Entry =
  | { readonly kind: "check"; readonly name: string }
  /** Of the service `name`; `event`: JSON of how it is. */
  | { readonly kind: "balance"; readonly name: string; readonly event: string }
  /** `event`: JSON. */
  | { readonly kind: "event"; readonly name: string; readonly event: string };

export type EntryOutcome =
  /** `result`: JSON of what a check or `balance` answered. `state`: as it is now, when it has changed. */
  | { readonly ok: true; readonly result: string; readonly state: SavedState }
  | { readonly ok: false; readonly failure: SandboxFailure };

export type LoadOutcome =
  | { readonly ok: true; readonly loaded: LoadedRealm }
  | { readonly ok: false; readonly failure: SandboxFailure };

/** A call of a policy to the world; it is answered by `settle` with the same id. */
export interface RealmCall {
  readonly realm: RealmId;
  readonly call: number;
  /**
   * The run that made it: its time is over with the run's, and it is given up with it. Without it, any
   * run that is under way.
   */
  readonly entry?: Pick<Entry, "kind" | "name">;
  /** `http.get`, `kv.set`, … */
  readonly operation: string;
  /** JSON of the list of arguments. */
  readonly arguments: string;
}

/** What a policy says and waits for no answer to: `log.info`, `mail.send`, `router.adjust`, … */
export interface RealmEffect {
  readonly realm: RealmId;
  readonly operation: string;
  readonly arguments: string;
}

export interface SandboxListener {
  call(call: RealmCall): void;
  effect(effect: RealmEffect): void;
  /** A strike: the policy was stopped by force. It runs again with its last good state. */
  struck(realm: RealmId, failure: SandboxFailure): void;
  /** It was loaded anew, without fault of its own or after a strike; its calls are void. */
  recovered(realm: RealmId): void;
}

/** Where policies run. The pool of workers is one, the simulator's is another. */
export interface Sandbox {
  /** Evaluates a bundle in a realm of its own. `view`: JSON that `ctx` reads from. */
  load(bundle: PolicyBundle, state: SavedState, view: string): Promise<LoadOutcome>;
  /** What `ctx` shows from the next entry on. JSON. */
  view(realm: RealmId, view: string): void;
  /** Runs a check, a hook or `balance`. Settles when its promise does; `timeoutMs` is the caller's business. */
  enter(realm: RealmId, entry: Entry): Promise<EntryOutcome>;
  /** Gives an entry up: its outcome is `closed`, and what it still does counts for nothing. */
  abandon(realm: RealmId, entry: Entry): void;
  /** Answers a call. `text`: JSON of the value, or of `{ code, message }`. */
  settle(realm: RealmId, call: number, ok: boolean, text: string): void;
  unload(realm: RealmId): void;
  close(): Promise<void>;
}

/** Limits, measured: see ARCHITECTURE.md. */
export const LIMITS = {
  /** CPU time of one entry, before the interrupt ends it. */
  entryMs: 20,
  loadMs: 200,
  /** Without a word from a worker for this long it is terminated. */
  watchdogMs: 100,
  bundleBytes: 262_144,
  messageBytes: 65_536,
  /** An answer to a call may be as large as the largest body. */
  answerBytes: 524_288,
  stateBytes: 65_536,
  callsInFlight: 8,
  effectsPerSecond: 50,
  logLinesPerSecond: 20,
} as const;
