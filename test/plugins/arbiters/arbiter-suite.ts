import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Micros } from "../../../agent/core/time.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../../agent/ports/arbiter.ts";

/** A store that the suite runs against. */
export interface Store {
  /** The shortest that it takes. */
  readonly ttl: Micros;
  /** How many times faster than ours its clock runs; 1 where it is not said. */
  readonly pace?: number;
  /** How long after a ttl a dead holder's lease may last. */
  readonly slack: Micros;
  /** For leases that are to outlive what a busy machine does to a test; `ttl` where it is left out. */
  readonly longTtl?: Micros;
  /** How long one request may take. */
  readonly rpc: Micros;
  open(): Promise<Arbiter>;
  /** One whose holder can be made to die. */
  openMortal(): Promise<{ readonly arbiter: Arbiter; die(): void }>;
  /** Ends the store as by `kill -9`. */
  kill?(): Promise<void>;
  /** Starts it anew after that, with what it kept. */
  startAnew?(): void;
  /** The store does not answer until it goes on. */
  stop?(): void;
  /** One of its servers alone, so that a majority is left. */
  stopOne?(): void;
  goOn?(): void;
  dispose(): Promise<void>;
}

interface Options {
  readonly contenders?: number;
  readonly timeout?: number;
}

const ms = (time: Micros): number => time / 1_000;

let names = 0;
const newName = (): string => `group/${process.pid}_${++names}.x`;

/** Asks with the store's time for a request. */
export class Asker {
  readonly arbiter: Arbiter;
  readonly key: LeaseKey;
  readonly #rpc: Micros;

  /** When it asked for the last time in vain, by performance.now(). */
  inVainAt = 0;

  constructor(store: Store, arbiter: Arbiter, name: string, holder: string, ttl = store.ttl) {
    this.arbiter = arbiter;
    this.key = { name, holder, ttl };
    this.#rpc = store.rpc;
  }

