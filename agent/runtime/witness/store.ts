import type { Instant, Micros } from "../../core/time.ts";
import { seconds, since } from "../../core/time.ts";
import type { LeaseAnswer } from "../../core/witness/lease-answer.ts";
import type { Arbiter, LeaseKey } from "../../ports/arbiter.ts";
import type { LogLevel } from "../ipc.ts";
import type { SleeplessClock, StoreAccess } from "./ports.ts";

const DEFECT = "please report this defect";
const SETTINGS = "see the block witness of holdfast.conf, and its secrets";
/** Who answers now and then, and now and then not, is told of no more often. */
const QUIET = seconds(10);

export interface Answered {
  /** Just before the request left. */
  readonly sentAt: Instant;
  readonly answer: LeaseAnswer;
}

type Failure = Extract<LeaseAnswer, { readonly kind: "unreachable" | "refused" }>;

/**
 * The one connection to the store that all mandates share. Secrets and certificates are read when it is
 * opened, and again when the store does not serve us: where they changed, it is opened anew.
 */
export class Store {
  readonly #read: () => StoreAccess;
  readonly #clock: SleeplessClock;
  readonly #log: (level: LogLevel, message: string) => void;
  #arbiter: Arbiter | undefined;
  #fingerprint = "";
  /** Names of leases that this connection may hold: another one would not know how. */
  readonly #held = new Set<string>();
  #trouble: Failure["kind"] | undefined;
  #toldAt: Instant | undefined;
  #wasTold = false;

  constructor(
    read: () => StoreAccess,
    clock: SleeplessClock,
    log: (level: LogLevel, message: string) => void,
  ) {
    this.#read = read;
    this.#clock = clock;
    this.#log = log;
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
    const sentAt = this.#clock.now();
    const answer = await this.#attempt((arbiter) => arbiter[kind](key, limitSignal(limit)));
    if (answer.kind === "held") this.#held.add(key.name);
    else if (kind === "acquire" || answer.kind === "lost") this.#held.delete(key.name);
    this.#note(answer);
    return { sentAt, answer };
  }

  async release(key: LeaseKey, limit: Micros): Promise<void> {
    this.#held.delete(key.name);
    try {
      await this.#arbiter?.release(key, limitSignal(limit));
    } catch (error) {
      this.#log("error", `a lease was not given back: ${textOf(error)}; ${DEFECT}`);
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

  async #attempt(act: (arbiter: Arbiter) => Promise<LeaseAnswer>): Promise<LeaseAnswer> {
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
    const access = this.#read();
    this.#fingerprint = access.fingerprint;
    return access.open();
  }

  #note(answer: LeaseAnswer): void {
    if (answer.kind !== "unreachable" && answer.kind !== "refused") {
      if (this.#wasTold) this.#log("info", "the store of leases serves again");
      this.#wasTold = false;
      this.#trouble = undefined;
      return;
    }
    if (this.#trouble !== answer.kind) this.#begin(answer);
    this.#lookAgain();
  }

  #begin(failure: Failure): void {
    this.#trouble = failure.kind;
    const now = this.#clock.now();
    if (this.#toldAt !== undefined && since(this.#toldAt, now) < QUIET) return;
    this.#toldAt = now;
    this.#wasTold = true;
    this.#log("error", failureText(failure));
  }

  #lookAgain(): void {
    if (this.#held.size > 0 || this.#arbiter === undefined) return;
    try {
      if (this.#read().fingerprint !== this.#fingerprint) void this.close();
    } catch {
      // What was read once serves for now.
    }
  }
}

/** So that nothing is kept for a request whose time is over. */
const limitSignal = (limit: Micros): AbortSignal => AbortSignal.timeout(Math.ceil(limit / 1_000));

const failureText = (failure: Failure): string =>
  failure.kind === "unreachable"
    ? `the store of leases does not answer: ${failure.reason}`
    : `the store of leases refuses: ${failure.reason}; ${failure.remedy}`;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
