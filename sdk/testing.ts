import type {
  ScriptedCertificate,
  ScriptedCommand,
  ScriptedFile,
  ScriptedHttp,
  ScriptedInterface,
  ScriptedMethod,
  ScriptedName,
  ScriptedProbe,
  ScriptedTalk,
} from "./scripted.ts";
import type { Duration, Json } from "./values.ts";
import type {
  BalancedService,
  LatencyView,
  PriorityPart,
  RouterState,
  RouterView,
} from "./views.ts";

// Types alone: the agent brings the simulator itself, for `holdfast policy test` and for the package.
export type {
  AnswerOptions,
  ScriptedCertificate,
  ScriptedCommand,
  ScriptedFailure,
  ScriptedFile,
  ScriptedHttp,
  ScriptedInterface,
  ScriptedMethod,
  ScriptedName,
  ScriptedProbe,
  ScriptedTalk,
} from "./scripted.ts";

/** How a virtual router is when the simulation begins. */
export interface RouterStart {
  /** As configured, 1–255. Default 100. */
  readonly priority?: number;
  /** Default `"backup"`. */
  readonly state?: "backup" | "active";
  /** Its virtual addresses, with prefix length. Default none. */
  readonly addresses?: readonly string[];
  /** Default `"eth0"`. */
  readonly interface?: string;
}

/** What an operator says of a real server. */
export type ServerOrder = "drain" | "disable" | { readonly weight: number };

/** How a real server is from now on; what is left out stays as it was. */
export interface ServerChange {
  /** What its checks find. */
  readonly up?: boolean;
  /** What they say of it. */
  readonly reason?: string;
  /** How long they take, in milliseconds; a number: always so long. */
  readonly latencyMs?: number | LatencyView;
  readonly activeConnections?: number;
  readonly inactiveConnections?: number;
  /** `null`: the operator takes it back. */
  readonly order?: ServerOrder | null;
}

/** How a real server is when the simulation begins. Default: up, with weight 1 and no connections. */
export interface ServerStart extends ServerChange {
  /** As configured, 0–65535. */
  readonly weight?: number;
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
}

/** A service (virtual_server) of the node. */
export interface ServiceStart {
  /** By `"address:port"`. */
  readonly realServers: Readonly<Record<string, ServerStart>>;
  /** Default 1. */
  readonly quorum?: number;
  /** `holdfast_panic`, 0–100. Default 0: off. */
  readonly panic?: number;
}

/** What a simulation begins with. */
export interface World {
  /** The name of this node. Default `"node1"`. */
  readonly node?: string;
  /** Virtual routers by name. Those that the policy may control are there in any case. */
  readonly routers?: Readonly<Record<string, RouterStart>>;
  /** Services by name, as `ctx.services` has it. */
  readonly services?: Readonly<Record<string, ServiceStart>>;
  /** Processes that run, by the name of their program; of others there are none. */
  readonly processes?: Readonly<Record<string, number>>;
  /** Files by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** What `ctx.kv` holds. */
  readonly kv?: Readonly<Record<string, Json>>;
  /** What the policy remembers of an earlier run. */
  readonly state?: { readonly version: number; readonly value: Json };
  /** Wall-clock milliseconds at the start. Default noon of 1 January 2025, UTC. */
  readonly start?: number;
  /** Of `Math.random`, any whole number. Default 1: each simulation is like the last. */
  readonly seed?: number;
}

/** A check as the agent counts it. */
export interface SimulatedCheck {
  /** Counts as up now; with a stale verdict, what `onStale` says. */
  readonly up: boolean;
  /** `"unknown"` before the first verdict. */
  readonly verdict: "unknown" | "up" | "down";
  /** There was no verdict for too long. */
  readonly stale: boolean;
  readonly reason: string;
  /** Runs that came to an end, timeouts counted. */
  readonly runs: number;
  /** Runs that were bad. */
  readonly failures: number;
}

/** Mail as it leaves: what a throttle holds back is counted in the next one. */
export interface SentMail {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** A message to a webhook as it leaves, before its preset gives it a form. */
export interface SentWebhook {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** As `permissions.webhook` calls it. */
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly severity: "info" | "warning" | "critical" | "resolved";
  /** What was to be posted as it stands. */
  readonly json?: Json;
}

/** A line for syslog as it leaves. */
export interface SentSyslog {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly title: string;
  readonly text: string;
  readonly severity: "info" | "warning" | "critical" | "resolved";
}

export interface LoggedLine {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/**
 * A mistake of the policy or of the test: what it threw, did without permission, or asked for that
 * nothing was scripted for. That a scripted call fails is none.
 */
export interface PolicyError {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** `check alive`, `hook transition`, or `policy`. */
  readonly where: string;
  readonly message: string;
  /** `nginx.ts:14:15` and the like, innermost first. */
  readonly stack: readonly string[];
}

/** How a virtual router was from some moment on. */
export interface RouterMoment {
  /** Milliseconds since the start of the simulation. */
  readonly after: number;
  readonly state: RouterState;
  /** Effective. */
  readonly priority: number;
}

/** One thing that happened. */
export interface Happening {
  /** Milliseconds since the start of the simulation. */
  readonly after: number;
  readonly kind:
    | "transition"
    | "priority"
    | "check"
    | "policy"
    | "service"
    | "peer"
    | "mail"
    | "webhook"
    | "syslog"
    | "log"
    | "error";
  /** The router, the service, the check, the policy, or where it went. */
  readonly subject: string;
  /** One line for people. */
  readonly message: string;
}

/** Another router on a virtual router's segment. */
export interface PeerStart {
  readonly address: string;
  /** Default 100. */
  readonly priority?: number;
  /** `false`: it falls silent, which is noticed some seconds later. Default true. */
  readonly heard?: boolean;
}

export type ReloadOutcome =
  | { readonly accepted: true }
  /** The version before runs on. */
  | { readonly accepted: false; readonly problems: readonly string[] };

/** A policy in a world of its own, in which time passes only when the test says so. */
export interface Simulation {
  /** Wall-clock milliseconds. */
  readonly now: number;

