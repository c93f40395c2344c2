import type { HostFacts } from "../../ports/host-facts.ts";
import type { Needs } from "./needs.ts";

/** What answers at the control socket. */
export type AgentPresence = "answers" | "stale-socket" | "no-permission" | "absent";

/** All that the rules look at. Plain JSON, so that a rule is tested with a literal. */
export interface Case {
  readonly facts: HostFacts;
  readonly needs: Needs;
  readonly agent: AgentPresence;
  readonly controlSocket: string;
}
