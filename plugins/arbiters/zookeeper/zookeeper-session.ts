import type { Client } from "node-zookeeper-client";
import { Exception } from "node-zookeeper-client";
import type { StoreFailure } from "../answer.ts";
import { refused, unreachable } from "../answer.ts";
import type { ZooKeeperSettings } from "../settings.ts";
import { probeTls } from "../store-failure.ts";
import { Touches } from "./touches.ts";
import { cut, STATE, zooKeeperClient } from "./zookeeper-connection.ts";

const PATIENCE_MS = 500;
const CLOSE_MS = 500;
const DEFAULT_PORT = 2181;

/** Calls of the client: the answer's value, or a code of its exceptions. */
export type Send<Value> = (
  client: Client,
  done: (error: Error | null, value: Value) => void,
) => void;

export interface Answered<Value> {
  /** 0: it was done. */
  readonly code: number;
  readonly value: Value;
  readonly sentAt: number;
}

/** One session with the ensemble, over the connections that it takes. */
export class ZooKeeperSession {
  readonly touches: Touches;
  readonly #client: Client;
  readonly #settings: ZooKeeperSettings;
  readonly #askedMs: number;
  readonly #patienceMs: number;
  readonly #pulse: NodeJS.Timeout;
  readonly #waiting = new Set<() => void>();
  #attemptAt = 0;
  #isConnected = false;
  #wasConnected = false;
  #isProbed = false;
  #pulseUnderWay = false;
  #hasEnded = false;
  #refusal: StoreFailure | undefined;

