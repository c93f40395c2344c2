import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../agent/ports/arbiter.ts";
import type { StoreFailure } from "./answer.ts";
import { attempt, refused, unreachable, within } from "./answer.ts";
import { epochOf } from "./epoch.ts";
import { listen } from "./hints.ts";
import type { ConsulSettings } from "./settings.ts";
import type { StoreRequest, StoreResponse } from "./store-client.ts";
import { StoreClient } from "./store-client.ts";
import { tlsRequired } from "./store-failure.ts";

interface Entry {
  readonly CreateIndex: number;
  readonly LockIndex: number;
  readonly Session?: string;
  readonly Value: string | null;
}

const MICROS = 1_000_000;
/** Consul takes no session with a shorter or longer time. */
const SHORTEST_S = 10;
const LONGEST_S = 86_400;

/**
 * Consul: a key that a session holds. CreateIndex and LockIndex of the key are the epoch, so that a key
 * that an operator deleted does not start again from 1; with the data of all servers lost it would.
 *
 * Consul ends a session after twice its ttl, at the earliest after once; a new leader gives every
 * session its whole time anew. Which leader renewed a session it does not say: a read in consistent mode
 * comes after it, and the second ttl is the slack for a renewal that a deposed leader took.
 */
export class ConsulArbiter implements Arbiter {
  readonly #store: StoreClient;
  readonly #settings: ConsulSettings;
  readonly #sessions = new Map<string, string>();

  constructor(settings: ConsulSettings) {
    this.#store = new StoreClient(settings);
    this.#settings = settings;
  }

  acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const there = await this.#read(key.name, signal);
      const session = this.#sessions.get(key.name);
      if (there?.Session !== undefined) {
        return there.Session === session ? await this.#keep(key.name, signal) : takenBy(there);
      }
      return await this.#take(key, session ?? (await this.#open(key, signal)), signal);
    });
  }

  renew({ name }: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, () => this.#keep(name, signal));
  }

  release({ name }: LeaseKey, signal: AbortSignal): Promise<void> {
    return attempt(signal, async () => {
      const session = this.#sessions.get(name);
      this.#sessions.delete(name);
      if (session === undefined) return;
      // A release first: the end of a session alone would start the lock delay.
      await this.#put(this.#path(name, { release: session }), undefined, signal);
      await this.#end(session, signal);
    });
  }

  /** It reads: that the token may write the key and open a session is not proven, nor that it takes the ttl. */
  look({ name }: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return within(signal, async () => {
      const there = await this.#read(name, signal);
      return there?.Session === undefined ? { kind: "free" } : takenBy(there);
    });
  }

  watch(name: string, changed: () => void): () => void {
    // Where none is said Consul answers at once.
    const next = async (signal: AbortSignal, index?: string): Promise<string> => {
      const path = this.#path(name, index === undefined ? {} : { index, wait: "60s" });
      const { headers } = await this.#ask({ method: "GET", path }, signal);
      return String(headers["x-consul-index"] ?? "0");
    };
    let seen: string | undefined;
    return listen(async (signal) => {
      seen ??= await next(signal);
      const index = await next(signal, seen);
      // One that is less is of a store that was set back.
      if (index !== seen) changed();
      seen = index;
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #open({ name, holder, ttl }: LeaseKey, signal: AbortSignal): Promise<string> {
    const seconds = Math.ceil(ttl / MICROS);
    if (seconds < SHORTEST_S || seconds > LONGEST_S) {
      throw refused(
        `Consul keeps sessions from ${SHORTEST_S} s to a day, not ${seconds} s`,
        `set the ttl to ${SHORTEST_S} s or longer`,
      );
    }
    const { json } = await this.#put(
      this.#api("/v1/session/create"),
      {
        Name: `holdfast ${holder}`,
        TTL: `${seconds}s`,
        LockDelay: `${(this.#settings.lockDelay ?? 0) / 1_000}ms`,
        Behavior: "release",
        // No health checks: whether the agent's node is well is another question.
        Checks: [],
        NodeChecks: [],
      },
      signal,
    );
    const { ID } = (json ?? {}) as { ID?: unknown };
    if (typeof ID !== "string") throw unreachable("Consul gave no session");
    this.#sessions.set(name, ID);
    return ID;
  }

  async #take({ name, holder }: LeaseKey, session: string, signal: AbortSignal) {
    // A session that was opened earlier has some of its time behind it.
    if (!(await this.#refresh(name, session, signal))) throw unreachable("its session had ended");
    const { json } = await this.#put(this.#path(name, { acquire: session }), holder, signal);
    const there = await this.#read(name, signal);
    // Also where it says false: the request before may have come through without its answer.
    if (there?.Session === session) return heldBy(there);
    return json === true ? ({ kind: "lost" } as const) : takenBy(there);
  }

  async #keep(name: string, signal: AbortSignal): Promise<LeaseAnswer> {
    const session = this.#sessions.get(name);
    if (session === undefined) return { kind: "lost" };
    if (!(await this.#refresh(name, session, signal))) return { kind: "lost" };
    const there = await this.#read(name, signal);
    return there?.Session === session ? heldBy(there) : { kind: "lost" };
  }

  /** `false`: Consul has ended it. */
  async #refresh(name: string, session: string, signal: AbortSignal): Promise<boolean> {
    const { status } = await this.#put(
      this.#api(`/v1/session/renew/${session}`),
      undefined,
      signal,
    );
    if (status !== 404) return true;
    if (this.#sessions.get(name) === session) this.#sessions.delete(name);
    return false;
  }

  async #end(session: string, signal: AbortSignal): Promise<void> {
    await this.#put(this.#api(`/v1/session/destroy/${session}`), undefined, signal);
  }

  async #read(name: string, signal: AbortSignal): Promise<Entry | undefined> {
    const path = this.#path(name, { consistent: "" });
    const { status, json } = await this.#ask({ method: "GET", path }, signal);
    return status === 404 ? undefined : (json as [Entry])[0];
  }

  #put(path: string, body: unknown, signal: AbortSignal): Promise<StoreResponse> {
    return this.#ask({ method: "PUT", path, body }, signal);
  }

  async #ask(request: StoreRequest, signal: AbortSignal): Promise<StoreResponse> {
    const { token } = this.#settings;
    const headers = token === undefined ? {} : { "x-consul-token": token };
    const response = await this.#store.ask({ ...request, headers }, signal);
    const isAnswer = response.status === 200 || response.status === 404;
    if (isAnswer && (response.json !== undefined || response.status === 404)) return response;
    throw failureOf(response);
  }

  #path(name: string, query: Readonly<Record<string, string>>): string {
    const key = `${this.#settings.prefix ?? "holdfast/"}${name}`;
    return this.#api(`/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`, query);
  }

  #api(path: string, query: Readonly<Record<string, string>> = {}): string {
    const { datacenter } = this.#settings;
    const all = new URLSearchParams({
      ...query,
      ...(datacenter !== undefined && { dc: datacenter }),
    });
    return all.size === 0 ? path : `${path}?${all}`;
  }
}

const heldBy = ({ CreateIndex, LockIndex }: Entry): LeaseAnswer => ({
  kind: "held",
  epoch: epochOf(CreateIndex, LockIndex),
});

function takenBy(there: Entry | undefined): Extract<LeaseAnswer, { readonly kind: "taken" }> {
  const value = there?.Session === undefined ? undefined : there.Value;
  if (value === undefined || value === null) return { kind: "taken", holder: undefined };
  // Written as JSON: what we put is a text in quotes.
  const text = Buffer.from(value, "base64").toString();
  return { kind: "taken", holder: text.replace(/^"|"$/g, "") };
}

function failureOf({ status }: StoreResponse): StoreFailure {
  const remedy =
    "set a token with session:write on the agent's node and key:write below the prefix";
  if (status === 401 || status === 403)
    return refused("Consul does not let this token do it", remedy);
  if (status === 400) return tlsRequired();
  if (status === 200) return refused("this is no Consul", "check the endpoint");
  return unreachable(`Consul cannot serve now (${status})`);
}
