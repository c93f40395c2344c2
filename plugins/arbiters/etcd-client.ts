import type { StoreFailure } from "./answer.ts";
import { refused, unreachable } from "./answer.ts";
import type { EtcdSettings } from "./settings.ts";
import type { StoreResponse } from "./store-client.ts";
import { StoreClient } from "./store-client.ts";
import { tlsRequired } from "./store-failure.ts";

/** Of google.rpc.Code, those that etcd's gateway answers with. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;
const UNAUTHENTICATED = 16;

/** A number of 64 bits, in the JSON of protocol buffers; one that is 0 is left out. */
export type Int64 = string;

/** Which member answered, in which term of which leader. */
export interface EtcdHeader {
  readonly member_id?: Int64;
  readonly raft_term?: Int64;
}

/** etcd's gateway from JSON to its v3 calls, with a token where it asks for a login. */
export class EtcdClient {
  readonly #store: StoreClient;
  readonly #login: EtcdSettings["login"];
  #token: string | undefined;

  constructor(settings: EtcdSettings) {
    this.#store = new StoreClient(settings);
    this.#login = settings.login;
  }

  /** `undefined`: what the call is about does not exist. Rejects with a StoreFailure. */
  async call<Reply>(path: string, body: unknown, signal: AbortSignal): Promise<Reply | undefined> {
    const usedToken = await this.#authorize(signal);
    const response = await this.#post(path, body, signal);
    const { code } = problemOf(response);
    if (code === undefined) return response.json as Reply;
    if (code === NOT_FOUND) return undefined;
    // A token lives for five minutes, or until its member restarts.
    if (code === UNAUTHENTICATED && usedToken && this.#token !== undefined) {
      this.#token = undefined;
      await this.#authorize(signal);
      const again = await this.#post(path, body, signal);
      if (problemOf(again).code === undefined) return again.json as Reply;
      throw failureOf(again);
    }
    throw failureOf(response);
  }

  /** The events of a watch, one a line. */
  async *watch(key: string, signal: AbortSignal): AsyncGenerator<string> {
    await this.#authorize(signal);
    const body = { create_request: { key } };
    const asked = { method: "POST", path: "/v3/watch", body, headers: this.#headers() } as const;
    yield* this.#store.lines(asked, signal);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #authorize(signal: AbortSignal): Promise<boolean> {
    if (this.#login === undefined) return false;
    if (this.#token !== undefined) return true;
    const { user: name, password } = this.#login;
    const response = await this.#post("/v3/auth/authenticate", { name, password }, signal);
    const { code } = problemOf(response);
    // Without authentication everybody may do everything.
    if (code === FAILED_PRECONDITION) return false;
    const { token } = (response.json ?? {}) as { token?: unknown };
    if (code !== undefined || typeof token !== "string") throw failureOf(response);
    this.#token = token;
    return true;
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: this.#token };
  }

  #post(path: string, body: unknown, signal: AbortSignal): Promise<StoreResponse> {
    return this.#store.ask({ method: "POST", path, body, headers: this.#headers() }, signal);
  }
}

interface Problem {
  readonly code: number | undefined;
  readonly words: string;
}

function problemOf({ status, json }: StoreResponse): Problem {
  if (status === 200 && typeof json === "object" && json !== null) {
    return { code: undefined, words: "" };
  }
  const { code, error } = (json ?? {}) as { code?: unknown; error?: unknown };
  return {
    code: typeof code === "number" ? code : -1,
    words: typeof error === "string" ? error : "",
  };
}

function failureOf(response: StoreResponse): StoreFailure {
  const { code, words } = problemOf(response);
  const remedy = "set the login to a user of etcd that may read and write below the prefix";
  if (code === UNAUTHENTICATED || /authentication failed/.test(words)) {
    return refused("etcd does not accept the user and password", remedy);
  }
  if (code === INVALID_ARGUMENT && /user name is empty/.test(words)) {
    return refused("etcd wants a user and password", remedy);
  }
  if (code === PERMISSION_DENIED) {
    return refused("etcd does not let this user read and write the lease's key", remedy);
  }
  if (code === INVALID_ARGUMENT)
    return refused("etcd knows no such request", "use etcd 3.4 or later");
  if (code !== -1) return unreachable(`etcd cannot serve now (code ${code})`);
  if (response.status === 400) return tlsRequired();
  if (response.status === 404) {
    return refused(
      "this is no etcd with its JSON gateway",
      "use etcd 3.4 or later, with its gateway",
    );
  }
  return unreachable(`etcd cannot serve now (${response.status})`);
}