  /** @param everyPulse is called while connected, several times in a ttl. */
  constructor(settings: ZooKeeperSettings, ttlMs: number, everyPulse: () => void) {
    this.#settings = settings;
    this.#askedMs = Math.ceil(ttlMs * 1.5);
    this.touches = new Touches(ttlMs);
    const { servers, patience } = settings;
    // With one server there is nobody to turn to.
    this.#patienceMs = servers.length === 1 ? Infinity : (patience ?? PATIENCE_MS * 1_000) / 1_000;
    this.#client = zooKeeperClient(settings, this.#askedMs);
    this.#client.connectionManager.on("state", (state) => this.#note(state));
    this.#pulse = setInterval(() => {
      this.#beat();
      if (this.#isConnected) everyPulse();
    }, ttlMs / 8).unref();
    this.#client.connect();
  }

  /** The ensemble has ended it, or refuses it: what it held is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get id(): Buffer {
    return this.#client.getSessionId();
  }

  /**
   * Sends, and where the connection breaks or its server is silent, sends again to the next one: it may
   * have been done twice. Rejects with a StoreFailure.
   */
  async ask<Value>(send: Send<Value>, signal: AbortSignal): Promise<Answered<Value>> {
    for (;;) {
      const answer = await this.#askOnce(send, signal);
      if (answer !== undefined) return answer;
    }
  }

  /** For what may not be done a second time, later. Requests of a session keep their order otherwise. */
  async order<Value>(send: Send<Value>, signal: AbortSignal): Promise<Answered<Value>> {
    const answer = await this.#askOnce(send, signal);
    if (answer === undefined) throw unreachable("the connection broke");
    return answer;
  }

  async #askOnce<Value>(
    send: Send<Value>,
    signal: AbortSignal,
  ): Promise<Answered<Value> | undefined> {
    await this.#connected(signal);
    const answer = await this.#once(send, signal);
    const isLife = answer !== undefined && answer.code !== Exception.SESSION_EXPIRED;
    if (isLife) this.touches.answered(answer.sentAt);
    return answer;
  }

  /** Ends the session: its nodes are gone at once, where the ensemble hears it. */
  close(): void {
    clearInterval(this.#pulse);
    this.#hasEnded = true;
    this.#client.close();
    setTimeout(() => cut(this.#client), CLOSE_MS).unref();
    this.#wake();
  }

  /** Resolves when connected; rejects when it will not be, or the signal is over. */
  async #connected(signal: AbortSignal): Promise<void> {
    while (!this.#isConnected) {
      if (this.#refusal !== undefined) throw this.#refusal;
      if (this.#hasEnded) throw unreachable("the session ended");
      if (signal.aborted) throw unreachable("no server of the ensemble answers");
      const attempt = this.#attemptAt;
      await this.#change(signal, this.#patienceMs);
      // A server that takes the connection and says nothing.
      if (!this.#isConnected && this.#attemptAt === attempt) cut(this.#client);
    }
  }

  /** `undefined`: the connection broke. */
  #once<Value>(send: Send<Value>, signal: AbortSignal): Promise<Answered<Value> | undefined> {
    return new Promise((resolve) => {
      const sentAt = performance.now();
      const giveUp = (): void => {
        cut(this.#client);
        end(undefined);
      };
      const wait = this.#patienceMs === Infinity ? undefined : setTimeout(giveUp, this.#patienceMs);
      const end = (answer: Answered<Value> | undefined): void => {
        clearTimeout(wait);
        signal.removeEventListener("abort", giveUp);
        resolve(answer);
      };
      signal.addEventListener("abort", giveUp);
      send(this.#client, (error, value) => {
        const code = error === null || error === undefined ? 0 : (error as unknown as Coded).code;
        end(code === Exception.CONNECTION_LOSS ? undefined : { code, value, sentAt });
      });
    });
  }

  /** A sign of life that is answered, so that we know when the ensemble had one. */
  #beat(): void {
    if (!this.#isConnected || this.#pulseUnderWay) return;
    this.#pulseUnderWay = true;
    const signal = AbortSignal.timeout(this.#askedMs / 3);
    const done = (): void => {
      this.#pulseUnderWay = false;
    };
    this.ask((client, answer) => client.exists("/", answer), signal).then(done, done);
  }

  #note(state: number): void {
    this.#isConnected = state === STATE.connected;
    if (state === STATE.connecting) this.#attemptAt = performance.now();
    if (this.#isConnected) this.#agree();
    if (state === STATE.expired) this.#end();
    if (state === STATE.unauthenticated) {
      this.#refuse(
        refused("ZooKeeper does not accept the login", "set the user and password of digest"),
      );
    }
    if (state === STATE.disconnected && !this.#wasConnected) void this.#lookForTls();
    this.#wake();
  }

  #agree(): void {
    this.#wasConnected = true;
    this.touches.connected(this.#attemptAt);
    const granted = this.#client.getSessionTimeout();
    if (granted >= this.#askedMs && granted <= this.#askedMs * 2) return;
    const asked = `${this.#askedMs} ms (half as much again as the ttl)`;
    const remedy =
      granted < this.#askedMs
        ? "shorten the ttl, or raise maxSessionTimeout of the ensemble"
        : "lengthen the ttl, or lower tickTime or minSessionTimeout of the ensemble";
    this.#isConnected = false;
    this.#refuse(refused(`ZooKeeper keeps sessions for ${granted} ms, not ${asked}`, remedy));
  }

  async #lookForTls(): Promise<void> {
    if (this.#isProbed) return;
    this.#isProbed = true;
    const [hostname = "", port = DEFAULT_PORT] = this.#settings.servers[0].split(":");
    const found = await probeTls({ hostname, port }, {}, AbortSignal.timeout(this.#askedMs));
    if (found === "none" || this.#wasConnected || this.#hasEnded) return;
    const remedy =
      "name the ensemble's clientPort, on a network of its own: this client has no TLS";
    this.#refuse(refused("ZooKeeper wants TLS on that port", remedy));
  }

  #refuse(refusal: StoreFailure): void {
    this.#refusal = refusal;
    this.close();
  }

  #end(): void {
    clearInterval(this.#pulse);
    this.#hasEnded = true;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until the state changes, the signal is over or the time. */
  #change(signal: AbortSignal, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const limit = limitMs === Infinity ? undefined : setTimeout(() => wake(), limitMs);
      const wake = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

interface Coded {
  readonly code: number;
}
