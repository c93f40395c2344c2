import type { Duration } from "./values.ts";

/** What every call to the world takes. */
export interface CallOptions {
  /**
   * How long the call may take, from 1 ms. Default 5 s; never longer than what is left of the check's own
   * timeout. A call that takes longer rejects with the code `timeout`.
   */
  readonly timeout?: Duration;
}

/** What a rejected call of `ctx` is: an Error whose `code` says why, in one word. */
export interface CallFailure extends Error {
  /**
   * `timeout`, `permission` (not asked for, or not granted), `argument` (the call itself is wrong), or
   * what the system says: `ECONNREFUSED`, `ENOENT`.
   */
  readonly code: string;
}

/** An answer to an HTTP request, whatever its status. */
export interface HttpResponse {
  /** 100–599. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 256 KiB of text; what is longer is cut. Empty for `head`. */
  readonly body: string;
  /** Milliseconds from the request to the end of the body. */
  readonly ms: number;
}

export interface HttpOptions extends CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by `post`; text in UTF-8. */
  readonly body?: string;
  /** `false`: any certificate is good. Default true. */
  readonly verify?: boolean;
  /** Also offer HTTP/2. Default false. */
  readonly http2?: boolean;
}

/**
 * HTTP over connections that are kept. Redirects are not followed. A call rejects when there is no
 * answer; an answer with any status is one.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { http: ["http://127.0.0.1/*"] },
 *   checks: {
 *     alive: {
 *       every: "2s",
 *       async run(ctx) {
 *         const { status, ms } = await ctx.http.get("http://127.0.0.1/health", { timeout: "500ms" });
 *         return { ok: status === 200, reason: `HTTP ${status} in ${ms} ms` };
 *       },
 *     },
 *   },
 * });
 */
export interface Http {
  get(url: string, options?: HttpOptions): Promise<HttpResponse>;
  head(url: string, options?: HttpOptions): Promise<HttpResponse>;
  post(url: string, options?: HttpOptions): Promise<HttpResponse>;
}

/**
 * TCP connections, one for each call.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { tcp: ["127.0.0.1:6379"] },
 *   checks: {
 *     redis: {
 *       every: "1s",
 *       async run(ctx) {
 *         const talk = { send: "PING\r\n", until: "\r\n" };
 *         return (await ctx.tcp.connect("127.0.0.1:6379", talk)).received.startsWith("+PONG");
 *       },
 *     },
 *   },
 * });
 */
export interface Tcp {
  /** Connects, sends `send`, reads until `until` was read, and closes. Text is UTF-8. */
  connect(
    target: string,
    options?: CallOptions & { readonly send?: string; readonly until?: string },
  ): Promise<{ readonly ms: number; readonly received: string }>;
}

export interface Udp {
  /** Sends one datagram; `reply: false` does not wait for an answer. Text is UTF-8. */
  exchange(
    target: string,
    payload: string,
    options?: CallOptions & { readonly reply?: boolean },
  ): Promise<{ readonly ms: number; readonly received: string }>;
}

export interface Dns {
  /**
   * Answers as text; empty: the name exists and has no such record. `server`: `"address"` or
   * `"address:port"`; default: those of resolv.conf.
   */
  resolve(
    name: string,
    type?: "A" | "AAAA" | "TXT" | "SRV" | "MX" | "CNAME" | "NS" | "PTR" | "SOA",
    options?: CallOptions & { readonly server?: string },
  ): Promise<readonly string[]>;
}

export interface Icmp {
  /** Sends `count` echo requests, 1–10, default 1. `ms`: the mean of those that were answered. */
  ping(
    target: string,
    options?: CallOptions & { readonly count?: number },
  ): Promise<{ readonly sent: number; readonly received: number; readonly ms: number }>;
}

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** Names that it is good for. */
  readonly names: readonly string[];
  /** Wall-clock milliseconds. */
  readonly notBefore: number;
  /** Wall-clock milliseconds. */
  readonly notAfter: number;
  /** Whole days until `notAfter`; negative when it is over. */
  readonly daysLeft: number;
  /** Whether it is good for the name that was asked for, here and now. */
  readonly valid: boolean;
  /** Why it is not. */
  readonly problem?: string;
}

export interface Tls {
  /** The certificate that a server shows; also one that is not valid. `serverName`: default the host. */
  certificate(
    target: string,
    options?: CallOptions & { readonly serverName?: string },
  ): Promise<Certificate>;
}

export interface Gateway {
  /** Asks for the hardware address; a gateway that does not answer within the timeout rejects. */
  probe(address: string, options?: CallOptions): Promise<{ readonly ms: number }>;
}
