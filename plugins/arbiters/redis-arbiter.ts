import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../agent/ports/arbiter.ts";
import { attempt, unreachable, within } from "./answer.ts";
import { listen } from "./hints.ts";
import type { RedisClient } from "./redis-connection.ts";
import { redisClient, redisFailure } from "./redis-connection.ts";
import { ACQUIRE, LOOK, RELEASE, RENEW } from "./redis-scripts.ts";
import type { RedisSettings } from "./settings.ts";

/**
 * Redis 5 or later: a key with a time to live. Weaker than the other stores: a replica that takes over,
 * or a server that comes back without its last second, may not know of a lease that was given. Nobody
 * gets one from a server that has run for less than a ttl, which makes up for the second; nothing makes up
 * for the replica. Times are those of the server's wall clock: one that is set forward ends leases early.
 */
export class RedisArbiter implements Arbiter {
  readonly #settings: RedisSettings;
  readonly #prefix: string;
  /**
   * By name, what tells a holding of ours from everybody else's and from an earlier one of ours: a
   * release that comes late, of a connection that was given up, must not end the next holding.
   */
  readonly #tokens = new Map<string, string>();
  #client: RedisClient | undefined;
  #connecting: Promise<unknown> | undefined;
  /** Microseconds that the server of this connection had run for, at least. */
  #hasRunFor = 0;

  constructor(settings: RedisSettings) {
    this.#settings = settings;
    this.#prefix = settings.prefix ?? "holdfast:";
  }

  acquire({ name, holder, ttl }: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      await this.#waitForForgotten(ttl, signal);
      const token = this.#tokens.get(name) ?? randomBytes(16).toString("hex");
      this.#tokens.set(name, token);
      const keys = [this.#keyOf(name), `${this.#keyOf(name)}:epoch`];
      const kept = await this.#run(ACQUIRE, keys, [token, ms(ttl), holder], signal);
      if (kept === null) return { kind: "taken", holder: undefined };
      return kept.startsWith(token) ? heldBy(kept) : { kind: "taken", holder: holderOf(kept) };
    });
  }

  renew({ name, ttl }: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const token = this.#tokens.get(name);
      if (token === undefined) return { kind: "lost" };
      const kept = await this.#run(RENEW, [this.#keyOf(name)], [token, ms(ttl)], signal);
      if (kept !== null) return heldBy(kept);
      if (this.#tokens.get(name) === token) this.#tokens.delete(name);
      return { kind: "lost" };
    });
  }

  release({ name }: LeaseKey, signal: AbortSignal): Promise<void> {
    return attempt(signal, async () => {
      const token = this.#tokens.get(name);
      this.#tokens.delete(name);
      if (token !== undefined) await this.#run(RELEASE, [this.#keyOf(name)], [token], signal);
    });
  }

  /**
   * It also writes keys that are not there, which changes nothing: so it proves the right to all but INCR, and
   * that this is no replica. A server that has begun lately serves, though it gives no leases yet.
   */
  look({ name }: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return within(signal, async () => {
      await this.#uptime(signal);
      const keys = [this.#keyOf(name), `${this.#keyOf(name)}:look`];
      const kept = await this.#run(LOOK, keys, [], signal);
      return kept === null ? { kind: "free" } : { kind: "taken", holder: holderOf(kept) };
    });
  }

  watch(name: string, changed: () => void): () => void {
    return listen(async (signal) => {
      const client = redisClient(this.#settings);
      const end = (): void => destroy(client);
      signal.addEventListener("abort", end);
      try {
        await client.connect();
        await client.subscribe(this.#keyOf(name), changed);
        await once(client, "end", { signal });
      } finally {
        signal.removeEventListener("abort", end);
        end();
      }
    });
  }

  close(): Promise<void> {
    const client = this.#client;
    this.#forget();
    if (client !== undefined) destroy(client);
    return Promise.resolve();
  }

  /** A server that has begun lately may have forgotten what it gave away. */
  async #waitForForgotten(ttl: number, signal: AbortSignal): Promise<void> {
    // A connection ends with its server.
    if (this.#client?.isReady === true && this.#hasRunFor >= ttl) return;
    const seconds = await this.#uptime(signal);
    // It counts turns of the clock's seconds: its first may have been short.
    this.#hasRunFor = (seconds - 1) * 1_000_000;
    if (this.#hasRunFor >= ttl) return;
    throw unreachable(
      `Redis has run for ${seconds} s and may have forgotten leases of its last life`,
    );
  }

  async #uptime(signal: AbortSignal): Promise<number> {
    const text = await this.#command(["INFO", "server"], signal);
    return Number(/^uptime_in_seconds:(\d+)/m.exec(String(text))?.[1] ?? 0);
  }

  async #run(
    script: string,
    keys: readonly string[],
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<string | null> {
    const words = ["EVAL", script, String(keys.length), ...keys, ...args];
    const reply = await this.#command(words, signal);
    return typeof reply === "string" ? reply : null;
  }

  async #command(words: readonly string[], signal: AbortSignal): Promise<unknown> {
    let client: RedisClient | undefined;
    // A connection with a request that nobody waits for any more is not used again.
    const giveUp = (): void => {
      if (client === undefined) return;
      if (this.#client === client) this.#forget();
      destroy(client);
    };
    signal.addEventListener("abort", giveUp);
    try {
      client = this.#client?.isOpen === true ? this.#client : this.#open();
      await this.#connecting;
      return await client.sendCommand(words);
    } catch (error) {
      throw await redisFailure(error, this.#settings, signal);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #open(): RedisClient {
    const client = redisClient(this.#settings);
    this.#client = client;
    this.#hasRunFor = 0;
    this.#connecting = client.connect();
    // Each who waits for it has the same answer; nobody may be left.
    this.#connecting.catch(() => {});
    return client;
  }

  #forget(): void {
    this.#client = undefined;
    this.#connecting = undefined;
    this.#hasRunFor = 0;
  }

  /** In braces what decides on the server of a cluster. */
  #keyOf(name: string): string {
    return `${this.#prefix}{${name}}`;
  }
}

const ms = (ttl: number): string => String(Math.ceil(ttl / 1_000));

const heldBy = (kept: string): LeaseAnswer => ({ kind: "held", epoch: kept.slice(33, 53) });

const holderOf = (kept: string): string => kept.slice(54);

function destroy(client: RedisClient): void {
  // It throws where it has ended already.
  if (client.isOpen) client.destroy();
}
