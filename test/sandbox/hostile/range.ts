import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { openSandbox } from "../../../agent/sandbox/pool.ts";
import type {
  Entry,
  EntryOutcome,
  RealmCall,
  RealmId,
  Sandbox,
} from "../../../agent/sandbox/sandbox.ts";
import type { End, Hostile } from "./hostile.ts";
import { ATTACK, bundleOf, FINE } from "./hostile.ts";

const NEIGHBOURS = 4;
const PERIOD_MS = 50;
/** What never answers is given up after this long. */
const GIVE_UP_MS = 60;
const VIEW = JSON.stringify({
  node: "lb1",
  routers: { VI_1: { name: "VI_1", state: "active", priority: 100, contributions: [] } },
  peers: [],
});

/** A pool with neighbours that have a schedule to keep, and attackers beside them. */
export class Range {
  readonly sandbox: Sandbox;
  readonly struck = new Map<RealmId, number>();
  #neighbours: readonly Neighbour[] = [];
  effects = 0;

  constructor() {
    this.sandbox = openSandbox({
      listener: {
        call: (call) => this.#answer(call),
        effect: () => this.effects++,
        struck: (realm) => this.struck.set(realm, (this.struck.get(realm) ?? 0) + 1),
        recovered: () => undefined,
      },
    });
  }

  async start(): Promise<void> {
    const quiet: Hostile = { name: "neighbour", body: "", ends: ["good"] };
    this.#neighbours = await Promise.all(
      Array.from({ length: NEIGHBOURS }, async () => {
        const loaded = await this.sandbox.load(bundleOf(quiet), undefined, VIEW);
        assert.ok(loaded.ok);
        return new Neighbour(this.sandbox, loaded.loaded.realm);
      }),
    );
  }

  /** Longest time that a neighbour was without a result since the last look. */
  takeWorstGap(): number {
    return Math.max(...this.#neighbours.map((neighbour) => neighbour.takeWorstGap()));
  }

  /** Whether no neighbour was ever struck or answered wrongly. */
  get neighboursAreWell(): boolean {
    return this.#neighbours.every(({ realm, wrong }) => !this.struck.has(realm) && wrong === 0);
  }

  async close(): Promise<void> {
    for (const neighbour of this.#neighbours) neighbour.stop();
    await this.sandbox.close();
  }

  /** Runs an attack, and a check of the same policy after it. */
  async attack(hostile: Hostile): Promise<void> {
    const { name, ends, times = 1, usable = true } = hostile;
    const loaded = await this.sandbox.load(bundleOf(hostile), undefined, VIEW);
    if (!loaded.ok) {
      const { kind, message } = loaded.failure;
      assert.ok(
        ends.includes(kind) || usable === false,
        `${name}: loading ended ${kind}: ${message}`,
      );
      return;
    }
    const { realm } = loaded.loaded;
    assert.ok(hostile.module === undefined, `${name}: it was loaded`);
    for (let run = 0; run < times; run++) {
      const [end, words] = await this.#endOf(realm, { ...ATTACK }, ends.includes("waits"));
      assert.ok(ends.includes(end), `${name}: it ended ${end} ${words}`);
    }
    if (usable) {
      const outcome = await settled(() => this.sandbox.enter(realm, FINE));
      assert.ok(outcome.ok && outcome.result === "true", `${name}: ${JSON.stringify(outcome)}`);
    }
    this.sandbox.unload(realm);
  }

  async #endOf(realm: RealmId, entry: Entry, mayWait: boolean): Promise<readonly [End, string]> {
    const running = this.sandbox.enter(realm, entry);
    const over = new AbortController();
    const waits = mayWait ? this.#giveUp(realm, entry, over.signal) : undefined;
    const ended = await running;
    over.abort();
    await waits;
    if (ended.ok) return ["good", ended.result];
    const { kind, message } = ended.failure;
    return [kind === "closed" ? "waits" : kind, message];
  }

  /** Only what waits idly is given up: everything else must come to an end by itself. */
  async #giveUp(realm: RealmId, entry: Entry, over: AbortSignal): Promise<void> {
    await delay(GIVE_UP_MS, undefined, { signal: over }).catch(() => undefined);
    while (!over.aborted) {
      const probe = await settled(() => this.sandbox.enter(realm, FINE));
      if (probe.ok && !over.aborted) return this.sandbox.abandon(realm, entry);
    }
  }

  #answer({ realm, call, operation, arguments: args }: RealmCall): void {
    if (args.includes("/never")) return;
    const text = operation === "http.get" ? '{"status":200,"body":""}' : "null";
    const settle = (): void => this.sandbox.settle(realm, call, true, text);
    // Some answers come as soon as can be.
    if (operation === "kv.get") settle();
    else setTimeout(settle, 1);
  }
}

/** Runs again what only moved. */
async function settled(run: () => Promise<EntryOutcome>): Promise<EntryOutcome> {
  for (;;) {
    const outcome = await run();
    if (outcome.ok || outcome.failure.kind !== "moved") return outcome;
  }
}

/** An innocent policy, run to a schedule. */
class Neighbour {
  readonly realm: RealmId;
  readonly #timer: NodeJS.Timeout;
  #lastAt = performance.now();
  #worst = 0;
  wrong = 0;

  constructor(sandbox: Sandbox, realm: RealmId) {
    this.realm = realm;
    this.#timer = setInterval(() => {
      void settled(() => sandbox.enter(realm, FINE)).then((outcome) => {
        if (outcome.ok && outcome.result === "true") this.#heard();
        else if (outcome.ok || outcome.failure.kind !== "closed") this.wrong++;
      });
    }, PERIOD_MS);
  }

  takeWorstGap(): number {
    const worst = this.#worst;
    this.#worst = 0;
    return worst;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #heard(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#lastAt);
    this.#lastAt = now;
  }
}
