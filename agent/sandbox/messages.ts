import type {
  Entry,
  EntryOutcome,
  PolicyBundle,
  RealmId,
  SandboxFailure,
  SavedState,
} from "./sandbox.ts";

// Between the main thread and a worker, in batches.

export interface Bundled {
  readonly realm: RealmId;
  readonly bundle: PolicyBundle;
  readonly state: SavedState;
  readonly view: string;
  /** Number of the last call of an earlier incarnation. */
  readonly lastCall: number;
  readonly seed: number;
  /** Shares a module with nobody: it has harmed its neighbours before. */
  readonly alone: boolean;
}

export type ToWorker =
  | ({ readonly kind: "load" } & Bundled)
  | { readonly kind: "view"; readonly realm: RealmId; readonly view: string }
  | {
      readonly kind: "enter";
      readonly realm: RealmId;
      readonly id: number;
      readonly entry: Entry;
    }
  | {
      readonly kind: "settle";
      readonly realm: RealmId;
      readonly call: number;
      readonly ok: boolean;
      readonly text: string;
    }
  | { readonly kind: "abandon"; readonly realm: RealmId; readonly id: number }
  | { readonly kind: "unload"; readonly realm: RealmId };

export type FromWorker =
  | {
      readonly kind: "loaded";
      readonly realm: RealmId;
      readonly result:
        | { readonly ok: true; readonly shape: string; readonly state: SavedState }
        | { readonly ok: false; readonly failure: SandboxFailure };
    }
  | {
      readonly kind: "outcome";
      readonly realm: RealmId;
      readonly id: number;
      readonly outcome: EntryOutcome;
    }
  | {
      readonly kind: "call";
      readonly realm: RealmId;
      readonly call: number;
      readonly operation: string;
      readonly arguments: string;
    }
  | {
      readonly kind: "effect";
      readonly realm: RealmId;
      readonly operation: string;
      readonly arguments: string;
    }
  | { readonly kind: "struck"; readonly realm: RealmId; readonly failure: SandboxFailure }
  | { readonly kind: "recovered"; readonly realm: RealmId };

export interface BatchToWorker {
  readonly number: number;
  readonly messages: readonly ToWorker[];
}

export interface BatchFromWorker {
  /** The batch that was worked off with these; 0: there is more to come of it. */
  readonly done: number;
  readonly messages: readonly FromWorker[];
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly code: WebAssembly.Module;
  readonly running: SharedArrayBuffer;
}

/** What it says first: where the kernel counts the time that its thread ran. */
export interface WorkerReady {
  readonly schedstat: string | undefined;
}
