import { micros } from "../../../core/time.ts";
import type { ProcessTracker } from "../../trackers.ts";
import type { Statement, Word } from "../tree.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import { readTrackerWeight } from "./tracker-weight.ts";
import { utf8 } from "./utf8.ts";
import { readSeconds, readWhole } from "./values.ts";

const WEIGHT = { limit: 254, otherwise: 0 };
const COUNT = { low: 0, high: 4_294_967_295 };
/** TASK_COMM_LEN without its terminator. */
const LONGEST_NAME = 15;
/** In seconds. */
const DELAY = { low: 0, high: 3600 };

/** vrrp_track_process NAME { process PROGRAM [PARAMETER …] … }. */
export function lowerProcessTracker(
  { name, statement }: Named,
  lowering: Lowering,
): ProcessTracker | undefined {
  const block = statement.block ?? [];
  const lines = new Map(block.map((line) => [line.keyword.text, line]));
  const [program, ...parameters] = lines.get("process")?.words ?? [];
  if (program === undefined || program.text === "") {
    const message = `vrrp_track_process ${name.text} names no process; it would count none`;
    report(lowering, "tracker-invalid", program ?? name, message, "write process NAME");
    return undefined;
  }
  const fullCommand = lines.has("full_command");
  if (parameters.length === 0 && !fullCommand) checkLength(program, lowering);
  const quorum = lowerQuorum(name.text, lines, lowering);
  if (quorum === undefined) return undefined;
  return {
    kind: "process",
    position: name.position,
    name: name.text,
    program: program.text,
    parameters: parameters.map(({ text }) => text),
    parameterMatch: parameterMatch(parameters.length, lines.get("param_match")),
    fullCommand,
    ...quorum,
    ...lowerDelays(block, lowering),
    ...readTrackerWeight(lines.get("weight"), WEIGHT, lowering),
  };
}

/** Alone, the name is compared with the one that the kernel keeps of a process. */
function checkLength(program: Word, lowering: Lowering): void {
  if (utf8(program.text).length <= LONGEST_NAME && !program.text.includes("/")) return;
  const message = `no process is known as ${program.text}: the kernel keeps ${LONGEST_NAME} bytes of a program's name, without its path`;
  const hint = "write full_command, and the program as it is started";
  report(lowering, "process-name-unusable", program, message, hint);
}

function parameterMatch(
  parameters: number,
  line: Statement | undefined,
): ProcessTracker["parameterMatch"] {
  if (parameters === 0) return "none";
  const word = line?.words[0]?.text;
  return word === "initial" || word === "partial" ? word : "exact";
}

/** quorum_max 0 alone: it must not run at all. */
function lowerQuorum(
  name: string,
  lines: ReadonlyMap<string, Statement>,
  lowering: Lowering,
): Pick<ProcessTracker, "quorum" | "quorumMax"> | undefined {
  const count = (word: string) => {
    const line = lines.get(word);
    return line === undefined ? undefined : readWhole(line, COUNT, lowering);
  };
  const least = count("quorum");
  const most = count("quorum_max");
  const quorumMax = most?.value;
  if (least === undefined) return { quorum: Math.min(1, quorumMax ?? 1), quorumMax };
  if (most === undefined || least.value <= most.value) return { quorum: least.value, quorumMax };
  report(
    lowering,
    "tracker-invalid",
    most.at,
    `${name} wants ${least.value} processes or more, and ${most.value} or fewer: it could never be good`,
    "write a quorum_max of at least the quorum",
  );
  return undefined;
}

/** delay sets both; what is written last counts. */
function lowerDelays(
  block: readonly Statement[],
  lowering: Lowering,
): Pick<ProcessTracker, "terminateDelay" | "forkDelay"> {
  let terminateDelay = micros(0);
  let forkDelay = micros(0);
  for (const line of block) {
    const word = line.keyword.text;
    if (word !== "delay" && word !== "terminate_delay" && word !== "fork_delay") continue;
    const value = readSeconds(line, DELAY, lowering)?.value;
    if (value === undefined) continue;
    if (word !== "fork_delay") terminateDelay = value;
    if (word !== "terminate_delay") forkDelay = value;
  }
  return { terminateDelay, forkDelay };
}
