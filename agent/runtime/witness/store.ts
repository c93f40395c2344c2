import type { Instant, Micros } from "../../core/time.ts";
import type { LeaseAnswer } from "../../core/witness/lease-answer.ts";
import type { StoreFailure, StoreView } from "../../core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../ports/arbiter.ts";
import type { LogLevel } from "../ipc.ts";
import type { SleeplessClock, StoreAccess } from "./ports.ts";

const DEFECT = "please report this defect";
const SETTINGS = "see the block witness of holdfast.conf, and its secrets";

export interface Answered {
  /** Just before the request left. */
  readonly sentAt: Instant;
  readonly answer: LeaseAnswer;
}

export interface StorePorts {
  readonly clock: SleeplessClock;
  readonly read: () => StoreAccess;
  /** What a request for a lease came to. */
  heard(name: string, answer: LeaseAnswer): void;
  log(level: LogLevel, message: string): void;
}

/**
 * The one connection to the store that all mandates share. Secrets and certificates are read when it is
 * opened, and again when the store does not serve us: where they changed, it is opened anew.
 */
export class Store {
  /** For people: its kind and its endpoints. */
  readonly name: string;
  readonly #ports: StorePorts;
  #arbiter: Arbiter | undefined;
  #fingerprint = "";
  /** Names of leases that this connection may hold: another one would not know how. */
  readonly #held = new Set<string>();

  constructor(name: string, ports: StorePorts) {
    this.name = name;
    this.#ports = ports;
  }

  /** Before anybody asks: a client takes time to load. What is wrong is told to whoever asks. */
  open(): void {
    try {
      this.#arbiter ??= this.#open();
    } catch {
      // It is tried again.
    }
  }

  async ask(kind: "acquire" | "renew", key: LeaseKey, limit: Micros): Promise<Answered> {
    const sentAt = this.#ports.clock.now();
    const answer = await this.#attempt((arbiter) => arbiter[kind](key, limitSignal(limit)));
    if (answer.kind === "held") this.#held.add(key.name);
    else if (kind === "acquire" || answer.kind === "lost") this.#held.delete(key.name);
    if (isFailure(answer)) this.#lookAgain();
    this.#ports.heard(key.name, answer);
    return { sentAt, answer };
  }

  /** Whether it serves, and who has the lease; changes nothing. */
  async look(key: LeaseKey, limit: Micros): Promise<StoreView> {
    const view = await this.#attempt((arbiter) => arbiter.look(key, limitSignal(limit)));
    if (isFailure(view)) this.#lookAgain();
    return view;
  }

  async release(key: LeaseKey, limit: Micros): Promise<void> {
    this.#held.delete(key.name);
    try {
      await this.#arbiter?.release(key, limitSignal(limit));
    } catch (error) {
      const message = `a lease was not given back: ${this.name}: ${textOf(error)}; ${DEFECT}`;
      this.#ports.log("error", message);
    }
  }

  /** Calls when the lease may have another holder. */
  watch(name: string, changed: () => void): () => void {
    return this.#arbiter?.watch(name, changed) ?? (() => undefined);
  }

  async close(): Promise<void> {
    const arbiter = this.#arbiter;
    this.#arbiter = undefined;
    await arbiter?.close().catch(() => undefined);
  }

  async #attempt<Answer>(
    act: (arbiter: Arbiter) => Promise<Answer>,
  ): Promise<Answer | StoreFailure> {
    try {
      this.#arbiter ??= this.#open();
    } catch (error) {
      return { kind: "refused", reason: textOf(error), remedy: SETTINGS };
    }
    try {
      return await act(this.#arbiter);
    } catch (error) {
      return { kind: "unreachable", reason: `${textOf(error)} (${DEFECT})` };
    }
  }

  #open(): Arbiter {
    const access = this.#ports.read();
    this.#fingerprint = access.fingerprint;
    return access.open();
  }

  #lookAgain(): void {
    if (this.#held.size > 0 || this.#arbiter === undefined) return;
    try {
      if (this.#ports.read().fingerprint !== this.#fingerprint) void this.close();
    } catch {
      // What was read once serves for now.
    }
  }
}

const isFailure = ({ kind }: LeaseAnswer | StoreView): boolean =>
  kind === "unreachable" || kind === "refused";

/** So that nothing is kept for a request whose time is over. */
const limitSignal = (limit: Micros): AbortSignal => AbortSignal.timeout(Math.ceil(limit / 1_000));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
