import type { Json } from "./index.ts";

// The contract of capability plugins: trusted code that gives policies a way to the world. A plugin
// runs in the director process; a policy reaches it only through calls that were checked.

/** Why a call failed, in words that a policy's author may read: no paths beyond the asked, no secrets. */
export class CallError extends Error {
  /**
   * A short token. For all plugins: `argument`, `permission`, `timeout`, `aborted`, `closed`; else
   * the kernel's (`ECONNREFUSED`) or the plugin's own.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CallError";
    this.code = code;
  }
}

/** One call of a policy. */
export interface PluginCall {
  readonly policy: string;
  /** What of this plugin's permission was both asked for and granted. */
  readonly permission: Json;
  /** Aborts when the time is over or the policy is gone; the call must settle soon after. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left, at least 1. */
  readonly timeoutMs: number;
}

/** What a plugin is opened with. */
export interface PluginHost {
  /** The plugin's block in holdfast.conf; `null` without one. */
  readonly options: Json;
  /** Milliseconds on the wall clock. */
  readonly wallClock: () => number;
  /** Says a line in the agent's log. */
  readonly log: (level: "debug" | "info" | "warn" | "error", message: string) => void;
  /** Replaces `${secret:name}` in a text. Throws a CallError for an unknown name. */
  readonly secret: (text: string) => string;
}

export interface OpenPlugin {
  /**
   * Carries a call out. Settles within `timeoutMs` and soon after `signal` aborts; rejects with a
   * CallError only. Arguments come from a policy: they are checked here, and what lies outside of
   * `call.permission` is refused with the code `permission`.
   */
  call(method: string, args: readonly Json[], call: PluginCall): Promise<Json>;
  /**
   * Values that a policy reads without a call, such as counts of processes. `changed` is told at once
   * and on each change; the checks of the policy run then.
   */
  watch?(permission: Json, changed: (values: Json) => void): { close(): void };
  /** Lets go of connections, watches and children. Idempotent. */
  close(): Promise<void>;
}

export interface Plugin {
  /** First part of the names of its calls. */
  readonly name: string;
  /** Key in `permissions`, and in grants. */
  readonly permission: string;
  readonly methods: readonly string[];
  /** Answers what is wrong with a permission as a policy or a grant has it; `undefined`: nothing. */
  checkPermission(permission: Json): string | undefined;
  /**
   * The parts of `asked` that `granted` does not cover, each as the words of a grant line, with its
   * keyword: `tcp 10.0.0.1:5432`.
   */
  missing(asked: Json, granted: Json): readonly string[];
  open(host: PluginHost): OpenPlugin | Promise<OpenPlugin>;
}
