import type { Json } from "./values.ts";

/** A webhook: its URL, or that with the form that a service expects. */
export type WebhookTarget = string | { readonly preset: WebhookPreset; readonly url: string };

/** Services whose form of a message is known; `json`: any other, which gets the message as it stands. */
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
 * What a policy asks for. It is read without running the policy, so it is written out: no variables, no
 * calls, no `...`. It decides which members `ctx` has. The operator grants all or a part of it in
 * holdfast.conf; what is asked for and not granted is refused with the line to add. At most 64 parts of
 * a kind, each of at most 1024 characters, without double quotes and backslashes.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: {
 *     http: ["http://127.0.0.1:8080/*"],
 *     exec: { reload: ["/usr/sbin/nginx", "-s", "reload"] },
 *     mail: { to: ["ops@example.org"] },
 *     webhook: { chat: { preset: "slack", url: "${secret:slack}" } },
 *     control: { routers: ["VI_1"] },
 *   },
 * });
 */
export interface Permissions {
  /** URL patterns; `*` stands for any text within a part: `"http://127.0.0.1:8080/*"`. Gives `ctx.http`. */
  readonly http?: readonly string[];
  /** `"host:port"`; a host may be a CIDR: `"10.0.0.0/24:5432"`. Gives `ctx.tcp`. */
  readonly tcp?: readonly string[];
  /** `"host:port"`, as for tcp. Gives `ctx.udp`. */
  readonly udp?: readonly string[];
  /** Names, or `"*.example.org"`. Gives `ctx.dns`. */
  readonly dns?: readonly string[];
  /** Addresses, names or CIDRs that may be pinged. Gives `ctx.icmp`. */
  readonly icmp?: readonly string[];
  /** `"host:port"` whose certificate may be looked at. Gives `ctx.tls`. */
  readonly tls?: readonly string[];
  /**
   * Commands by a name of your own: a program by its absolute path and fixed arguments, no shell. Gives
   * `ctx.exec`.
   */
  readonly exec?: Readonly<Record<string, readonly string[]>>;
  /** Absolute path globs: `"/proc/loadavg"`, `"/run/*.pid"`. Gives `ctx.files`. */
  readonly read?: readonly string[];
  /** Names of programs whose processes are counted: `"nginx"`. Gives `ctx.processes`. */
  readonly process?: readonly string[];
  /** Names of network interfaces. Gives `ctx.interfaces`. */
  readonly interface?: readonly string[];
  /**
   * Addresses on a local network that are probed with ARP or neighbour solicitation. Gives
   * `ctx.gateway`.
   */
  readonly gateway?: readonly string[];
  /** Addresses that mail goes to. Gives `ctx.mail`. */
  readonly mail?: { readonly to: readonly string[] };
  /** Webhooks by a name of your own; secrets by reference: `"${secret:slack}"`. Gives `ctx.webhook`. */
  readonly webhook?: Readonly<Record<string, WebhookTarget>>;
  /** What of the agent it moves. */
  readonly control?: {
    /** Virtual routers (vrrp_instance) whose priority it moves. Gives `ctx.router`. */
    readonly routers?: readonly string[];
    /** Real servers whose weight it moves: `"service/address:port"`. Gives `ctx.realServer`. */
    readonly realServers?: readonly string[];
    /** Services (virtual_server) whose weights `balance` decides; `*` stands for any text. */
    readonly services?: readonly string[];
  };
  /** Plugins of the operator's own, by name, each with the permission that it defines. Gives `ctx.plugin`. */
  readonly plugins?: Readonly<Record<string, Json>>;
}