  /** Lets time pass; all that is due happens in its order. */
  advance(time: Duration): Promise<void>;

  /** What answers a URL; `*` stands for any text: `"http://127.0.0.1/*"`. */
  http(url: string): ScriptedHttp;
  /** What answers at `"host:port"`, to a connection that sends this text, or any. */
  tcp(target: string, sent?: string): ScriptedTalk;
  udp(target: string, payload?: string): ScriptedTalk;
  /** `type` as in `ctx.dns.resolve`; by default any. */
  dns(name: string, type?: string): ScriptedName;
  icmp(target: string): ScriptedProbe;
  tls(target: string): ScriptedCertificate;
  gateway(address: string): ScriptedProbe;
  /** A command by its name in `permissions.exec`. */
  exec(name: string): ScriptedCommand;
  file(path: string): ScriptedFile;
  interface(name: string): ScriptedInterface;
  plugin(name: string, method: string): ScriptedMethod;
  /** So many processes of this program run from now on. */
  processes(name: string, count: number): void;

  /** Names of the virtual routers that there are. */
  readonly routers: readonly string[];
  /** A virtual router as `ctx.routers` shows it. */
  router(name: string): RouterView;
  /** How it was from the start on: another moment for each change of its state or its priority. */
  history(router: string): readonly RouterMoment[];
  /**
   * A virtual router changes its state, as the protocol may bring about. What the policy makes a fault
   * of is one by itself. `reason`: the token of the event.
   */
  transition(router: string, to: RouterState, reason?: string): Promise<void>;
  /** Another router is heard from now on, each second, or falls silent. */
  peer(router: string, peer: PeerStart): Promise<void>;

  /** A service as `balance` is shown it. */
  service(name: string): BalancedService;
  /** A real server, `"service/address:port"`, is another one from now on. */
  realServer(name: string, change: ServerChange): Promise<void>;

  check(name: string): SimulatedCheck;
  /** Sent so far. */
  readonly mails: readonly SentMail[];
  readonly webhooks: readonly SentWebhook[];
  readonly syslog: readonly SentSyslog[];
  readonly logs: readonly LoggedLine[];
  /** Series of the policy: `load`, or `backends{state="down"}`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What `ctx.kv` holds. */
  readonly kv: Readonly<Record<string, Json>>;
  /** What the policy remembers; `undefined`: it keeps no state. */
  readonly state: Json | undefined;
  readonly errors: readonly PolicyError[];
  readonly timeline: readonly Happening[];

  /**
   * The file was saved, or this other one in its place: the agent builds it and tries it, and lets it
   * decide or keeps the version before. Takes some virtual time, as it does in life. `file` is seen from
   * the policy that was simulated.
   */
  reload(file?: string): Promise<ReloadOutcome>;
  /** From now on the policy does nothing, as if it were stuck: its checks grow stale, its leases end. */
  kill(): void;
  /** Ends the simulation, with the policy's `stop` hook. Not needed: nothing of it lasts. */
  stop(): Promise<void>;
}

/**
 * Runs a policy in the real engine, in virtual time, in a world that a test scripts. Whatever is not
 * scripted fails, with a word on what to write. All that it asks for in `permissions` is granted; what
 * it does beyond is refused. Rejects when the policy cannot be loaded, with the reasons.
 *
 * @param file the policy's file, seen from the file that calls this: `"./nginx.ts"`
 * @example
 * import { simulate } from "holdfast/sdk/testing";
 *
 * const sim = await simulate("./nginx.ts", {
 *   routers: { VI_1: { priority: 150, state: "active" } },
 *   processes: { nginx: 2 },
 * });
 * sim.http("http://127.0.0.1/").replies(200);
 * await sim.advance("10s");
 * sim.http("http://127.0.0.1/").fails("ECONNREFUSED");
 * await sim.advance("10s");
 * export const lost = 150 - sim.router("VI_1").priority;
 */
export declare function simulate(file: string, world?: World): Promise<Simulation>;

/** A part of a priority, as `sim.router(…).contributions` has it. */
export type { PriorityPart };
