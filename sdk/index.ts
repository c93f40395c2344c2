// The contract between a policy and the agent. It imports nothing, so that it runs anywhere.

/** A span of time: a number and its unit, as in `"500ms"`, `"2s"`, `"1.5m"`, `"12h"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h"}`;

/** What crosses the border of the sandbox: plain data, without cycles, functions or dates. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** State of a virtual router on one node. RFC 9568 §6.4; `fault` is keepalived's FAULT. */
export type RouterState = "initialize" | "backup" | "active" | "fault";

/** A webhook: its URL, or that with the form that a service expects. */
export type WebhookTarget = string | { readonly preset: WebhookPreset; readonly url: string };

/** Services whose form of a message is known. */
export type WebhookPreset =
  | "slack"
  | "teams"
  | "discord"
  | "telegram"
  | "pagerduty"
  | "opsgenie"
  | "dingtalk"
  | "feishu"
  | "wecom"
  | "ntfy"
  | "json";

/**
 * What a policy asks for. A literal: it is read without running the policy, and it decides which
 * members `ctx` has. The operator grants a part of it in holdfast.conf; what is used and not granted
 * is refused with the line to add.
 */
export interface Permissions {
  /** URL patterns; `*` stands for any text within a part: `"http://127.0.0.1:8080/*"`. */
  readonly http?: readonly string[];
  /** `"host:port"`; a host may be a CIDR: `"10.0.0.0/24:5432"`. */
  readonly tcp?: readonly string[];
  /** `"host:port"`, as for tcp. */
  readonly udp?: readonly string[];
  /** Names, or `"*.example.org"`; for a `server` of one's own, `"*.example.org@10.0.0.53"`. */
  readonly dns?: readonly string[];
  /** Addresses, names or CIDRs that may be pinged. */
  readonly icmp?: readonly string[];
  /** `"host:port"` whose certificate may be looked at. */
  readonly tls?: readonly string[];
  /** Commands by a name of your own: program and fixed arguments, no shell. */
  readonly exec?: Readonly<Record<string, readonly string[]>>;
  /** Absolute path globs: `"/proc/loadavg"`, `"/run/*.pid"`. */
  readonly read?: readonly string[];
  /** Names of programs whose processes are counted: `"nginx"`. */
  readonly process?: readonly string[];
  /** Names of network interfaces. */
  readonly interface?: readonly string[];
  /** Addresses on a local network that are probed with ARP or neighbour solicitation. */
  readonly gateway?: readonly string[];
  readonly mail?: { readonly to: readonly string[] };
  /** Webhooks by a name of your own; secrets by reference: `"${secret:slack}"`. */
  readonly webhook?: Readonly<Record<string, WebhookTarget>>;
  readonly control?: {
    /** Virtual routers (vrrp_instance) whose priority it moves. */
    readonly routers?: readonly string[];
    /** Real servers whose weight it moves: `"service/address:port"`. */
    readonly realServers?: readonly string[];
  };
  /** Plugins of the operator's own, by name, each with the permission that it defines. */
  readonly plugins?: Readonly<Record<string, Json>>;
}

/** How long a call may take; never longer than what is left of the check's own timeout. */
export interface CallOptions {
  /** Default 5 s. */
  readonly timeout?: Duration;
}

/** How long an adjustment holds without being renewed. */
export interface Lease {
  /** Default 30 s; at most 1 h. */
  readonly ttl?: Duration;
}

/** A notification's part in not telling too much. */
export interface NoticeOptions {
  /** Notices of one key within `throttle` are told once. Default: the text itself. */
  readonly dedupe?: string;
  /** Default 0: every one. */
  readonly throttle?: Duration;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 256 KiB of text. */
  readonly body: string;
  /** There was more of it: the rest was not read. */
  readonly truncated?: boolean;
  /** Milliseconds from the request to the end of the body. */
  readonly ms: number;
}

export interface HttpOptions extends CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `false`: any certificate is good. Default true. */
  readonly verify?: boolean;
  /** Also offer HTTP/2. Default false. */
  readonly http2?: boolean;
}

