import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FromWorker } from "../../agent/sandbox/messages.ts";
import { RUNNING_BYTES, RunningSlot } from "../../agent/sandbox/running.ts";
import type { PolicyBundle } from "../../agent/sandbox/sandbox.ts";
import { Shard } from "../../agent/sandbox/shard.ts";
import { bundleOf, checking, NOW, openModule } from "../sandbox/realms.ts";

/* Policies that do a little harm at a time, for hours of virtual time, beside one that counts. */

const HOURS = 2;
const RUNS = HOURS * 3_600;
const POISON = 1;
const NEIGHBOUR = 2;

const counting = bundleOf(`export default { state: { version: 1, init: () => ({ n: 0 }) },
  checks: { c: { run(ctx) { return ++ctx.state.n } } } }`);

const poisons: Readonly<Record<string, PolicyBundle>> = {
  "texts that are kept": checking(
    "(globalThis.kept ??= []).push('x'.repeat(5000) + ctx.now); return true",
  ),
  "objects that are kept": checking(
    "for (let i = 0; i < 50; i++) (globalThis.kept ??= []).push({ i }); return true",
  ),
  "cycles of garbage": checking(
    "const o = { t: 'x'.repeat(5000) + ctx.now }; o.self = o; return true",
  ),
  "names without end": checking("globalThis['name' + ctx.now] = 1; return true"),
  "promises that wait for ever": checking(
    "(globalThis.kept ??= []).push(new Promise(() => {}).then(() => ctx)); return true",
  ),
  "listeners on one promise": checking(
    "(globalThis.one ??= new Promise(() => {})).then(() => 'x'.repeat(1000)); return true",
  ),
  "calls that nobody answers": checking("ctx.kv.get('a').catch(() => {}); return true"),
  "a chain of functions": checking(
    "const f = globalThis.f; globalThis.f = () => f; return typeof globalThis.f === 'function'",
  ),
  "a prototype that grows": checking(
    "Object.setPrototypeOf(globalThis.o = { a: 1 }, globalThis.o ?? null); return true",
  ),
  "good manners for an hour, and a loop then": checking(
    `if (ctx.now > ${NOW + 3_600_000}) for (;;); return true`,
  ),
  "a state that grows": bundleOf(`export default { state: { version: 1, init: () => [] },
    checks: { c: { run(ctx) { ctx.state.push('x'.repeat(400)); return true } } } }`),
  "a word in each run": checking("ctx.log.warn('x'.repeat(1000)); return true"),
  "an exception in each run": checking("throw new Error('x'.repeat(1000))"),
};

/** What a worker does, in this thread. */
class Local {
  now = NOW;
  strikes = 0;
  readonly outcomes: (FromWorker & { kind: "outcome" })[] = [];
  readonly #shard = new Shard({
    openModule,
    tell: (message) => this.#hear(message),
    running: new RunningSlot(new SharedArrayBuffer(RUNNING_BYTES)),
    clock: () => this.now,
    now: () => this.now,
  });
  #entry = 0;

  load(realm: number, bundle: PolicyBundle): Promise<void> {
    const rest = { state: undefined, view: "{}", lastCall: 0, seed: 1, alone: false };
    return this.#shard.obey({ kind: "load", realm, bundle, ...rest });
  }

  run(realm: number): Promise<void> {
    const entry = { kind: "check", name: "c" } as const;
    return this.#shard.obey({ kind: "enter", realm, id: ++this.#entry, entry });
  }

  #hear(message: FromWorker): void {
    if (message.kind === "outcome") this.outcomes.push(message);
    else if (message.kind === "loaded") assert.ok(message.result.ok);
    else if (message.kind === "struck") {
      assert.equal(message.realm, POISON);
      this.strikes++;
    }
  }
}

/** Answers how often the poisonous one was stopped by force. */
async function endure(poison: PolicyBundle): Promise<number> {
  const local = new Local();
  await local.load(POISON, poison);
  await local.load(NEIGHBOUR, counting);
  for (let run = 1; run <= RUNS; run++) {
    local.now += 1_000;
    // From its first strike on it is left alone for ten minutes each time.
    if (local.strikes === 0 || run % 600 === 0) await local.run(POISON);
    await local.run(NEIGHBOUR);
    const heard = local.outcomes.splice(0).filter(({ realm }) => realm === NEIGHBOUR);
    const expected = { ok: true, result: `${run}`, state: `{"version":1,"value":{"n":${run}}}` };
    assert.deepEqual(
      heard.map(({ outcome }) => outcome),
      [expected],
    );
  }
  return local.strikes;
}

describe(`for ${HOURS} hours, a run a second`, () => {
  for (const [name, bundle] of Object.entries(poisons)) {
    test(name, { timeout: 60_000 }, async (t) => {
      t.diagnostic(`${await endure(bundle)} strikes`);
    });
  }
});
