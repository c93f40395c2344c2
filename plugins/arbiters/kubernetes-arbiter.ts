import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../agent/ports/arbiter.ts";
import type { StoreFailure } from "./answer.ts";
import { attempt, refused, unreachable, within } from "./answer.ts";
import { epochOf } from "./epoch.ts";
import { listen } from "./hints.ts";
import type { KubernetesSettings } from "./settings.ts";
import type { StoreRequest, StoreResponse } from "./store-client.ts";
import { StoreClient } from "./store-client.ts";

interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** What was last seen of a Lease, and when it was first seen so, by our own clock. */
interface Observation {
  readonly version: string;
  readonly at: number;
}

const MICROS = 1_000_000;
/** As client-go has it: its own time is over at once. */
const RELEASED_S = 1;
const MOST_OBSERVED = 1_024;

/**
 * A Lease of coordination.k8s.io/v1, changed by whoever knows its resourceVersion. The server gives it
 * no time: a holder is dead when nothing of its Lease has changed for the Lease's own duration, by our
 * clock, since we first saw it so. The times in it are other clocks', and are there for readers.
 *
 * leaseTransitions and acquireTime are the epoch. The first grows with every holding; an operator who
 * deletes the Lease lets it start again.
 */
export class KubernetesArbiter implements Arbiter {
  readonly #store: StoreClient;
  readonly #settings: KubernetesSettings;
  readonly #seen = new Map<string, Observation>();
  /** resourceVersion of what we wrote last, by name. */
  readonly #written = new Map<string, { readonly transitions: number; readonly since: string }>();

  constructor(settings: KubernetesSettings) {
    this.#store = new StoreClient(settings);
    this.#settings = settings;
  }

  acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const there = await this.#read(key.name, signal);
      if (there === undefined) return await this.#write(key, undefined, signal);
      const holder = there.spec?.holderIdentity ?? "";
      // Ours is one that we wrote: a process before this one may have had our name, and is another holder.
      if (this.#isOurs(key, there)) return await this.#write(key, there, signal);
      if (holder !== "" && !this.#hasRunOut(key.name, there)) return { kind: "taken", holder };
      return await this.#write(key, there, signal);
    });
  }

  renew(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return within(signal, async () => {
      const there = await this.#read(key.name, signal);
      if (there === undefined || !this.#isOurs(key, there)) {
        this.#written.delete(key.name);
        return { kind: "lost" };
      }
      const answer = await this.#write(key, there, signal);
      return answer.kind === "taken" ? { kind: "lost" } : answer;
    });
  }

  release(key: LeaseKey, signal: AbortSignal): Promise<void> {
    return attempt(signal, async () => {
      const there = await this.#read(key.name, signal);
      const isOurs = there !== undefined && this.#isOurs(key, there);
      this.#written.delete(key.name);
      if (!isOurs) return;
      const now = timestamp();
      const spec = {
        holderIdentity: "",
        leaseDurationSeconds: RELEASED_S,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: there.spec?.leaseTransitions ?? 0,
      };
      await this.#put(key.name, there, spec, signal);
    });
  }

  /**
   * It reads, and where there is no Lease rehearses to create one, as that of a namespace that does not exist
   * is missing too. That the account may update is not proven. The Lease of a dead holder is `taken`, as
   * nothing in it says that its time is over.
   */
  look({ name }: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return within(signal, async () => {
      const there = await this.#read(name, signal);
      if (there === undefined) await this.#rehearse(name, signal);
      const holder = there?.spec?.holderIdentity ?? "";
      return holder === "" ? { kind: "free" } : { kind: "taken", holder };
    });
  }

  watch(name: string, changed: () => void): () => void {
    return listen(async (signal) => {
      const query = new URLSearchParams({
        watch: "1",
        fieldSelector: `metadata.name=${this.#nameOf(name)}`,
      });
      const path = `${this.#folder()}?${query}`;
      for await (const line of this.#store.lines(this.#with({ method: "GET", path }), signal)) {
        if (line.includes('"type"')) changed();
      }
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #isOurs({ name, holder }: LeaseKey, { spec }: Lease): boolean {
    const ours = this.#written.get(name);
    return (
      ours !== undefined &&
      spec?.holderIdentity === holder &&
      spec.leaseTransitions === ours.transitions &&
      spec.acquireTime === ours.since
    );
  }

  /** By when we first saw it as it is. */
  #hasRunOut(name: string, { metadata, spec }: Lease): boolean {
    const now = performance.now();
    const version = metadata.resourceVersion ?? "";
    const seen = this.#seen.get(name);
    if (seen?.version !== version) {
      if (this.#seen.size >= MOST_OBSERVED) this.#seen.clear();
      this.#seen.set(name, { version, at: now });
      return false;
    }
    return now >= seen.at + (spec?.leaseDurationSeconds ?? 0) * 1_000;
  }

  async #write(key: LeaseKey, there: Lease | undefined, signal: AbortSignal): Promise<LeaseAnswer> {
    const now = timestamp();
    const isOurs = there !== undefined && this.#isOurs(key, there);
    const transitions = (there?.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1);
    const since = (isOurs ? there.spec?.acquireTime : undefined) ?? now;
    // Before it is sent: where its answer is lost, the next look finds that it is ours.
    this.#written.set(key.name, { transitions, since });
    const spec = {
      holderIdentity: key.holder,
      leaseDurationSeconds: Math.ceil(key.ttl / MICROS),
      acquireTime: since,
      renewTime: now,
      leaseTransitions: transitions,
    };
    const written = await this.#put(key.name, there, spec, signal);
    if (written) return { kind: "held", epoch: `${epochOf(transitions)}.${since}` };
    const winner = (await this.#read(key.name, signal))?.spec?.holderIdentity;
    return { kind: "taken", holder: winner === "" ? undefined : winner };
  }

  /** `false`: somebody changed it in between. */
  async #put(
    name: string,
    there: Lease | undefined,
    spec: Lease["spec"],
    signal: AbortSignal,
  ): Promise<boolean> {
    const own = { name: this.#nameOf(name) };
    const body = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: there?.metadata ?? own,
      spec,
    };
    const isNew = there === undefined;
    const path = isNew ? this.#folder() : `${this.#folder()}/${own.name}`;
    const { status } = await this.#ask({ method: isNew ? "POST" : "PUT", path, body }, signal);
    return status === 200 || status === 201;
  }

  /**
   * Creates a Lease of nobody, up to the moment when it would be kept. Every server that has this version of
   * Leases knows how; what stands before one (400) may not, and then nothing is proven.
   */
  async #rehearse(name: string, signal: AbortSignal): Promise<void> {
    const body = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: this.#nameOf(name) },
      spec: {},
    };
    const path = `${this.#folder()}?dryRun=All`;
    await this.#ask({ method: "POST", path, body }, signal, [400]);
  }

  async #read(name: string, signal: AbortSignal): Promise<Lease | undefined> {
    const path = `${this.#folder()}/${this.#nameOf(name)}`;
    const { status, json } = await this.#ask({ method: "GET", path }, signal);
    return status === 404 ? undefined : (json as Lease);
  }

  async #ask(
    request: StoreRequest,
    signal: AbortSignal,
    more: readonly number[] = [],
  ): Promise<StoreResponse> {
    const response = await this.#store.ask(this.#with(request), signal);
    const { status, json } = response;
    const expected = [200, 201, 409, ...more];
    const isExpected = expected.includes(status) || (status === 404 && isNoLease(request));
    if (isExpected && typeof json === "object" && json !== null) return response;
    throw failureOf(response);
  }

  #with(request: StoreRequest): StoreRequest {
    const { token } = this.#settings;
    const text = typeof token === "function" ? token().trim() : token;
    if (text === undefined) return request;
    return { ...request, headers: { authorization: `Bearer ${text}` } };
  }

  #folder(): string {
    const namespace = encodeURIComponent(this.#settings.namespace);
    return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  }

  /**
   * A DNS name, whose labels begin and end with a letter or digit. What it may not hold is told by its
   * codes, in a label of its own; no other label has two hyphens in a row, so two names stay two.
   */
  #nameOf(name: string): string {
    const told = name
      .replace(UNFIT, (letters) => `.x--${Buffer.from(letters).toString("hex")}.`)
      .replace(/\.$/, "");
    const prefix = this.#settings.prefix ?? "holdfast-";
    return told.startsWith(".") ? `${prefix.replace(/[-.]+$/, "")}${told}` : `${prefix}${told}`;
  }
}

/** Neither small letters and digits nor a hyphen between two of them. */
const UNFIT = /(?:[^a-z0-9-]|(?<![a-z0-9])-|-(?![a-z0-9]))+/g;

const isNoLease = ({ method }: StoreRequest): boolean => method === "GET";

/** MicroTime of Kubernetes. */
const timestamp = (): string => new Date().toISOString().replace("Z", "000Z");

function failureOf({ status }: StoreResponse): StoreFailure {
  if (status === 401) {
    return refused("Kubernetes does not know this token", "set the token of a service account");
  }
  if (status === 403) {
    return refused(
      "Kubernetes does not let this account use the Lease",
      "give its role get, watch, create and update on leases of coordination.k8s.io",
    );
  }
  if (status === 404) {
    return refused("Kubernetes has no such namespace", "make the namespace, or name another one");
  }
  if (status === 400 || status === 422) {
    return refused(
      "Kubernetes does not take the Lease",
      "check the endpoint, its TLS and the names",
    );
  }
  return unreachable(`Kubernetes cannot serve now (${status})`);
}
