import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { openSandbox } from "../../agent/sandbox/pool.ts";
import type {
  Entry,
  EntryOutcome,
  PolicyBundle,
  RealmId,
  Sandbox,
} from "../../agent/sandbox/sandbox.ts";
import { CHECK, checking } from "./realms.ts";

/* What the sandbox costs. Each function measures a pool of its own, in the process that calls it. */

const VIEW = JSON.stringify({ node: "lb1", routers: {}, peers: [], nodes: [], services: [] });
/** For the threads to be up, and for what they no longer need to be collected. */
const SETTLE_MS = 1_500;
/** Code that has run some thousand times is compiled. */
const WARM_UP_SECONDS = 5;

const SMALL = checking("return { ok: true }");
const STUCK = checking("return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)");

export interface CrowdFigures {
  readonly policies: number;
  /** From the first load that was asked for to the last one that was answered. */
  readonly loadMs: number;
  /** Resident memory of the process above that with an empty pool. */
  readonly mebibytes: number;
  readonly kibibytesPerPolicy: number;
  /** CPU time of all threads of the process while each policy ran a check a second. */
  readonly percentOfCore: number;
  /** Time from asking for a check to its answer. */
  readonly answerMs: { readonly median: number; readonly worst: number };
}

/** Many policies with a check a second each. */
export async function measureCrowd(
  policies = 1_000,
  { seconds = 10, mostWorkers }: { seconds?: number; mostWorkers?: number } = {},
): Promise<CrowdFigures> {
  const sandbox = open(mostWorkers);
  await delay(SETTLE_MS);
  const emptyKib = residentKib();
  const startedAt = performance.now();
  const realms = await loadAll(
    sandbox,
    Array.from({ length: policies }, () => SMALL),
  );
  const loadMs = performance.now() - startedAt;
  await delay(SETTLE_MS);
  await keepSchedule(sandbox, realms, WARM_UP_SECONDS);
  const before = process.cpuUsage();
  const answers = await keepSchedule(sandbox, realms, seconds);
  const { user, system } = process.cpuUsage(before);
  const kib = residentKib() - emptyKib;
  await sandbox.close();
  return {
    policies,
    loadMs,
    mebibytes: kib / 1024,
    kibibytesPerPolicy: kib / policies,
    percentOfCore: (user + system) / 1e4 / seconds,
    answerMs: { median: answers[answers.length >> 1] ?? 0, worst: answers.at(-1) ?? 0 },
  };
}

export interface StuckFigures {
  /** From the start of what held the thread up until each of the others had answered again. */
  readonly recoveredMs: number;
  /** Longest time between two answers of one of the others, whose period is 100 ms. */
  readonly worstGapMs: number;
}

/** One of some policies, each run ten times a second, gets stuck where no interrupt reaches it. */
export async function measureStuck(policies = 64): Promise<StuckFigures> {
  const sandbox = open();
  const all = [...Array.from({ length: policies - 1 }, () => SMALL), STUCK];
  const realms = await loadAll(sandbox, all);
  await delay(SETTLE_MS);
  const culprit = realms.at(-1) ?? 0;
  const others = realms.slice(0, -1);
  const lastAt = new Map<RealmId, number>();
  const heard = new Set<RealmId>();
  let worstGapMs = 0;
  let stuckAt = Number.POSITIVE_INFINITY;
  let recover: (ms: number) => void = () => undefined;
  const recovered = new Promise<number>((resolve) => {
    recover = resolve;
  });
  const ask = async (realm: RealmId): Promise<void> => {
    const askedAt = performance.now();
    let outcome: EntryOutcome;
    do outcome = await sandbox.enter(realm, CHECK);
    while (!outcome.ok && outcome.failure.kind === "moved");
    const now = performance.now();
    worstGapMs = Math.max(worstGapMs, now - (lastAt.get(realm) ?? now));
    lastAt.set(realm, now);
    // One that was asked before may have been answered before.
    if (askedAt < stuckAt || heard.has(realm)) return;
    heard.add(realm);
    if (heard.size === others.length) recover(now - stuckAt);
  };
  const timers = others.map((realm, index) => {
    let timer = setTimeout(
      () => {
        timer = setInterval(() => void ask(realm), 100);
      },
      (index * 100) / others.length,
    );
    return (): void => clearInterval(timer);
  });
  await delay(1_000);
  stuckAt = performance.now();
  void sandbox.enter(culprit, CHECK);
  const recoveredMs = await recovered;
  await delay(500);
  for (const stop of timers) stop();
  await sandbox.close();
  return { recoveredMs, worstGapMs };
}

const open = (mostWorkers?: number): Sandbox => {
  const nothing = (): void => undefined;
  const listener = { call: nothing, effect: nothing, struck: nothing, recovered: nothing };
  return openSandbox({ listener, ...(mostWorkers === undefined ? {} : { mostWorkers }) });
};

async function loadAll(sandbox: Sandbox, bundles: readonly PolicyBundle[]): Promise<RealmId[]> {
  const outcomes = await Promise.all(
    bundles.map((bundle) => sandbox.load(bundle, undefined, VIEW)),
  );
  return outcomes.map((outcome) => {
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.failure.message);
    return outcome.loaded.realm;
  });
}

/** Runs each a second, spread over the second. Answers how long each took, in order. */
async function keepSchedule(
  sandbox: Sandbox,
  realms: readonly RealmId[],
  seconds: number,
): Promise<readonly number[]> {
  const entry: Entry = CHECK;
  const answers: number[] = [];
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  const due = realms.length * seconds;
  const ask = async (realm: RealmId): Promise<void> => {
    const askedAt = performance.now();
    const outcome = await sandbox.enter(realm, entry);
    assert.ok(outcome.ok);
    answers.push(performance.now() - askedAt);
  };
  for (let asked = 0; asked < due; ) {
    const elapsed = (performance.now() - startedAt) / 1_000;
    for (; asked < Math.min(due, elapsed * realms.length); asked++) {
      const realm = realms[asked % realms.length];
      if (realm !== undefined) running.push(ask(realm));
    }
    await delay(10);
  }
  await Promise.all(running);
  return answers.sort((a, b) => a - b);
}

/** Of the whole process. */
function residentKib(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib);
}
