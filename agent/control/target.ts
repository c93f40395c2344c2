import type { Diagnostic } from "../config/diagnostic.ts";
import type { AgentEvent, DirectorCommand, LetterIds, ServerOrder, Status } from "./protocol.ts";

/** How a reload ended. A refused file leaves the running configuration untouched. */
export type ReloadOutcome =
  | {
      readonly accepted: true;
      /** The generation that runs now. */
      readonly generation: number;
      /** The file's warnings. */
      readonly diagnostics: readonly Diagnostic[];
      /** What changed: routers by name. */
      readonly plan: ReloadPlan;
    }
  | {
      readonly accepted: false;
      /** The generation that runs on. */
      readonly generation: number;
      /** At least one error, or the reason why the file could not be read. */
      readonly diagnostics: readonly Diagnostic[];
      /** One sentence. */
      readonly message: string;
    };

/** What a reload did with each router. */
export interface ReloadPlan {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly replaced: readonly string[];
  readonly kept: readonly string[];
}

/** The agent as its control socket sees it. The supervisor implements it. */
export interface ControlTarget {
  /** Never rejects for a dead child process: it answers what is known, and says so. */
  status(): Promise<Status>;
  /** Answers when the new configuration runs, or is refused. */
  reload(): Promise<ReloadOutcome>;
  /** Events and effects as kept in memory, one JSON document a line; `holdfast replay` reads it. */
  journal(): Promise<string>;
  /** Asks the director. Rejects with an Error that says so when it does not answer. */
  director(command: DirectorCommand, ids: LetterIds, order?: ServerOrder): Promise<unknown>;
  readonly events: {
    /** The last events, oldest first. */
    recent(): readonly AgentEvent[];
    /** Calls `listener` for each later event, in order, until the answer is called. */
    subscribe(listener: (event: AgentEvent) => void): () => void;
  };
}
