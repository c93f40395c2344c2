import { randomBytes } from "node:crypto";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../agent/ports/arbiter.ts";
import { attempt, refused, unreachable, within } from "./answer.ts";
import { epochOf } from "./epoch.ts";
import type { EtcdHeader, Int64 } from "./etcd-client.ts";
import { EtcdClient } from "./etcd-client.ts";
import { listen } from "./hints.ts";
import type { EtcdSettings } from "./settings.ts";

interface KeyValue {
  readonly create_revision?: Int64;
  readonly lease?: Int64;
  readonly value?: string;
}
interface RangeReply {
  readonly header?: EtcdHeader;
  readonly kvs?: readonly KeyValue[];
}
interface TxnReply {
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: RangeReply }[];
}
interface GrantReply {
  readonly TTL?: Int64;
}
interface KeepAliveReply {
  readonly result?: { readonly header?: EtcdHeader; readonly TTL?: Int64 };
}

type Taken = Extract<LeaseAnswer, { readonly kind: "taken" }>;

const MICROS = 1_000_000;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/**
 * etcd v3: a key that is tied to a lease; its create_revision is the epoch, and grows for as long as the
 * cluster keeps its data. TTLs are whole seconds, no fewer than 1.5 of its election time-outs.
 *
 * A keep-alive is answered by whoever takes himself for the leader: one that was deposed while it stood
 * still would renew what nobody else knows to be renewed. So a read that a majority confirms comes before
 * and after it, from the same member in the same term: then it was the leader. A new leader gives every
 * lease its whole time anew. Renewing writes nothing.
 */
export class EtcdArbiter implements Arbiter {
  readonly #client: EtcdClient;
  readonly #prefix: string;
  /** Leases that we asked for, by name: chosen by us, so that one whose answer was lost is known too. */
  readonly #leases = new Map<string, Int64>();
  /** The member that confirmed the last read, and the term it did so in. */
  #confirmed = "";

  constructor(settings: EtcdSettings) {
    this.#client = new EtcdClient(settings);
    this.#prefix = settings.prefix ?? "holdfast/";
  }

  acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const there = await this.#read(key.name, signal);
      if (there !== undefined) {
        const isOurs = there.lease === this.#leases.get(key.name);
        return isOurs ? await this.#keep(key, signal) : takenBy(there);
      }
      return await this.#create(key, signal);
    });
  }

  renew(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, () => this.#keep(key, signal));
  }

  release({ name }: LeaseKey, signal: AbortSignal): Promise<void> {
    return attempt(signal, async () => {
      const lease = this.#leases.get(name);
      this.#leases.delete(name);
      if (lease !== undefined) await this.#revoke(lease, signal);
    });
  }

  /**
   * By a transaction that would write if the impossible were so: etcd asks beforehand whether this user may
   * write the key, a majority agrees on it, and no revision comes of it. What it does not prove is that etcd
   * takes the ttl.
   */
  look({ name }: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return within(signal, async () => {
      const key = this.#keyOf(name);
      const asked = {
        compare: [{ key, target: "VERSION", result: "LESS", version: "0" }],
        success: [{ request_put: { key } }],
        failure: [{ request_range: { key } }],
      };
      const reply = await this.#client.call<TxnReply>("/v3/kv/txn", asked, signal);
      const there = reply?.responses?.[0]?.response_range?.kvs?.[0];
      return there === undefined ? { kind: "free" } : takenBy(there);
    });
  }

  watch(name: string, changed: () => void): () => void {
    return listen(async (signal) => {
      for await (const line of this.#client.watch(this.#keyOf(name), signal)) {
        if (line.includes('"events"')) changed();
      }
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #create(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    const lease = newLease();
    const granted = await this.#grant(key, lease, signal);
    this.#leases.set(key.name, lease);
    const at = this.#keyOf(key.name);
    const reply = await this.#client.call<TxnReply>(
      "/v3/kv/txn",
      {
        compare: [{ key: at, target: "CREATE", result: "EQUAL", create_revision: "0" }],
        success: [
          { request_put: { key: at, value: base64(key.holder), lease } },
          { request_range: { key: at } },
        ],
        failure: [{ request_range: { key: at } }],
      },
      signal,
    );
    const there = reply?.responses?.find((each) => each.response_range)?.response_range?.kvs?.[0];
    // Not "succeeded": asked of two members, one after the other, the first may have been us as well.
    if (there !== undefined && there.lease === lease && granted) return heldBy(there);
    this.#leases.delete(key.name);
    await this.#revoke(lease, signal);
    return takenBy(there);
  }

  async #grant({ ttl }: LeaseKey, lease: Int64, signal: AbortSignal): Promise<boolean> {
    const asked = Math.ceil(ttl / MICROS);
    const reply = await this.#client.call<GrantReply>(
      "/v3/lease/grant",
      { TTL: String(asked), ID: lease },
      signal,
    );
    const granted = Number(reply?.TTL ?? 0);
    if (granted === asked) return true;
    await this.#revoke(lease, signal);
    throw refused(
      `etcd keeps leases for ${granted} s, not ${asked} s`,
      `set the ttl to ${granted} s or longer, or shorten etcd's election-timeout`,
    );
  }

  async #keep({ name }: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    const lease = this.#leases.get(name);
    if (lease === undefined) return { kind: "lost" };
    // Twice where the member or the term is another than at the last read.
    for (let round = 0; round < 3; round++) {
      const before = this.#confirmed;
      const reply = await this.#client.call<KeepAliveReply>(
        "/v3/lease/keepalive",
        { ID: lease },
        signal,
      );
      if (reply?.result === undefined) throw unreachable("etcd did not say whether it renewed");
      const there = await this.#read(name, signal);
      if (there?.lease !== lease || Number(reply.result.TTL ?? 0) <= 0) {
        if (this.#leases.get(name) === lease) this.#leases.delete(name);
        return { kind: "lost" };
      }
      const renewedBy = confirmationOf(reply.result.header);
      if (before === renewedBy && renewedBy === this.#confirmed) return heldBy(there);
    }
    throw unreachable("etcd is changing its leader");
  }

  /** What a majority agrees on. */
  async #read(name: string, signal: AbortSignal): Promise<KeyValue | undefined> {
    const reply = await this.#client.call<RangeReply>(
      "/v3/kv/range",
      { key: this.#keyOf(name) },
      signal,
    );
    this.#confirmed = confirmationOf(reply?.header);
    return reply?.kvs?.[0];
  }

  async #revoke(lease: Int64, signal: AbortSignal): Promise<void> {
    await this.#client.call("/v3/lease/revoke", { ID: lease }, signal);
  }

  #keyOf(name: string): string {
    return base64(this.#prefix + name);
  }
}

const heldBy = ({ create_revision = "0" }: KeyValue): LeaseAnswer => ({
  kind: "held",
  epoch: epochOf(create_revision),
});

const takenBy = (there: KeyValue | undefined): Taken => ({
  kind: "taken",
  holder: there?.value === undefined ? undefined : Buffer.from(there.value, "base64").toString(),
});

const confirmationOf = (header: EtcdHeader | undefined): string =>
  `${header?.member_id} ${header?.raft_term}`;

/** Positive, of 63 bits. */
const newLease = (): Int64 => String((randomBytes(8).readBigUInt64BE() >> 1n) | 1n);
