import type {
  Entry,
  EntryOutcome,
  LoadOutcome,
  PolicyBundle,
  RealmId,
  Sandbox,
  SavedState,
} from "../sandbox/sandbox.ts";

/** How the one run of a check, or of `balance`, ended; `undefined`: it was given up. */
export type Ended = (entry: Ran, outcome: EntryOutcome | undefined, milliseconds: number) => void;

/** What runs here. */
export type Ran = Exclude<Entry, { readonly kind: "event" }>;

const keyOf = ({ kind, name }: Ran): string => `${kind} ${name}`;

const NOTHING: EntryOutcome = { ok: true, result: "null", state: undefined };

/** Lets each check run once, `balance` once for each service, and no hook at all; the rest is the sandbox that it stands before. */
export class OnceSandbox implements Sandbox {
  readonly #inner: Sandbox;
  readonly #now: () => number;
  readonly #ended: Ended;
  /** What runs or ran, and when they began. */
  readonly #began = new Map<string, number>();
  readonly #running = new Set<string>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(inner: Sandbox, now: () => number, ended: Ended) {
    this.#inner = inner;
    this.#now = now;
    this.#ended = ended;
  }

  load(bundle: PolicyBundle, state: SavedState, view: string): Promise<LoadOutcome> {
    return this.#inner.load(bundle, state, view);
  }

  view(realm: RealmId, view: string): void {
    this.#inner.view(realm, view);
  }

  async enter(realm: RealmId, entry: Entry): Promise<EntryOutcome> {
    if (entry.kind === "event") return NOTHING;
    const key = keyOf(entry);
    // A second turn never comes to an end: one look was asked for.
    if (this.#began.has(key)) return new Promise(() => undefined);
    this.#began.set(key, this.#now());
    this.#running.add(key);
    const outcome = await this.#inner.enter(realm, entry);
    this.#end(entry, outcome);
    return outcome;
  }

  abandon(realm: RealmId, entry: Entry): void {
    this.#inner.abandon(realm, entry);
    if (entry.kind !== "event") this.#end(entry, undefined);
  }

  settle(realm: RealmId, call: number, ok: boolean, text: string): void {
    this.#inner.settle(realm, call, ok, text);
  }

  unload(realm: RealmId): void {
    this.#inner.unload(realm);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #end(entry: Ran, outcome: EntryOutcome | undefined): void {
    const key = keyOf(entry);
    if (!this.#running.delete(key)) return;
    this.#ended(entry, outcome, this.#now() - (this.#began.get(key) ?? 0));
  }
}
