import { seconds } from "../../../core/time.ts";
import type { ScriptTracker } from "../../trackers.ts";
import type { Statement, Word } from "../tree.ts";
import { readCommand } from "./command.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import { readTrackerWeight } from "./tracker-weight.ts";
import { readSeconds, readWhole } from "./values.ts";

const DEFAULT_INTERVAL = seconds(1);
/** In seconds: keepalived 2.2 ends at 4294, later ones at 2³¹. */
const SPAN = { low: 0.001, high: 2_147_483_647 };
const COUNT = { low: 1, high: 4_294_967_295 };

const POLICY = /^policy:([\w.-]+)\/([\w.-]+)$/;

/** Words that a policy decides for itself. */
const NOT_OF_A_POLICY: ReadonlySet<string> = new Set([
  "interval",
  "timeout",
  "rise",
  "fall",
  "user",
]);

/** vrrp_script NAME { script "COMMAND" … }. */
export function lowerScriptTracker(
  { name, statement }: Named,
  lowering: Lowering,
): ScriptTracker | undefined {
  const lines = new Map((statement.block ?? []).map((line) => [line.keyword.text, line]));
  const script = lines.get("script")?.words[0];
  if (script === undefined) {
    const message = `vrrp_script ${name.text} has no script, so it could never be good`;
    report(lowering, "tracker-invalid", name, message, 'write script "/path/of/program argument"');
    return undefined;
  }
  const run = lowerRun(name, script, lines, lowering);
  if (run === undefined) return undefined;
  const span = (word: string) => {
    const line = lines.get(word);
    return line === undefined ? undefined : readSeconds(line, SPAN, lowering);
  };
  const count = (word: string): number => {
    const line = lines.get(word);
    return (line === undefined ? undefined : readWhole(line, COUNT, lowering)?.value) ?? 1;
  };
  const interval = span("interval")?.value ?? DEFAULT_INTERVAL;
  const timeout = span("timeout");
  if (timeout !== undefined && timeout.value > interval && run.kind !== "policy") {
    report(
      lowering,
      "timeout-exceeds-interval",
      timeout.at,
      `a run of ${name.text} that takes longer than its interval leaves the next ones out: a failure may be seen after ${timeout.value / seconds(1)} s only`,
      "write a timeout of at most the interval, or a longer interval",
    );
  }
  return {
    kind: "script",
    position: name.position,
    name: name.text,
    run,
    interval,
    timeout: timeout?.value ?? interval,
    rise: count("rise"),
    fall: count("fall"),
    initFail: lines.has("init_fail"),
    ...readTrackerWeight(lines.get("weight"), { limit: 253, otherwise: 0 }, lowering),
  };
}

function lowerRun(
  name: Word,
  script: Word,
  lines: ReadonlyMap<string, Statement>,
  lowering: Lowering,
): ScriptTracker["run"] | undefined {
  if (script.text.startsWith("policy:")) return policyRun(name, script, lines, lowering);
  const outcome = readCommand(
    {
      at: script,
      user: lines.get("user")?.words ?? [],
      owner: `vrrp_script ${name.text}`,
      otherwise: "it counts as failed",
    },
    lowering,
  );
  return outcome.ok
    ? { kind: "command", command: outcome.command }
    : { kind: "refused", reason: outcome.reason };
}

function policyRun(
  name: Word,
  script: Word,
  lines: ReadonlyMap<string, Statement>,
  lowering: Lowering,
): ScriptTracker["run"] | undefined {
  const [, policy, check] = POLICY.exec(script.text) ?? [];
  if (policy === undefined || check === undefined) {
    const message = `"${script.text}" names no check of a policy, so ${name.text} could never be good`;
    report(lowering, "tracker-invalid", script, message, 'write script "policy:NAME/CHECK"');
    return undefined;
  }
  for (const { keyword } of lines.values()) {
    if (!NOT_OF_A_POLICY.has(keyword.text)) continue;
    const message = `${keyword.text} is for programs; the policy ${policy} says it for ${check} itself`;
    report(lowering, "setting-ignored", keyword, message, "remove the line");
  }
  return { kind: "policy", position: script.position, policy, check };
}
