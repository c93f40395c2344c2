import type { Diagnostic } from "../config/diagnostic.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { RunOptions } from "../config/run-options.ts";
import type { Settings } from "../config/settings.ts";
import type { ServiceStatus } from "../control/protocol.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { DryRunReport } from "../policy/dry-run-report.ts";
import type { EvaluatedPolicy } from "../policy/evaluate.ts";
import type { PermissionRule } from "../policy/permission-rule.ts";
import type { SimulationReport } from "../policy/simulation-report.ts";
import type { CollectHostFacts } from "../ports/host-facts.ts";
import type { ReadKernelSettings } from "../ports/kernel-settings.ts";
import type { NamespaceHolder, WithdrawOutcome } from "../ports/last-will.ts";
import type { DigestPage } from "../ports/page-digest.ts";
import type { DemoLab } from "./demo/lab.ts";

/** What a replayed journal showed: where the machines of this version decide otherwise. */
export interface ReplayOutcome {
  readonly steps: number;
  readonly routers: number;
  readonly differences: readonly {
    /** Line of the journal, from 1. */
    readonly line: number;
    readonly subject: string;
    readonly message: string;
  }[];
}

/** What of a configuration's surroundings matters when it is read. */
export interface LoadRequest {
  readonly file: string;
  readonly configId: string | undefined;
  readonly includesMustExist: boolean;
  /** Absolute path of holdfast.conf. */
  readonly settingsFile: string;
}

/** holdfast.conf as it was read. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly diagnostics: readonly Diagnostic[];
}

/** A policy that is to look at this host. */
export interface PolicyRunRequest {
  /** Absolute path. */
  readonly file: string;
  readonly settings: Settings;
  readonly node: string;
  /** Empty while no agent runs. */
  readonly routers: readonly RouterSnapshot[];
  readonly services: readonly ServiceStatus[];
}

export interface PolicyTestRequest {
  readonly files: readonly string[];
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What the commands need of the rest of the agent. The composition root provides it. */
export interface CliHost {
  version(): string;
  /** Throws a KernelError when the file itself cannot be read. */
  loadConfig(request: LoadRequest): Promise<LoadedConfig>;
  /** Reads holdfast.conf; `undefined`: there is none. Throws a KernelError when it cannot be read. */
  loadSettings(file: string): Promise<LoadedSettings | undefined>;
  /** What judges permissions: the plugins that this agent has. */
  permissionRules(): Promise<readonly PermissionRule[]>;
  /** Evaluates policies in a sandbox, and answers what is wrong with what they declare. */
  evaluatePolicies(policies: readonly EvaluatedPolicy[]): Promise<readonly Diagnostic[]>;
  /** Runs test files of policies, given by absolute paths. Answers whether all of them passed. */
  runPolicyTests(request: PolicyTestRequest): Promise<boolean>;
  /**
   * Plays a scenario to a policy; both are absolute paths. Throws a SyntaxError with its place when the
   * scenario cannot be understood, and an error with a remedy when the policy cannot be loaded.
   */
  simulatePolicy(file: string, scenario: string): Promise<SimulationReport>;
  /** Lets each check of a policy look at this host once; nothing is sent or written. */
  runPolicy(request: PolicyRunRequest): Promise<DryRunReport>;
  /** Runs the agent until it is told to stop. Answers the exit status. */
  runAgent(options: RunOptions): Promise<number>;
  /** Throws a SyntaxError that names the line when `text` is no journal. */
  replay(text: string): Promise<ReplayOutcome>;
  /** Looks at this machine for `holdfast doctor`. */
  readonly collectFacts: CollectHostFacts;
  readonly digestPage: DigestPage;
  readKernelSettings(
    ...namespace: Parameters<ReadKernelSettings>
  ): Promise<ReturnType<ReadKernelSettings>>;
  /**
   * Moves this process into a network namespace by name (/run/netns/NAME). What it starts from then on
   * runs there. Throws a KernelError.
   */
  enterNamespace(name: string): Promise<void>;
  /** The net_namespace of an agent that ended without a word, by its state directory. */
  namespaceLeftBy(stateDirectory: string): Promise<string | undefined>;
  /** Whose process holds addresses in this namespace or the named one. Throws a KernelError. */
  namespaceHolder(namespace: string | undefined): Promise<NamespaceHolder | undefined>;
  /** Whether this process has ended within the time. */
  ended(pid: number, limitMs: number): Promise<boolean>;
  /** Removes what carries our mark, in this namespace or the named one. */
  withdraw(namespace: string | undefined): Promise<WithdrawOutcome>;
  /** A small network on this machine. Throws a KernelError where namespaces cannot be had. */
  openLab(): Promise<DemoLab>;
  /** The command that runs `command` where a lab can be opened: as it stands for root. */
  labCommand(command: readonly string[]): Promise<readonly string[]>;
}

/** Where a command writes and what the terminal can do. Tests hand in their own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Colours on the standard output. */
  readonly color: boolean;
  readonly isTerminal: boolean;
  readonly columns: number;
}
