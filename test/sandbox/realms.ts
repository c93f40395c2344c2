import assert from "node:assert/strict";
import type { EngineModule } from "../../agent/sandbox/engine.ts";
import { Realm } from "../../agent/sandbox/realm.ts";
import type { Entry, EntryOutcome, PolicyBundle, SavedState } from "../../agent/sandbox/sandbox.ts";
import { openEngine } from "../../agent/sandbox/setup.ts";
import type { Turn } from "../../agent/sandbox/turn.ts";

/** 2023-11-14 22:13:20 UTC. */
export const NOW = 1_700_000_000_000;

const engine = openEngine();

export const openModule = (): Promise<EngineModule> => engine.module();

/** A policy out of plain JavaScript, as a bundler would hand it over. */
export const bundleOf = (code: string, permissions: object = {}): PolicyBundle => ({
  name: "test",
  code,
  sourceMap: "",
  permissions: JSON.stringify(permissions),
});

/** A policy with one check, `c`, whose body this is. */
export const checking = (body: string, permissions: object = {}): PolicyBundle =>
  bundleOf(
    `export default { checks: { c: { every: "1s", async run(ctx) { ${body} } } } }`,
    permissions,
  );

export interface LoadWith {
  readonly module?: EngineModule;
  readonly state?: SavedState;
  readonly view?: object;
  readonly clock?: () => number;
  readonly seed?: number;
}

export async function loadRealm(bundle: PolicyBundle, how: LoadWith = {}) {
  const module = how.module ?? (await openModule());
  const loaded = Realm.load(module, bundle, how.state, JSON.stringify(how.view ?? {}), {
    clock: how.clock ?? (() => NOW),
    seed: how.seed ?? 1,
  });
  return { module, loaded };
}

/** Loads what must load. */
export async function realmOf(bundle: PolicyBundle, how: LoadWith = {}): Promise<Realm> {
  const { loaded } = await loadRealm(bundle, how);
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.loss.failure.message);
  return loaded.realm;
}

export const CHECK: Entry = { kind: "check", name: "c" };

/** The one outcome of a turn. */
export function outcomeOf(turn: Turn): EntryOutcome {
  assert.equal(turn.outcomes.length, 1, JSON.stringify(turn));
  const [only] = turn.outcomes;
  assert.ok(only !== undefined);
  return only.outcome;
}

/** What a check answered. */
export function resultOf(turn: Turn): unknown {
  const outcome = outcomeOf(turn);
  assert.ok(outcome.ok, outcome.ok ? "" : `${outcome.failure.kind}: ${outcome.failure.message}`);
  return JSON.parse(outcome.result);
}

export function failureOf(turn: Turn) {
  const outcome = outcomeOf(turn);
  assert.ok(!outcome.ok, "it answered");
  return outcome.failure;
}
