import type { BalancedService, ServiceView } from "../../../sdk/index.ts";
import type { Plugin } from "../../../sdk/plugin.ts";
import type { Settings } from "../../config/settings.ts";
import type { Notice } from "../../core/notify/notice.ts";
import type { ServerWeights } from "../../core/policy/server-weights.ts";
import type { ServerClaim } from "../../core/virtual-server/pool.ts";
import type { BuildOutcome } from "../../policy/build-policy.ts";
import type { Discovery } from "../../policy/discover.ts";
import type { Clock, OpenTimer } from "../../ports/clock.ts";
import type { Sandbox, SandboxListener } from "../../sandbox/sandbox.ts";

/** A file as it is now. */
export interface FileMark {
  /** Another one whenever its content may be another one. */
  readonly id: string;
  /** Wall-clock milliseconds of its last change; 0 when it is not there. */
  readonly changedAt: number;
}

/** Where policies come from. */
export interface PolicySource {
  discover(directory: string): Discovery;
  build(directory: string, file: string): Promise<BuildOutcome>;
  mark(path: string): FileMark;
}

/**
 * Says that something in a folder may have changed, or that the folder came or went; often too often,
 * never too seldom. The folder need not be there yet.
 */
export type WatchFolder = (
  directory: string,
  changed: () => void,
  failed: (message: string) => void,
) => { close(): Promise<void> };

/** The state of policies between runs of the agent: JSON texts by name of the policy. */
export interface PolicyMemory {
  load(policy: string): string | undefined;
  /** Answers why it could not be kept. */
  save(policy: string, state: string): string | undefined;
}

/** Prometheus series of policies. Names and labels come from policies, and are checked there. */
export interface PolicyMetrics {
  /** Answers what is wrong with it. */
  gauge(policy: string, name: string, value: number, labels: Labels): string | undefined;
  count(policy: string, name: string, by: number, labels: Labels): string | undefined;
  /** The policy is gone: so are its series. */
  forget(policy: string): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

export type Labels = Readonly<Record<string, string>>;

/** What the policies of a director need. */
export interface PolicyHostPorts {
  readonly clock: Clock;
  readonly openTimer: OpenTimer;
  readonly source: PolicySource;
  readonly watchFolder: WatchFolder;
  /** Called when the first policy is to be loaded. */
  readonly openSandbox: (listener: SandboxListener) => Sandbox | Promise<Sandbox>;
  /** Our own. */
  readonly plugins: readonly Plugin[];
  /** Loads an operator's plugin: the default export of a package. Rejects with words for people. */
  readonly loadPlugin: (packageName: string) => Promise<Plugin>;
  /** Replaces `${secret:name}` in a text; throws a CallError for an unknown name. */
  readonly secret: (text: string, secrets: Settings["secrets"]) => string;
  readonly memory: (stateDirectory: string) => PolicyMemory;
  readonly metrics: PolicyMetrics;
  readonly notify: (notice: Notice) => void;
  /** Load balancing; `undefined`: there is none here. */
  readonly services?: ServicePorts;
}

/** What policies see of load balancing, and do to it. */
export interface ServicePorts {
  views(): readonly ServiceView[];
  /** What `source` does to a real server, by its name in views; `undefined`: nothing any more. */
  claim(server: string, source: string, claim: ServerClaim | undefined): void;
  /** Names of services. */
  names(): readonly string[];
  /** A service as it is now, its connections counted anew; `undefined`: there is none of this name. */
  look(service: string): Promise<BalancedService | undefined>;
  /** The weights that `source` gives a service; `undefined`: none any more. */
  balance(service: string, source: string, weights: ServerWeights | undefined): void;
}
