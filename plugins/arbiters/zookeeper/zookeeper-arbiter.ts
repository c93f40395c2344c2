import type { Stat } from "node-zookeeper-client";
import { ACL, CreateMode, Exception } from "node-zookeeper-client";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../../agent/ports/arbiter.ts";
import type { StoreFailure } from "../answer.ts";
import { attempt, refused, unreachable, within } from "../answer.ts";
import { epochOf } from "../epoch.ts";
import type { ZooKeeperSettings } from "../settings.ts";
import type { Answered } from "./zookeeper-session.ts";
import { ZooKeeperSession } from "./zookeeper-session.ts";

const RELEASE_MS = 1_000;

/**
 * ZooKeeper: an ephemeral node, which lives as long as the session that made it; its czxid is the epoch,
 * and grows for as long as the ensemble keeps its data. All leases of an arbiter lie in one session, so
 * they share a ttl, of two of the ensemble's ticks or more.
 *
 * A renewal is an empty transaction that a majority agrees on, and a look at the node after it: a server
 * that has lost its leader answers neither. A holder that dies frees its lease after one and a half ttls
 * and up to two ticks: see `touches.ts`.
 */
export class ZooKeeperArbiter implements Arbiter {
  readonly #settings: ZooKeeperSettings;
  readonly #folder: string;
  /** czxid of the nodes that are ours, by path. */
  readonly #held = new Map<string, string>();
  /** Paths that may be ours against our will: their request was sent, and its answer did not come. */
  readonly #leftovers = new Set<string>();
  /** Paths that are being asked for. */
  readonly #asked = new Set<string>();
  readonly #watched = new Map<string, Set<() => void>>();
  #session: ZooKeeperSession | undefined;
  #ttl = 0;
  #isClosed = false;

  constructor(settings: ZooKeeperSettings) {
    this.#settings = settings;
    this.#folder = settings.folder ?? "/holdfast";
  }

  acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const session = this.#open(key);
      const path = this.#pathOf(key.name);
      this.#asked.add(path);
      this.#leftovers.delete(path);
      try {
        return await this.#take(session, path, key.holder, signal);
      } catch (error) {
        this.#leftovers.add(path);
        throw error;
      } finally {
        this.#asked.delete(path);
      }
    });
  }

  renew({ name }: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const path = this.#pathOf(name);
      const session = this.#session;
      if (session === undefined || session.hasEnded || !this.#held.has(path))
        return { kind: "lost" };
      try {
        const answer = await this.#confirm(session, path, signal);
        if (answer.kind === "lost") this.#held.delete(path);
        return answer;
      } catch (error) {
        if (session.hasEnded) return { kind: "lost" };
        throw error;
      }
    });
  }

  release({ name }: LeaseKey, signal: AbortSignal): Promise<void> {
    return attempt(signal, async () => {
      const path = this.#pathOf(name);
      if (this.#held.delete(path)) this.#leftovers.add(path);
      await this.#remove(path, signal);
    });
  }

  /**
   * In the session that there is, or in one that is ended at once, so that a node which wants nothing has none
   * open. It reads: that the login may create and delete in the folder is not proven, where no lease is there.
   */
  look({ name, ttl }: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return within(signal, async () => {
      if (this.#isClosed) throw unreachable("the arbiter is closed");
      const own = this.#session?.hasEnded === false ? this.#session : undefined;
      const session = own ?? new ZooKeeperSession(this.#settings, ttl / 1_000, () => undefined);
      try {
        return await this.#view(session, this.#pathOf(name), signal);
      } finally {
        if (session !== own) session.close();
      }
    });
  }

  watch(name: string, changed: () => void): () => void {
    const path = this.#pathOf(name);
    const watchers = this.#watched.get(path) ?? new Set();
    watchers.add(changed);
    this.#watched.set(path, watchers);
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0) this.#watched.delete(path);
    };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#session?.close();
    this.#watched.clear();
    return Promise.resolve();
  }

  #open({ ttl }: LeaseKey): ZooKeeperSession {
    if (this.#isClosed) throw unreachable("the arbiter is closed");
    if (this.#session !== undefined && !this.#session.hasEnded) {
      if (ttl === this.#ttl) return this.#session;
      throw refused("leases of one arbiter have one ttl", "set the same ttl for all of them");
    }
    this.#session?.close();
    this.#held.clear();
    this.#leftovers.clear();
    this.#ttl = ttl;
    const armed = new Set<string>();
    const session = new ZooKeeperSession(this.#settings, ttl / 1_000, () => {
      this.#tidy();
      this.#arm(session, armed);
    });
    this.#session = session;
    return session;
  }

  async #take(
    session: ZooKeeperSession,
    path: string,
    holder: string,
    signal: AbortSignal,
  ): Promise<LeaseAnswer> {
    const code = await this.#create(session, path, holder, signal);
    if (code !== 0 && code !== Exception.NODE_EXISTS) throw failureOf(code);
    const answer = await this.#confirm(session, path, signal);
    return answer.kind === "lost" ? await this.#whoHas(session, path, signal) : answer;
  }

  async #create(
    session: ZooKeeperSession,
    path: string,
    holder: string,
    signal: AbortSignal,
  ): Promise<number> {
    const acl = this.#settings.login === undefined ? ACL.OPEN_ACL_UNSAFE : ACL.CREATOR_ALL_ACL;
    const make = (): Promise<Answered<string>> =>
      session.ask(
        (client, done) => client.create(path, Buffer.from(holder), acl, CreateMode.EPHEMERAL, done),
        signal,
      );
    const { code } = await make();
    if (code !== Exception.NO_NODE) return code;
    const folder = await session.ask<string>(
      (client, done) => client.mkdirp(this.#folder, ACL.OPEN_ACL_UNSAFE, done),
      signal,
    );
    return folder.code === 0 ? (await make()).code : folder.code;
  }

  /** Whether the node is ours, as a majority has it. */
  async #confirm(
    session: ZooKeeperSession,
    path: string,
    signal: AbortSignal,
  ): Promise<LeaseAnswer> {
    const answered = await session.ask<Stat | null>((client, done) => {
      // The look is answered after the transaction, from what it left: requests of a session keep order.
      let failed = 0;
      client
        .transaction()
        .check(path, -1)
        .commit((error) => {
          failed = error?.code ?? 0;
        });
      client.exists(path, (error, stat) => {
        const isLoss = failed === Exception.CONNECTION_LOSS || failed === Exception.SESSION_EXPIRED;
        done(isLoss ? Object.assign(new Error("lost"), { code: failed }) : error, stat);
      });
    }, signal);
    const { code, value: stat, sentAt } = answered;
    if (code === Exception.SESSION_EXPIRED || code === Exception.NO_NODE) return { kind: "lost" };
    if (code !== 0) throw failureOf(code);
    if (stat === null || stat === undefined) return { kind: "lost" };
    if (!stat.ephemeralOwner.equals(session.id)) return { kind: "lost" };
    if (!session.touches.vouchFor(sentAt)) {
      throw unreachable("this node stood still; the ensemble may count from before");
    }
    const czxid = epochOf(stat.czxid.readBigUInt64BE());
    const before = this.#held.get(path);
    this.#held.set(path, czxid);
    return before === undefined || before === czxid
      ? { kind: "held", epoch: czxid }
      : { kind: "lost" };
  }

  async #whoHas(
    session: ZooKeeperSession,
    path: string,
    signal: AbortSignal,
  ): Promise<LeaseAnswer> {
    const holder = await this.#holder(session, path, signal);
    // `undefined`: it went in between.
    return { kind: "taken", holder };
  }

  async #view(session: ZooKeeperSession, path: string, signal: AbortSignal): Promise<StoreView> {
    const holder = await this.#holder(session, path, signal);
    if (holder !== undefined) return { kind: "taken", holder };
    // The folder is made where it is missing, but not the chroot.
    const { code, value: root } = await session.ask<Stat | null>(
      (client, done) => client.exists("/", done),
      signal,
    );
    if (code !== 0) throw failureOf(code);
    if (root === null || root === undefined) throw failureOf(Exception.NO_NODE);
    return { kind: "free" };
  }

  /** `undefined`: there is no such node. */
  async #holder(
    session: ZooKeeperSession,
    path: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { code, value } = await session.ask<Buffer>(
      (client, done) => client.getData(path, done),
      signal,
    );
    if (code === Exception.NO_NODE) return undefined;
    if (code !== 0) throw failureOf(code);
    return value.toString();
  }

  async #remove(path: string, signal: AbortSignal): Promise<void> {
    const session = this.#session;
    // It may be wanted again by now.
    const isLeft = (): boolean => this.#leftovers.has(path) && !this.#asked.has(path);
    if (session === undefined || session.hasEnded || !isLeft()) return;
    const { value: stat } = await session.ask<Stat | null>(
      (client, done) => client.exists(path, done),
      signal,
    );
    if (stat?.ephemeralOwner.equals(session.id) === true) {
      await session.order<undefined>((client, done) => {
        if (isLeft()) client.remove(path, -1, done);
        else done(null, undefined);
      }, signal);
    }
    if (isLeft()) this.#leftovers.delete(path);
  }

  /** Nobody is to hold by a mere silence. */
  #tidy(): void {
    for (const path of this.#leftovers) {
      const signal = AbortSignal.timeout(RELEASE_MS);
      void attempt(signal, () => this.#remove(path, signal));
    }
  }

  /** Watches fire once; the client sets them anew on another connection. */
  #arm(session: ZooKeeperSession, armed: Set<string>): void {
    for (const path of this.#watched.keys()) {
      if (armed.has(path)) continue;
      armed.add(path);
      const fired = (): void => {
        armed.delete(path);
        for (const changed of this.#watched.get(path) ?? []) changed();
      };
      const forget = (): boolean => armed.delete(path);
      const signal = AbortSignal.timeout(RELEASE_MS);
      session
        .ask<Stat | null>((client, done) => client.exists(path, fired, done), signal)
        .catch(forget);
    }
  }

  /** In one folder, whatever the name. */
  #pathOf(name: string): string {
    return `${this.#folder}/lease-${encodeURIComponent(name)}`;
  }
}

function failureOf(code: number): StoreFailure {
  if (code === Exception.NO_AUTH || code === Exception.INVALID_ACL) {
    return refused(
      "ZooKeeper does not let this login write there",
      "set the user and password of digest, and allow it to create and delete in the folder",
    );
  }
  if (code === Exception.NO_NODE) {
    return refused("ZooKeeper has no such folder", "make the chroot's node, or name another one");
  }
  return unreachable(`ZooKeeper cannot serve now (${code})`);
}
