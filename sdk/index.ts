// The contract between a policy and the agent: what the author of a policy sees. It imports nothing
// but its own parts, so that it runs and compiles anywhere.
export type { Balance, Weights } from "./balance.ts";
export type { Check, CheckResult, Targets, Track } from "./check.ts";
export type { BaseContext, Context, NoState, Remembering } from "./context.ts";
export type { Lease, RealServerControl, RouterControl } from "./control.ts";
export type {
  CheckChangeEvent,
  Events,
  PeerEvent,
  PriorityChangeEvent,
  RealServerEvent,
  ServiceQuorumEvent,
  TransitionEvent,
} from "./events.ts";
export type { Exec, Files, Interfaces, InterfaceView, Processes } from "./machine.ts";
export type {
  CallFailure,
  CallOptions,
  Certificate,
  Dns,
  Gateway,
  Http,
  HttpOptions,
  HttpResponse,
  Icmp,
  Tcp,
  Tls,
  Udp,
} from "./network.ts";
export type { Mail, NoticeMessage, NoticeOptions, Syslog, Webhook } from "./notices.ts";
export type { Permissions, WebhookPreset, WebhookTarget } from "./permissions.ts";
export type { Policy, StateSpec } from "./policy.ts";
// biome-ignore lint/performance/noBarrelFile: the one module that authors import
export { definePolicy } from "./policy.ts";
export type { Kv, Log, LogFields, Metrics } from "./records.ts";
export type { Duration, Json } from "./values.ts";
export type {
  BalancedServer,
  BalancedService,
  LatencyView,
  NodeView,
  PeerView,
  PriorityPart,
  RealServerView,
  RouterState,
  RouterView,
  ServiceView,
} from "./views.ts";