export interface Http {
  get(url: string, options?: HttpOptions): Promise<HttpResponse>;
  head(url: string, options?: HttpOptions): Promise<HttpResponse>;
  post(url: string, options?: HttpOptions): Promise<HttpResponse>;
}

export interface Tcp {
  /** Connects, sends `send`, reads until `until` was read, and closes. */
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
  /** Answers as text; empty: the name exists and has no such record. */
  resolve(
    name: string,
    type?: "A" | "AAAA" | "TXT" | "SRV" | "MX" | "CNAME" | "NS" | "PTR" | "SOA",
    options?: CallOptions & { readonly server?: string },
  ): Promise<readonly string[]>;
}

export interface Icmp {
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
  readonly notAfter: number;
  readonly daysLeft: number;
  /** Whether it is good for the name that was asked for, here and now. */
  readonly valid: boolean;
  /** Why it is not. */
  readonly problem?: string;
}

export interface Tls {
  certificate(
    target: string,
    options?: CallOptions & { readonly serverName?: string },
  ): Promise<Certificate>;
}

export interface Exec<Name extends string> {
  /** Never rejects for what the program answers: `code` is its status, 128 + n after a signal. */
  run(
    name: Name,
    options?: CallOptions,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly ms: number }>;
}

export interface Files {
  /** At most 64 KiB. Rejects when it is not there. */
  readText(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
}

export interface Processes<Name extends string> {
  /** How many processes of this program run now. Costs nothing: the agent keeps count. */
  count(name: Name): number;
}

export interface InterfaceView {
  readonly up: boolean;
  readonly carrier: boolean;
  readonly mtu: number;
  readonly addresses: readonly string[];
  /** Counted by the kernel since the interface is there. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly errors: number;
}

export interface Interfaces<Name extends string> {
  get(name: Name): Promise<InterfaceView>;
}

export interface Gateway {
  /** Asks for the hardware address; a gateway that does not answer within the timeout rejects. */
  probe(address: string, options?: CallOptions): Promise<{ readonly ms: number }>;
}

/** A little durable memory of the policy's own: 64 KiB in all, on disk, over restarts. */
export interface Kv {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Prometheus series of the policy's own; the label `policy` is added. */
export interface Metrics {
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Adds `by`, 1 by default. */
  count(name: string, by?: number, labels?: Readonly<Record<string, string>>): void;
}

export type LogFields = Readonly<Record<string, Json>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface Mail {
  /** To the addresses of the permission. Returns at once: the agent queues and retries. */
  send(message: { readonly subject: string; readonly text: string } & NoticeOptions): void;
}

/** What presets make a message of; `json` goes as it stands where the target has no preset. */
export interface WebhookMessage extends NoticeOptions {
  readonly title?: string;
  readonly text: string;
  readonly severity?: "info" | "warning" | "critical" | "resolved";
}

export interface Webhook<Name extends string> {
  post(name: Name, message: WebhookMessage | ({ readonly json: Json } & NoticeOptions)): void;
}

/** One named part of an effective priority. */
export interface PriorityPart {
  readonly source: string;
  readonly weight: number;
}

export interface RouterView {
  readonly name: string;
  readonly state: RouterState;
  /** Effective priority: the sum of base and contributions within 1–254; 255: the owner. */
  readonly priority: number;
  readonly base: number;
  readonly contributions: readonly PriorityPart[];
  readonly addresses: readonly string[];
  readonly interface: string | null;
}

/** A virtual router that this policy may move. Adjustments lapse by themselves. */
export interface RouterControl extends RouterView {
  /** Adds to the priority, −253–253, until the lease ends or it is said anew. */
  adjust(delta: number, lease?: Lease): void;
  /** Keeps it from being active. */
  fault(reason: string, lease?: Lease): void;
  /** Takes back what this policy said before. */
  clear(): void;
}

/** Another router that was heard on a segment. */
export interface PeerView {
  readonly router: string;
  readonly address: string;
  readonly priority: number;
  /** Wall-clock milliseconds. */
  readonly lastHeardAt: number;
}

/** Another machine, as its advertisements show it. */
export interface NodeView {
  readonly address: string;
  readonly routers: readonly string[];
  readonly lastHeardAt: number;
}

export interface RealServerView {
  readonly name: string;
  readonly up: boolean;
  readonly weight: number;
  readonly activeConnections: number;
}

export interface ServiceView {
  readonly name: string;
  readonly quorum: boolean;
  readonly realServers: readonly RealServerView[];
}

export interface RealServerControl extends RealServerView {
  setWeight(weight: number, lease?: Lease): void;
  drain(lease?: Lease): void;
  clear(): void;
}

type Has<P, K extends PropertyKey> = P extends { readonly [key in K]: infer V }
  ? V extends undefined
    ? false
    : true
  : false;
type If<Condition, T> = Condition extends true ? T : unknown;
type Names<P, K extends "exec" | "webhook" | "plugins"> = P extends {
  readonly [key in K]: infer V;
}
  ? keyof V & string
  : never;
type Listed<P, K extends "process" | "interface"> = P extends {
  readonly [key in K]: readonly (infer N)[];
}
  ? N & string
  : never;
type Controlled<P, K extends "routers" | "realServers"> = P extends {
  readonly control: { readonly [key in K]: readonly (infer N)[] };
}
  ? N & string
  : never;

/** What every policy has. */
export interface BaseContext<S> {
  /** Wall-clock milliseconds when this run began. */
  readonly now: number;
  /** The name of this node: router_id, else the host's name. */
  readonly node: string;
  /** This node's virtual routers by name. */
  readonly routers: Readonly<Record<string, RouterView>>;
  readonly peers: readonly PeerView[];
  readonly nodes: readonly NodeView[];
  readonly services: readonly ServiceView[];
  /** Kept by the agent after each run that ends well, and handed to the next version. 64 KiB of JSON. */
  readonly state: S;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly kv: Kv;
  sleep(time: Duration): Promise<void>;
}

/** What a run of the policy is handed: members beyond the base are there when they are asked for. */
export type Context<P, S> = BaseContext<S> &
  If<Has<P, "http">, { readonly http: Http }> &
  If<Has<P, "tcp">, { readonly tcp: Tcp }> &
  If<Has<P, "udp">, { readonly udp: Udp }> &
  If<Has<P, "dns">, { readonly dns: Dns }> &
  If<Has<P, "icmp">, { readonly icmp: Icmp }> &
  If<Has<P, "tls">, { readonly tls: Tls }> &
  If<Has<P, "exec">, { readonly exec: Exec<Names<P, "exec">> }> &
  If<Has<P, "read">, { readonly files: Files }> &
  If<Has<P, "process">, { readonly processes: Processes<Listed<P, "process">> }> &
  If<Has<P, "interface">, { readonly interfaces: Interfaces<Listed<P, "interface">> }> &
  If<Has<P, "gateway">, { readonly gateway: Gateway }> &
  If<Has<P, "mail">, { readonly mail: Mail }> &
  If<Has<P, "webhook">, { readonly webhook: Webhook<Names<P, "webhook">> }> &
  If<
    Has<P, "plugins">,
    { plugin(name: Names<P, "plugins">, method: string, ...args: readonly Json[]): Promise<Json> }
  > &
  ([Controlled<P, "routers">] extends [never]
    ? unknown
    : { router(name: Controlled<P, "routers">): RouterControl }) &
  ([Controlled<P, "realServers">] extends [never]
    ? unknown
    : { realServer(name: Controlled<P, "realServers">): RealServerControl });

/** A verdict: good or bad; `"skip"` leaves the last one as it was. */
export type CheckResult =
  | boolean
  | "skip"
  | {
      readonly ok: boolean;
      /** Shown in status and events, 200 characters at most. */
      readonly reason?: string;
      /** Weight for the real servers that it tracks. */
      readonly weight?: number;
    };

/** What the agent does with a verdict. Declared, so that it holds also when the policy is dead. */
export interface Track<P> {
  /**
   * By virtual router: a number is added to the priority, a negative one while the check is down, a
   * positive one while it is up; `"fault"` keeps the router from being active while it is down.
   */
  readonly routers?: { readonly [K in Controlled<P, "routers">]?: number | "fault" };
  /** By real server: `"down"` takes it out while the check is down; a number is its weight then. */
  readonly realServers?: { readonly [K in Controlled<P, "realServers">]?: number | "down" };
}

export interface Check<P, S> {
  /** From the start of one run to the start of the next; 10 ms – 24 h. */
  readonly every: Duration;
  /** A run that takes longer counts as failed. Default: `every`, at most 30 s. */
  readonly timeout?: Duration;
  /** Good results in a row that make it up. Default 1. */
  readonly rise?: number;
  /** Bad results in a row that make it down. Default 1. */
  readonly fall?: number;
  /** Share of `every`, 0–0.5, by which runs are spread at random. Default 0. */
  readonly jitter?: number;
  /**
   * What holds when there is no verdict for three periods: the policy is broken, or in quarantine.
   * Default `"down"`. `keep` holds the last verdict for `maxStale`, then it is down.
   */
  readonly onStale?: "down" | "up" | { readonly keep: { readonly maxStale: Duration } };
  readonly track?: Track<P>;
  run(ctx: Context<P, S>): CheckResult | Promise<CheckResult>;
}

export interface TransitionEvent {
  readonly router: string;
  readonly from: RouterState;
  readonly to: RouterState;
  readonly reason: string;
  readonly priority: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

export interface CheckChangeEvent<C extends string> {
  readonly check: C;
  readonly up: boolean;
  readonly reason: string;
  /** Milliseconds that the state before had lasted. */
  readonly lasted: number;
}

export interface PriorityChangeEvent {
  readonly router: string;
  readonly before: number;
  readonly after: number;
  readonly contributions: readonly PriorityPart[];
}

export interface RealServerEvent {
  readonly service: string;
  readonly realServer: string;
  readonly up: boolean;
  readonly weight: number;
}

export interface ServiceQuorumEvent {
  readonly service: string;
  readonly up: boolean;
  readonly alive: number;
}

export interface PeerEvent {
  readonly router: string;
  readonly address: string;
  /** It is heard now, or is not heard any more. */
  readonly heard: boolean;
  readonly priority: number;
}

/** What is heard about, and after the fact: no hook stands between a packet and its decision. */
export interface Events<C extends string> {
  readonly transition: TransitionEvent;
  readonly checkChange: CheckChangeEvent<C>;
  readonly priorityChange: PriorityChangeEvent;
  readonly realServer: RealServerEvent;
  readonly serviceQuorum: ServiceQuorumEvent;
  readonly peer: PeerEvent;
  readonly start: { readonly reason: "boot" | "reload" | "recovery" };
  readonly stop: { readonly reason: "reload" | "shutdown" };
}

/** What the policy remembers. */
export interface StateSpec<S> {
  /** Raise it when the form changes. */
  readonly version: number;
  init(): S;
  /** Makes this version's state of an older one's. Without it, an older state is dropped. */
  migrate?(old: Json, fromVersion: number): S;
}

export interface Policy<P extends Permissions, S, C extends string> {
  /** One line on what it is for. */
  readonly about?: string;
  readonly permissions?: P;
  readonly state?: StateSpec<S>;
  readonly checks?: { readonly [K in C]: Check<P, S> };
  readonly on?: {
    readonly [K in keyof Events<C>]?: (
      ctx: Context<P, S>,
      event: Events<C>[K],
    ) => void | Promise<void>;
  };
}

/**
 * Defines a policy: the default export of a file in the policies folder. Its name is the file's.
 *
 * @example
 * export default definePolicy({
 *   permissions: { http: ["http://127.0.0.1/*"], control: { routers: ["VI_1"] } },
 *   checks: {
 *     alive: {
 *       every: "1s", fall: 3, track: { routers: { VI_1: -50 } },
 *       run: async (ctx) => (await ctx.http.get("http://127.0.0.1/health")).status === 200,
 *     },
 *   },
 * });
 */
export function definePolicy<
  const P extends Permissions,
  S extends Json = Record<string, never>,
  C extends string = never,
>(policy: Policy<P, S, C>): Policy<P, S, C> {
  return policy;
}
