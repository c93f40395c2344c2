import type { Json } from "../../../sdk/index.ts";
import type { Instant, Micros } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { BuiltPolicy } from "../../policy/build-policy.ts";
import type { PolicyShape } from "../../policy/shape.ts";
import { readShape } from "../../policy/shape.ts";
import type {
  Entry,
  EntryOutcome,
  LoadOutcome,
  RealmCall,
  RealmEffect,
  RealmId,
  Sandbox,
  SandboxFailure,
  SavedState,
} from "../../sandbox/sandbox.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { entryKey, RealmCalls } from "./realm-calls.ts";
import type { RealmOwner } from "./realms.ts";
import { failureText, problemText } from "./refusal.ts";
import { looksFast, viewText } from "./world-view.ts";

/** Who hears of a version. */
export interface VersionListener {
  effect(version: PolicyVersion, effect: RealmEffect): void;
  struck(version: PolicyVersion, failure: SandboxFailure): void;
  recovered(version: PolicyVersion): void;
  /** What it reads without calls is another one. */
  valuesChanged(version: PolicyVersion): void;
}

export type VersionOutcome =
  | { readonly ok: true; readonly version: PolicyVersion; readonly state: SavedState }
  | { readonly ok: false; readonly problems: readonly string[] };

type Permissions = Readonly<Record<string, Json>>;

/** A call of a run that has ended may last this long. */
const LATE_CALL = milliseconds(5_000);
/** Plugin whose values are `ctx.processes`. */
const PROCESSES = "process";

/** One version of a policy in a realm of its own. */
export class PolicyVersion implements RealmOwner {
  readonly policy: string;
  readonly built: BuiltPolicy;
  /** What was asked for and granted. */
  readonly permissions: Permissions;
  closed = false;
  readonly #world: PolicyWorld;
  readonly #listener: VersionListener;
  readonly #calls: RealmCalls;
  /** When the time of each run is over. */
  readonly #entries = new Map<string, Instant>();
  readonly #values = new Map<string, Json>();
  readonly #looksFast: boolean;
  #shape: PolicyShape | undefined;
  #place: { readonly sandbox: Sandbox; readonly realm: RealmId } | undefined;
  /** What was shown last: what all see, and whether what is its own was another one. */
  #shown: string | undefined;
  #valuesShown = false;
  #unwatch: () => void = () => undefined;

