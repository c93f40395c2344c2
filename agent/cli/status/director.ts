import type { CheckStatus, DirectorStatus, PolicyStatus } from "../../control/protocol.ts";
import type { Style } from "../style.ts";
import type { Cell } from "../table.ts";
import { table } from "../table.ts";
import { duration } from "./duration.ts";
import type { Problem } from "./problem.ts";
import { serviceLines, serviceProblems } from "./services.ts";

const CHECKS = ["CHECK", "STATE", "SINCE", "RUNS", "FAILED", "TOOK", "REASON"] as const;
const POLICIES = ["POLICY", "STATE", "VERSION", "LOADED", "FILE"] as const;

/** With more of them, those that are well are only counted. */
const MOST_CHECKS = 30;

const needsAttention = ({ verdict, stale }: CheckStatus): boolean => verdict !== "up" || stale;

/** What the director checks and which policies it runs, each table with an empty line before it. */
export function directorLines(
  director: DirectorStatus | null,
  now: number,
  style: Style,
): readonly string[] {
  if (director === null) return [];
  const { checks, policies, services } = director;
  const shown = checks.length <= MOST_CHECKS ? checks : checks.filter(needsAttention);
  const rest = checks.length - shown.length;
  const section = (heading: readonly string[], rows: readonly (readonly Cell[])[]) =>
    rows.length === 0 ? [] : ["", ...table(heading, rows, style.faint)];
  return [
    ...serviceLines(services, style),
    ...section(
      CHECKS,
      shown.map((check) => checkRow(check, now, style)),
    ),
    ...(rest === 0
      ? []
      : ["", `${rest} ${shown.length === 0 ? "checks" : "further checks"} are up.`]),
    ...section(
      POLICIES,
      policies.map((policy) => policyRow(policy, now, style)),
    ),
  ];
}

function checkRow(check: CheckStatus, now: number, style: Style): readonly Cell[] {
  const { verdict, stale } = check;
  const paint = { up: style.good, down: style.bad, unknown: style.caution }[verdict];
  return [
    { text: check.name, paint: style.strong },
    { text: stale ? `${verdict}, stale` : verdict, paint: stale ? style.caution : paint },
    { text: check.since === null ? "" : duration(now - check.since) },
    // What stands for the check of a policy has no runs of its own.
    { text: check.runs === 0 ? "" : String(check.runs) },
    { text: check.failures === 0 ? "" : String(check.failures) },
    { text: check.lastMs === null ? "" : `${Math.round(check.lastMs * 10) / 10} ms` },
    { text: check.reason },
  ];
}

function policyRow(policy: PolicyStatus, now: number, style: Style): readonly Cell[] {
  const { state, loadedAt, version } = policy;
  return [
    { text: policy.name, paint: style.strong },
    { text: state, paint: state === "running" ? style.good : style.bad },
    { text: version === 0 ? "" : String(version) },
    { text: loadedAt === null ? "" : `${duration(now - loadedAt)} ago` },
    { text: policy.file },
  ];
}

/** What of the director's work needs a person. Checks that fail show at the routers they concern. */
export function directorProblems(director: DirectorStatus): readonly Problem[] {
  const { dead } = director.notifications;
  const lost: readonly Problem[] =
    dead === 0
      ? []
      : [
          {
            subject: "notifications",
            problem: `${dead} could not be delivered and ${dead === 1 ? "was" : "were"} given up`,
            next: "holdfast notifications shows why, and gives them another try",
          },
        ];
  const services = serviceProblems(director.services, director.ipvs);
  return [...services, ...director.policies.flatMap(policyProblems), ...lost];
}

function policyProblems(policy: PolicyStatus): readonly Problem[] {
  const [first] = policy.problems;
  const subject = `policy ${policy.name}`;
  if (policy.state === "quarantined") {
    const problem = `it is kept from running after ${policy.strikes} violations of its limits`;
    const why = first === undefined ? "" : `: ${first}`;
    return [{ subject, problem: problem + why, next: `mend ${policy.file}; saving it loads it` }];
  }
  if (first === undefined) return [];
  const more = policy.problems.length - 1;
  const older = policy.version > 0 ? ", and an earlier version runs on" : "";
  return [
    {
      subject,
      problem: `it was refused${older}: ${first}${more > 0 ? ` (and ${more} more)` : ""}`,
      // Not policy check: some mistakes only show when it runs.
      next: `mend and save it, or grant it and holdfast reload; holdfast policy run ${policy.file} says what is left`,
    },
  ];
}
