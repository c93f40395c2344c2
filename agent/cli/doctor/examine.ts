import type { HostFacts } from "../../ports/host-facts.ts";
import type { DoctorReport, Finding } from "./finding.ts";
import { examineHost } from "./host-rules.ts";
import type { Needs } from "./needs.ts";
import { examineNeighbours } from "./neighbour-rules.ts";
import { examineNetwork } from "./network-rules.ts";

/** What answers at the control socket. */
export type AgentPresence = "answers" | "stale-socket" | "no-permission" | "absent";

/** All that the rules look at. Plain JSON, so that a rule is tested with a literal. */
export interface Case {
  readonly facts: HostFacts;
  readonly needs: Needs;
  readonly agent: AgentPresence;
  readonly controlSocket: string;
}

/** Applies every rule. Pure. */
export function examine(subject: Case): DoctorReport {
  const findings: readonly Finding[] = [
    ...examineHost(subject),
    ...examineNetwork(subject),
    ...examineNeighbours(subject),
  ];
  const countOf = (level: Finding["level"]): number =>
    findings.filter((finding) => finding.level === level).length;
  return { findings, warnings: countOf("warning"), problems: countOf("problem") };
}
