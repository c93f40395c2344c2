import type { StoreReport } from "../../core/witness/store-report.ts";
import type { HostFacts } from "../../ports/host-facts.ts";
import type { Problem } from "../status/problem.ts";
import type { Needs } from "./needs.ts";

/** What answers at the control socket. `silent`: somebody has it, and says nothing. */
export type AgentPresence = "answers" | "silent" | "stale-socket" | "no-permission" | "absent";

/** All that the rules look at. Plain JSON, so that a rule is tested with a literal. */
export interface Case {
  readonly facts: HostFacts;
  readonly needs: Needs;
  readonly agent: AgentPresence;
  readonly controlSocket: string;
  /** What the running agent says; `undefined`: no group needs one, or there is no agent. */
  readonly store?: StoreReport | undefined;
  /** What else the running agent says that needs a person. */
  readonly reported?: readonly Problem[];
}
