import type { RealServerControl, RouterControl } from "./control.ts";
import type { Exec, Files, Interfaces, Processes } from "./machine.ts";
import type { Dns, Gateway, Http, Icmp, Tcp, Tls, Udp } from "./network.ts";
import type { Mail, Syslog, Webhook } from "./notices.ts";
import type { Kv, Log, Metrics } from "./records.ts";
import type { Duration, Json } from "./values.ts";
import type { NodeView, PeerView, RouterView, ServiceView } from "./views.ts";

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
/** Names that a policy may control. */
export type Controlled<P, K extends "routers" | "realServers" | "services"> = P extends {
  readonly control: { readonly [key in K]: readonly (infer N)[] };
}
  ? N & string
  : never;

/** What every policy has, whatever it asks for. */
export interface BaseContext {
  /** Wall-clock milliseconds when this run began. */
  readonly now: number;
  /** The name of this node: router_id, else the host's name. */
  readonly node: string;
  /** This node's virtual routers by name. */
  readonly routers: Readonly<Record<string, RouterView>>;
  /** Routers of others that were heard for this node's virtual routers. */
  readonly peers: readonly PeerView[];
  /** The same by machine. */
  readonly nodes: readonly NodeView[];
  /** Virtual servers of this node. */
  readonly services: readonly ServiceView[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly syslog: Syslog;
  readonly kv: Kv;
  /** Waits, at most for what is left of the check's timeout. Periodic work is a check, not a loop. */
  sleep(time: Duration): Promise<void>;
}

/** The state of a policy that declares none. */
export type NoState = Readonly<Record<string, never>>;

/** What a policy with `state` has. */
export interface Remembering<S> {
  /**
   * What `state.init` made. Change it in place: the agent keeps it after each run that ends well, and
   * hands it to the next version. At most 64 KiB of JSON.
   */
  readonly state: S;
}

/** What a run of the policy is handed: members beyond the base are there when they are asked for. */
export type Context<P, S> = BaseContext &
  ([S] extends [NoState] ? unknown : Remembering<S>) &
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