  private constructor(
    world: PolicyWorld,
    listener: VersionListener,
    built: BuiltPolicy,
    permissions: Permissions,
  ) {
    this.#world = world;
    this.#listener = listener;
    this.built = built;
    this.permissions = permissions;
    this.policy = built.bundle.name;
    this.#looksFast = looksFast(built.bundle.code);
    const { capabilities, schedule, ports } = world;
    this.#calls = new RealmCalls({
      policy: this.policy,
      permissions,
      settingsFile: world.settings().settings.file,
      clock: ports.clock,
      schedule,
      capabilities,
      settle: (call, ok, text) => this.#place?.sandbox.settle(this.#place.realm, call, ok, text),
    });
  }

  /** Evaluates it. Nothing of it runs on its own afterwards. */
  static async load(
    world: PolicyWorld,
    listener: VersionListener,
    { built, permissions }: { readonly built: BuiltPolicy; readonly permissions: Permissions },
    state: SavedState,
  ): Promise<VersionOutcome> {
    const version = new PolicyVersion(world, listener, built, permissions);
    return await version.#load(state);
  }

  get shape(): PolicyShape {
    if (this.#shape === undefined) throw new TypeError("the policy is not loaded");
    return this.#shape;
  }

  /** Whether it is, to the letter, what was built. */
  isMadeOf({ bundle }: BuiltPolicy): boolean {
    const own = this.built.bundle;
    return (
      own.code === bundle.code &&
      own.permissions === bundle.permissions &&
      own.sourceMap === bundle.sourceMap
    );
  }

  /** Runs a check, a hook or `balance`. The caller keeps the time, and abandons it. */
  async enter(entry: Entry, timeout: Micros): Promise<EntryOutcome> {
    const place = this.#place;
    if (place === undefined || this.closed) return CLOSED;
    const key = entryKey(entry);
    const latest = after(this.#world.ports.clock.now(), timeout);
    this.#entries.set(key, latest);
    this.#show();
    let outcome = await place.sandbox.enter(place.realm, entry);
    // Others failed, and took it along. A check does no harm twice; a hook might.
    for (let tries = 1; entry.kind !== "event" && isMoved(outcome) && tries < TRIES; tries += 1) {
      if (this.closed || this.#entries.get(key) !== latest) break;
      outcome = await place.sandbox.enter(place.realm, entry);
    }
    if (this.#entries.get(key) === latest) this.#entries.delete(key);
    return this.closed ? CLOSED : outcome;
  }

  abandon(entry: Entry): void {
    if (this.#place === undefined || this.closed) return;
    this.#entries.delete(entryKey(entry));
    this.#calls.abandon(entry);
    this.#place.sandbox.abandon(this.#place.realm, entry);
  }

  /** Whether a run waits for the world. */
  waits(entry: Entry): boolean {
    return this.#calls.waits(entry);
  }

  /** Whether what a run threw is what a call of it failed with. */
  worldFailed(message: string): boolean {
    return this.#calls.caused(message);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#unwatch();
    this.#calls.abandon();
    if (this.#place === undefined) return;
    this.#world.realms.remove(this.#place.realm);
    this.#place.sandbox.unload(this.#place.realm);
  }

  call(call: RealmCall): void {
    const own = call.entry && this.#entries.get(entryKey(call.entry));
    const now = this.#world.ports.clock.now();
    this.#calls.begin(call, own ?? this.#lastEnd() ?? after(now, LATE_CALL));
  }

  effect(effect: RealmEffect): void {
    this.#listener.effect(this, effect);
  }

  struck(failure: SandboxFailure): void {
    this.#calls.abandon();
    this.#listener.struck(this, failure);
  }

  recovered(): void {
    this.#calls.abandon();
    this.#shown = undefined;
    this.#listener.recovered(this);
  }

  async #load(state: SavedState): Promise<VersionOutcome> {
    const { capabilities, realms } = this.#world;
    try {
      this.#unwatch = await capabilities.watch(this.permissions, this.#valuesChanged);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ok: false, problems: [`a plugin that it needs cannot be opened: ${why}`] };
    }
    const sandbox = await this.#world.sandbox();
    const view = this.#newView() ?? "{}";
    const bundle = { ...this.built.bundle, permissions: JSON.stringify(this.permissions) };
    let outcome = await sandbox.load(bundle, state, view);
    // Others failed, and took it along.
    for (let tries = 1; isMoved(outcome) && tries < TRIES; tries += 1) {
      outcome = await sandbox.load(bundle, state, view);
    }
    if (!outcome.ok) {
      this.close();
      return { ok: false, problems: [failureText(outcome.failure)] };
    }
    const { realm, shape, state: loadedState } = outcome.loaded;
    this.#place = { sandbox, realm };
    realms.add(realm, this);
    const read = readShape(shape, this.built.manifest);
    if (!read.ok) {
      this.close();
      return { ok: false, problems: read.problems.map(problemText) };
    }
    this.#shape = read.shape;
    return { ok: true, version: this, state: loadedState };
  }

  #lastEnd(): Instant | undefined {
    let last: Instant | undefined;
    for (const at of this.#entries.values()) if (last === undefined || at > last) last = at;
    return last;
  }

  readonly #valuesChanged = (plugin: string, values: Json): void => {
    const first = !this.#values.has(plugin);
    this.#values.set(plugin, values);
    this.#valuesShown = false;
    if (!first) this.#listener.valuesChanged(this);
  };

  /** JSON of what it sees; `undefined`: it was shown that. */
  #newView(): string | undefined {
    const shared = this.#world.view.shared(this.#looksFast);
    if (shared === this.#shown && this.#valuesShown) return undefined;
    this.#shown = shared;
    this.#valuesShown = true;
    return viewText(shared, this.#values.get(PROCESSES) ?? {});
  }

  /** Shows what has changed since the last run. */
  #show(): void {
    const view = this.#newView();
    if (view !== undefined) this.#place?.sandbox.view(this.#place.realm, view);
  }
}

const TRIES = 3;

const isMoved = (outcome: LoadOutcome | EntryOutcome): boolean =>
  !outcome.ok && outcome.failure.kind === "moved";

const CLOSED: EntryOutcome = {
  ok: false,
  failure: { kind: "closed", message: "this version is gone", stack: [] },
};