  acquire = (): Promise<LeaseAnswer> => this.arbiter.acquire(this.key, this.signal());
  renew = (): Promise<LeaseAnswer> => this.arbiter.renew(this.key, this.signal());
  release = (): Promise<void> => this.arbiter.release(this.key, this.signal());
  look = (): Promise<StoreView> => this.arbiter.look(this.key, this.signal());
  signal = (): AbortSignal => AbortSignal.timeout(ms(this.#rpc));

  /** Until it is held; answers the epoch. */
  async awaitHeld(limitMs: number): Promise<string> {
    const until = performance.now() + limitMs;
    for (;;) {
      const askedAt = performance.now();
      const answer = await this.acquire();
      if (answer.kind === "held") return answer.epoch;
      this.inVainAt = askedAt;
      assert.ok(performance.now() < until, `not held in time: ${JSON.stringify(answer)}`);
      await sleep(20);
    }
  }
}

export function epochOf(answer: LeaseAnswer): string {
  assert.equal(answer.kind, "held", JSON.stringify(answer));
  return answer.kind === "held" ? answer.epoch : "";
}

/** Beyond what the machine does to whoever sleeps. */
const LATE_MS = 250;

/** By how many milliseconds this took longer than to sleep for so long at the same time. */
async function lateness<Answer>(
  timeMs: number,
  ask: () => Promise<Answer>,
): Promise<readonly [Answer, number]> {
  const from = performance.now();
  const slept = sleep(timeMs).then(() => performance.now());
  const answer = await ask();
  const at = performance.now();
  return [answer, at - Math.max(from + timeMs, await slept)];
}

/** What every store does, whichever it is. */
export function arbiterSuite(
  title: string,
  start: () => Promise<Store>,
  { contenders = 100, timeout = 40_000 }: Options = {},
): void {
  describe(title, { timeout, concurrency: 1 }, () => {
    let store: Store;
    const opened: Arbiter[] = [];
    before(async () => {
      store = await start();
    });
    after(async () => {
      await Promise.all(opened.map((arbiter) => arbiter.close()));
      await store?.dispose();
    });

    async function open(name: string, holder: string, ttl = store.ttl): Promise<Asker> {
      const arbiter = await store.open();
      opened.push(arbiter);
      return new Asker(store, arbiter, name, holder, ttl);
    }

    async function openTwo(): Promise<readonly [Asker, Asker]> {
      const [name, ttl] = [newName(), store.longTtl ?? store.ttl];
      return [await open(name, "a", ttl), await open(name, "b", ttl)];
    }

    test("one of two has it, keeps it and gives it back", async () => {
      const [a, b] = await openTwo();
      const first = await a.awaitHeld(15_000);
      assert.deepEqual(await b.acquire(), { kind: "taken", holder: "a" });
      assert.deepEqual(await a.renew(), { kind: "held", epoch: first });
      assert.deepEqual(await b.renew(), { kind: "lost" });
      assert.deepEqual(await a.acquire(), { kind: "held", epoch: first });
      // Giving back what is another's does nothing.
      await b.release();
      assert.deepEqual(await a.renew(), { kind: "held", epoch: first });
      await a.release();
      assert.deepEqual(await a.renew(), { kind: "lost" });
      const second = epochOf(await b.acquire());
      assert.ok(second > first, `${first} → ${second}`);
      await b.release();
      assert.ok(epochOf(await a.acquire()) > second);
      await a.release();
    });

    test("a look tells who has it, and gives it to nobody", async () => {
      const [a, b] = await openTwo();
      const until = performance.now() + 15_000;
      let free = await b.look();
      while (free.kind === "unreachable" && performance.now() < until) {
        await sleep(20);
        free = await b.look();
      }
      assert.deepEqual(free, { kind: "free" });
      const first = await a.awaitHeld(5_000);
      assert.deepEqual(await b.look(), { kind: "taken", holder: "a" });
      assert.deepEqual(await a.look(), { kind: "taken", holder: "a" });
      assert.deepEqual(await a.renew(), { kind: "held", epoch: first });
      assert.deepEqual(await b.renew(), { kind: "lost" });
      await a.release();
      assert.deepEqual(await b.look(), { kind: "free" });
      assert.deepEqual(await a.renew(), { kind: "lost" });
    });

    test("a hint comes when the holder goes", async () => {
      const [a, b] = await openTwo();
      await a.awaitHeld(5_000);
      assert.equal((await b.acquire()).kind, "taken");
      let stop = (): void => {};
      const told = new Promise<boolean>((resolve) => {
        stop = b.arbiter.watch(b.key.name, () => resolve(true));
      });
      // When listening has begun the store does not say: changes are made until one is heard.
      let isHeard = false;
      for (let turn = 0; turn < 40 && !isHeard; turn++) {
        await a.release();
        isHeard = await Promise.race([told, sleep(100, false)]);
        await a.awaitHeld(5_000);
      }
      stop();
      await a.release();
      assert.ok(isHeard);
    });

    test("a dead holder's lease is free after its ttl, and never before", async () => {
      const name = newName();
      const b = await open(name, "b");
      const ttl = ms(store.ttl) / (store.pace ?? 1);
      const slack = ms(store.slack) / (store.pace ?? 1);
      /** A holder that has lived for a time, as signs of life are counted from; `undefined`: it was starved. */
      const holder = async () => {
        const { arbiter, die } = await store.openMortal();
        opened.push(arbiter);
        const a = new Asker(store, arbiter, name, "a");
        const epoch = await a.awaitHeld(5_000);
        const heldAt = performance.now();
        const other = await b.acquire();
        await sleep(ttl / 3);
        const sentAt = performance.now();
        const renewed = await a.renew();
        if (performance.now() - heldAt > ttl * 0.8) {
          die();
          await b.release();
          return undefined;
        }
        assert.deepEqual(other, { kind: "taken", holder: "a" });
        assert.deepEqual(renewed, { kind: "held", epoch });
        return { die, sentAt, first: epoch };
      };
      let lived = await holder();
      for (let tries = 1; lived === undefined && tries < 5; tries += 1) lived = await holder();
      assert.ok(lived !== undefined, "the machine left no holder its time, five times");
      const { die, sentAt, first } = lived;
      die();
      const second = await b.awaitHeld(ttl + slack + 1_000);
      const took = performance.now() - sentAt;
      assert.ok(took >= ttl, `free after ${took} ms`);
      // As long as it was seen to be taken: when it is asked for next is the machine's doing.
      const taken = b.inVainAt - sentAt;
      assert.ok(taken <= ttl + slack, `free only after ${taken} ms`);
      assert.ok(second > first);
      await b.release();
    });

    test(`never two holders among ${contenders}`, async () => {
      const name = newName();
      const holdings: Holding[] = [];
      const all = await Promise.all(
        Array.from({ length: contenders }, (_, at) => open(name, `${at}`)),
      );
      const until = performance.now() + 15_000;
      await Promise.all(
        all.map(async (one) => {
          while (holdings.length < 8 && performance.now() < until) {
            const sentAt = performance.now();
            const answer = await one.acquire();
            const from = performance.now();
            await sleep(3);
            if (answer.kind !== "held") continue;
            const to = Math.min(performance.now(), sentAt + ms(store.ttl) / (store.pace ?? 1));
            holdings.push({ from, to, epoch: answer.epoch });
            await one.release();
          }
        }),
      );
      assert.ok(holdings.length >= 8, `${holdings.length} holdings`);
      holdings.sort((x, y) => x.from - y.from);
      for (const [at, { from, epoch }] of holdings.entries()) {
        const before = holdings[at - 1];
        if (before === undefined) continue;
        assert.ok(before.to <= from, "two held it");
        assert.ok(before.epoch < epoch, `${before.epoch} → ${epoch}`);
      }
    });

    test("a request whose time is over is answered so at once", async () => {
      const [a] = await openTwo();
      const over = AbortSignal.abort();
      assert.equal((await a.arbiter.acquire(a.key, over)).kind, "unreachable");
      assert.equal((await a.arbiter.renew(a.key, over)).kind, "unreachable");
      assert.equal((await a.arbiter.look(a.key, over)).kind, "unreachable");
      await a.arbiter.release(a.key, over);
    });

    test("a store that stands still, and one that starts anew", async () => {
      const [a, b] = await openTwo();
      const epoch = await a.awaitHeld(10_000);
      if (store.stop !== undefined) {
        store.stop();
        const [[answer, view], late] = await lateness(ms(store.rpc), () =>
          Promise.all([a.renew(), b.look()]),
        );
        store.goOn?.();
        assert.equal(view.kind, "unreachable", JSON.stringify(view));
        assert.equal(answer.kind, "unreachable", JSON.stringify(answer));
        assert.ok(late <= LATE_MS, `answered ${late} ms late`);
      }
      if (store.stopOne !== undefined) {
        store.stopOne();
        const [one] = await openTwo();
        await one.awaitHeld(20_000);
        store.goOn?.();
        await one.release();
      }
      if (store.kill !== undefined) {
        await store.kill();
        const [answer, late] = await lateness(ms(store.rpc), () => a.renew());
        assert.equal(answer.kind, "unreachable", JSON.stringify(answer));
        assert.ok(late <= LATE_MS, `answered ${late} ms late`);
        store.startAnew?.();
      }
      // The lease of the first is there still, or ran out.
      await a.release();
      const next = await b.awaitHeld(20_000);
      assert.ok(next > epoch, `${epoch} → ${next}`);
      await b.release();
    });
  });
}

interface Holding {
  readonly from: number;
  readonly to: number;
  readonly epoch: string;
}
