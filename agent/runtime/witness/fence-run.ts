import type { FenceSettings } from "../../config/mandates.ts";
import type { FenceProblem } from "../../core/witness/mandate.ts";
import type { ProgramOutcome, RunProgram } from "../../ports/programs.ts";
import { putSecrets } from "../secrets.ts";
import type { Secrets } from "./ports.ts";

export interface FencePorts {
  readonly run: RunProgram;
  /** Why this program may not be run as root; `undefined`: it may. */
  readonly examine: (program: string) => FenceProblem | undefined;
}

/** Of what an agent said. */
const LONGEST_LINE = 200;
const MASK = "***";
const OUTPUT_LIMIT = 16_384;

/**
 * Runs a fence agent by the calling convention of ClusterLabs: `NAME=VALUE` lines on its standard input,
 * nothing in its arguments or environment, and status 0 for success. It has a process group of its own,
 * which gets SIGKILL at its time-out, and no shell. Answers why nobody may rely on it; `undefined`: done.
 */
export async function runFence(
  device: FenceSettings,
  secrets: Secrets,
  { run, examine }: FencePorts,
): Promise<FenceProblem | undefined> {
  const { name, program, timeout } = device;
  const refuse = (reason: string, remedy: string): FenceProblem => ({
    reason: `${name}: ${reason}`,
    remedy,
  });
  const exposed = examine(program);
  if (exposed !== undefined) return refuse(exposed.reason, exposed.remedy ?? OWNED);
  const input = inputOf(device, secrets);
  if (typeof input === "string")
    return refuse(input, "see the fence devices and secrets of holdfast.conf");
  const outcome = await run({
    argv: [program],
    runAs: undefined,
    timeoutMs: timeout / 1_000,
    killAfterMs: 0,
    input: input.lines.join(""),
    outputLimit: OUTPUT_LIMIT,
  });
  const problem = problemOf(outcome, timeout / 1_000);
  if (problem === undefined) return undefined;
  const said = lastLine(outcome.stderr, input.hidden);
  return refuse(
    `${problem}${said === "" ? "" : `: ${said}`}`,
    `run ${program} by hand with action=status and the same options, as lines on its standard input`,
  );
}

const OWNED = "let it and the folders above it belong to root, and nobody else write to them";

interface Input {
  readonly lines: readonly string[];
  /** Not to be shown. */
  readonly hidden: readonly string[];
}

/** Read now, so that a secret that was changed holds at once; or why it cannot be. */
function inputOf(device: FenceSettings, secrets: Secrets): Input | string {
  const { action, options, secretOptions } = device;
  try {
    const read = secretOptions.map(({ name, secret }) => ({
      name,
      value: putSecrets(`\${secret:${secret}}`, secrets),
    }));
    const all = [{ name: "action", value: action }, ...options, ...read];
    const broken = all.find(({ name, value }) => /[\r\n]/.test(name + value));
    if (broken !== undefined) return `the option ${broken.name} has more than one line`;
    return {
      lines: all.map(({ name, value }) => `${name}=${value}\n`),
      hidden: read.map(({ value }) => value).filter((value) => value !== ""),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function problemOf(outcome: ProgramOutcome, timeoutMs: number): string | undefined {
  switch (outcome.kind) {
    case "exited":
      return outcome.status === 0 ? undefined : `the agent ended with status ${outcome.status}`;
    case "signalled":
      return `the agent was ended by ${outcome.signal}`;
    case "timed-out":
      return `the agent did not end within ${timeoutMs / 1_000} s, and was killed`;
    case "not-started":
      return `the agent cannot be started (${outcome.errno})`;
    case "aborted":
      return "the agent was stopped";
  }
}

/** In printable letters, without secrets. */
function lastLine(text: string, hidden: readonly string[]): string {
  // The longest first: one may lie in another.
  const masked = hidden
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, MASK), text);
  // Where it was cut, half a secret may be left.
  const whole = text.length < OUTPUT_LIMIT ? masked : masked.replace(/[^\n]*$/, "");
  const line = whole.trimEnd().split(/\r?\n/).at(-1) ?? "";
  const plain = line.replace(/[^\P{C}]/gu, "?").trim();
  return plain.length > LONGEST_LINE ? `${plain.slice(0, LONGEST_LINE)}…` : plain;
}
