import type { Case } from "./case.ts";
import type { DoctorReport, Finding } from "./finding.ts";
import { examineHost } from "./host-rules.ts";
import { examineNeighbours } from "./neighbour-rules.ts";
import { examineNetwork } from "./network-rules.ts";
import { examineWitness } from "./witness-rules.ts";

/** Applies every rule. Pure. */
export function examine(subject: Case): DoctorReport {
  const findings: readonly Finding[] = [
    ...examineHost(subject),
    ...examineNetwork(subject),
    ...examineNeighbours(subject),
    ...examineWitness(subject),
  ];
  const countOf = (level: Finding["level"]): number =>
    findings.filter((finding) => finding.level === level).length;
  return { findings, warnings: countOf("warning"), problems: countOf("problem") };
}
